"""Runs by an array's own operators: on any device, with gradients."""

from __future__ import annotations

from ._arrays import Array, Arrays, Term
from ._program import Move
from .steps import Clipping, Step


class Operators:
    """What a run keeps of earlier steps, and the sums that make the next sample. No array is changed."""

    def __init__(self, kind: Arrays, clipping: Clipping, learns_variance: bool) -> None:
        self.kind, self.clipping, self.learns_variance = kind, clipping, learns_variance
        self.left: dict[tuple[str, int], Array] = {}
        self.denoised_terms: list[Term] = []

    def advance(
        self, i: int, step: Step, move: Move, x: Array, made: Array | None, output: Array, noise: Array | None
    ) -> Array:
        """The next sample. `made` is the sample as it was made, if it was changed since."""
        kind, said = self.kind, None
        if self.learns_variance:
            output, said = output[:, : x.shape[1]], output[:, x.shape[1] :]
        unclipped: list[Term] = [(step.denoised.sample, x), (step.denoised.output, output)]
        terms: list[Term] = [(move.sample, x), (move.output, output)]
        if self.clipping.kind == "none":
            self.denoised_terms, value = unclipped, output
        else:
            whole = kind.total(unclipped, x)
            value = self.clip(whole)
            self.denoised_terms = [(1.0, value)]
            terms += [(move.value, value), (move.unclipped, whole)]
        if made is not None and move.made:
            terms[0] = (move.sample - move.made, x)
            terms.append((move.made, made))
        terms += [(factor, self.left["estimate", k]) for k, factor in move.estimates]
        terms += [(factor, self.left["sample", k]) for k, factor in move.samples]
        if move.noise:
            terms.append((move.noise, self.deviated(move, said, noise)))
        result = kind.cast(kind.total(terms, x), x)
        if move.keeps_estimate:
            estimate = kind.total([(move.kept_sample, x), (move.kept_value, value)], x)
            self.left["estimate", i] = kind.cast(estimate, x)
        if move.keeps_sample:
            self.left["sample", i] = x
        for key in move.drops:
            del self.left[key]
        return result

    def denoised(self, like: Array) -> Array | None:
        """x̂0 of the last step, after clipping."""
        if not self.denoised_terms:
            return None
        return self.kind.cast(self.kind.total(self.denoised_terms, like), like)

    def deviated(self, move: Move, said: Array, noise: Array) -> Array:
        """Noise times the root of the variance, where the network says it."""
        kind = self.kind
        if move.variance is None:
            return noise
        said = kind.wide(said)
        if move.variance.kind == "output":
            return kind.sqrt(said) * noise
        offset, slope = move.variance.offset or 0.0, move.variance.slope or 0.0
        return kind.exp(said * (slope / 2) + offset / 2) * noise

    def clip(self, x0: Array) -> Array:
        """x̂0 clipped, or thresholded sample by sample."""
        kind, clipping = self.kind, self.clipping
        if clipping.kind == "range":
            return kind.clip(x0, clipping.lower, clipping.upper)
        assert clipping.ratio is not None
        rows = kind.sorted_rows(x0)
        place = clipping.ratio * (rows.shape[1] - 1)
        first = int(place)
        low, high = rows[:, first], rows[:, min(first + 1, rows.shape[1] - 1)]
        scale = kind.clip(low + (place - first) * (high - low), 1.0, None)
        scale = kind.clip(scale, None, clipping.maximum)
        scale = kind.xp.where(kind.xp.isnan(rows[:, -1]), float("nan"), scale).reshape(
            (-1,) + (1,) * (len(x0.shape) - 1)
        )
        return kind.clip(x0, -scale, scale) / scale

    def fork(self) -> Operators:
        """The same, to be gone on with apart."""
        copy = Operators(self.kind, self.clipping, self.learns_variance)
        copy.left, copy.denoised_terms = dict(self.left), list(self.denoised_terms)
        return copy
