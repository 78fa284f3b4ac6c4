"""The divergence of one normal distribution from another."""

from __future__ import annotations

from typing import Any

from .functions import differentiable, functions, wide


def normal_kl(mean1: Any, log_variance1: Any, mean2: Any, log_variance2: Any) -> Any:
    """KL(N(mean1, e^log_variance1) ‖ N(mean2, e^log_variance2)) in nats, element by element.

        ½·(e^d − 1 − d + (mean1 − mean2)²·e^−log_variance2),    d = log_variance1 − log_variance2

    Arrays of one shape, of NumPy or torch; with torch, gradients go to the second distribution. Near d = 0 nothing
    cancels. Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equation 5.
    """
    named = zip(("mean1", "log_variance1", "mean2", "log_variance2"), (mean1, log_variance1, mean2, log_variance2))
    parts = [wide(value, name) for name, value in named]
    value, by_mean, by_logarithm = kl_with_gradients(*(detached(part) for part in parts))
    return differentiable(value, (parts[2], by_mean), (parts[3], by_logarithm))


def kl_with_gradients(mean1: Any, log_variance1: Any, mean2: Any, log_variance2: Any) -> tuple[Any, Any, Any]:
    """The divergence, and its derivatives by the second mean and the second log variance."""
    xp = functions(mean2)
    d = log_variance1 - log_variance2
    growth = xp.expm1(d)
    # The root of e^−l has twice its range of log variances.
    root = xp.exp(-log_variance2 / 2)
    distance = (mean2 - mean1) * root
    square = distance * distance
    # Within 1, d² times the series of 1/2! + d/3! + d²/4! + ...; beyond, little cancels.
    near = xp.clip(d, -1.0, 1.0)
    series = 1.0 + 0 * near
    for n in range(19, 2, -1):
        series = 1.0 + series * near / n
    excess = xp.where(abs(d) < 1, near * near * series / 2, growth - d)
    return (excess + square) / 2, distance * root, -(growth + square) / 2


def detached(x: Any) -> Any:
    """An array without its gradient."""
    return x.detach() if hasattr(x, "detach") else x
