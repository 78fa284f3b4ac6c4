"""The scalars of the likelihood: divergences of normal distributions, and discretised Gaussians.

In likelihood.safetensors, in 50-digit arithmetic on the stored Doubles, rounded to nearest:

- `kl` [N, 7]: mean1, logVariance1, mean2, logVariance2, the divergence in nats, its derivatives by mean2 and logVariance2.
- `bins` [N, 7]: levels, x, mean, logDeviation, the logarithm of the probability, its derivatives by mean and logDeviation.

In guided-likelihood.safetensors, what guided-diffusion's functions return in float64 and torch's gradients: `kl` and `bins` in the same
columns, of 256 levels all.
"""

import itertools
import random

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save

from . import guided

mpmath.mp.dps = 50


def kl(mean1, log1, mean2, log2):
    d, square = mpf(log1) - mpf(log2), (mpf(mean1) - mpf(mean2)) ** 2 * mpmath.exp(-mpf(log2))
    return (
        (mpmath.expm1(d) - d + square) / 2,
        (mpf(mean2) - mpf(mean1)) * mpmath.exp(-mpf(log2)),
        -(mpmath.expm1(d) + square) / 2,
    )


def kl_places():
    """Equal and nearly equal variances, far apart ones, equal and distant means, log variances of late and early timesteps."""
    generator = random.Random(1)
    differences = [0.0, 30.0, 300.0, 0.15, 0.3, 0.55, 0.999, 1.0, 1.001] + [10.0**-k for k in range(17)] + [2.0, 5.0, 12.0]
    for d, mean in itertools.product(differences, (0.0, 1e-9, 0.3, 2.5)):
        for sign in (1, -1):
            log2 = generator.uniform(-14, 1)
            mean2 = generator.uniform(-1, 1)
            yield mean2 + generator.choice((1, -1)) * mean, log2 + sign * d, mean2, log2
    for extreme in (-1390.0, -745.0, 745.0, 1390.0):
        yield float(numpy.exp(extreme / 2)), extreme - 0.5, 0.0, extreme
    yield 1e150, 0.0, -1e150, 0.0


def tail(x):
    """Q(x) = 1 - Φ(x)."""
    return mpmath.erfc(x / mpmath.sqrt(2)) / 2


def edges(levels, x, mean):
    """The bin's edges less the mean: Ho et al. 2020, equation 13, whose ends are beyond 0.999 for 256 levels."""
    half = 1 / mpf(levels - 1)
    end = 0.999 if levels == 256 else 1 - half / 2
    lower = -mpmath.inf if x < -end else mpf(x) - mpf(mean) - half
    upper = mpmath.inf if x > end else mpf(x) - mpf(mean) + half
    return lower, upper


def bin_(levels, x, mean, log_deviation):
    """The logarithm of the probability and its derivatives, with as many more digits as the smallest bins cancel."""
    with mpmath.workdps(60 + (int(2 * abs(log_deviation)) if abs(log_deviation) > 20 else 30)):
        scale = mpmath.exp(-mpf(log_deviation))
        a, b = (edge * scale for edge in edges(levels, x, mean))

        def moment(edge):
            return mpf(0) if mpmath.isinf(edge) else edge * mpmath.npdf(edge)

        if a < 0 < b:
            missing = (0 if mpmath.isinf(a) else tail(-a)) + (0 if mpmath.isinf(b) else tail(b))
            value, probability = mpmath.log1p(-missing), 1 - missing
        else:
            near, far = (a, b) if a >= 0 else (-b, -a)
            probability = tail(near) - (0 if mpmath.isinf(far) else tail(far))
            value = mpmath.log(probability)
        density = mpmath.npdf(a) - mpmath.npdf(b)
        return value, scale * density / probability, (moment(a) - moment(b)) / probability


# Deviations between 4e-9 and 7e-3 times the bin's width and 150 times that of all pixels, and absurd ones.
LOG_DEVIATIONS = [-20.0, -14.0, -9.0, -7.0, -6.0, -5.5, -5.2, -5.0, -4.5, -4.0, -3.0, -2.0, -1.0, 0.0, 2.5, 5.0]
# The distance of the mean from the bin's nearer edge: in deviations, and in half widths.
DEVIATIONS = [1e-6, 0.02, 0.6, 1.0, 1.7, 3.0, 6.5, 9.0, 11.999, 12.001, 25.0, 38.0, 39.0, 150.0, 1e3, 1e4]
PIXELS = [0, 1, 40, 127, 254, 255]


def bin_places():
    generator = random.Random(2)
    half = 1 / 255
    for log_deviation in LOG_DEVIATIONS:
        for deviations in DEVIATIONS:
            for edge, sign in itertools.product((-1, 1), (-1, 1)):
                x = 2 * generator.choice(PIXELS) / 255 - 1
                yield 256, x, x + edge * half + sign * deviations * float(numpy.exp(log_deviation)), log_deviation
        # The last two are no levels, but on either side of the end that guided-diffusion has.
        for x in (-1.0, 2 * 100 / 255 - 1, 1.0, -0.9985, 0.9995):
            for mean in (x, x + 1e-3 * half, -0.2, 1.5):
                yield 256, x, mean, log_deviation
    for x, mean in itertools.product((-1.0, 2 * 100 / 255 - 1, 1.0), (-1.0, 0.3)):
        for log_deviation in (-300.0, -40.0, 40.0, 300.0, 800.0):
            yield 256, x, mean, log_deviation
    for levels, pixel in ((2, 0), (2, 1), (3, 1), (65536, 0), (65536, 3), (65536, 30000), (65536, 65533)):
        for log_deviation, offset in itertools.product((-12.0, -6.0, 0.0), (0.0, 1e-5, 0.4)):
            x = 2 * pixel / (levels - 1) - 1
            yield levels, x, x + offset, log_deviation


def is_checked(formula, place, derivatives):
    """Whether closed derivatives are those of a numerical differentiation of the value."""
    for column, derivative in derivatives.items():
        def value(number):
            return formula(*place[:column], number, *place[column + 1:])[0]
        slope = (value(mpf(place[column]) + mpf("1e-18")) - value(mpf(place[column]) - mpf("1e-18"))) / mpf("2e-18")
        if abs(slope - derivative) > mpf("1e-12") * max(1, abs(derivative)):
            return False
    return True


def likelihood():
    tensors = {}
    for name, formula, places, columns in (("kl", kl, kl_places(), (2, 3)), ("bins", bin_, bin_places(), (2, 3))):
        rows = []
        for number, place in enumerate(places):
            made = formula(*place)
            if number % 23 == 0 and abs(place[3]) < 4:
                assert is_checked(formula, place, dict(zip(columns, made[1:]))), (name, place)
            rows.append([float(column) for column in (*place, *made)])
        tensors[name] = numpy.array(rows)
    return save(tensors)


def guided_likelihood(checkout):
    import importlib

    import torch

    guided.load(checkout)
    losses = importlib.import_module("guided_diffusion.losses")
    tensors = {}

    def add(name, places, value_of):
        columns = torch.tensor(places, dtype=torch.float64).T.contiguous()
        inputs = [column.clone().requires_grad_(index >= 2) for index, column in enumerate(columns)]
        value = value_of(*inputs)
        assert value.dtype == torch.float64
        value.sum().backward()
        made = [*columns, value.detach(), inputs[2].grad, inputs[3].grad]
        tensors[name] = torch.stack(made, dim=1).numpy()

    add("kl", [place for place in kl_places() if abs(place[3]) < 100], losses.normal_kl)
    pixels = [place for place in bin_places() if place[0] == 256 and abs(place[3]) <= 20]
    add("bins", pixels, lambda _, x, mean, log: losses.discretized_gaussian_log_likelihood(x, means=mean, log_scales=log))
    return save(tensors)


FILES = {"likelihood.safetensors": likelihood}
GUIDED = {"guided-likelihood.safetensors": guided_likelihood}
