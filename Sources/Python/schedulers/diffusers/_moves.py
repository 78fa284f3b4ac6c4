"""The steps of a plan, with their lines folded into as few factors as a tensor has to be multiplied by."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any

from ..plans import Plan

# Where two lines of a step cancel, what their rounding leaves, relative to what was added up.
CANCELLED = 2.0**-48


def total(*terms: float) -> float:
    """A sum without what rounding leaves of numbers that cancel; and 1 where only rounding is in the way of it."""
    most = max(map(abs, terms))
    value = sum(terms)
    if abs(value) <= CANCELLED * most:
        return 0.0
    return 1.0 if abs(value - 1) <= CANCELLED * max(most, 1) else value


@dataclass(frozen=True, slots=True)
class Move:
    """One step, over the sample x and the network's output F: x̂0 = read·(x, F), which is then clipped; what is kept of
    it, E = keep·(x, x̂0), or keep·(x, F) where nothing clips; and the next sample, factors·(x, F, x̂0), earlier samples
    and estimates, and noise·z.

    Where nothing clips, the next sample has no part of x̂0; `others` say the same with x̂0 in the place of F.
    """

    timestep: float
    scale: float
    read: tuple[float, float]
    keep: tuple[float, float]
    factors: tuple[float, float, float]
    others: tuple[float, float, float]
    # Of the samples and the estimates before this step's, the newest first.
    samples: tuple[float, ...]
    estimates: tuple[float, ...]
    # Of the sample as the step before made it, and of noise.
    made: float
    noise: float
    # The exponent's (offset, slope) of a learned variance; "output" where the network says the variance itself.
    variance: tuple[float, float] | str | None
    level: tuple[float, float]
    arrival: tuple[float, float]
    # How much is kept for the steps after this one.
    kept_samples: int = 0
    kept_estimates: int = 0


@dataclass(frozen=True)
class Moves:
    """A plan as it is run here, from the call `first` on."""

    plan: Plan
    steps: tuple[Move, ...]
    clipping: tuple[str, float, float]
    learns_variance: bool
    initial_scale: float
    first: int = 0

    def __deepcopy__(self, memo: Any) -> Moves:
        return self

    @functools.cached_property
    def has_memory(self) -> bool:
        """Whether a step needs more than the sample before it."""
        return any(step.samples or step.estimates or step.made for step in self.steps)

    @functools.cached_property
    def timesteps(self) -> tuple[float, ...]:
        return tuple(step.timestep for step in self.steps)

    @functools.cached_property
    def places(self) -> dict[float, int]:
        """The first call of each timestep."""
        return {timestep: i for i, timestep in reversed(list(enumerate(self.timesteps)))}


def moves(source: Plan, first: int = 0) -> Moves:
    """The moves of a plan."""
    plan = json.loads(source.json())
    kind = plan["clipping"]["kind"]
    names = {"none": ("kind", "kind"), "range": ("lower", "upper"), "dynamic": ("ratio", "maximum")}[kind]
    low, high = (0.0, 0.0) if kind == "none" else (plan["clipping"][name] for name in names)
    made = [move(step, kind != "none") for step in plan["steps"]]
    steps, samples, estimates = [], 0, 0
    for one in reversed(made):
        steps.append(_with(one, kept_samples=samples, kept_estimates=estimates))
        samples, estimates = (
            max(n - 1, len(now), 0) for n, now in ((samples, one.samples), (estimates, one.estimates))
        )
    return Moves(source, tuple(reversed(steps)), (kind, low, high), plan["learnsVariance"], plan["initialScale"], first)


def _with(move: Move, **changed: Any) -> Move:
    return Move(**{**{name: getattr(move, name) for name in Move.__slots__}, **changed})


def move(step: dict[str, Any], clips: bool) -> Move:
    """A step as the format has it."""
    next, read, keep = step["next"], step["denoised"], step["estimate"]
    p, q, k, m = read["sample"], read["output"], keep["sample"], keep["denoised"]
    s = next["samples"][0] if next["samples"] else 0.0
    e = next["estimates"][0] if next["estimates"] else 0.0
    u, f = next["denoised"], next["output"]
    others = (total(s, e * k), f, total(e * m, u))
    if clips:
        factors = others = (total(s, e * k, u * p), total(f, u * q), e * m)
    else:
        factors = (total(s, e * k, e * m * p, u * p), total(f, e * m * q, u * q), 0.0)
        k, m = total(k, m * p), total(m * q)
    variance = step["variance"]
    said: tuple[float, float] | str | None = None
    if variance and variance["kind"] == "learned":
        said = (variance["offset"] / 2, variance["slope"] / 2)
    elif variance and variance["kind"] == "output":
        said = "output"
    level, arrival = step["level"], step["arrival"]
    return Move(
        step["timestep"],
        step["inputScale"],
        (total(p), total(q)),
        (k, m),
        factors,
        others,
        _trimmed(next["samples"][1:]),
        _trimmed(next["estimates"][1:]),
        next["made"],
        next["noise"],
        said,
        (level["signal"], level["noise"]),
        (arrival["signal"], arrival["noise"]),
    )


def _trimmed(factors: list[float]) -> tuple[float, ...]:
    while factors and not factors[-1]:
        factors = factors[:-1]
    return tuple(factors)
