"""What a network is trained to make small."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _arrays
from ..errors import ArgumentError, NotFiniteError, RequestError
from .bits import VariationalBound
from .functions import differentiable, is_torch, wide
from .gaussian import DiscretizedGaussian
from .kl import detached
from .levels import numbers, weights
from .reverse import ReverseProcess
from .schedule import Schedule

KINDS = ("mse", "rescaledMSE", "kl", "rescaledKL")


@dataclass(frozen=True)
class Loss:
    """The loss of a batch.

    `total` is the mean of the samples' `losses`, each times its importance weight. `losses` are the sums of the
    weighted `squared_errors` and of the `bounds`, [N] each. With torch these are tensors with their graph, so that
    `loss.total.backward()` works, and `gradient` is None. With NumPy, `gradient` is that of `total` by the output.
    """

    total: Any
    losses: Any
    squared_errors: Any
    bounds: Any
    gradient: Any


class TrainingLoss:
    """The loss of a network at every timestep of a schedule, with its gradient.

        loss = TrainingLoss(schedule, prediction="epsilon", variance="learnedRange", kind="rescaledMSE")
        loss(network(x, t), x0, epsilon, x, t).total.backward()

    - `prediction`, `variance`: see `ReverseProcess`.
    - `kind`: `"mse"`, the squared error, with a learned variance plus L_t, which does not teach the prediction;
      `"rescaledMSE"`, the same with T/1000·L_t; `"kl"`, L_t in bits per dimension; `"rescaledKL"`, T·L_t.
    - `weighting` and `parameters`: how much the squared error counts by its level; see `weights`.
    - `likelihood`: how L_0 reads a pixel's level; data are in [−1, 1].

    Source: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equations 5 and 14; Nichol and Dhariwal 2021,
    https://arxiv.org/abs/2102.09672, equation 16.
    """

    def __init__(
        self,
        schedule: Schedule,
        prediction: str = "epsilon",
        variance: str = "fixedLarge",
        kind: str = "mse",
        weighting: str = "uniform",
        likelihood: DiscretizedGaussian | None = None,
        **parameters: float,
    ) -> None:
        if kind not in KINDS:
            raise RequestError(f"there is no loss {kind!r}; known are {', '.join(KINDS)}")
        process = ReverseProcess(schedule, prediction, variance)
        self.bound, self.kind = VariationalBound(process, likelihood), kind
        self.is_squared = kind in ("mse", "rescaledMSE")
        count, is_learned = schedule.timesteps, process.learns_variance
        scale = {"mse": 1.0, "rescaledMSE": count / 1000, "kl": 1.0, "rescaledKL": float(count)}[kind]
        self.factor = scale / math.log(2) if is_learned or not self.is_squared else 0.0
        self.weight = np.zeros(count)
        if self.is_squared and weighting == "uniform":
            self.weight += 1
        elif self.is_squared:
            self.weight = weights(weighting, process.signal, process.noise, prediction=prediction, **parameters)
        if not np.isfinite(self.weight).all():
            raise RequestError(f"{weighting} has no finite weight at timestep {np.argmin(np.isfinite(self.weight))}")
        self.target = process.target()

    def __call__(self, output: Any, x0: Any, epsilon: Any, sample: Any, timesteps: Any, weights: Any = None) -> Loss:
        """The loss of a batch.

        - `output`: of the network for `sample`, [N, C, ...], or [N, 2C, ...] for a learned variance.
        - `x0`, `epsilon`, `sample`: the data, the noise, and x_t that is made of both, [N, C, ...].
        - `timesteps`: N whole numbers. `weights`: N importance weights, as timestep samplers give them; 1 if None.

        Raises `ArgumentError` for arrays that do not fit; with NumPy also `NotFiniteError` for NaN in the output.
        """
        process = self.bound.process
        t = process.checked(output, x0, epsilon, sample, timesteps)
        n, channels = sample.shape[0], sample.shape[1] if len(sample.shape) > 1 else 0
        size = _arrays.size_of(sample.shape)
        importance = np.ones(n) if weights is None else numbers(weights, "the weights")
        if len(importance) != n:
            raise ArgumentError(f"{len(importance)} weights for a batch of {n} samples")
        if not is_torch(output) and not np.isfinite(output).all():
            raise NotFiniteError("the network's output holds NaN or an infinity")
        both, x0, epsilon, sample = (wide(x, "an array") for x in (output, x0, epsilon, sample))
        predicted, said = (both[:, :channels], both[:, channels:]) if process.learns_variance else (both, None)
        column = Columns(predicted, t)
        error = predicted - (column(self.target[0]) * x0 + column(self.target[1]) * epsilon)
        squares = column(self.weight) * error * error
        by_output, by_said = 2 * column(self.weight) * error, None
        nats: Any = 0 * squares
        if self.factor:
            denoised = column(process.denoised_sample) * sample + column(process.denoised_output) * predicted
            denoised = detached(denoised) if self.is_squared else denoised
            logarithm = self.bound.log_variance(said, column, denoised)
            nats, by_denoised, by_logarithm = self.bound.nats(t, column, x0, denoised, logarithm)
            nats = self.factor * differentiable(nats, (denoised, by_denoised), (logarithm, by_logarithm))
            by_said = self.factor * column(process.slope) * by_logarithm
            if not self.is_squared:
                by_output = self.factor * column(process.denoised_output) * by_denoised
        parts = [x.reshape(n, -1).mean(-1) for x in (squares, nats)]
        losses = parts[0] + parts[1]
        share = column.values(importance) / n
        total = (share * losses).sum()
        if is_torch(output):
            return Loss(total, losses, parts[0], parts[1], None)
        halves = [by_output, by_said] if process.learns_variance else [by_output]
        gradient = np.concatenate(halves, axis=1) if len(halves) > 1 else halves[0]
        gradient = gradient * (share / size).reshape((-1,) + (1,) * (gradient.ndim - 1))
        return Loss(float(total), losses, parts[0], parts[1], gradient.astype(output.dtype))


class Columns:
    """Numbers of a table at the timesteps of a batch, in the shape of a factor of its samples."""

    def __init__(self, like: Any, timesteps: Any) -> None:
        self.kind, self.like, self.timesteps = _arrays.arrays(like), like, timesteps

    def __call__(self, table: Any) -> Any:
        return self.values(table[self.timesteps]).reshape((-1,) + (1,) * (len(self.like.shape) - 1))

    def values(self, values: Any) -> Any:
        """Numbers, one for each sample, as an array of the batch's kind."""
        return self.kind.adopt(np.asarray(values, dtype=np.float64), self.like)
