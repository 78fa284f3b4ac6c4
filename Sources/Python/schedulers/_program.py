"""A plan's steps with their lines of algebra folded together, as few operations as an array needs."""

from __future__ import annotations

from dataclasses import dataclass

from .steps import Clipping, Step, Variance


@dataclass(frozen=True)
class Move:
    """One step over x, the network's output F, and what earlier steps left.

    Without clipping, x' = x·`sample` + F·`output` + ..., and E = x·`kept_sample` + F·`kept_value`. With clipping, x̂0
    takes the place of F: x' = x·`sample` + x̂0·`value` + F·`output` + unclipped x̂0·`unclipped` + ..., and
    E = x·`kept_sample` + x̂0·`kept_value`.

    `estimates` and `samples` are (index of an earlier step, factor). What a step leaves is kept if `keeps_estimate` or
    `keeps_sample` says so, and let go after the step whose `drops` name it. `made` is the factor of the sample as it
    was made, which `sample` holds too.
    """

    sample: float
    value: float
    output: float
    unclipped: float
    kept_sample: float
    kept_value: float
    estimates: tuple[tuple[int, float], ...]
    samples: tuple[tuple[int, float], ...]
    made: float
    noise: float
    variance: Variance | None
    keeps_estimate: bool
    keeps_sample: bool
    drops: tuple[tuple[str, int], ...]


def moves(steps: tuple[Step, ...], clipping: Clipping) -> tuple[Move, ...]:
    """The move of each step."""
    last_uses: dict[tuple[str, int], int] = {}
    for i, step in enumerate(steps):
        for kind, factors in (("estimate", step.next.estimates), ("sample", step.next.samples)):
            for ago, factor in enumerate(factors):
                if ago and factor:
                    last_uses[kind, i - ago] = i
    drops: dict[int, list[tuple[str, int]]] = {}
    for left, last in last_uses.items():
        drops.setdefault(last, []).append(left)
    return tuple(_move(i, step, clipping, last_uses, drops.get(i, [])) for i, step in enumerate(steps))


def _move(
    i: int, step: Step, clipping: Clipping, last_uses: dict[tuple[str, int], int], drops: list[tuple[str, int]]
) -> Move:
    following, read, kept = step.next, step.denoised, step.estimate
    newest = following.estimates[0] if following.estimates else 0.0
    own = (following.samples[0] if following.samples else 0.0) + following.made
    if clipping.kind == "none":
        # x̂0 is a sum of x and F, and so is E.
        value = newest * kept.denoised + following.denoised
        sample, value, output = own + newest * kept.sample + value * read.sample, 0.0, value * read.output
        output, unclipped = output + following.output, 0.0
        kept_sample, kept_value = kept.sample + kept.denoised * read.sample, kept.denoised * read.output
    else:
        sample, value = own + newest * kept.sample, newest * kept.denoised
        output, unclipped = following.output, following.denoised
        kept_sample, kept_value = kept.sample, kept.denoised
    return Move(
        sample=sample,
        value=value,
        output=output,
        unclipped=unclipped,
        kept_sample=kept_sample,
        kept_value=kept_value,
        estimates=tuple((i - k, f) for k, f in enumerate(following.estimates) if k and f),
        samples=tuple((i - k, f) for k, f in enumerate(following.samples) if k and f),
        made=following.made,
        noise=following.noise,
        variance=step.variance if step.variance and step.variance.kind != "fixed" else None,
        keeps_estimate=("estimate", i) in last_uses,
        keeps_sample=("sample", i) in last_uses,
        drops=tuple(drops),
    )
