"""Training a network of EDM."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentError
from . import levels

A = TypeVar("A")


class EDM:
    """How EDM wraps a network F, so that input, target and errors have the same size at every sigma.

        x̂0 = c_skip·x̄ + c_out·F(c_in·x̄, c_noise),    x̄ = x/signal,    σ = noise/signal

    `sigma_data` is the deviation of the data. Levels have signal and noise, on any path. Source: Karras et al. 2022,
    https://arxiv.org/abs/2206.00364, equation 7 and table 1.
    """

    def __init__(self, sigma_data: float = 0.5) -> None:
        if not 0 < sigma_data < float("inf"):
            raise ArgumentError(f"sigma_data {sigma_data} must be finite and above 0")
        self.sigma_data = sigma_data

    def timesteps(self, signal: Any, noise: Any) -> npt.NDArray[np.float64]:
        """What the network is told of each sample: c_noise = ln(σ)/4, [N]."""
        return np.log(self._sigmas(signal, noise)) / 4

    def input(self, x: A, signal: Any, noise: Any) -> A:
        """What the network is given for samples x, [N, ...]: c_in·x̄."""
        sigma, signal = self._sigmas(signal, noise), levels.numbers(signal, "signal")
        factor = 1 / (signal * np.hypot(sigma, self.sigma_data))
        levels.checked_levels(x, x, factor, factor)
        return levels.combination(x, x, factor, 0 * factor)

    def target(self, x0: A, epsilon: A, signal: Any, noise: Any) -> A:
        """What F should answer for the sample that `mix` makes: (x0 − c_skip·x̄)/c_out."""
        sigma = self._sigmas(signal, noise)
        levels.checked_levels(x0, epsilon, signal, noise)
        spread = np.hypot(sigma, self.sigma_data)
        return levels.combination(x0, epsilon, sigma / (self.sigma_data * spread), -self.sigma_data / spread)

    def weights(self, signal: Any, noise: Any, weighting: str = "edm", **parameters: float) -> npt.NDArray[np.float64]:
        """How much the squared error of F counts, [N]; 1 for `"edm"` with the network's own sigma_data."""
        sigma = self._sigmas(signal, noise)
        if weighting == "edm":
            parameters = {"sigma_data": self.sigma_data, **parameters}
        of_x0 = levels.weights(weighting, signal, noise, prediction="x0", **parameters)
        found: npt.NDArray[np.float64] = of_x0 * (sigma * self.sigma_data / np.hypot(sigma, self.sigma_data)) ** 2
        return found

    def _sigmas(self, signal: Any, noise: Any) -> npt.NDArray[np.float64]:
        signal, noise = levels.numbers(signal, "signal"), levels.numbers(noise, "noise")
        if signal.shape != noise.shape or not ((signal > 0) & (noise > 0)).all():
            raise ArgumentError("levels of EDM need a signal and a noise above 0 for each sample")
        sigma: npt.NDArray[np.float64] = noise / signal
        return sigma
