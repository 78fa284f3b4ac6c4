"""The steps of a plan, with their lines folded into as few factors as a tensor has to be multiplied by."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from .. import _library
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
    # How much is kept for the steps after this one.
    kept_samples: int
    kept_estimates: int


class Call(NamedTuple):
    """What is asked in one call of the network, and between which levels, (signal, noise), the step goes."""

    timestep: float
    scale: float
    level: tuple[float, float]
    arrival: tuple[float, float]
    needs_noise: bool


class Moves:
    """A plan as it is run here, from the call `first` on. Its algebra is read only where torch's operators need it."""

    def __init__(self, request: str) -> None:
        self.request = request
        self.handle = _library.made("plan", request)
        info = _library.described(self.handle)
        self.initial_scale, self.learns_variance = info.initial_scale, bool(info.learns_variance)
        self.calls = tuple(
            Call(q.timestep, q.input_scale, (q.signal, q.noise), (q.next_signal, q.next_noise), bool(q.needs_noise))
            for q in _library.queries(self.handle, info.steps)
        )
        self.first: int = json.loads(request)["arguments"].get("first_step", 0)

    def __len__(self) -> int:
        return len(self.calls)

    def __deepcopy__(self, memo: Any) -> Moves:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Moves, (self.request,)

    @functools.cached_property
    def timesteps(self) -> tuple[float, ...]:
        return tuple(call.timestep for call in self.calls)

    @functools.cached_property
    def places(self) -> dict[float, int]:
        """The first call of each timestep."""
        return {timestep: i for i, timestep in reversed(list(enumerate(self.timesteps)))}

    @functools.cached_property
    def plan(self) -> Plan:
        """The plan itself."""
        return Plan(_library.text("schedulers_plan_json", self.handle), self.handle)

    @functools.cached_property
    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = json.loads(self.plan.json())
        return values

    @functools.cached_property
    def clipping(self) -> tuple[str, float, float]:
        """What is done to x̂0: its kind, with limits, or with ratio and maximum."""
        values = self._values["clipping"]
        keys = {"none": (), "range": ("lower", "upper"), "dynamic": ("ratio", "maximum")}[values["kind"]]
        low, high = (values[key] for key in keys) if keys else (0.0, 0.0)
        return values["kind"], low, high

    @functools.cached_property
    def steps(self) -> tuple[Move, ...]:
        """The algebra of each step."""
        made, samples, estimates = [], 0, 0
        for step in reversed(self._values["steps"]):
            one = move(step, self.clipping[0] != "none", samples, estimates)
            samples, estimates = max(samples - 1, len(one.samples)), max(estimates - 1, len(one.estimates))
            made.append(one)
        return tuple(reversed(made))

    @functools.cached_property
    def has_memory(self) -> bool:
        """Whether a step needs more than the sample before it."""
        return any(step.samples or step.estimates or step.made for step in self.steps)


def move(step: dict[str, Any], clips: bool, kept_samples: int, kept_estimates: int) -> Move:
    """A step of the format scheduler-plan/1."""
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
    return Move(
        (total(p), total(q)),
        (k, m),
        factors,
        others,
        _trimmed(next["samples"][1:]),
        _trimmed(next["estimates"][1:]),
        next["made"],
        next["noise"],
        said,
        kept_samples,
        kept_estimates,
    )


def _trimmed(factors: list[float]) -> tuple[float, ...]:
    while factors and not factors[-1]:
        factors = factors[:-1]
    return tuple(factors)
