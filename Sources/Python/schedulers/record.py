"""Recording a run of diffusers, to be judged by `schedulers.verify`."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import sys
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

from .errors import FileError


def record(pipe: Any, path: str | os.PathLike[str] = "trace.safetensors") -> AbstractContextManager[list[pathlib.Path]]:
    """Records what a pipeline asks of its scheduler, and writes it as a trace at the end of the block.

        with schedulers.record(pipe, "trace.safetensors") as paths:
            pipe("a cat", num_inference_steps=30)
        print(schedulers.verify(paths[0]))

    - `pipe`: a pipeline of diffusers, or anything with a `scheduler`.
    - `path`: the file. If the pipeline sets the timesteps again, the next run goes to a file of its own, `-2` added to
      the name. The block is given the list of the files, which is filled at its end.

    It needs torch and safetensors. Fixtures/record_trace.py, which does the work, records other sources too.
    """
    return recorder().recording(pipe, path)  # type: ignore[no-any-return]


def recorder() -> ModuleType:
    """The recorder, which is a file of its own for people to copy: a wheel has it inside, a checkout in Fixtures."""
    name = "schedulers._record_trace"
    if name not in sys.modules:
        here = pathlib.Path(__file__)
        places = (here.with_name("_record_trace.py"), here.parents[3] / "Fixtures/record_trace.py")
        place = next((place for place in places if place.is_file()), None)
        spec = place and importlib.util.spec_from_file_location(name, place)
        if not spec or not spec.loader:
            raise FileError(f"the recorder {places[0]} is not there; install the package again")
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except ImportError as error:
            raise FileError(f"recording needs torch and safetensors: {error}") from None
        sys.modules[name] = module
    return sys.modules[name]
