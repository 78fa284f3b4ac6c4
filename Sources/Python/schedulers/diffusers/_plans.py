"""Where plans come from: the one place that asks the library for one."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ._moves import Moves


def request(config: Mapping[str, Any], steps: int | None, fidelity: str, arguments: Mapping[str, Any]) -> str:
    """The request of a plan in JSON, as schedulers.h has it."""
    asked: dict[str, Any] = {"configuration": dict(config), "fidelity": fidelity, "arguments": dict(arguments)}
    if steps is not None:
        asked["steps"] = steps
    if fidelity == "diffusers":
        asked["processor"] = "other" if has_nearest_roots() else "amd"
    return json.dumps(asked, default=plain, sort_keys=True)


@functools.lru_cache(maxsize=64)
def planned(request: str) -> Moves:
    """The moves of a request's plan."""
    return Moves(request)


ROOTS = torch.linspace(0.001, 1, 1024)


def has_nearest_roots() -> bool:
    """Whether torch's square roots are the nearest numbers. On AMD's processors they are not, and tables show it."""
    return bool(np.array_equal(torch.sqrt(ROOTS).numpy(), np.sqrt(ROOTS.numpy())))


def plain(value: Any) -> Any:
    """An array, a tensor or another number of somebody's as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (tuple, set)):
        return list(value)
    raise TypeError(f"{value!r} is of type {type(value).__name__}, which no configuration holds")
