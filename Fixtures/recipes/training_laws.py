"""What is drawn and what is made small in training, in 50-digit arithmetic, held to the programs that people know it from.

`training-laws.safetensors`:

- `u` [N] shares; `sigma/NAME` [N] the sigma that each share of all draws is below. k-diffusion's `rand_*` and diffusers' `mode` draw the same
  from u or, where theirs run downwards, from 1 − u: this is asserted here.
- `error` [E] and `threshold` [C]; `huber`, `smoothL1` [C, E] and `huber.slope`, `smoothL1.slope` the losses that diffusers' and kohya's
  scripts have, and their derivatives, to which torch's autograd is held.
- `uncertainty` [K, 6] error, weight, u; the loss of EDM2 and its derivatives by the error and by u.
- `threshold/exponential`, `threshold/snr` [T] kohya's schedules of c = 0.1 over the scaled linear betas of diffusers, T = 1000, every 37th;
  `debiased/epsilon`, `debiased/v`, `debiased/flow` [T] the weights 1/√s by what an error of epsilon is for each prediction, s the SNR.
"""

import math

import mpmath
import numpy
from mpmath import mpf
from safetensors.numpy import save

from recipes.training_paths import load_layers

SHARES = [2.0**-40, 2.0**-10, 0.0625, 0.25, 0.4375, 0.5, 0.625, 0.8125, 1 - 2.0**-10, 1 - 2.0**-20]


def logit_normal(u, mean, deviation):
    """t/(1 − t) of a logit-normal t."""
    return mpmath.exp(mean + deviation * mpmath.sqrt(2) * mpmath.erfinv(2 * u - 1))


def log_logistic(u, location, scale, low, high):
    def share(sigma):
        return 1 / (1 + mpmath.exp(-(mpmath.log(sigma) - location) / scale)) if sigma > 0 else mpf(0)

    bottom, top = share(mpf(low)), mpf(1) if high == math.inf else share(mpf(high))
    p = bottom + u * (top - bottom)
    return mpmath.exp(location + scale * mpmath.log(p / (1 - p)))


def cosine_interpolated(u, size, low, high, data, least, largest):
    """By the log-SNRs of the paper, with time from the largest sigma on."""
    def log_snr(noise_size):
        shift = 2 * mpmath.log(mpf(noise_size) / size)
        bounds = [-2 * mpmath.log(mpf(sigma) / data) - shift for sigma in (largest, least)]
        start, end = (mpmath.atan(mpmath.exp(-bound / 2)) for bound in bounds)
        return -2 * mpmath.log(mpmath.tan(start + t * (end - start))) + shift

    t = 1 - u
    return data * mpmath.exp(-((1 - t) * log_snr(low) + t * log_snr(high)) / 2)


def mode(u, scale):
    v = 1 - u
    t = 1 - v - scale * (mpmath.cos(mpmath.pi * v / 2) ** 2 - 1 + v)
    return t / (1 - t)


def sigmas():
    import diffusers.training_utils
    import torch

    load_layers()
    from k_diffusion import utils

    shares = torch.tensor(SHARES, dtype=torch.float64)
    made = {}

    def add(name, law, reference, given):
        made[f"sigma/{name}"] = [law(mpf(u)) for u in SHARES]
        theirs = reference(given)
        for own, other in zip(made[f"sigma/{name}"], theirs.tolist()):
            assert abs(own - other) <= 1e-9 * own + 4e-16, (name, own, other)

    def k_diffusion(draw, *arguments):
        def reference(u):
            utils.stratified_with_settings = lambda shape, **options: u
            return draw(u.shape, *arguments, dtype=torch.float64)
        return reference

    def diffusers_mode(scale):
        def reference(u):
            rand, torch.rand = torch.rand, lambda size, **options: u
            try:
                t = diffusers.training_utils.compute_density_for_timestep_sampling("mode", len(u), mode_scale=scale)
            finally:
                torch.rand = rand
            return t / (1 - t)
        return reference

    kept = utils.stratified_with_settings
    try:
        add("log-uniform", lambda u: mpmath.exp(mpmath.log(mpf("0.01")) * (1 - u) + mpmath.log(80) * u),
            k_diffusion(utils.rand_log_uniform, 0.01, 80), shares)
        for name, arguments in {"log-logistic": (-1.2, 1.2, 0.0, math.inf), "log-logistic/cut": (0.5, 0.8, 0.25, 16.0)}.items():
            add(name, lambda u: log_logistic(u, *map(lambda x: x if x == math.inf else mpf(x), arguments)),
                k_diffusion(utils.rand_log_logistic, *arguments), shares)
        arguments = (256, 32, 64, 0.5, 0.01, 160.0)
        add("cosine", lambda u: cosine_interpolated(u, *map(mpf, arguments)),
            k_diffusion(utils.rand_cosine_interpolated, *arguments), 1 - shares)
    finally:
        utils.stratified_with_settings = kept
    for scale in (1.29, -0.75):
        add(f"mode/{scale}", lambda u: mode(u, mpf(scale)), diffusers_mode(scale), 1 - shares)

    def by_time(shift):
        """As kohya's scripts shift the times that they draw."""
        def law(u):
            sigma = logit_normal(u, 0, 1)
            t = sigma / (1 + sigma)
            t = t * shift / (1 + (shift - 1) * t)
            return t / (1 - t)
        return law

    made["sigma/shift"] = [by_time(mpf(3))(mpf(u)) for u in SHARES]
    # 96·64 tokens of 1536×1024 pixels.
    from diffusers.pipelines.flux.pipeline_flux import calculate_shift
    mu = calculate_shift(96 * 64)
    made["sigma/flux"] = [by_time(mpmath.exp(mpf(mu)))(mpf(u)) for u in SHARES]
    # t = sigmoid(−λ/2) of normal λ, as musubi-tuner draws it.
    made["sigma/logsnr"] = []
    for u in SHARES:
        log_snr = -6 + 2 * mpmath.sqrt(2) * mpmath.erfinv(1 - 2 * mpf(u))
        t = 1 / (1 + mpmath.exp(log_snr / 2))
        made["sigma/logsnr"].append(t / (1 - t))
    return made


def huber():
    import torch

    errors, thresholds = [-40.0, -1.5, -2.0**-20, 0.0, 0.125, 3.0, 1e6], [2.0**-10, 0.1, 1.0]
    made = {"error": errors, "threshold": thresholds}
    for name in ("huber", "smoothL1"):
        values, slopes = [], []
        for c in map(mpf, thresholds):
            scale = 2 * c if name == "huber" else mpf(2)
            values.append([scale * (mpmath.sqrt(mpf(e) ** 2 + c**2) - c) for e in errors])
            slopes.append([scale * mpf(e) / mpmath.sqrt(mpf(e) ** 2 + c**2) for e in errors])
            e = torch.tensor(errors, dtype=torch.float64, requires_grad=True)
            torch_scale = float(scale)
            # The line of diffusers' examples and of kohya's conditional_loss.
            loss = torch_scale * (torch.sqrt((e - 0) ** 2 + float(c) ** 2) - float(c))
            loss.sum().backward()
            assert numpy.allclose(loss.detach(), numpy.array(values[-1], dtype=float), rtol=1e-6, atol=1e-12)
            assert numpy.allclose(e.grad, numpy.array(slopes[-1], dtype=float), rtol=1e-12)
        made[name], made[f"{name}.slope"] = values, slopes
    return made


def schedules():
    from diffusers import DDPMScheduler
    from diffusers.training_utils import compute_snr

    import torch

    bars, product = [], mpf(1)
    root = [mpmath.sqrt(mpf(0.00085)) + (mpmath.sqrt(mpf(0.012)) - mpmath.sqrt(mpf(0.00085))) * t / 999 for t in range(1000)]
    for r in root:
        product *= 1 - r**2
        bars.append(product)
    scheduler = DDPMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
    kept = list(range(0, 1000, 37))
    theirs = compute_snr(scheduler, torch.tensor(kept))
    made = {name: [] for name in (
        "threshold/exponential", "threshold/snr", "debiased/epsilon", "debiased/v", "debiased/flow")}
    for t, snr in zip(kept, theirs.tolist()):
        s, c = bars[t] / (1 - bars[t]), mpf(0.1)
        assert abs(s / snr - 1) < 1e-3, (t, s, snr)
        made["threshold/exponential"].append(mpmath.exp(mpmath.log(c) * t / 1000))
        made["threshold/snr"].append((1 - c) / (1 + 1 / mpmath.sqrt(s)) ** 2 + c)
        # At a fixed sample an error of epsilon that is 1 is one of x0 that is 1/√s, of v √(1 + 1/s), of flow 1 + 1/√s.
        made["debiased/epsilon"].append(1 / mpmath.sqrt(s))
        made["debiased/v"].append(1 / mpmath.sqrt(s) / (1 + 1 / s))
        made["debiased/flow"].append(1 / mpmath.sqrt(s) / (1 + 1 / mpmath.sqrt(s)) ** 2)
    return made


def uncertainty():
    """e^(−u)·weight·error + u with its derivatives, held to torch's."""
    import torch

    cases = [(0.3, 1.0, 0.0), (0.3, 2.5, -1.25), (7.0, 0.5, 2.0), (1e-6, 4.0, -12.0)]
    rows = []
    for case in cases:
        error, weight, u = map(mpf, case)
        factor = weight * mpmath.exp(-u)
        rows.append([*case, factor * error + u, factor, 1 - factor * error])
        e, log_variance = (torch.tensor(float(x), dtype=torch.float64, requires_grad=True) for x in (error, u))
        # EDM2Loss of NVlabs/edm2: (weight / logvar.exp()) * error + logvar.
        loss = (float(weight) / log_variance.exp()) * e + log_variance
        loss.backward()
        assert numpy.allclose([loss.item(), e.grad.item(), log_variance.grad.item()], numpy.array(rows[-1][3:], dtype=float), rtol=1e-12)
    return {"uncertainty": rows}


def laws():
    with mpmath.workdps(50):
        made = {"u": SHARES, **sigmas(), **huber(), **schedules(), **uncertainty()}
        return save({name: numpy.array(values, dtype=object).astype(float) for name, values in made.items()})


FILES = {"training-laws.safetensors": laws}
