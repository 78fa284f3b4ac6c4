"""Noise schedules, as tables over the timesteps of training."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ctypes import byref, c_int64
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .. import _library
from .._json import Config, configuration, dumps, loads
from ..errors import ArgumentError
from . import levels

A = TypeVar("A")
Table = npt.NDArray[np.float64]


class Schedule:
    """A noise schedule: how much signal and noise a sample has at each timestep 0 ... T − 1.

    Each table is an array of T float64 that cannot be written to, within 2 units in the last place of the definition.

        schedule = Schedule("cosine", timesteps=1000)
        x = schedule.mix(x0, epsilon, t)

    - `name`: `"linear"`, `"scaled-linear"`, `"cosine"` or another of `schedulers.catalog()["schedules"]`.
    - `timesteps`: T.
    - `zero_terminal_snr`: whether it is rescaled so that the last timestep holds no signal.
    """

    betas: Table
    alphas: Table
    alpha_bars: Table
    signals: Table
    noises: Table
    sigmas: Table
    snr: Table
    log_snr: Table
    posterior_variance: Table
    posterior_log_variance_clipped: Table
    posterior_x0_coefficient: Table
    posterior_sample_coefficient: Table

    def __init__(self, name: str = "linear", timesteps: int = 1000, *, zero_terminal_snr: bool = False) -> None:
        self._open({"schedule": name, "timesteps": timesteps, "zeroTerminalSNR": zero_terminal_snr})

    @classmethod
    def from_betas(cls, betas: Sequence[float] | Table) -> Schedule:
        """The schedule of given betas, one for each timestep."""
        return cls._of({"betas": levels.numbers(betas, "betas")})

    @classmethod
    def from_alpha_bars(cls, alpha_bars: Sequence[float] | Table) -> Schedule:
        """The schedule of given ᾱ, falling."""
        return cls._of({"alphaBars": levels.numbers(alpha_bars, "alpha_bars")})

    @classmethod
    def from_config(cls, config: Config, *, fidelity: str = "corrected") -> Schedule:
        """The schedule of a configuration of diffusers; see `Plan.from_config`."""
        return cls._of({"configuration": configuration(config), "fidelity": fidelity})

    @classmethod
    def _of(cls, request: dict[str, Any]) -> Schedule:
        schedule = object.__new__(cls)
        schedule._open(request)
        return schedule

    def _open(self, request: dict[str, Any]) -> None:
        self._request = dumps(request, "the schedule")
        self._handle = _library.made("schedule", self._request)
        count = c_int64()
        _library.call("schedulers_schedule_timesteps", self._handle, byref(count))
        self.timesteps = count.value

    def table(self, name: str) -> Table:
        """A table by its name in the C library, such as `"alphaBars"`; `schedulers.catalog()["tables"]` has all."""
        values = np.empty(self.timesteps)
        encoded = _library.encoded(name)
        _library.call("schedulers_schedule_table", self._handle, encoded, self.timesteps, values.ctypes.data)
        values.flags.writeable = False
        return values

    def __getattr__(self, name: str) -> Table:
        # Tables are made when they are asked for first.
        if name in Schedule.__annotations__:
            camel = re.sub("_([a-z0-9])", lambda found: found[1].upper(), name).replace("Snr", "SNR")
            self.__dict__[name] = self.table(camel)
            return self.__dict__[name]  # type: ignore[no-any-return]
        raise AttributeError(f"a schedule has no {name!r}")

    def mix(self, x0: A, epsilon: A, timesteps: Any) -> A:
        """Noisy samples at a timestep of each sample: [N, ...] of x0 and epsilon, N whole numbers."""
        t = self.indices(timesteps)
        return levels.mix(x0, epsilon, self.signals[t], self.noises[t])

    def target(self, prediction: str, x0: A, epsilon: A, timesteps: Any) -> A:
        """What a network is to answer for these samples; see `target`."""
        t = self.indices(timesteps)
        return levels.target(prediction, x0, epsilon, self.signals[t], self.noises[t])

    def weights(
        self, weighting: str, timesteps: Any, *, prediction: str = "epsilon", like: Any = None, **parameters: float
    ) -> Any:
        """How much the squared error of each sample counts; see `weights`."""
        t = self.indices(timesteps)
        signal, noise = self.signals[t], self.noises[t]
        return levels.weights(weighting, signal, noise, prediction=prediction, like=like, **parameters)

    def indices(self, timesteps: Any, batch: Any = None) -> npt.NDArray[np.int64]:
        """The timesteps of a batch, if there is one for each sample and all are in 0 ... T − 1."""
        found = levels.numbers(timesteps, "the timesteps")
        if batch is not None and len(found) != batch.shape[0]:
            raise ArgumentError(f"{len(found)} timesteps for a batch of {batch.shape[0]} samples")
        is_known = (found >= 0) & (found < self.timesteps) & (found == np.floor(found))
        if not is_known.all():
            raise ArgumentError(
                f"timestep {found[~is_known][0]:g} must be a whole number in 0 ... {self.timesteps - 1}"
            )
        return found.astype(np.int64)

    def __len__(self) -> int:
        return self.timesteps

    def __repr__(self) -> str:
        return f"Schedule({self._request if len(self._request) < 100 else self._request[:97] + '...'})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restored, (self._request,))


def _restored(request: str) -> Schedule:
    return Schedule._of(loads(request, "the schedule"))
