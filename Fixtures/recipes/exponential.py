"""Samplers with several calls in a step that are exponential in lambda, and ancestral ones on rectified flow, by the papers' algebra.

A step is worked out as it is written, in forms: factors of the sample x at its start, of the estimates E0, E1, ... of its calls and of the
noises z0, z1, ... A plan's row says the same from the sample that the call was given: x is what the samples made so far say it is, and with
it go the noises that they have. `ROWS` gives them in the layout of `stages.py`.
"""

import mpmath
from mpmath import mpf

from recipes import coefficients, multistep


class Form(dict):
    """Factors of symbols."""

    def __add__(self, other):
        return Form({key: self.get(key, mpf(0)) + other.get(key, mpf(0)) for key in {**self, **other}})

    def __rmul__(self, factor):
        return Form({key: factor * value for key, value in self.items()})

    def __sub__(self, other):
        return self + mpf(-1) * other


def symbol(name, index=None):
    return Form({name if index is None else (name, index): mpf(1)})


X = symbol("x")


def rows_of_step(made, width, estimates=0):
    """The rows of the calls of a step, from the forms of the samples that they make."""
    rows, current = [], X
    for k, form in enumerate(made):
        kept = form.get("x", mpf(0)) / current["x"]
        rest = form - kept * current
        for key, value in rest.items():
            # What was drawn before is in the current sample already, and so is x.
            assert key == ("z", k) or key[0] == "E" or abs(value) < mpf(10) ** -40, (k, key, value)
        found = [rest.get(("E", k - ago), mpf(0)) for ago in range(k + 1)]
        rows.append([kept, mpf(0), *found, *[mpf(0)] * (width - len(found)), rest.get(("z", k), mpf(0)), mpf(1)])
        current = form
    return rows


def staged(levels, path, width, step):
    return [row for source, target in zip(levels, levels[1:]) for row in rows_of_step(step(source, target, path), width)]


def between(path, source, target, share):
    """The level that lies a share of the way in lambda."""
    sigma = [level[1] / level[0] for level in (source, target)]
    return path.level(sigma[0] * (sigma[1] / sigma[0]) ** mpf(share))


def first_order(source, target, eta, noise=symbol("z", 0)):
    """A step with x0 held, on the reverse SDE of this eta; the noise that it draws is 0 at clean data."""
    if target[1] == 0:
        return symbol("E", 0)
    if source[0] == 0:
        kept = mpf(0) if eta else target[1] / source[1]
        return kept * X + target[0] * symbol("E", 0) + (target[1] if eta else mpf(0)) * noise
    ratio = coefficients.ratio(source, target)
    kept = target[1] / source[1] * ratio**eta
    drawn = target[1] * mpmath.sqrt(1 - ratio ** (2 * eta))
    return kept * X + (target[0] - source[0] * kept) * symbol("E", 0) + drawn * noise


def polynomial(source, target, eta, nodes, values, estimate="x0", midpoint=False):
    """A step along the polynomial through the values at some nodes of lambda, from 0 at its start to 1 at its end, without its noise."""
    h = coefficients.logarithm(target) - coefficients.logarithm(source)
    wanted = multistep.moments((1 + eta) * h if estimate == "x0" else -h, len(nodes))
    if midpoint:
        wanted[1] = wanted[0] / 2
    if estimate == "x0":
        kept, scale = target[1] / source[1] * mpmath.exp(-eta * h), target[0]
    else:
        kept, scale = target[0] / source[0], target[1]
    result = kept * X
    for factor, value in zip(multistep.factors([mpf(node) for node in nodes], wanted), values):
        result = result + scale * factor * symbol("E", value)
    return result


# The shares of lambda at which calls are made after the first, whether each makes the next sample by a line through E0 and the newest, and
# whether that line has its value at the middle everywhere.
METHODS = {
    "seeds-2": ([mpf(1) / 2], True, 1), "seeds-3": ([mpf(1) / 3, mpf(2) / 3], False, 1), "res-2s": ([mpf(1) / 2], False, 0),
    "exp-heun": ([mpf(1)], False, 0), "exp-heun-sde": ([mpf(1)], False, 1)}


def seeds(method, source, target, path, estimate="x0"):
    """Gonzalez et al. 2023, algorithms 2 and 3; exponential Heun and RES with two stages."""
    shares, midpoint, eta = METHODS[method]
    if target[1] == 0 or source[0] == 0:
        return [first_order(source, target, eta)]
    h = coefficients.logarithm(target) - coefficients.logarithm(source)
    made, noise, before = [], Form(), mpf(0)
    for k, share in enumerate([*shares, mpf(1)]):
        level = target if share == 1 else between(path, source, target, share)
        passed = mpmath.exp(-(share - before) * eta * h)
        noise = passed * noise + mpmath.sqrt(1 - passed**2) * symbol("z", k)
        before = share
        if k == 0:
            sample = polynomial(source, level, eta, [0], [0])
        else:
            sample = polynomial(source, level, eta, [0, shares[k - 1] / share], [0, k], midpoint=midpoint)
        made.append(sample + level[1] * noise)
    return made


def time_of(level):
    return level[1] / (level[0] + level[1])


def straight_down(source, target):
    """t_down, the factor that gives the signal of the next level, and t_up, with eta 1, as ComfyUI's `sample_euler_ancestral_RF`."""
    t, after = time_of(source), time_of(target)
    down = after * (1 + (after / t - 1))
    kept = (1 - after) / (1 - down)
    return down, kept, mpmath.sqrt(after**2 - down**2 * kept**2)


def inside(path, source, target, time):
    """The level of a time on the way; none where the path from noise alone is not known."""
    if source[0] > 0:
        return path.level(time / (1 - time))
    return (1 - time, time) if target[0] + target[1] - 1 < mpf(10) ** -40 else None


def kdpm2_ancestral_rf(source, target, path):
    """ComfyUI's `sample_dpm_2_ancestral_RF` with eta 1, on x/(signal + noise)."""
    t, (down, kept, up) = time_of(source), straight_down(source, target)
    scale, after = sum(source), sum(target)
    time = mpmath.sqrt(t * down)
    level = inside(path, source, target, time) if target[1] > 0 else None
    x, E0, E1 = 1 / scale * X, symbol("E", 0), symbol("E", 1)
    if level is None:
        slope = 1 / t * (x - E0)
        return [after * (kept * (x + (down - t) * slope) + up * symbol("z", 0))]
    middle = x + (time - t) / t * (x - E0)
    end = x + (down - t) / time * (middle - E1)
    return [sum(level) * middle, after * (kept * end + up * symbol("z", 1))]


def dpm_2s_ancestral(source, target, path):
    """k-diffusion's `sample_dpmpp_2s_ancestral` with eta 1, on x/signal."""
    E0, E1 = symbol("E", 0), symbol("E", 1)
    if target[1] == 0 or source[0] == 0:
        return [first_order(source, target, 1)]
    sigma, sigma2 = source[1] / source[0], target[1] / target[0]
    up = sigma2 * mpmath.sqrt(1 - (sigma2 / sigma) ** 2)
    down = mpmath.sqrt(sigma2**2 - up**2)
    s = mpmath.sqrt(sigma * down)
    x = 1 / source[0] * X
    middle = s / sigma * x + (1 - s / sigma) * E0
    end = down / sigma * x + (1 - down / sigma) * E1 + up * symbol("z", 1)
    return [path.level(s)[0] * middle, target[0] * end]


def dpm_2s_ancestral_rf(source, target, path):
    """ComfyUI's `sample_dpmpp_2s_ancestral_RF` with eta 1, on x/(signal + noise)."""
    t, (down, kept, up) = time_of(source), straight_down(source, target)
    scale, after = sum(source), sum(target)
    x, E0, E1 = 1 / scale * X, symbol("E", 0), symbol("E", 1)
    level = None
    if target[1] > 0:
        if source[0] > 0:
            sigma = mpmath.sqrt(t / (1 - t) * down / (1 - down))
            level = path.level(sigma)
        else:
            level = inside(path, source, target, mpf(0.9999))
    if level is None:
        return [after * (kept * (down / t * x + (1 - down / t) * E0) + up * symbol("z", 0))]
    ratio = time_of(level) / t
    middle = ratio * x + (1 - ratio) * E0
    end = down / t * x + (1 - down / t) * E1
    return [sum(level) * middle, after * (kept * end + up * symbol("z", 1))]


def dpm_fast(levels, path):
    """Lu et al. 2022, DPM-Solver-fast, between the first level and the last with noise; then Euler's step."""
    calls = len(levels) - 2
    rows = []
    if calls:
        orders = [3] * (calls // 3) + [calls % 3] if calls % 3 else [3] * (calls // 3 - 1) + [2, 1]
        first, last = levels[0], levels[-2]
        ends = [between(path, first, last, mpf(k) / len(orders)) for k in range(len(orders) + 1)]
        ends[0], ends[-1] = first, last
        for order, source, target in zip(orders, ends, ends[1:]):
            inner = [between(path, source, target, mpf(k) / order) for k in range(1, order)]
            made = []
            for k, level in enumerate([*inner, target]):
                share = mpf(k) / (k + 1)  # of the call before, on the way to this level
                nodes, values = ([0], [0]) if k == 0 else ([0, share], [0, k])
                made.append(polynomial(source, level, 0, nodes, values, "epsilon", midpoint=order == 2 and k == 1))
            rows += rows_of_step(made, 3)
    source, target = levels[-2], levels[-1]
    euler = target[0] / source[0] * X + (target[1] - target[0] * source[1] / source[0]) * symbol("E", 0)
    return rows + rows_of_step([euler], 3)


def sa_solver_pece(levels, path, predictor=2, corrector=2):
    """Xue et al. 2023, equations 15 and 18 in x0 with tau 1, and the network asked at the corrected sample too."""
    width, rows = 4, []

    def values(step, isCorrected):
        used = min(corrector - 1 if isCorrected else predictor, step + 1)
        h, nodes = multistep.lambda_nodes(levels, step, used)
        return multistep.factors(([mpf(1)] if isCorrected else []) + nodes, multistep.moments(2 * h, len(nodes) + isCorrected))

    for i, ((signal, noise), (signal2, noise2)) in enumerate(zip(levels, levels[1:])):
        if i > 0:
            estimates = [mpf(0)] * width
            corrected, predicted = values(i - 1, True), values(i - 1, False)
            estimates[0] = signal * corrected[0]
            for k, factor in enumerate(corrected[1:]):
                estimates[1 + 2 * k] += signal * factor
            for k, factor in enumerate(predicted):
                estimates[1 + 2 * k] -= signal * factor
            rows.append([mpf(1), mpf(0), *estimates, mpf(0), mpf(1)])
        estimates = [mpf(0)] * width
        if noise2 == 0:
            estimates[0] = mpf(1)
            rows.append([mpf(0), mpf(0), *estimates, mpf(0), mpf(1)])
            continue
        for k, factor in enumerate(values(i, False)):
            estimates[2 * k] = signal2 * factor
        ratio = coefficients.ratio(levels[i], levels[i + 1])
        rows.append([noise2 / noise * ratio, mpf(0), *estimates, noise2 * mpmath.sqrt(1 - ratio**2), mpf(1)])
    return rows


def by_steps(step, width=3):
    return lambda levels, path: staged(levels, path, width, step)


ROWS = {
    "kdpm2-ancestral-rf": by_steps(kdpm2_ancestral_rf),
    "dpm++2s-ancestral": by_steps(dpm_2s_ancestral),
    "dpm++2s-ancestral-rf": by_steps(dpm_2s_ancestral_rf),
    **{name: by_steps(lambda source, target, path, name=name: seeds(name, source, target, path)) for name in METHODS},
    "dpm-fast": dpm_fast,
    "sa-solver-pece": sa_solver_pece,
}
