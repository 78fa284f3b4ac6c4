"""Schedules and samplers of diffusion models: the numbers of the Swift library Schedulers, for Python.

    from schedulers import Philox, Plan

    plan = Plan.from_config("scheduler_config.json", steps=28)
    noise = Philox(seed=42)
    x = plan.initial_scale * noise.next((1, 4, 64, 64))
    image = plan.sample(x, lambda x, timestep: network(x, timestep), noise)

Plans need the C library, which a wheel has inside; a plan that was saved runs without it. `schedulers.plan` is a module
of its own, of a hundred lines to be copied.
"""

import json
from typing import Any

from . import _library
from .errors import (
    ArgumentError,
    FileError,
    JSONError,
    LibraryError,
    LibraryMissingError,
    LibraryVersionError,
    NotFiniteError,
    OutOfMemoryError,
    RequestError,
    SchedulersError,
    StateError,
)
from .noise import Brownian, Philox
from .plans import Plan
from .record import record
from .runs import Run
from .steps import Clipping, Level, Query, Step, Variance
from .verify import Judgement, StepJudgement, verify

__version__ = "0.1.0"


def catalog() -> dict[str, Any]:
    """What there is: lists of samplers, classes with their options, schedules, spacings, presets, noises and others."""
    found: dict[str, Any] = json.loads(_library.text("schedulers_catalog"))
    return found


__all__ = [
    "ArgumentError",
    "Brownian",
    "Clipping",
    "FileError",
    "JSONError",
    "Judgement",
    "Level",
    "LibraryError",
    "LibraryMissingError",
    "LibraryVersionError",
    "NotFiniteError",
    "OutOfMemoryError",
    "Philox",
    "Plan",
    "Query",
    "RequestError",
    "Run",
    "SchedulersError",
    "StateError",
    "Step",
    "StepJudgement",
    "Variance",
    "catalog",
    "record",
    "verify",
]
