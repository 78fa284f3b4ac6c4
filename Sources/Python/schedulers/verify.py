"""Is a recorded run right? The judgement of a trace, as `scheduler verify` gives it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any

from . import _library
from ._json import dumps
from .errors import ArgumentError


@dataclass(frozen=True)
class StepJudgement:
    """How far a step is from what it should be.

    `difference` is the largest of a scalar of the batch, at index `element`, and `allowed` what is within tolerance.
    `timestep` is the plan's, `recorded_timestep` the recording's.
    """

    step: int
    agrees: bool
    difference: float | None
    allowed: float | None
    element: tuple[int, ...] | None
    timestep: float | None
    recorded_timestep: float | None


@dataclass(frozen=True)
class Judgement:
    """Whether a recorded run is the one that its configuration asks for.

    `agrees` says it for the run and `steps` for each step. `diagnosis` is the likely mistake, None if there is none or
    it is not known. `text` is what `scheduler verify` prints, and `answer` the object of `scheduler verify --json`.
    """

    agrees: bool
    steps: tuple[StepJudgement, ...]
    diagnosis: str | None
    text: str
    answer: dict[str, Any] = field(repr=False)

    def __bool__(self) -> bool:
        return self.agrees

    def __str__(self) -> str:
        return self.text


def verify(path: str | os.PathLike[str], tolerance: float | None = None, fidelity: str = "diffusers") -> Judgement:
    """Makes each step of a recorded run again, and judges it.

    - `path`: a file of the format scheduler-trace/1, safetensors or JSON, which `record` writes and Docs/Verify.md
      describes.
    - `tolerance`: how far a scalar may be off, relative to 1 or the largest of the step. If None, 2e-4, and in half
      precision what its roundings explain.
    - `fidelity`: `"diffusers"` judges by what the source of the run does, `"corrected"` by the mathematics.

    Raises `FileError` for a file that cannot be judged.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ArgumentError(f"a path of type {type(path).__name__}; give the path of a trace")
    options = {"fidelity": fidelity} | ({} if tolerance is None else {"tolerance": tolerance})
    place = _library.encoded(os.fsdecode(path))
    text = _library.text("schedulers_verify", place, _library.encoded(dumps(options, "the options")))
    answer = json.loads(text)
    found = answer["judgement"]
    diagnosis = (found.get("diagnosis") or {}).get("text")
    return Judgement(answer["agrees"], tuple(map(_step, found["steps"])), diagnosis, answer["text"], answer)


def _step(values: dict[str, Any]) -> StepJudgement:
    difference, allowed = values.get("difference"), values.get("allowed")
    agrees = difference is not None and allowed is not None and difference <= allowed
    return StepJudgement(
        step=values["step"],
        agrees=agrees and not values.get("hasOtherTimestep"),
        difference=difference,
        allowed=allowed,
        element=tuple(values["element"]) if values.get("element") else None,
        timestep=values.get("timestep"),
        recorded_timestep=values.get("recordedTimestep"),
    )
