"""The step back that a network's output stands for, at every timestep of training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _arrays
from ..errors import ArgumentError, RequestError
from .levels import TARGETS
from .schedule import Schedule

VARIANCES = ("fixedSmall", "fixedLarge", "learned", "learnedRange")


class ReverseProcess:
    """p(x_{t−1} | x_t) as tables over t: what losses and likelihoods are made of. To sample, make a plan.

    - `prediction`: `"epsilon"`, `"x0"`, `"v"`, `"flow"`, `"reverseFlow"` or `"previous"`, the mean of the step.
    - `variance`: `"fixedSmall"` (β̃), `"fixedLarge"` (β), `"learned"` (the network says its logarithm) or
      `"learnedRange"` (where it lies between those of β̃ and β).
    - `clip`: whether x̂0 is brought between −1 and 1.

    x̂0 = denoised_sample·x + denoised_output·F; the mean is mean_sample·x + mean_x0·x̂0; the logarithm of the variance is
    offset + slope·v, with v what the network says of it.

    Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equations 7 and 11; Nichol and Dhariwal 2021,
    https://arxiv.org/abs/2102.09672, equation 15.
    """

    def __init__(
        self, schedule: Schedule, prediction: str = "epsilon", variance: str = "fixedLarge", *, clip: bool = False
    ) -> None:
        if variance not in VARIANCES:
            raise RequestError(f"there is no variance {variance!r}; known are {', '.join(VARIANCES)}")
        self.schedule, self.prediction, self.variance, self.clip = schedule, prediction, variance, clip
        self.signal, self.noise = schedule.signals, schedule.noises
        self.mean_sample, self.mean_x0 = schedule.posterior_sample_coefficient, schedule.posterior_x0_coefficient
        # At t = 0 β̃ is 0, and the logarithm is that of t = 1.
        small = self.posterior_log_variance = schedule.posterior_log_variance_clipped
        with np.errstate(divide="ignore", invalid="ignore"):
            large = np.log(schedule.betas)
            self.denoised_sample, self.denoised_output = self._denoising()
        if variance == "fixedLarge":
            large[0] = small[0]
        self.offset, self.slope = {
            "fixedSmall": (small, np.zeros(len(small))),
            "fixedLarge": (large, np.zeros(len(small))),
            "learned": (np.zeros(len(small)), np.ones(len(small))),
            "learnedRange": ((small + large) / 2, (large - small) / 2),
        }[variance]
        for name in ("denoised_sample", "denoised_output", "posterior_log_variance", "offset"):
            if not np.isfinite(getattr(self, name)).all():
                t = int(np.flatnonzero(~np.isfinite(getattr(self, name)))[0])
                raise RequestError(
                    f"{prediction} and {variance} leave no number at timestep {t}; choose another prediction"
                )

    @property
    def learns_variance(self) -> bool:
        """Whether outputs have twice a sample's channels."""
        return self.variance.startswith("learned")

    def _denoising(self) -> tuple[Any, Any]:
        signal, noise, one = self.signal, self.noise, np.ones(len(self.signal))
        power, total = signal * signal + noise * noise, signal + noise
        forms: dict[str, Callable[[], tuple[Any, Any]]] = {
            "epsilon": lambda: (1 / signal, -noise / signal),
            "x0": lambda: (0 * one, one),
            "v": lambda: (signal / power, -noise / power),
            "flow": lambda: (1 / total, -noise / total),
            "reverseFlow": lambda: (1 / total, noise / total),
            "previous": lambda: (-self.mean_sample / self.mean_x0, 1 / self.mean_x0),
        }
        if self.prediction not in forms:
            raise RequestError(f"there is no prediction {self.prediction!r}; known are {', '.join(forms)}")
        return forms[self.prediction]()

    def target(self) -> tuple[Any, Any]:
        """The factors of x0 and epsilon in what the network is to answer, at each timestep."""
        if self.prediction == "previous":
            return self.mean_x0 + self.mean_sample * self.signal, self.mean_sample * self.noise
        return TARGETS[self.prediction](self.signal, self.noise)

    def checked(self, output: Any, x0: Any, epsilon: Any, sample: Any, timesteps: Any) -> Any:
        """The timesteps of a batch as indices, if its arrays fit one another."""
        kind = _arrays.check(sample, "the sample")
        if kind.name not in ("numpy", "torch"):
            raise ArgumentError(f"losses take arrays of NumPy and torch, and these are of {kind.name}")
        shape = tuple(sample.shape)
        if self.learns_variance and len(shape) < 2:
            raise ArgumentError("a learned variance needs samples with channels: [N, C, ...]")
        wide = (shape[0], 2 * shape[1], *shape[2:]) if self.learns_variance else shape
        _arrays.check_like(output, sample, wide, "the output")
        _arrays.check_like(x0, sample, shape, "the data")
        _arrays.check_like(epsilon, sample, shape, "the noise")
        if 0 in shape:
            raise ArgumentError(f"the sample of shape {shape} has no elements")
        return self.schedule.indices(timesteps, sample)
