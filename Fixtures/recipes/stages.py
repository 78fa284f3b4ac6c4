"""Samplers that call the network between the points of their grid, and those for distilled networks: whole runs of the reference
implementations in float64, and their coefficients in 50 digits.

`case.run` [C, 1 + 2C] says what each sample of a run of C calls is made of: the factors of the start, of the outputs of all calls and of the
noises drawn in them; without noise it is [C, 1 + C]. The network answers with epsilon. A case is
sampler/spacing/N, on the scaled linear schedule with T = 1000 and the variance-preserving path; `spacing.N` [N] or [N + 1] are the
timesteps, or Karras's sigmas; consistency models have the exploding path and sigmas of their own, and answer with F. `case.asked` [C] are the timesteps that diffusers tells the network.

`case.rows` are coefficients by the papers' formulas: the factors of the sample, of the sample of the call before, of the estimates, newest
first, of the noise, and the condition number of `coefficients.py`; `case.calls` the calls they belong to.

Where the references differ from the mathematics:

- diffusers' PNDM ends at the level of timestep 0 unless told `set_alpha_to_one`, steps by T//N whatever the spacing, and cuts the timestep
  in the middle to a whole number: it runs where these do no harm.
- diffusers' TCD ends at the level of timestep 0: so do the runs with which it is compared.
- k-diffusion's DPM++ SDE draws noises of intervals that overlap from one Brownian path: they are made here of independent ones.
- k-diffusion's samplers leave the timestep to the network; those of diffusers' KDPM2 are compared.
"""

import bisect
import math

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save

from recipes import coefficients, exponential
from recipes.plans import COUNT, Process, float64, kept, load_k_diffusion, timesteps

RUN_STEPS = [1, 2, 4, 5, 10]
COEFFICIENT_STEPS = [1, 2, 5, 1000]


def columns(size):
    import torch

    return torch.eye(size, dtype=torch.float64).reshape(size, 1, size, 1, 1)


def diffusers_run(scheduler, module=None, **arguments):
    """The samples of a run over the scheduler's own timesteps; with the module that draws its noise, if it draws any."""
    calls = len(scheduler.timesteps)
    unit = columns(1 + calls * (2 if module else 1))
    sample, samples = unit[0], []
    for call, t in enumerate(scheduler.timesteps):
        if module:
            module.randn_tensor = lambda *_, **__: unit[1 + calls + call]
        sample = scheduler.step(unit[1 + call], t, sample, **arguments).prev_sample
        samples.append(sample.flatten().numpy().copy())
        assert samples[-1].dtype == numpy.float64
    return numpy.array(samples)


def brownian(draw, at):
    """Noise of intervals of a path: that of a call, draw(0); a second one from the same sigma goes on from the first, draw(1)."""

    def noise(start, end):
        middle = at[-1]
        if abs(middle / float(start) - 1) < 1e-9:
            return draw(0)
        share = (float(start) - middle) / float(start - end)
        return share**0.5 * draw(1) + (1 - share) ** 0.5 * draw(0)

    return noise


def k_diffusion_run(sampler, sigmas, calls, noisy=False, **options):
    """The same of a k-diffusion sampler, whose samples are x/signal; the one for its call k is at the sigma of that call."""
    import torch

    unit = columns(1 + calls * (2 if noisy else 1))
    seen, at = [], []

    def model(x, sigma):
        seen.append(x.clone())
        at.append(float(sigma[0]))
        return x - sigma[0] * unit[len(seen)]

    def draw(ago):
        return unit[calls + len(seen) - ago]

    if noisy:
        options["noise_sampler"] = brownian(draw, at) if "sde" in sampler.__name__ else lambda *_: draw(0)
    with torch.no_grad():
        end = sampler(model, unit[0] * (1 + sigmas[0] ** 2) ** 0.5, torch.tensor(sigmas, dtype=torch.float64), disable=True, **options)
    assert len(seen) == calls
    at = [*at[1:], sigmas[-1]]
    return numpy.array([x.flatten().numpy() / (1 + sigma**2) ** 0.5 for x, sigma in zip([*seen[1:], end], at)])


@float64()
def stages():
    import diffusers
    import torch
    from diffusers.schedulers import scheduling_consistency_models, scheduling_lcm, scheduling_tcd

    sampling = load_k_diffusion()
    process = Process()
    tensors = {}
    trained = dict(num_train_timesteps=COUNT, trained_betas=process.betas)
    for steps in RUN_STEPS:
        tensors[f"leading.{steps}"] = numpy.array(timesteps("leading", steps), dtype=numpy.int64)
        tensors[f"karras.{steps}"] = numpy.array([float(sigma) for sigma in process.sigma_grid("karras", steps)] + [0.0])
        for name, skips in (("pndm", False), ("plms", True)):
            if not skips and steps < 4:
                continue  # diffusers' warm-up takes three steps, and one more to end with
            scheduler = diffusers.PNDMScheduler(skip_prk_steps=skips, set_alpha_to_one=True, timestep_spacing="leading", **trained)
            scheduler.set_timesteps(steps)
            tensors[f"{name}/leading/{steps}.run"] = diffusers_run(scheduler)
            tensors[f"{name}/leading/{steps}.asked"] = scheduler.timesteps.numpy().astype(numpy.float64)
        sigmas = tensors[f"karras.{steps}"].tolist()
        calls = 2 * steps - 1
        tensors[f"kdpm2/karras/{steps}.run"] = k_diffusion_run(sampling.sample_dpm_2, sigmas, calls)
        for eta in (0.5, 1):
            run = k_diffusion_run(sampling.sample_dpm_2_ancestral, sigmas, calls, noisy=True, eta=eta)
            tensors[f"kdpm2/{eta}/karras/{steps}.run"] = run
            run = k_diffusion_run(sampling.sample_dpmpp_sde, sigmas, calls, noisy=True, eta=eta)
            tensors[f"dpm++sde/{eta}/karras/{steps}.run"] = run
        kinds = (("lcm", diffusers.LCMScheduler, scheduling_lcm, {}), ("tcd", diffusers.TCDScheduler, scheduling_tcd, {"eta": 0.3}),
                 ("tcd/1", diffusers.TCDScheduler, scheduling_tcd, {"eta": 1.0}))
        for name, kind, module, arguments in kinds:
            scheduler = kind(clip_sample=False, set_alpha_to_one=True, **trained)
            scheduler.set_timesteps(steps)
            tensors[f"distilled.{steps}"] = scheduler.timesteps.numpy()
            tensors[f"{name}/distilled/{steps}.run"] = diffusers_run(scheduler, module, **arguments)
        scheduler = diffusers.CMStochasticIterativeScheduler(clip_denoised=False)
        scheduler.set_timesteps(steps)
        tensors[f"consistency/exploding/{steps}.asked"] = scheduler.timesteps.numpy().copy()
        tensors[f"consistency/exploding/{steps}.scales"] = numpy.array(
            [float(scheduler.scale_model_input(torch.ones(1), t)[0]) for t in scheduler.timesteps[:1]])
        tensors[f"consistency.{steps}"] = scheduler.sigmas.numpy().copy()
        tensors[f"consistency/exploding/{steps}.run"] = diffusers_run(scheduler, scheduling_consistency_models)
        scheduler = diffusers.KDPM2DiscreteScheduler(timestep_spacing="leading", **trained)
        scheduler.set_timesteps(steps)
        tensors[f"kdpm2/leading/{steps}.asked"] = scheduler.timesteps.numpy().astype(numpy.float64)
    return save(tensors)


class Path:
    """Levels in time as well: ln sigma is linear between whole timesteps, of which the last may have no signal and be by itself.

    `level` is the level of a sigma, and `scale` what a network's input is multiplied by."""

    level = staticmethod(coefficients.of_sigma)

    def __init__(self, process):
        self.logarithms = [mpmath.log(sigma) for sigma in process.sigmas if mpmath.isfinite(sigma)]

    def sigma(self, timestep):
        last = len(self.logarithms) - 1
        if timestep >= last:
            return mpmath.exp(self.logarithms[last])
        low = int(mpmath.floor(timestep))
        return mpmath.exp(self.logarithms[low] + (timestep - low) * (self.logarithms[low + 1] - self.logarithms[low]))

    def timestep(self, sigma):
        if not mpmath.isfinite(sigma):
            return mpf(COUNT - 1)
        value = mpmath.log(sigma)
        if value >= self.logarithms[-1]:
            return mpf(len(self.logarithms) - 1)
        if value - self.logarithms[0] < mpf(10) ** -40:  # but for the last of the 50 digits
            return mpf(0)
        low = bisect.bisect_right(self.logarithms, value) - 1
        return low + (value - self.logarithms[low]) / (self.logarithms[low + 1] - self.logarithms[low])

    def scale(self, level):
        return mpf(1)


def sigma_of(level):
    return level[1] / level[0] if level[0] else mpmath.inf


def line(sample, estimates, *spanned, earlier=mpf(0), noise=mpf(0), width):
    return [sample, earlier, *estimates, *[mpf(0)] * (width - len(estimates)), noise, coefficients.condition(*spanned)]


def kdpm2(levels, path, eta):
    """k-diffusion's sample_dpm_2_ancestral, in epsilon."""
    rows = []
    for source, target in zip(levels, levels[1:]):
        (signal, noise), (signal2, noise2) = source, target
        sigma, sigma2 = noise / signal, noise2 / signal2
        if sigma2 == 0:
            rows.append(line(signal2 / signal, [-signal2 * sigma], source, target, width=2))
            continue
        up = eta * sigma2 * mpmath.sqrt(1 - (sigma2 / sigma) ** 2)
        down = mpmath.sqrt(sigma2**2 - up**2)
        middle = path.level(mpmath.sqrt(sigma * down))
        half, run = middle[1] / middle[0] - sigma, down - sigma
        rows.append(line(middle[0] / signal, [middle[0] * half], source, middle, width=2))
        estimates = [signal2 * run, -signal2 * half]
        # With eta 1 the middle is the end.
        rows.append(line(signal2 / middle[0], estimates, target, source, middle, noise=signal2 * up, width=2))
    return rows


def dpm_sde(levels, path):
    """k-diffusion's sample_dpmpp_sde with eta 1 and r = 1/2, in x0; the noise of the middle is a part of that of the whole step."""
    rows = []

    def drift(source, target):
        kept = coefficients.ratio(source, target) * target[1] / source[1]
        return kept, target[0] - source[0] * kept, target[1] * mpmath.sqrt(1 - coefficients.ratio(source, target) ** 2)

    for source, target in zip(levels, levels[1:]):
        kept, denoised, up = drift(source, target)
        if target[1] == 0 or source[0] == 0:
            rows.append(line(kept, [denoised], source, target, noise=up, width=2))
            continue
        a, b = source[1] / source[0], target[1] / target[0]
        m = mpmath.sqrt(a * b)
        middle = path.level(m)
        kept_middle, denoised_middle, up_middle = drift(source, middle)
        rows.append(line(kept_middle, [denoised_middle], source, middle, noise=up_middle, width=2))
        drawn = up / up_middle * mpmath.sqrt((a - m) / (a - b))
        rest = up * mpmath.sqrt((m - b) / (a - b))
        earlier = kept - drawn * kept_middle
        row = line(drawn, [denoised, -drawn * denoised_middle], source, middle, target, earlier=earlier, noise=rest, width=2)
        row[-1] *= max(1, kept / abs(earlier))  # what the difference cancels
        rows.append(row)
    return rows


def pndm(levels, path, skips):
    """Liu et al. 2022, equations 11 and 13, on transfers that add (sigma' - sigma) e to x/signal."""
    tables = [[1], [3, -1], [23, -16, 5], [55, -59, 37, -9]]
    rows, begun = [], []
    for i, (source, target) in enumerate(zip(levels, levels[1:])):
        (signal, noise), (signal2, noise2) = source, target
        sigma, run = noise / signal, noise2 / signal2 - noise / signal
        begun.append(len(rows))
        if noise2 > 0 and skips and i == 0:
            rows.append(line(signal2 / signal, [signal2 * run], source, target, width=13))
            rows.append(line(mpf(1), [signal2 * run / 2, -signal2 * run / 2], source, target, width=13))
        elif noise2 > 0 and not skips and i < 3:
            middle = path.level(path.sigma((path.timestep(sigma) + path.timestep(noise2 / signal2)) / 2))
            half = middle[1] / middle[0] - sigma
            both = (source, middle, target)
            rows.append(line(middle[0] / signal, [middle[0] * half], *both, width=13))
            rows.append(line(mpf(1), [middle[0] * half, -middle[0] * half], *both, width=13))
            rows.append(line(signal2 / middle[0], [signal2 * run, -signal2 * half], *both, width=13))
            sixth = signal2 * run / 6
            rows.append(line(mpf(1), [sixth, -4 * sixth, 2 * sixth, sixth], *both, width=13))
        else:
            table = tables[min(i, 3)]
            estimates = [mpf(0)] * 13
            for factor, call in zip(table, begun[::-1]):
                estimates[len(rows) - call] = signal2 * run * factor / sum(table)
            rows.append(line(signal2 / signal, estimates, source, target, width=13))
    return rows


def lcm(levels, path):
    """Luo et al. 2023, multistep latent consistency sampling, with diffusers' scales: 10 times the timestep, data of deviation 1/2."""
    rows = []
    for source, (signal2, noise2) in zip(levels, levels[1:]):
        scaled = 10 * path.timestep(sigma_of(source))
        power = scaled**2 + mpf(1) / 4
        skip, out = 1 / (4 * power), scaled / mpmath.sqrt(power)
        rows.append(line(signal2 * skip * path.scale(source), [signal2 * out], noise=noise2, width=1))
    return rows


def tcd(levels, path):
    """Zheng et al. 2024, with gamma 0.3; the product of 0.7 and a timestep is cut as it is in Doubles."""
    rows = []
    for source, target in zip(levels, levels[1:]):
        (signal, noise), (signal2, noise2) = source, target
        sigma = noise2 / signal2
        lower = path.sigma(mpf(math.floor((1 - 0.3) * float(path.timestep(sigma))))) if sigma > 0 else mpf(0)
        ratio = signal2 * lower / noise
        spanned = [source, target] + [path.level(lower)] * (sigma - lower > mpf(10) ** -40)
        drawn = signal2 * mpmath.sqrt(sigma**2 - lower**2) if len(spanned) > 2 else mpf(0)
        rows.append(line(ratio, [signal2 - ratio * signal], *spanned, noise=drawn, width=1))
    return rows


def consistency(levels, path):
    """Song et al. 2023, algorithm 1, with a least sigma of 0.002."""
    least = mpf(0.002)
    rows = []
    for source, (signal2, noise2) in zip(levels, levels[1:]):
        drawn = signal2 * mpmath.sqrt(max((noise2 / signal2) ** 2 - least**2, 0))
        rows.append(line(mpf(0), [signal2], noise=drawn, width=1))
    return rows


ROWS = {
    "pndm": lambda levels, path: pndm(levels, path, False),
    "plms": lambda levels, path: pndm(levels, path, True),
    "dpm++sde": dpm_sde,
    "lcm": lcm,
    "tcd": tcd,
    "consistency": consistency,
    "kdpm2": lambda levels, path: kdpm2(levels, path, mpf(0)),
    "kdpm2-ancestral": lambda levels, path: kdpm2(levels, path, mpf(1)),
    **exponential.ROWS,
}


def stages_coefficients():
    path = Path(Process())
    return coefficients.bundle(
        COEFFICIENT_STEPS, ("leading", "karras"),
        lambda levels: coefficients.listed({name: rows(levels, path) for name, rows in ROWS.items()}))


FILES = {"stages.safetensors": stages, "stages-coefficients.safetensors": stages_coefficients}
