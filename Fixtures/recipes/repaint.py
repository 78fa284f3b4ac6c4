"""RePaint: diffusers' RePaintScheduler in float64, on short processes of N timesteps of which every one is visited.

`N/j/r.visits` are the timesteps that a run comes to, -1 for clean data. `N/j/r.run` [C, 2C + 1] is a run in the form of `multistep.py`, with
nothing known and a network that predicts epsilon: each row is the sample after a step and the jump that follows it, if one does, and the
factor of its noise the root of the sum of the squares of those of the draws on the way, which are independent. `N.betas` are the betas.

diffusers asks the network at each timestep of the list; the authors' code, https://github.com/andreas128/RePaint, goes from each to the
next, as here. Its jumps of several betas begin at the wrong one, unless every timestep is visited.
"""

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save

from recipes import coefficients
from recipes.plans import float64

CASES = [(6, 2, 3), (10, 1, 2), (10, 3, 2), (12, 4, 1), (7, 5, 3), (5, 10, 4), (1, 1, 2)]


def repaint_run(scheduler, visits):
    import torch
    from diffusers.schedulers import scheduling_repaint

    calls = sum(after < before for before, after in zip(visits, visits[1:]))
    draws = len(visits) - 1
    size = 1 + calls + draws
    unit = torch.eye(size, dtype=torch.float64).reshape(size, 1, size, 1, 1)
    nothing = torch.zeros((1, size, 1, 1))
    sample, call, groups, rows = unit[0], 0, [], []
    for draw, (before, after) in enumerate(zip(visits, visits[1:])):
        scheduling_repaint.randn_tensor = lambda *_, **__: unit[1 + calls + draw]
        if after < before:
            sample = scheduler.step(unit[1 + call], before, sample, nothing, nothing).prev_sample
            groups.append([1 + calls + draw])
            call += 1
        else:
            sample = scheduler.undo_step(sample, after)
            groups[-1].append(1 + calls + draw)
        if draw + 1 == draws or visits[draw + 2] < after:
            rows.append(sample.flatten().numpy().copy())
    assert call == calls == len(rows) and sample.dtype == torch.float64
    noises = [[numpy.sqrt(sum(row[i] ** 2 for i in group)) for group in groups] for row in rows]
    return numpy.concatenate([numpy.array(rows)[:, : 1 + calls], numpy.array(noises)], axis=1)


@float64()
def repaint():
    import torch
    from diffusers import RePaintScheduler

    tensors = {}
    for steps, length, resamplings in CASES:
        betas = numpy.linspace(0.01, 0.3, steps)
        scheduler = RePaintScheduler(steps, trained_betas=betas, eta=1.0, clip_sample=False)
        scheduler.set_timesteps(steps, length, resamplings)
        assert scheduler.alphas_cumprod.dtype == torch.float64
        visits = [*scheduler.timesteps.tolist(), -1]
        tensors[f"{steps}/{length}/{resamplings}.visits"] = numpy.array(visits)
        tensors[f"{steps}/{length}/{resamplings}.run"] = repaint_run(scheduler, visits)
        tensors[f"{steps}.betas"] = betas
    return save(tensors)


def authors_visits(steps, length, resamplings):
    """The authors' `get_schedule_jump`: t = N - 1, ..., -1."""
    left = {t: resamplings - 1 for t in range(0, steps - length, length)}
    t, visits = steps - 1, [steps - 1]
    while t >= 0:
        if left.get(t, 0) > 0:
            left[t] -= 1
            t += length
        else:
            t -= 1
        visits.append(t)
    return visits


def rows(levels, length=10, resamplings=10):
    """The steps of DDIM with eta 1, some with the forward process from where they lead: the factors of the sample, the estimate x0 and the
    noise, whose variances add up."""
    steps = len(levels) - 1
    visits = authors_visits(steps, length, resamplings)
    result = []
    for before, after in zip(visits, visits[1:]):
        source, target = levels[steps - 1 - before], levels[steps - 1 - after]
        if after < before:
            sample, estimate, _, noise = coefficients.ddim(source, target, mpf(1))
            result.append([sample, estimate, noise])
        else:  # here the source has less noise
            ratio = target[0] / source[0]
            sample, estimate, noise = [ratio * factor for factor in result.pop()]
            result.append([sample, estimate, mpmath.sqrt(noise**2 + target[1] ** 2 - (ratio * source[1]) ** 2)])
    return result


def restart_rows(levels, turn=0.75, back=0.25):
    """Xu et al. 2023, algorithm 1 with Heun's steps and those of the grid between the two levels: the same factors, the second estimate too."""
    steps = len(levels) - 1
    low, high = min(int(turn * steps), steps - 1), int(back * steps)

    def heun(part):
        return [row[:-1] for row in coefficients.rows("heun", part)]

    if high >= low:
        return heun(levels)
    down = heun(levels[: low + 1])
    (signal, noise), (signal2, noise2) = levels[low], levels[high]
    down[-1] = [signal2 / signal * factor for factor in down[-1]]
    down[-1][-1] = mpmath.sqrt(noise2**2 - (signal2 / signal * noise) ** 2)
    return down + heun(levels[high : low + 1]) + heun(levels[low:])


FILES = {"repaint.safetensors": repaint}
