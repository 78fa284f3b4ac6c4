"""Which timesteps, or noise levels, a batch is trained at."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentError
from .generator import Generator
from .levels import numbers
from .schedule import Schedule

Numbers = npt.NDArray[np.float64]


class Draws(NamedTuple):
    """The timesteps of a batch, N whole numbers, and what the loss of each is to be multiplied by."""

    timesteps: npt.NDArray[np.int64]
    weights: Numbers


class TimestepSampler(Protocol):
    """Chooses the timesteps of a batch."""

    @property
    def distribution(self) -> TimestepDistribution:
        """How probable each timestep is, and what it weighs."""
        ...

    def draw(self, count: int, generator: Generator) -> Draws:
        """The timesteps of a batch; each takes one number of the generator."""
        ...


class TimestepDistribution:
    """A fixed distribution over the timesteps of training, in proportion to `shares`, one for each.

    `weighting`: `"unbiased"` weighs a draw by 1/(T·p), which keeps the objective of uniform timesteps; `"none"` by 1.
    """

    def __init__(self, shares: Sequence[float] | Numbers, weighting: str = "unbiased") -> None:
        if weighting not in ("unbiased", "none"):
            raise ArgumentError(f"weighting {weighting!r}; known are 'unbiased' and 'none'")
        found = numbers(shares, "shares")
        total = math.fsum(found) if len(found) and np.isfinite(found).all() and (found >= 0).all() else math.nan
        if not 0 < total < math.inf:
            raise ArgumentError("shares must be finite, 0 or more, and not all 0; give one for each timestep")
        self.weighting, self.probabilities = weighting, found / total
        if weighting == "unbiased" and (len(found) * self.probabilities < 1 / np.finfo(float).max).any():
            raise ArgumentError(
                f"the probability of timestep {int(self.probabilities.argmin())} is 0 or underflows, so no weights are "
                "unbiased: widen the distribution, or weight its draws by 1"
            )
        self._cumulative = np.cumsum(self.probabilities)
        self._cumulative /= self._cumulative[-1]

    @classmethod
    def uniform(cls, timesteps: int) -> TimestepDistribution:
        """Every timestep as probable as the next, weight 1. Ho et al. 2020, https://arxiv.org/abs/2006.11239."""
        return cls(np.ones(_count(timesteps)))

    @classmethod
    def logit_normal(
        cls, timesteps: int, mean: float = 0.0, deviation: float = 1.0, weighting: str = "none"
    ) -> TimestepDistribution:
        """Timestep ⌊T·τ⌋ with ln(τ/(1 − τ)) ~ N(mean, deviation²); the last timestep is the noisiest.

        Source: Esser et al. 2024, https://arxiv.org/abs/2403.03206, section 3.1.
        """
        k = np.arange(_count(timesteps) + 1, dtype=np.float64)
        with np.errstate(divide="ignore"):
            bounds = np.log(k / (timesteps - k))
        return cls(LogNormalSigma(mean, deviation).probabilities(bounds), weighting)

    @classmethod
    def log_normal(cls, law: LogNormalSigma, schedule: Schedule, weighting: str = "none") -> TimestepDistribution:
        """The timestep whose ln σ is nearest to a draw of ln σ. A last timestep without signal is never drawn.

        Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, table 1, noise distribution.
        """
        logarithms = -schedule.log_snr / 2
        middles = (logarithms[:-1] + logarithms[1:]) / 2
        return cls(law.probabilities(np.concatenate([[-np.inf], middles, [np.inf]])), weighting)

    @property
    def weights(self) -> Numbers:
        """The weight of each timestep."""
        if self.weighting == "none":
            return np.ones(len(self.probabilities))
        return 1 / (len(self.probabilities) * self.probabilities)

    @property
    def distribution(self) -> TimestepDistribution:
        """Itself."""
        return self

    def at(self, places: Numbers) -> Draws:
        """The first timesteps at which the cumulative distribution is above places in 0 ... 1."""
        found = np.searchsorted(self._cumulative, np.minimum(places, np.nextafter(1, 0)), side="right")
        return Draws(found.astype(np.int64), self.weights[found])

    def draw(self, count: int, generator: Generator) -> Draws:
        """Independent draws."""
        return self.at(_uniform(count, generator))


@dataclass
class Stratified:
    """Draws spread evenly: the i-th of N is at a random place of the i-th N-th of the probability.

    The timesteps of a batch ascend, so the data they meet should be in random order. Source: Owen 2013, Monte Carlo
    theory, methods and examples, https://artowen.su.domains/mc/, section 8.4.
    """

    base: Any

    @property
    def distribution(self) -> TimestepDistribution:
        """That of the sampler whose draws are spread."""
        found: TimestepDistribution = self.base.distribution
        return found

    def draw(self, count: int, generator: Generator) -> Draws:
        """The timesteps of a batch, in rising order."""
        places = (np.arange(count) + _uniform(count, generator)) / max(count, 1)
        return self.distribution.at(places)


class LossSecondMoment:
    """Timesteps in proportion to the root mean square of their latest losses, for least variance.

        p = (1 − u)·√E[L²] / Σ √E[L²] + u/T

    E is the mean over the last `history_length` losses of a timestep, u the `uniform_probability`. Until every timestep
    has that many, timesteps are uniform. Weights are unbiased.

    Source: Nichol and Dhariwal 2021, https://arxiv.org/abs/2102.09672, section 3.3, equation 18.
    """

    def __init__(self, timesteps: int, history_length: int = 10, uniform_probability: float = 0.001) -> None:
        if history_length < 1 or not 1e-12 <= uniform_probability <= 1:
            raise ArgumentError(
                f"a history of {history_length} and a uniform probability of {uniform_probability}; give 1 or more, "
                "and a number in 1e-12 ... 1"
            )
        self.uniform_probability = uniform_probability
        self._losses = np.zeros((_count(timesteps), history_length))
        self._counts = np.zeros(timesteps, np.int64)

    @property
    def is_warmed_up(self) -> bool:
        """Whether every timestep has a full history."""
        return bool((self._counts == self._losses.shape[1]).all())

    @property
    def distribution(self) -> TimestepDistribution:
        """That of the losses so far."""
        count, largest = len(self._counts), self._losses.max()
        if not self.is_warmed_up or largest == 0:
            return TimestepDistribution.uniform(count)
        # Relative to the largest, no square overflows.
        roots = np.sqrt(np.square(self._losses / largest).sum(axis=1))
        u = self.uniform_probability
        return TimestepDistribution((1 - u) * roots / roots.sum() + u / count)

    def draw(self, count: int, generator: Generator) -> Draws:
        """Independent draws."""
        return self.distribution.draw(count, generator)

    def update(self, timesteps: Any, losses: Any) -> None:
        """Learns the losses at timesteps, without the weights of the draws; of several workers those of all, by rank.

        Raises `ArgumentError`, and learns nothing, if a loss is negative, infinite or NaN, or a timestep outside.
        """
        t, found = numbers(timesteps, "the timesteps"), numbers(losses, "the losses")
        if len(t) != len(found):
            raise ArgumentError(f"{len(found)} losses at {len(t)} timesteps; give one for each")
        if not ((t >= 0) & (t < len(self._counts)) & (t == np.floor(t))).all():
            raise ArgumentError(f"timesteps must be whole numbers in 0 ... {len(self._counts) - 1}")
        if not (np.isfinite(found) & (found >= 0)).all():
            raise ArgumentError("losses must be finite and 0 or more; leave out the batch that diverged")
        for i, loss in zip(t.astype(int), found):
            if self._counts[i] == self._losses.shape[1]:
                self._losses[i] = np.roll(self._losses[i], -1)
                self._counts[i] -= 1
            self._losses[i, self._counts[i]] = loss
            self._counts[i] += 1


@dataclass(frozen=True)
class LogNormalSigma:
    """Noise levels for training on a continuum: ln σ ~ N(mean, deviation²), which Karras et al. train EDM with.

    With mean 0 and deviation 1, t = σ/(1 + σ) is the logit-normal time of rectified flow. Source: Karras et al. 2022,
    https://arxiv.org/abs/2206.00364, table 1.
    """

    mean: float = -1.2
    deviation: float = 1.2

    def __post_init__(self) -> None:
        if not 0 < self.deviation <= 80 or not abs(self.mean) <= 700 - 8.3 * self.deviation:
            raise ArgumentError(
                f"mean {self.mean} and deviation {self.deviation} of ln σ; give a deviation in 0 ... 80"
            )

    def draw(self, count: int, generator: Generator) -> Numbers:
        """Independent sigmas above 0."""
        return self.at(_uniform(count, generator))

    def at(self, places: Numbers) -> Numbers:
        """The sigmas that shares of all are below, for shares in (0, 1)."""
        normal = statistics.NormalDist()
        quantiles = np.array([normal.inv_cdf(min(max(u, 2.0**-53), 1 - 2.0**-53)) for u in places])
        return np.exp(self.mean + self.deviation * quantiles)

    def probabilities(self, bounds: Numbers) -> Numbers:
        """The probability that ln σ lies between each bound and the next."""
        z = (bounds - self.mean) / self.deviation
        tails = np.array([math.erfc(value * math.sqrt(0.5)) / 2 for value in np.abs(z)])
        below = np.where(z < 0, tails, 1 - tails)
        # Above the mean, the difference of the tails that lie above.
        return np.where(z[:-1] > 0, tails[:-1] - tails[1:], below[1:] - below[:-1])


def _uniform(count: int, generator: Generator) -> Numbers:
    if count < 0:
        raise ArgumentError(f"{count} draws; ask for 0 or more")
    return np.asarray(generator.random(count), dtype=np.float64)


def _count(timesteps: int) -> int:
    if timesteps < 1:
        raise ArgumentError(f"{timesteps} timesteps: there must be at least 1 to draw from")
    return timesteps
