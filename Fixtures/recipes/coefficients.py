"""The coefficients of every sampler's plan in 50-digit arithmetic, from the same algebra as the papers', on exact levels.

A case is sampler/spacing/steps, on the scaled linear schedule with T = 1000. `case.rows` [R, 5] holds the factors of the sample, of
this call's estimate, of the one before it, of the noise, and the condition number described below; `case.calls` [R] the calls they
belong to (all but in long runs). The estimate is epsilon for heun and x0 for the others.

The library starts from levels that are rounded to Doubles. A coefficient holds differences of neighbouring levels, so it inherits
their rounding magnified by 1/(lambda' - lambda), and that of lambda itself by its size: the condition number is
(1 + |lambda|)/(lambda' - lambda) over the intervals that the row spans, and 1 where a row ends in clean data.
"""

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save

from recipes.plans import STEPS, Process, kept, timesteps


def logarithm(level):
    return mpmath.log(level[0] / level[1])


def condition(*levels):
    """Of the intervals between neighbouring levels; clean data end an interval without cancellation."""
    numbers = [mpf(1)]
    for (source, target) in zip(levels, levels[1:]):
        if target[1] > 0 and source[1] > 0:
            size = 1 + max(abs(logarithm(source)), abs(logarithm(target)))
            numbers.append(size / abs(logarithm(target) - logarithm(source)))
    return max(numbers)


def ratio(source, target):
    """sigma'/sigma"""
    return target[1] * source[0] / (target[0] * source[1])


def posterior(source, target, large=False):
    """Ho et al. 2020, equations 6 and 7, between any two levels."""
    r = ratio(source, target)
    added = 1 - r**2
    variance = source[1] ** 2 * added if large and target[1] > 0 else target[1] ** 2 * added
    return target[1] / source[1] * r, target[0] * added, mpf(0), mpmath.sqrt(variance)


def ddim(source, target, eta):
    """Song et al. 2021, equations 12 and 16."""
    deviation = eta * target[1] * mpmath.sqrt(1 - ratio(source, target) ** 2) if eta else mpf(0)
    remaining = mpmath.sqrt(target[1] ** 2 - deviation**2)
    return remaining / source[1], target[0] - remaining * source[0] / source[1], mpf(0), deviation


def rectified(source, target):
    """ComfyUI's `sample_euler_ancestral_RF` with eta = 1, on x/(signal + noise)."""
    scale, after = sum(source), sum(target)
    sigma, following = source[1] / scale, target[1] / after
    down = following * (following / sigma)
    ratio, factor = down / sigma, (1 - following) / (1 - down)
    noise = mpmath.sqrt(following**2 - down**2 * (1 - following) ** 2 / (1 - down) ** 2)
    return after / scale * factor * ratio, after * factor * (1 - ratio), mpf(0), after * noise


def rows(sampler, levels):
    """Pairs of a row and its condition number, one for each call."""
    result = []

    def add(row, *spanned):
        result.append([*row, condition(*spanned)])

    if sampler == "ddim-inversion":
        climb = levels[::-1]
        for i, (source, target) in enumerate(zip(climb, climb[1:])):
            if i == 0:  # the data are taken for a sample at the first noisy level
                signal, noise = target
                add((signal + noise / noise, -noise * signal / noise, mpf(0), mpf(0)), source, target)
            else:
                add(ddim(source, target, mpf(0)), source, target)
        return result
    for i, (source, target) in enumerate(zip(levels, levels[1:])):
        if sampler in ("ddpm", "ddpm-large"):
            add(posterior(source, target, large=sampler == "ddpm-large"), source, target)
        elif sampler in ("euler", "dpm++1", "ddim"):
            add(ddim(source, target, mpf(0)), source, target)
        elif sampler == "euler-ancestral":
            add(ddim(source, target, mpf(1)), source, target)
        elif sampler == "euler-ancestral-rf":
            add(rectified(source, target), source, target)
        elif sampler == "dpm++2m":
            x, estimate, _, _ = ddim(source, target, mpf(0))
            if i == 0 or target[1] == 0:
                add((x, estimate, mpf(0), mpf(0)), source, target)
            else:
                quotient = (logarithm(target) - logarithm(source)) / (logarithm(source) - logarithm(levels[i - 1]))
                add((x, estimate * (1 + quotient / 2), -estimate * quotient / 2, mpf(0)), levels[i - 1], source, target)
        elif sampler == "heun":
            run = target[1] / target[0] - source[1] / source[0]
            add((target[0] / source[0], target[0] * run, mpf(0), mpf(0)), source, target)
            if target[1] > 0:
                add((mpf(1), target[0] * run / 2, -target[0] * run / 2, mpf(0)), source, target)
        else:
            raise ValueError(sampler)
    return result


SAMPLERS = ["ddpm", "ddpm-large", "ddim", "ddim-inversion", "euler", "euler-ancestral", "euler-ancestral-rf", "heun", "dpm++1", "dpm++2m"]


def of_sigma(sigma):
    """The level on the variance-preserving path."""
    signal = 1 / mpmath.sqrt(1 + sigma**2)
    return signal, sigma * signal


def levels_of(process, spacing, steps):
    """The levels of a grid, then clean data."""
    if spacing in ("karras", "exponential", "linear"):
        levels = [of_sigma(sigma) for sigma in process.sigma_grid(spacing, steps)]
    else:
        bars = [process.bars[t] for t in timesteps(spacing, steps)]
        levels = [(mpmath.sqrt(bar), mpmath.sqrt(1 - bar)) for bar in bars]
    return [*levels, (mpf(1), mpf(0))]


def bundle(step_counts, spacings, samplers):
    """The rows of some calls on every grid. `samplers` gives for the levels of one, by name, how many calls there are and the row of each."""
    process = Process()
    tensors = {}
    for steps in step_counts:
        for spacing in spacings:
            for name, (count, row) in samplers(levels_of(process, spacing, steps)).items():
                calls = kept(count)
                tensors[f"{name}/{spacing}/{steps}.rows"] = numpy.array([[float(number) for number in row(i)] for i in calls])
                tensors[f"{name}/{spacing}/{steps}.calls"] = numpy.array(calls, dtype=numpy.int64)
    return save(tensors)


def listed(made):
    """What `bundle` asks for, from the lists of all rows by name."""
    return {name: (len(rows), rows.__getitem__) for name, rows in made.items()}


def coefficients():
    spacings = ("leading", "trailing", "linspace", "karras", "exponential", "linear")
    return bundle(STEPS, spacings, lambda levels: listed({sampler: rows(sampler, levels) for sampler in SAMPLERS}))


FILES = {"coefficients.safetensors": coefficients}
