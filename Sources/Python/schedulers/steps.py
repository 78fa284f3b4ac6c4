"""The numbers of a plan, as frozen values: what Docs/Plan.md calls the format scheduler-plan/1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Level:
    """A noise level: a sample there is signal·x0 + noise·epsilon."""

    signal: float
    noise: float

    @property
    def sigma(self) -> float:
        """noise/signal; infinite where there is no signal."""
        return self.noise / self.signal if self.signal else math.inf


@dataclass(frozen=True)
class Reading:
    """x̂0 = sample·x + output·F, with the network's output F."""

    sample: float
    output: float


@dataclass(frozen=True)
class Estimate:
    """E = sample·x + denoised·x̂0, with the clipped x̂0: what the sampler extrapolates."""

    sample: float
    denoised: float


@dataclass(frozen=True)
class Next:
    """The factors of the next sample.

    `samples` and `estimates` are lists, newest first; `made` is the factor of the sample as the last step made it,
    `denoised` that of x̂0 before it is clipped, `output` that of F, and `noise` that of fresh noise.
    """

    samples: tuple[float, ...]
    estimates: tuple[float, ...]
    made: float
    denoised: float
    output: float
    noise: float


@dataclass(frozen=True)
class Variance:
    """The variance of a step's noise.

    `fixed`: its logarithm is known, and its root is in `Next.noise`. `learned`: the logarithm is offset + slope·v of
    what the network says, v. `output`: v is the variance.
    """

    kind: str
    logarithm: float | None = None
    offset: float | None = None
    slope: float | None = None


@dataclass(frozen=True)
class Clipping:
    """What is done to x̂0: `none`, a `range`, or `dynamic` thresholding."""

    kind: str
    lower: float | None = None
    upper: float | None = None
    ratio: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Step:
    """One call of the network, and how its answer makes the next sample.

    `timestep` is what the network is told, `next_timestep` what it is told in the next call, None in the last.
    `level` and `sigma` are those of the sample before the step, `arrival` the level after it; `sigma` is infinite where
    there is no signal. The network is given `input_scale` times the sample.
    """

    timestep: float
    next_timestep: float | None
    level: Level | None
    arrival: Level | None
    sigma: float | None
    input_scale: float
    denoised: Reading
    estimate: Estimate
    next: Next
    variance: Variance | None

    @property
    def needs_noise(self) -> bool:
        """Whether the step draws noise."""
        return self.next.noise != 0


@dataclass(frozen=True)
class Query:
    """What the network is asked now: call `step`, from 0 on, of `count`.

    It is told `timestep` and given `input_scale` times the sample, which is at `level`. The step goes on to `arrival`.
    """

    step: int
    count: int
    timestep: float
    next_timestep: float | None
    input_scale: float
    level: Level | None
    arrival: Level | None
    sigma: float | None
    needs_noise: bool


def step_of(values: dict[str, Any]) -> Step:
    """A step of a plan that `schedulers.plan.check` has looked at."""
    level, arrival, reading, estimate, following = (
        values.get("level"),
        values.get("arrival"),
        values["denoised"],
        values["estimate"],
        values["next"],
    )
    variance = values["variance"]
    return Step(
        timestep=float(values["timestep"]),
        next_timestep=values.get("nextTimestep"),
        level=level_of(level),
        arrival=level_of(arrival),
        sigma=sigma_of(values),
        input_scale=float(values["inputScale"]),
        denoised=Reading(float(reading["sample"]), float(reading["output"])),
        estimate=Estimate(float(estimate["sample"]), float(estimate["denoised"])),
        next=Next(
            samples=tuple(map(float, following["samples"])),
            estimates=tuple(map(float, following["estimates"])),
            made=float(following["made"]),
            denoised=float(following["denoised"]),
            output=float(following["output"]),
            noise=float(following["noise"]),
        ),
        variance=None if variance is None else known(Variance, variance, ("logarithm", "offset", "slope")),
    )


def clipping_of(values: dict[str, Any]) -> Clipping:
    """The clipping of a plan that `schedulers.plan.check` has looked at."""
    found: Clipping = known(Clipping, values, ("lower", "upper", "ratio", "maximum"))
    return found


def known(kind: Any, values: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return kind(values["kind"], **{key: float(values[key]) for key in keys if key in values})


def level_of(values: Any) -> Level | None:
    """A level, which a plan of another's making may leave out."""
    return Level(float(values["signal"]), float(values["noise"])) if values else None


def sigma_of(values: dict[str, Any]) -> float | None:
    if values.get("sigma") is not None:
        return float(values["sigma"])
    level = level_of(values.get("level"))
    return level.sigma if level else None
