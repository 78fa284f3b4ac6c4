"""The inversion of DPM-Solver++ and the accelerated family: runs, and coefficients in 50 digits.

`dpm++2m-inversion/rule/N/prediction.run` are runs of diffusers' DPMSolverMultistepInverseScheduler in float64, in the form of
`multistep.py`, up the noisy sigmas `N.sigmas` [N + 1] on the variance-preserving path. `gradient-estimation/gamma/mu/N.run` are runs by the
formula of Yuan's https://github.com/yuanchenyang/smalldiffusion, `samples`, in 50 digits, down the same sigmas to 0, with a network that
predicts epsilon.

`case.rows` [R, 7] and `case.calls` are coefficients as in `multistep.py`. The first of the inversion is that of DDIM's.
"""

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save

from recipes import coefficients
from recipes.multistep import COEFFICIENT_STEPS, RUN_STEPS, Row, exponential
from recipes.plans import Process, float64


def inversion_run(rule, sigmas, prediction):
    import torch
    from diffusers import DPMSolverMultistepInverseScheduler

    steps = len(sigmas) - 1
    size = 2 * steps + 1
    unit = torch.eye(size, dtype=torch.float64).reshape(size, 1, size, 1, 1)
    kind = {"epsilon": "epsilon", "x0": "sample"}[prediction]
    scheduler = DPMSolverMultistepInverseScheduler(prediction_type=kind, solver_type=rule, lower_order_final=False)
    scheduler.set_timesteps(steps)
    scheduler.sigmas = torch.tensor(sigmas)
    assert len(scheduler.timesteps) == steps
    sample, samples = unit[0], []
    for call, t in enumerate(scheduler.timesteps):
        sample = scheduler.step(unit[1 + call], t, sample).prev_sample
        assert sample.dtype == torch.float64
        samples.append(sample.flatten().numpy().copy())
    return numpy.array(samples)


def powers(sigma, sigma2, mu):
    """sigma_p and eta, with sigma' = sigma^mu sigma_p^(1 - mu)."""
    below = (sigma2 / sigma**mu) ** (1 / (1 - mu))
    return below, mpmath.sqrt(sigma2**2 - below**2)


def accelerated_run(gamma, mu, sigmas):
    """On samples x/signal, scaled; every number is a row over the start, the outputs and the noises."""
    steps = len(sigmas) - 1
    unit = [mpmath.matrix([mpf(j == i) for j in range(2 * steps + 1)]) for i in range(2 * steps + 1)]
    sample, before, samples = unit[0] * mpmath.sqrt(1 + sigmas[0] ** 2), None, []
    for i, (sigma, sigma2) in enumerate(zip(sigmas, sigmas[1:])):
        epsilon = unit[1 + i]
        below, eta = powers(sigma, sigma2, mu)
        mean = epsilon * gamma + before * (1 - gamma) if i else epsilon
        sample = sample - mean * (sigma - below) + unit[1 + steps + i] * eta
        before = epsilon
        samples.append([float(number) for number in sample / mpmath.sqrt(1 + sigma2**2)])
    return numpy.array(samples)


@float64()
def accelerated():
    process = Process()
    tensors = {}
    for steps in RUN_STEPS:
        sigmas = [float(sigma) for sigma in process.sigma_grid("karras", steps + 1)]
        tensors[f"{steps}.sigmas"] = numpy.array(sigmas)
        for prediction in ("epsilon", "x0"):
            for rule in ("midpoint", "heun"):
                run = inversion_run(rule, sigmas[::-1], prediction)
                assert numpy.isfinite(run).all()
                tensors[f"dpm++2m-inversion/{rule}/{steps}/{prediction}.run"] = run
        for gamma, mu in ((2, 0), (1.5, 0.25), (1, 0.5)):
            down = [mpf(sigma) for sigma in sigmas[:-1]] + [mpf(0)]
            tensors[f"gradient-estimation/{gamma}/{mu}/{steps}.run"] = accelerated_run(mpf(gamma), mpf(mu), down)
    return save(tensors)


def rows(sampler, levels):
    """Pairs of a row and its condition number, one for each call."""
    if sampler == "dpm++2m-inversion":
        climb = levels[::-1]
        result = [coefficients.rows("ddim-inversion", levels)[0]]
        result = [[*result[0][:3], mpf(0), mpf(0), *result[0][3:]]]
        noisy = climb[1:]
        for i in range(len(noisy) - 1):
            row = exponential(noisy, i, min(2, i + 1), estimate="x0", rule="midpoint")
            result.append([*row.list(), coefficients.condition(*noisy[max(i - 1, 0) : i + 2])])
        return result
    result = []
    for i, (source, target) in enumerate(zip(levels, levels[1:])):
        sigma, sigma2 = source[1] / source[0], target[1] / target[0]
        factors = [mpf(2), mpf(-1)] if i else [mpf(1)]
        row = Row(target[0] / source[0], [target[0] * (sigma2 - sigma) * factor for factor in factors])
        result.append([*row.list(), coefficients.condition(source, target)])
    return result


def accelerated_coefficients():
    names = ("dpm++2m-inversion", "gradient-estimation")
    return coefficients.bundle(
        COEFFICIENT_STEPS, ("leading", "karras"), lambda levels: coefficients.listed({name: rows(name, levels) for name in names}))


FILES = {"accelerated.safetensors": accelerated, "accelerated-coefficients.safetensors": accelerated_coefficients}
