"""Grids: the sigmas and timesteps of other libraries' spacings, and quantiles of beta distributions in 50 digits.

- `quantiles/alpha/beta` [P, 4]: a share p, the x below which it lies, and 1 - x, by bisection of mpmath's incomplete beta function; and by
  how many percent the share on the side of the smaller of both grows with one percent of it.
- `beta/alpha/beta/N`: timesteps 0 ... 999 at the shares 1 - i/(N - 1), rounded to even, from SciPy's quantiles, where no two are one.
- `strength/flow`, `strength/discrete` [R, 3]: a number of steps, a strength, and how many steps `get_timesteps` of the image-to-image
  pipelines of Flux and of Stable Diffusion leaves.
- `polyexponential/rho/N`: k-diffusion's `get_sigmas_polyexponential` over the same range.
- `laplace/mu/scale/N`: quantiles of a Laplace distribution of ln sigma between the shares of both ends of that range, in 50 digits.
- `logit-normal/mean/deviation/N`: 1/(1 + exp(-y)) of the quantiles y of 1 - i/N of a normal distribution, at most 9 and at least -7.5, in
  50 digits; the first is that of 9.
- `lu/N`: the sigmas of diffusers' DPM-Solver with `use_lu_lambdas`, on the scaled linear schedule with T = 1000.
- `ays/table`: diffusers' `AysSchedules` for ten steps; `ays/table/N`: its log-linear interpolation, NumPy's on those numbers and the last
  sigma that is published at https://research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html, where diffusers has 0.
- `sgm/N`: the timesteps of `generate_roughly_equally_spaced_steps` in https://github.com/Stability-AI/generative-models,
  sgm/modules/diffusionmodules/discretizer.py, which is NumPy's linspace without its end, truncated.
"""

import ast
import importlib.util
import pathlib
import types

import mpmath
import numpy
import scipy.stats
from mpmath import mpf
from safetensors.numpy import save

from recipes.plans import COUNT, Process, float64, load_k_diffusion

SMALLEST, LARGEST = 0.03, 14.0
STEPS = [2, 3, 7, 10, 30]
STRENGTHS = [0.0, 0.01, 0.05, 0.1, 0.25, 0.3, 1 / 3, 0.5, 0.58, 0.6, 0.7, 0.75, 0.8, 0.95, 0.99, 1.0]
SHARES = [1e-9, 1e-4, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-4, 1 - 1e-9]
PARAMETERS = [(0.6, 0.6), (0.1, 0.1), (0.1, 10), (10, 0.1), (10, 10), (1, 1), (0.5, 3), (2.5, 0.7)]
LAST = {"StableDiffusionSigmas": 0.029, "StableDiffusionXLSigmas": 0.029, "StableDiffusionVideoSigmas": 0.002}


def quantile(p, alpha, beta):
    """x and 1 - x, by bisection of the one that is below one half, in its logarithm."""

    def below(x, a, b):
        return mpmath.betainc(a, b, 0, x, regularized=True)

    alpha, beta = mpf(alpha), mpf(beta)
    if p > below(mpf(1) / 2, alpha, beta):
        rest, x = quantile(1 - p, beta, alpha)
        return x, rest
    low, high = mpf(-800), mpmath.log(mpf(1) / 2)
    for _ in range(120):
        middle = (low + high) / 2
        low, high = (middle, high) if below(mpmath.exp(middle), alpha, beta) < p else (low, middle)
    x = mpmath.exp(low)
    return x, 1 - x


def laplace(steps, mu, scale):
    """Hang et al. 2024, table 1, with the shares between those of both ends."""

    def share(sigma):
        x = (mpmath.log(sigma) - mu) / scale
        return mpmath.exp(x) / 2 if x < 0 else 1 - mpmath.exp(-x) / 2

    most, least = share(mpf(LARGEST)), share(mpf(SMALLEST))
    shares = [most + (least - most) * i / (steps - 1) for i in range(steps)]
    return [mpmath.exp(mu + scale * (mpmath.log(2 * p) if p < 0.5 else -mpmath.log(2 - 2 * p))) for p in shares]


def logit_normal(steps, mean, deviation):
    def quantile(p):
        return mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1)

    logits = [mpf(9)] + [min(max(mean + deviation * quantile(1 - mpf(i) / steps), -7.5), 9) for i in range(1, steps)]
    return [1 / (1 + mpmath.exp(-logit)) for logit in logits]


def elasticity(x, rest, alpha, beta):
    if x > rest:
        return elasticity(rest, x, beta, alpha)
    return x**alpha * rest ** (beta - 1) / mpmath.betainc(alpha, beta, 0, x)


def timesteps_of(path):
    """How many steps `get_timesteps` of a pipeline leaves, out of a file that cannot be imported without the networks' libraries."""
    folder = pathlib.Path(importlib.util.find_spec("diffusers").submodule_search_locations[0])
    found = [node for node in ast.walk(ast.parse((folder / path).read_text())) if getattr(node, "name", None) == "get_timesteps"]
    names = {}
    exec(compile(ast.Module(found, []), path, "exec"), names)

    def count(steps, strength):
        scheduler = types.SimpleNamespace(timesteps=list(range(steps)), order=1)
        return names["get_timesteps"](types.SimpleNamespace(scheduler=scheduler), steps, strength, None)[1]

    return count


@float64()
def grids():
    import torch
    from diffusers import DPMSolverMultistepScheduler
    from diffusers.schedulers.scheduling_utils import AysSchedules

    sampling = load_k_diffusion()
    tensors = {}

    def add(name, values):
        tensors[name] = numpy.array([float(value) for value in values])

    for alpha, beta in PARAMETERS:
        rows = [(p, *quantile(mpf(p), alpha, beta)) for p in SHARES]
        rows = [(*row, elasticity(*row[1:], mpf(alpha), mpf(beta))) for row in rows]
        tensors[f"quantiles/{alpha}/{beta}"] = numpy.array([[float(number) for number in row] for row in rows])
    for steps in STEPS:
        for rho in (0.5, 1, 3):
            add(f"polyexponential/{rho}/{steps}", sampling.get_sigmas_polyexponential(steps, SMALLEST, LARGEST, rho)[:-1])
        for mu, scale in ((0, 0.5), (-0.5, 1.25)):
            add(f"laplace/{mu}/{scale}/{steps}", laplace(steps, mpf(mu), mpf(scale)))
        for mean, deviation in ((0, 1.75), (0.5, 1)):
            add(f"logit-normal/{mean}/{deviation}/{steps}", logit_normal(steps, mpf(mean), mpf(deviation)))
        scheduler = DPMSolverMultistepScheduler(trained_betas=Process().betas, use_lu_lambdas=True)
        scheduler.set_timesteps(steps)
        add(f"lu/{steps}", scheduler.sigmas[:-1])
        assert scheduler.sigmas.dtype == torch.float64
    for steps in (1, *STEPS, 50):
        for alpha, beta in [(0.6, 0.6), (0.5, 3)]:
            timesteps = numpy.rint(scipy.stats.beta.ppf(1 - numpy.linspace(0, 1, steps), alpha, beta) * (COUNT - 1))
            if len(set(timesteps)) == steps:
                tensors[f"beta/{alpha}/{beta}/{steps}"] = timesteps.astype(numpy.int64)
    for kind, pipeline in (("flow", "flux/pipeline_flux"), ("discrete", "stable_diffusion/pipeline_stable_diffusion")):
        counted = timesteps_of(f"pipelines/{pipeline}_img2img.py")
        tensors[f"strength/{kind}"] = numpy.array(
            [(n, s, counted(n, s)) for n in (1, 2, 4, 9, 28, 30, 50, 1000) for s in STRENGTHS])
    for table, last in LAST.items():
        published = AysSchedules[table][:-1]
        add(f"ays/{table}", published)
        for steps in (1, 4, 7, 25):
            knots, wanted = numpy.linspace(0, 1, 11), numpy.linspace(0, 1, steps + 1)
            logarithms = numpy.interp(wanted, knots, numpy.log([*published, last][::-1]))
            add(f"ays/{table}/{steps}", numpy.exp(logarithms)[::-1][:-1])
    for steps in (1, 2, 3, 10, 30, 999, 1000):
        spaced = numpy.linspace(COUNT - 1, 0, steps, endpoint=False).astype(int)
        tensors[f"sgm/{steps}"] = spaced.astype(numpy.int64)
    return save(tensors)


FILES = {"grids.safetensors": grids}
