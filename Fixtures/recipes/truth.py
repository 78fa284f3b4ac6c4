"""Every table of the named schedules in 50-digit arithmetic.

A case is named formula/T, or formula/T/zero after rescaling to zero terminal SNR. For each there are

- `case.betas` [T]: the definition on the stored Double parameters, rounded to nearest; `case.betas.low` is what rounding left.
- `case.timesteps` [K]: where the tables were taken: all for T up to 300, and a documented subset beyond.
- `case.table` [K, 2]: the exact value of the table on the rounded betas, as a float64 and what it leaves.

A value is high + low to about 32 digits. Infinite values have low 0.
"""

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save

mpmath.mp.dps = 50
INFINITY = mpf("inf")

# guided-linear is guided-diffusion's "linear", scaled by 1000/T.
CASES = {
    "linear": [1, 2, 10, 300],
    "guided-linear": [20, 300, 1000, 4000, 10000],
    "cosine": [1, 10, 300, 1000, 4000],
    "scaled-linear": [1, 10, 1000, 4000],
    "sigmoid": [1, 10, 1000, 4000],
    "laplace": [1, 10, 1000],
    "exponential": [1, 10, 1000],
}


def ramp(start, end, count):
    """Equal steps from start to end; start alone where there is one."""
    return [start + (end - start) * i / (count - 1) if count > 1 else start for i in range(count)]


def definition(formula, count):
    """The betas of a named schedule, as its paper defines them on the Double parameters that everyone stores."""
    if formula == "linear":
        return ramp(mpf(1e-4), mpf(0.02), count)
    if formula == "guided-linear":
        return [beta * 1000 / count for beta in ramp(mpf(1e-4), mpf(0.02), count)]
    if formula == "scaled-linear":
        return [root**2 for root in ramp(mpmath.sqrt(mpf(0.00085)), mpmath.sqrt(mpf(0.012)), count)]
    if formula == "sigmoid":
        return [
            (mpf(0.02) - mpf(1e-4)) / (1 + mpmath.exp(-x)) + mpf(1e-4) for x in ramp(mpf(-6), mpf(6), count)
        ]
    if formula == "cosine":
        offset = mpf(0.008)
        bars = [mpmath.cos((mpf(t) / count + offset) / (1 + offset) * mpmath.pi / 2) ** 2 for t in range(count + 1)]
        return [min(1 - after / before, mpf(0.999)) for before, after in zip(bars, bars[1:])]
    if formula == "laplace":
        def bar(t):
            share = mpf(t) / count
            left = 1 - 2 * abs(mpf(1) / 2 - share) + mpf(1e-6)
            ratio = mpmath.exp(-mpf(1) / 2 * (1 if share <= mpf(1) / 2 else -1) * mpmath.log(left))
            return mpmath.sqrt(ratio / (1 + ratio))

        return [min(1 - bar(t + 1) / bar(t), mpf(0.999)) for t in range(count)]
    if formula == "exponential":
        return [min(1 - mpmath.exp(mpf(-12) / count), mpf(0.999))] * count
    raise ValueError(formula)


def products(betas):
    bars, product = [], mpf(1)
    for beta in betas:
        product *= 1 - beta
        bars.append(product)
    return bars


def zero_terminal(betas):
    """Lin et al. 2023, algorithm 1."""
    roots = [mpmath.sqrt(bar) for bar in products(betas)]
    scale = roots[0] / (roots[0] - roots[-1])
    bars = [((root - roots[-1]) * scale) ** 2 for root in roots]
    return [1 - bars[0]] + [1 - after / before for before, after in zip(bars, bars[1:])]


def log(x):
    return mpmath.log(x) if x > 0 else -INFINITY


def quotient(x, y):
    return x / y if y else INFINITY


def tables(betas, timesteps):
    """Every table at the given timesteps, by the names of NoiseSchedule; Ho et al. 2020."""
    bars = products(betas)

    def posterior_variance(t):
        return betas[t] * (1 - previous(t)) / (1 - bars[t])

    def previous(t):
        return bars[t - 1] if t else mpf(1)

    formulas = {
        "alphas": lambda t: 1 - betas[t],
        "alphaBars": lambda t: bars[t],
        "previousAlphaBars": previous,
        "nextAlphaBars": lambda t: bars[t + 1] if t + 1 < len(bars) else mpf(0),
        "oneMinusAlphaBars": lambda t: 1 - bars[t],
        "signals": lambda t: mpmath.sqrt(bars[t]),
        "noises": lambda t: mpmath.sqrt(1 - bars[t]),
        "logAlphaBars": lambda t: log(bars[t]),
        "logOneMinusAlphaBars": lambda t: log(1 - bars[t]),
        "reciprocalSignals": lambda t: quotient(mpf(1), mpmath.sqrt(bars[t])),
        "sigmas": lambda t: quotient(mpmath.sqrt(1 - bars[t]), mpmath.sqrt(bars[t])),
        "snr": lambda t: bars[t] / (1 - bars[t]),
        "logSNR": lambda t: log(bars[t] / (1 - bars[t])),
        "posteriorVariance": posterior_variance,
        "posteriorLogVarianceClipped": lambda t: log(posterior_variance(t if t else min(1, len(bars) - 1))),
        "posteriorX0Coefficient": lambda t: mpmath.sqrt(previous(t)) * betas[t] / (1 - bars[t]),
        "posteriorSampleCoefficient": lambda t: mpmath.sqrt(1 - betas[t]) * (1 - previous(t)) / (1 - bars[t]),
    }
    return {name: split([formula(t) for t in timesteps]) for name, formula in formulas.items()}


def split(values):
    """high, low pairs."""
    pairs = []
    for value in values:
        high = float(value)
        pairs.append((high, float(value - mpf(high)) if mpmath.isfinite(value) else 0.0))
    return numpy.array(pairs)


def subset(count, whole=300, ends=64, between=150):
    """All timesteps up to `whole`; beyond, the first and the last `ends` and every ⌊T/`between`⌋-th between."""
    if count <= whole:
        return list(range(count))
    return sorted({*range(ends), *range(ends, count - ends, count // between), *range(count - ends, count)})


def truth():
    tensors = {}

    def add(case, exact):
        pairs = split(exact)
        stored = [mpf(beta) for beta in pairs[:, 0]]
        timesteps = subset(len(exact))
        tensors[f"{case}.betas"] = pairs[:, 0].copy()
        tensors[f"{case}.betas.low"] = pairs[:, 1].copy()
        tensors[f"{case}.timesteps"] = numpy.array(timesteps)
        for name, values in tables(stored, timesteps).items():
            tensors[f"{case}.{name}"] = values
        return stored

    for formula, counts in CASES.items():
        for count in counts:
            stored = add(f"{formula}/{count}", definition(formula, count))
            if count >= 2:
                add(f"{formula}/{count}/zero", zero_terminal(stored))
    return save(tensors)


FILES = {"truth.safetensors": truth}
