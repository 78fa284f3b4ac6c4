"""The coefficients of reference samplers, as their responses to unit impulses, in float64.

Between two calls of the network a sampler is linear. So a run on nine numbers shows all its coefficients: at every call, number p
(0 ... 3) holds the sample 1 if the call's index is p modulo 4 and 0 otherwise, number 4 + p holds the sample 0 and the network's
output 1 likewise, and the last holds nothing but the noise 1. What the sampler makes of them is a row: the factors of this call's
sample and output, of those up to three calls ago, and of the noise. Where a sampler calls the network twice in a step, the sample in
the middle is the sampler's own.

A case is sampler/spacing/steps/prediction. `case.rows` [R, 9] are the rows, `case.calls` [R] the calls they belong to (all but in long
runs). Its grid is `spacing/steps.timesteps` [N] and `spacing/steps.sigmas` [N + 1]. The schedule is scaled linear with T = 1000.

Where the references differ from the mathematics, the mathematics is computed here instead:

- diffusers' DDPM draws noise in the last step if its timestep is above 0; the noise of last steps is set to 0 here.
- diffusers' DDIM takes t - T//N as the next timestep, which is right for leading spacing alone. The other spacings are computed from
  equations 12 and 16 of Song et al. 2021 in 50 digits.
- diffusers' DDIMInverse asks the network at another timestep than the level it assumes. Inversion is computed from the same equations.
"""

import contextlib
import functools
import importlib.util
import sys
import types

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save

from recipes import truth

mpmath.mp.dps = 50
COUNT = 1000
STEPS = [1, 2, 3, 5, 10, 20, 50, 1000]
IMPULSES = 9


def half_even(numerator, denominator):
    quotient, remainder = divmod(numerator, denominator)
    up = 2 * remainder > denominator or (2 * remainder == denominator and quotient % 2 == 1)
    return quotient + up


def timesteps(spacing, steps):
    """Lin et al. 2023, table 2, counted from 0, in whole numbers."""
    if spacing == "leading":
        return [i * (COUNT // steps) for i in reversed(range(steps))]
    if spacing == "trailing":
        return [half_even(COUNT * (steps - i), steps) - 1 for i in range(steps)]
    if spacing == "linspace":
        return [half_even(i * (COUNT - 1), steps - 1) for i in reversed(range(steps))] if steps > 1 else [COUNT - 1]
    raise ValueError(spacing)


def spaced(spacing, steps, largest, smallest):
    """From the largest sigma to the smallest; Karras et al. 2022, equation 5, and equal steps of ln sigma and of sigma."""

    def at(fraction):
        if spacing == "karras":
            seventh = mpf(1) / 7
            return (largest**seventh + fraction * (smallest**seventh - largest**seventh)) ** 7
        if spacing == "exponential":
            return mpmath.exp(mpmath.log(largest) + fraction * (mpmath.log(smallest) - mpmath.log(largest)))
        return largest + fraction * (smallest - largest)

    return [largest if i == 0 else smallest if i == steps - 1 else at(mpf(i) / (steps - 1)) for i in range(steps)]


class Process:
    """A schedule in all digits, on betas that are Doubles; the scaled linear one unless they are given."""

    def __init__(self, betas=None):
        self.betas = betas or [float(beta) for beta in truth.definition("scaled-linear", COUNT)]
        self.bars = truth.products([mpf(beta) for beta in self.betas])
        self.sigmas = [mpmath.sqrt((1 - bar) / bar) if bar else mpmath.inf for bar in self.bars]

    def sigma_grid(self, spacing, steps):
        return spaced(spacing, steps, self.sigmas[-1], self.sigmas[0])


def impulse(call):
    """The samples and the outputs of a call."""
    samples, outputs = numpy.zeros(IMPULSES), numpy.zeros(IMPULSES)
    samples[call % 4] = 1
    outputs[4 + call % 4] = 1
    return samples, outputs


NOISE = numpy.eye(IMPULSES)[-1]


def kept(calls):
    """All rows of short runs; of long ones the first, the last and 30 between."""
    return list(range(calls)) if calls < 200 else sorted({round(i * (calls - 1) / 31) for i in range(32)})


@functools.cache
def load_k_diffusion():
    """k_diffusion.sampling, without what its package imports for training."""
    stand_ins = {name: types.ModuleType(name) for name in ("torchsde", "torchdiffeq", "torchvision", "torchvision.transforms")}
    stand_ins["torchdiffeq"].odeint = None
    stand_ins["torchvision.transforms"].functional = None
    package = types.ModuleType("k_diffusion")
    package.__path__ = importlib.util.find_spec("k_diffusion").submodule_search_locations
    missing = {name: module for name, module in stand_ins.items() if name not in sys.modules}
    sys.modules.update({"k_diffusion": package, **missing})
    try:
        return importlib.import_module("k_diffusion.sampling")
    finally:
        for name in missing:
            del sys.modules[name]


# The function of k-diffusion, and whether its steps take two calls, the second at a sample of the sampler's own.
K_DIFFUSION = {
    "euler": ("sample_euler", False),
    "euler-ancestral": ("sample_euler_ancestral", False),
    "heun": ("sample_heun", True),
    "dpm++2m": ("sample_dpmpp_2m", False),
    "dpm++2m-sde": ("sample_dpmpp_2m_sde", False),
    "dpm++3m-sde-k": ("sample_dpmpp_3m_sde", False),
    "lms": ("sample_lms", False),
    "kdpm2": ("sample_dpm_2", True),
    "kdpm2-ancestral": ("sample_dpm_2_ancestral", True),
}


def k_diffusion_rows(sampling, name, sigmas, prediction):
    """Rows of a k-diffusion sampler, whose samples are x/signal and whose model answers with the data."""
    import torch

    function, isPaired = K_DIFFUSION[name]
    seen = []

    def model(x, sigma):
        call = len(seen)
        seen.append(x[0].numpy().copy())
        samples, outputs = impulse(call)
        if not isPaired or call % 2 == 0:
            x[0] = torch.from_numpy(samples)  # in place: it is the sampler's own tensor
        sigma, output = sigma[0], torch.from_numpy(outputs)[None]
        if prediction == "x0":
            return output
        if prediction == "epsilon":
            return x - sigma * output
        return x / (sigma**2 + 1) - sigma / (sigma**2 + 1).sqrt() * output  # v, whose network sees x/sqrt(sigma^2 + 1)

    arguments = {"noise_sampler": lambda *_: torch.from_numpy(NOISE)[None]} if "ancestral" in name or "sde" in name else {}
    if name == "dpm++2m-sde":
        arguments["solver_type"] = "midpoint"
    with torch.no_grad():
        start = torch.zeros(1, IMPULSES, dtype=torch.float64)
        sampler = getattr(sampling, function)
        end = sampler(model, start, torch.tensor(sigmas, dtype=torch.float64), disable=True, **arguments)
    return numpy.array(seen[1:] + [end[0].numpy()])


@contextlib.contextmanager
def float64():
    """Makes diffusers, which asks for float32 by name, compute in float64."""
    import torch

    numpy_float32, torch_float32, default = numpy.float32, torch.float32, torch.get_default_dtype()
    numpy.float32, torch.float32 = numpy.float64, torch.float64
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        numpy.float32, torch.float32 = numpy_float32, torch_float32
        torch.set_default_dtype(default)


def load_diffusers():
    """Its DDPM and DDIM, with the noise of every draw set to the impulse."""
    import torch
    from diffusers.schedulers import scheduling_ddim, scheduling_ddpm

    scheduling_ddpm.randn_tensor = lambda *_, **__: torch.from_numpy(NOISE)[None]
    return scheduling_ddpm.DDPMScheduler, scheduling_ddim.DDIMScheduler


def diffusers_rows(scheduler, grid, **arguments):
    import torch

    rows = []
    for call, t in enumerate(grid):
        samples, outputs = (torch.from_numpy(array)[None] for array in impulse(call))
        row = scheduler.step(outputs, t, samples, **arguments).prev_sample[0].numpy().copy()
        if call == len(grid) - 1:
            row[-1] = 0
        rows.append(row)
    return numpy.array(rows)


def exact_rows(levels, queries, predictions, eta):
    """DDIM between neighbouring levels by Song et al. 2021, equations 12 and 16, with the network asked at `queries`."""
    rows = []
    for call, (source, target) in enumerate(zip(levels, levels[1:])):
        (signal, noise), (signal2, noise2) = queries[call], target
        # x0 and epsilon as factors of the sample and the output.
        x0, epsilon = {
            "epsilon": ((1 / signal, -noise / signal), (mpf(0), mpf(1))),
            "x0": ((mpf(0), mpf(1)), (1 / noise, -signal / noise)),
            "v": ((signal, -noise), (noise, signal)),
        }[predictions]
        if source[1] == 0:
            x0 = (mpf(1), mpf(0))
        deviation = eta * noise2 / noise * mpmath.sqrt(1 - (signal / signal2) ** 2) if eta else mpf(0)
        kept_noise = mpmath.sqrt(noise2**2 - deviation**2)
        row = numpy.zeros(IMPULSES)
        row[call % 4] = signal2 * x0[0] + kept_noise * epsilon[0]
        row[4 + call % 4] = signal2 * x0[1] + kept_noise * epsilon[1]
        row[-1] = deviation
        rows.append(row)
    return numpy.array(rows)


@float64()
def plans():
    sampling = load_k_diffusion()
    DDPMScheduler, DDIMScheduler = load_diffusers()
    process = Process()
    tensors = {}

    def add(case, rows):
        calls = kept(len(rows))
        tensors[f"{case}.rows"] = rows[calls]
        tensors[f"{case}.calls"] = numpy.array(calls)

    def level(t):
        return (mpmath.sqrt(process.bars[t]), mpmath.sqrt(1 - process.bars[t])) if t >= 0 else (mpf(1), mpf(0))

    for steps in STEPS:
        for spacing in ("leading", "trailing", "linspace", "karras", "exponential", "linear"):
            is_sigma = spacing in ("karras", "exponential", "linear")
            grid = [] if is_sigma else timesteps(spacing, steps)
            chosen = process.sigma_grid(spacing, steps) if is_sigma else [process.sigmas[t] for t in grid]
            sigmas = [float(sigma) for sigma in chosen] + [0.0]
            tensors[f"{spacing}/{steps}.timesteps"] = numpy.array(grid, dtype=numpy.int64)
            tensors[f"{spacing}/{steps}.sigmas"] = numpy.array(sigmas)
            for prediction in ("epsilon", "x0", "v"):
                for name in ("euler", "euler-ancestral", "heun", "dpm++2m"):
                    rows = k_diffusion_rows(sampling, name, sigmas, prediction)
                    add(f"{name}/{spacing}/{steps}/{prediction}", rows)
                if is_sigma:
                    continue
                diffusers_name = {"epsilon": "epsilon", "x0": "sample", "v": "v_prediction"}[prediction]
                options = dict(
                    num_train_timesteps=COUNT, trained_betas=process.betas, clip_sample=False,
                    prediction_type=diffusers_name, timestep_spacing=spacing)
                for name, variance in (("ddpm", "fixed_small"), ("ddpm-large", "fixed_large")):
                    scheduler = DDPMScheduler(variance_type=variance, **options)
                    scheduler.set_timesteps(timesteps=grid)
                    add(f"{name}/{spacing}/{steps}/{prediction}", diffusers_rows(scheduler, grid))
                import torch

                for name, eta in (("ddim", 0.0), ("ddim-0.4", 0.4)):
                    if spacing == "leading":
                        scheduler = DDIMScheduler(**options)
                        scheduler.set_timesteps(steps)
                        assert scheduler.timesteps.tolist() == grid
                        rows = diffusers_rows(scheduler, grid, eta=eta, variance_noise=torch.from_numpy(NOISE)[None])
                    else:
                        levels = [level(t) for t in grid] + [level(-1)]
                        rows = exact_rows(levels, levels, prediction, mpf(eta))
                    add(f"{name}/{spacing}/{steps}/{prediction}", rows)
                levels = [level(-1)] + [level(t) for t in reversed(grid)]
                rows = exact_rows(levels, [levels[1]] + levels[1:-1], prediction, mpf(0))
                add(f"ddim-inversion/{spacing}/{steps}/{prediction}", rows)
    return save(tensors)


FILES = {"plans.safetensors": plans}
