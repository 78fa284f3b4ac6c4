"""Runs of a plan by torch's operators: for every device and with gradients, in as few kernels as there are terms."""

from __future__ import annotations

import math

import torch

from ._moves import CANCELLED, Move, Moves

Terms = list[tuple[float, torch.Tensor]]


class OperatorRun:
    """What a run needs of its earlier steps, and how it takes the next."""

    def __init__(self, moves: Moves) -> None:
        self.moves = moves
        # Newest first.
        self.samples: list[torch.Tensor] = []
        self.estimates: list[torch.Tensor] = []
        # The sample as the last step made it; and what the caller was given, with how often it had been written to.
        self.made: torch.Tensor | None = None
        self.given: tuple[torch.Tensor, float] | None = None

    def advance(
        self,
        i: int,
        x: torch.Tensor,
        output: torch.Tensor,
        noise: torch.Tensor | None,
        wants_denoised: bool,
        kind: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The sample after step i, in the type `kind`, and the clipped x̂0 if it is wanted.

        `output` has twice the channels of `x` where the plan learns its variance.
        """
        move, said = self.moves.steps[i], None
        if self.moves.learns_variance and output.shape[1] == 2 * x.shape[1]:
            output, said = output.chunk(2, dim=1)
        wide = x.dtype
        if wide is not torch.float32 or output.dtype is not wide:
            wide = torch.promote_types(torch.promote_types(wide, output.dtype), torch.float32)
        given, x = x, x if x.dtype is wide else x.to(wide)
        clips = self.moves.clipping[0] != "none"
        denoised = None
        if clips or wants_denoised:
            denoised = combination([(move.read[0], x), (move.read[1], output)], wide)
            if clips:
                denoised = self.clipped(denoised)
        estimate = self.estimate(move, x, output, denoised, wide, clips)
        if denoised is None and estimate is not None and move.keep == move.read:
            denoised = estimate
        terms: Terms = [*zip(move.samples, self.samples), *zip(move.estimates, self.estimates)]
        more = 0.0
        if move.made:
            if (
                self.made is None
                or self.given is not None
                and self.given[0] is given
                and self.given[1] == written(given)
            ):
                more = move.made
            else:
                terms.append((move.made, self.made))
        if noise is not None and move.noise and said is None:
            terms.append((move.noise, noise))
        next = least(move, more, x, output, denoised, terms, wide)
        if noise is not None and move.noise and said is not None:
            next = next.addcmul(deviation(move, said), noise.to(wide), value=move.noise)
        if next.dtype is not kind or next is x or next is output or next is denoised:
            made, next = next, next.to(kind, copy=True)
        else:
            made = next
        self.keep(i, move, x, estimate, made, next)
        return next, denoised

    def advance_with_rest(
        self,
        i: int,
        x: torch.Tensor,
        output: torch.Tensor,
        noise: torch.Tensor | None,
        scale: float,
        kind: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The sample after step i, and what it is without noise, divided by a number."""
        move, wide = self.moves.steps[i], torch.promote_types(kind, torch.float32)
        rest, _ = self.advance(i, x, output, None, False, wide)
        next = rest if noise is None or not move.noise else rest.add(noise, alpha=move.noise)
        return next.to(kind), (rest if scale == 1 else rest / scale).to(kind)

    def estimate(
        self,
        move: Move,
        x: torch.Tensor,
        output: torch.Tensor,
        denoised: torch.Tensor | None,
        wide: torch.dtype,
        clips: bool,
    ) -> torch.Tensor | None:
        """What is kept of the step for later ones."""
        if not move.kept_estimates:
            return None
        if denoised is not None and move.keep == ((0.0, 1.0) if clips else move.read):
            return denoised
        return combination(
            [(move.keep[0], x), (move.keep[1], denoised if clips and denoised is not None else output)], wide
        )

    def keep(
        self,
        i: int,
        move: Move,
        x: torch.Tensor,
        estimate: torch.Tensor | None,
        made: torch.Tensor,
        next: torch.Tensor,
    ) -> None:
        if estimate is not None:
            self.estimates.insert(0, estimate)
        del self.estimates[move.kept_estimates :]
        if move.kept_samples:
            self.samples.insert(0, x)
        del self.samples[move.kept_samples :]
        self.made, self.given = None, None
        if i + 1 < len(self.moves.steps) and self.moves.steps[i + 1].made:
            # The caller may write into what it is given.
            self.made = made.clone() if made is next else made
            self.given = (next, written(next))

    def clipped(self, x0: torch.Tensor) -> torch.Tensor:
        kind, low, high = self.moves.clipping
        if kind == "range":
            return x0.clamp(low, high)
        rows = x0.abs().flatten(1)
        s = quantile(rows, low).clamp(min=1).clamp(max=high).view(-1, *[1] * (x0.ndim - 1))
        return x0.clamp(-s, s) / s


def written(tensor: torch.Tensor) -> float:
    """How often a tensor has been written to; NaN, which is no number that was kept, where torch does not count."""
    return math.nan if tensor.is_inference() else tensor._version


def quantile(rows: torch.Tensor, ratio: float) -> torch.Tensor:
    """The quantile of each row, interpolated; NaN where the row has one."""
    if rows.numel() <= 1 << 24:  # as many as torch.quantile takes
        return torch.quantile(rows, ratio, dim=1)
    rows = rows.sort(dim=1).values
    place = ratio * (rows.shape[1] - 1)
    low, high = rows[:, int(place)], rows[:, min(int(place) + 1, rows.shape[1] - 1)]
    return torch.where(rows[:, -1].isnan(), rows[:, -1], low.lerp(high, place % 1))


def deviation(move: Move, said: torch.Tensor) -> torch.Tensor:
    """The factor of the noise, of what the network says about the variance."""
    said = said.to(torch.promote_types(said.dtype, torch.float32))
    if isinstance(move.variance, tuple):
        offset, slope = move.variance
        return (offset + slope * said).exp()
    return said.sqrt()


def least(
    move: Move,
    more: float,
    x: torch.Tensor,
    output: torch.Tensor,
    denoised: torch.Tensor | None,
    terms: Terms,
    wide: torch.dtype,
) -> torch.Tensor:
    """The next sample, over x and F or over x and x̂0, whichever takes fewer kernels."""
    a, f, d = move.factors
    form: Terms = [(a + more, x), (f, output), *terms]
    if denoised is not None:
        form.append((d, denoised))
        a, f, d = move.others
        other: Terms = [(a + more, x), (f, output), (d, denoised), *terms]
        if kernels(other, wide) < kernels(form, wide):
            form = other
    return combination(form, wide)


def is_mean(terms: Terms, wide: torch.dtype) -> bool:
    """Whether there are two terms whose factors add up to 1."""
    if len(terms) != 2:
        return False
    (a, x), (b, y) = terms
    return abs(a + b - 1) <= CANCELLED * max(abs(a), 1) and x.dtype is wide is y.dtype


def kernels(terms: Terms, wide: torch.dtype) -> int:
    """How many a combination takes."""
    terms = [term for term in terms if term[0]]
    if is_mean(terms, wide):
        return 1
    return max(len(terms) - any(factor == 1 and tensor.dtype is wide for factor, tensor in terms), 0)


def combination(terms: Terms, wide: torch.dtype) -> torch.Tensor:
    """Σ factor·tensor in the type `wide`. It may be one of the tensors itself."""
    terms = [term for term in terms if term[0]] or terms[:1]
    if is_mean(terms, wide):
        (a, x), (_, y) = terms
        return torch.lerp(y, x, a)
    for k, (factor, tensor) in enumerate(terms):
        if factor == 1 and tensor.dtype is wide:
            break
    else:
        (factor, tensor), *terms = terms
        sum = tensor * factor if tensor.dtype is wide else tensor.to(wide).mul_(factor)
        for factor, tensor in terms:
            sum = sum.add_(tensor, alpha=factor)
        return sum
    del terms[k]
    if not terms:
        return tensor
    (factor, other), *terms = terms
    sum = torch.add(tensor, other, alpha=factor)
    for factor, other in terms:
        sum = sum.add_(other, alpha=factor)
    return sum
