"""The probability that a Gaussian gives to one level of a pixel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ArgumentError
from .functions import differentiable, functions, wide
from .kl import detached

PEAK, ROOT_HALF = 1 / math.sqrt(2 * math.pi), math.sqrt(0.5)


class DiscretizedGaussian:
    """A normal distribution over `levels` whole numbers that are scaled to [−1, 1], for the last term of the bound.

    The bin of a level x is x ± 1/(levels − 1); those of the ends reach to −∞ and ∞. `cdf` is `"exact"`, or `"tanh"` for
    guided-diffusion's approximation with probabilities of at least 1e-12 and no gradient below.

    Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, section 3.3, equation 13.
    """

    def __init__(self, levels: int = 256, cdf: str = "exact") -> None:
        if levels < 2 or cdf not in ("exact", "tanh"):
            raise ArgumentError(f"{levels} levels and cdf {cdf!r}; give 2 levels or more, and 'exact' or 'tanh'")
        self.levels, self.cdf, self.half_width = levels, cdf, 1 / (levels - 1)

    def log_probability(self, x: Any, mean: Any, log_deviation: Any) -> Any:
        """The logarithm of the probability of levels `x` in nats, element by element.

        Arrays of one shape, of NumPy or torch; with torch, gradients go to the mean and the log deviation.
        """
        x, mean, log_deviation = wide(x, "x"), wide(mean, "mean"), wide(log_deviation, "log_deviation")
        value, by_mean, by_deviation = self.with_gradients(detached(x), detached(mean), detached(log_deviation))
        return differentiable(value, (mean, by_mean), (log_deviation, by_deviation))

    def with_gradients(self, x: Any, mean: Any, log_deviation: Any) -> tuple[Any, Any, Any]:
        """The logarithm, and its derivatives by the mean and by the log deviation, without a graph."""
        # Every form is computed everywhere, and overflows where it is not taken.
        with np.errstate(all="ignore"):
            return self._made(x, mean, log_deviation)

    def _made(self, x: Any, mean: Any, log_deviation: Any) -> tuple[Any, Any, Any]:
        end = 1 - 0.255 * self.half_width
        if self.cdf == "tanh":
            return self._tanh(x, mean, log_deviation, x > end, x < -end)
        xp = functions(mean)
        # The Gaussian is symmetric: a bin below the mean is turned over to the side above.
        offset, is_open = x - mean, abs(x) > end
        is_turned = xp.where(is_open, x < 0, offset < 0)
        distance = xp.where(is_turned, -offset, offset)
        value, by_mean, by_deviation = _bin(xp, distance, self.half_width, is_open, log_deviation)
        return value, xp.where(is_turned, -by_mean, by_mean), by_deviation

    def _tanh(self, x: Any, mean: Any, log_deviation: Any, is_high: Any, is_low: Any) -> tuple[Any, Any, Any]:
        xp = functions(mean)
        scale, factor = _scale(xp, log_deviation), math.sqrt(2 / math.pi)

        def edge(distance: Any) -> tuple[Any, Any, Any]:
            z = distance * scale
            # Far out z³ is infinite, and the slope 0.
            z = xp.clip(z, -1e9, 1e9)
            rise = xp.tanh(factor * (z + 0.044715 * z * z * z))
            density = (1 - rise * rise) / 2 * factor * (1 + 3 * 0.044715 * z * z)
            return (1 + rise) / 2, density, density * z

        upper, lower, zero = edge(x - mean + self.half_width), edge(x - mean - self.half_width), 0 * mean
        below = [xp.where(is_high, 1 + zero if k == 0 else zero, upper[k]) for k in range(3)]
        above = [xp.where(is_low, zero, lower[k]) for k in range(3)]
        probability = below[0] - above[0]
        is_small = probability < 1e-12
        floor = xp.where(is_small, 1e-12 + zero, probability)
        gradients = [xp.where(is_small, zero, value / floor) for value in (above[1] - below[1], above[2] - below[2])]
        return xp.log(floor), scale * gradients[0], gradients[1]


def _scale(xp: Any, log_deviation: Any) -> Any:
    """1/deviation, finite."""
    return xp.exp(-xp.clip(log_deviation, -700.0 if _is_double(log_deviation) else -87.0, None))


def _is_double(x: Any) -> bool:
    return str(x.dtype).endswith("64")


def _tail(xp: Any, x: Any) -> Any:
    """Q(x), the probability of a normal number above x."""
    return xp.erfc(x * ROOT_HALF) / 2


def _bin(xp: Any, distance: Any, half_width: float, is_open: Any, log_deviation: Any) -> tuple[Any, Any, Any]:
    """A bin on the upper side of the mean, or around it, and the logarithm of its probability.

    In deviations it goes from a to b, with the centre z and half the width w; b is infinite where it is open. With the
    density φ, Q its upper tail and P = Q(a) − Q(b), φ(b)/φ(a) = e^−2p where p = z·w, and with H = φ(a)/P

        ∂ln P/∂mean = H·(1 − e^−2p)/deviation,    ∂ln P/∂ln deviation = H·(a − b·e^−2p).

    No form of P keeps its digits everywhere: where the density changes little over the bin it is a series, around the
    mean 1 less both tails, in reach the difference of two tails, and far out their Mills ratios. Source: Abramowitz and
    Stegun 1964, 7.1.23 and 22.9.17.
    """
    scale, most = _scale(xp, log_deviation), 1e150 if _is_double(distance) else 1e15
    places = (distance - half_width, distance + half_width, distance)
    a, b, z = (xp.clip(place * scale, -most, most) for place in places)
    w = xp.clip(half_width * scale, None, most)
    p, zero = z * w, 0 * z
    decay = xp.where(is_open, zero, xp.exp(-2 * xp.clip(p, 0.0, None)))
    # Around the mean, and in reach of erfc.
    low, high = xp.clip(a, None, 12.0), xp.where(is_open, zero, _tail(xp, b))
    missing = _tail(xp, -low) + high
    both = (xp.erf(-low * ROOT_HALF) + xp.where(is_open, 1 + zero, xp.erf(b * ROOT_HALF))) / 2
    is_most = missing < 0.5
    around = xp.where(is_most, 1 - missing, xp.clip(both, 1e-30, None))
    log_around = xp.where(is_most, xp.log1p(-missing), xp.log(around))
    reach = xp.clip(_tail(xp, xp.clip(low, 0.0, None)) - high, 1e-37, None)
    # Far out.
    mills = _mills(xp, a) - decay * _mills(xp, b)
    is_around, is_far = a <= 0, a >= 12
    value = xp.where(is_far, xp.log(PEAK * mills) - a * a / 2, xp.where(is_around, log_around, xp.log(reach)))
    ratio = xp.where(is_far, 1 / mills, PEAK * xp.exp(-low * low / 2) / xp.where(is_around, around, reach))
    by_mean = ratio * xp.where(is_open, 1 + zero, -xp.expm1(-2 * p)) * scale
    by_mean = xp.where(ratio == 0, zero, by_mean)
    by_deviation = xp.where(ratio == 0, zero, ratio * (a - xp.where(decay == 0, zero, b * decay)))
    # Where the bin is narrow.
    is_narrow = (w < 0.7) & (p < 0.5) & ~is_open
    z, w, p = (xp.where(is_narrow, part, zero) for part in (z, w, p))
    narrow = _narrow(xp, z, w, p, half_width, log_deviation, scale)
    value, by_mean, by_deviation = (xp.where(is_narrow, *pair) for pair in zip(narrow, (value, by_mean, by_deviation)))
    return value, by_mean, by_deviation


def _narrow(xp: Any, z: Any, w: Any, p: Any, half_width: float, log_deviation: Any, scale: Any) -> tuple[Any, Any, Any]:
    """P = φ(z)·2w·S, with S the even terms of Σ Heₙ(z)·(−w)ⁿ/n!, divided by n + 1."""
    even, odd, total = 1 + 0 * p, p, 1 + 0 * p
    # Both factors are at most ½, so that the terms left out are below 2⁻⁵⁵.
    for n in range(2, 36, 2):
        even = (p * odd - w * w * even) / n
        total = total + even / (n + 1)
        odd = (p * even - w * w * odd) / (n + 1)
    growth = xp.expm1(p)
    sinh = (growth + growth / (growth + 1)) / 2
    cosh = growth + 1 - sinh
    weight = xp.exp(-w * w / 2) / total
    shape = xp.where(p == 0, 1 + 0 * p, sinh / xp.where(p == 0, 1 + 0 * p, p))
    # A width that vanishes beside the deviation has a logarithm nevertheless.
    value = xp.log(2 * PEAK * total * half_width) - log_deviation - z * z / 2
    return value, weight * shape * z * scale, weight * (z * z * shape - cosh)


def _mills(xp: Any, x: Any) -> Any:
    """Q(x)/φ(x) for x of 12 or more."""
    x = xp.clip(x, 12.0, None)
    square, total = 1 / x / x, 1 + 0 * x
    for n in range(31, 0, -2):
        total = 1 - n * square * total
    return total / x
