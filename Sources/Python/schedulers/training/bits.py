"""The variational bound on the bits that a sample takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _arrays
from ..errors import NotFiniteError
from .functions import functions, wide
from .gaussian import DiscretizedGaussian
from .kl import detached, kl_with_gradients
from .reverse import ReverseProcess


@dataclass(frozen=True)
class Term:
    """One timestep of the bound, [N] each: L_t in bits per dimension, and the mean squared errors of x̂0 and epsilon."""

    bound: Any
    x0_error: Any
    epsilon_error: Any


@dataclass(frozen=True)
class BitsPerDimension:
    """The bound of a batch, [N] each: `total` = `prior` + the sum of `terms`, which begin with the last timestep."""

    total: Any
    prior: Any
    terms: tuple[Term, ...]


class VariationalBound:
    """The bound of a process, in bits per dimension: −log₂ p(x_0) ≤ prior + Σ L_t.

        bound = VariationalBound(ReverseProcess(schedule, "epsilon", "learnedRange"))
        print(bound(images, network, lambda t: epsilon()).total)

    Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equations 5 and 13.
    """

    def __init__(self, process: ReverseProcess, likelihood: DiscretizedGaussian | None = None) -> None:
        self.process, self.likelihood = process, likelihood or DiscretizedGaussian()

    def __call__(
        self, x0: Any, model: Callable[[Any, Any], Any], noise: Callable[[int], Any], told: Any = None
    ) -> BitsPerDimension:
        """The bound of data, from the last timestep to the first: one call of the network for each.

        - `x0`: data in [−1, 1], [N, C, ...]; `noise(t)` gives standard normal noise of this shape.
        - `model`: called as `model(x, timestep)` with a number.
        - `told`: what the network is told at each timestep, if it is not the timestep itself.
        """
        terms: list[Term] = []
        prior = total = self.prior(x0)
        for t in reversed(range(self.process.schedule.timesteps)):
            timesteps, epsilon = [t] * x0.shape[0], noise(t)
            sample = self.process.schedule.mix(x0, epsilon, timesteps)
            output = model(sample, float(t) if told is None else float(told[t]))
            terms.append(self.term(output, x0, epsilon, sample, timesteps))
            total = total + terms[-1].bound
        return BitsPerDimension(total, prior, tuple(terms))

    def term(self, output: Any, x0: Any, epsilon: Any, sample: Any, timesteps: Any) -> Term:
        """L_t of each sample at its own timestep, and the errors. Arguments are those of a `TrainingLoss`.

        Raises `NotFiniteError` if the output holds NaN or an infinity. Gradients are not kept: train by `TrainingLoss`.
        """
        from .loss import Columns

        process, (n, *rest) = self.process, sample.shape
        t = process.checked(output, x0, epsilon, sample, timesteps)
        both, x0, epsilon, sample = (detached(wide(x, "an array")) for x in (output, x0, epsilon, sample))
        xp = functions(both)
        if not bool(xp.isfinite(both).all()):
            raise NotFiniteError(f"the network's output at timestep {int(t[0])} holds NaN or an infinity")
        predicted, said = (both[:, : rest[0]], both[:, rest[0] :]) if process.learns_variance else (both, None)
        column = Columns(predicted, t)
        denoised = column(process.denoised_sample) * sample + column(process.denoised_output) * predicted
        denoised = xp.clip(denoised, -1.0, 1.0) if process.clip else denoised
        nats, _, _ = self.nats(t, column, x0, denoised, self.log_variance(said, column, denoised))
        left = (sample - column(process.signal) * denoised) / column(process.noise)
        parts = (nats / math.log(2), (denoised - x0) ** 2, (left - epsilon) ** 2)
        return Term(*(part.reshape(n, -1).mean(-1) for part in parts))

    def prior(self, x0: Any) -> Any:
        """KL(q(x_T | x_0) ‖ N(0, 1)) of each sample, [N], in bits per dimension: what no network can change."""
        _arrays.check(x0, "the data")
        x0 = detached(wide(x0, "the data"))
        logarithm = np.log1p(-self.process.schedule.alpha_bars[-1:])
        of_variance = float(kl_with_gradients(0.0 * logarithm, logarithm, 0.0 * logarithm, 0.0 * logarithm)[0][0])
        square = (x0 * x0).reshape(x0.shape[0], -1).mean(-1)
        return (of_variance + float(self.process.signal[-1]) ** 2 * square / 2) / math.log(2)

    def log_variance(self, said: Any, column: Any, like: Any) -> Any:
        """The logarithm of the variance, element by element."""
        offset, slope = column(self.process.offset), column(self.process.slope)
        return offset + 0 * detached(like) if said is None else offset + slope * said

    def nats(self, t: Any, column: Any, x0: Any, denoised: Any, log_variance: Any) -> tuple[Any, Any, Any]:
        """L_t in nats, element by element, and its derivatives by x̂0 and the log variance, all without a graph."""
        x0, denoised, log_variance = detached(x0), detached(denoised), detached(log_variance)
        share = column(self.process.mean_x0)
        known = column(self.process.posterior_log_variance) + 0 * log_variance
        value, by_mean, by_logarithm = kl_with_gradients(share * x0, known, share * denoised, log_variance)
        by_mean = share * by_mean
        if (t == 0).any():
            # The mean of q(x_{−1} | x_0, x̂0) is x̂0, whatever the sample.
            first = np.flatnonzero(t == 0).tolist()
            read = self.likelihood.with_gradients(x0[first], denoised[first], log_variance[first] / 2)
            for into, part in zip((value, by_mean, by_logarithm), (-read[0], -read[1], -read[2] / 2)):
                into[first] = part
        return value, by_mean, by_logarithm
