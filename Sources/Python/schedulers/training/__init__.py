"""Training: schedules as arrays, mixing and targets, timesteps to train at, losses with gradients, bits per dimension.

    schedule = Schedule("scaled-linear")
    draws = Stratified(TimestepDistribution.uniform(schedule.timesteps)).draw(len(x0), generator)
    x = schedule.mix(x0, epsilon, draws.timesteps)
    loss = ((network(x, draws.timesteps) - schedule.target("v", x0, epsilon, draws.timesteps)) ** 2).mean()

Arrays are of NumPy or torch, and for mixing and targets of JAX and MLX too. With tensors of torch everything is
differentiable; with arrays of NumPy a loss comes with its gradient.
"""

from .bits import BitsPerDimension, Term, VariationalBound
from .edm import EDM
from .gaussian import DiscretizedGaussian
from .generator import PhiloxGenerator
from .kl import normal_kl
from .levels import mix, target, weights
from .loss import Loss, TrainingLoss
from .reverse import ReverseProcess
from .schedule import Schedule
from .timesteps import (
    Draws,
    LogNormalSigma,
    LossSecondMoment,
    Stratified,
    TimestepDistribution,
    TimestepSampler,
)

__all__ = [
    "EDM",
    "BitsPerDimension",
    "DiscretizedGaussian",
    "Draws",
    "LogNormalSigma",
    "Loss",
    "LossSecondMoment",
    "PhiloxGenerator",
    "ReverseProcess",
    "Schedule",
    "Stratified",
    "Term",
    "TimestepDistribution",
    "TimestepSampler",
    "TrainingLoss",
    "VariationalBound",
    "mix",
    "normal_kl",
    "target",
    "weights",
]
