"""Runs of the samplers of `multistep.py`, `stages.py`, `edm.py` and `flow.py` in which x0 is clipped, in float64, with a nonlinear network.

`case.outputs` and `case.samples` [C, 2, 3, 1, 1] are what the network answers at each call, and the sample that follows; `start` and `noise`
[11, ...] are those of all. diffusers' classes threshold dynamically (ratio 0.9, at most 1.5), or clip to -1 ... 1 where the case says
`range`; k-diffusion clips nothing, but its model does, to -1 ... 1. The network predicts epsilon, and EDM's F.

`clean` and `noisy` [7] are sigmas, with an end in clean data and without; k-diffusion's samples, and EDM's, are on the exploding path, the
others on the variance-preserving one. `edm.sigmas` [7] and `lcm.timesteps` [6] are the grids of these. PNDM, KDPM2 and the flow schedulers of diffusers do not
clip, and TCD has the options for nothing.

With churn, a sample is what the network sees at the next call, after noise has been added.
"""

import numpy
from safetensors.numpy import save

from recipes import multistep, stages
from recipes.plans import COUNT, Process, float64, load_k_diffusion

SHAPE = (2, 3, 1, 1)
STEPS = 6
CALLS = 2 * STEPS - 1
START = numpy.random.default_rng(31).standard_normal(SHAPE)
NOISE = numpy.random.default_rng(32).standard_normal((CALLS, *SHAPE))
THRESHOLD = dict(thresholding=True, dynamic_thresholding_ratio=0.9, sample_max_value=1.5)
RANGE = dict(clip_sample=True, clip_sample_range=1.0)
SOLVERS = ["dpm++2s", "dpm++3s", "unipc/3/bh2", "deis3", "sa-solver/3/4/0.6"]
CHURN = dict(s_churn=2.0, s_tmin=0.05, s_tmax=50.0, s_noise=1.003)
K_DIFFUSION = {
    "kdpm2": ("sample_dpm_2", {}),
    "kdpm2-ancestral": ("sample_dpm_2_ancestral", {}),
    "dpm++sde": ("sample_dpmpp_sde", {}),
    "flow-heun": ("sample_heun", {}),
    "lms": ("sample_lms", {}),
    "euler-churn": ("sample_euler", CHURN),
    "heun-churn": ("sample_heun", CHURN),
}


def network(x):
    import torch

    return 1.5 * torch.tanh(1.3 * x + torch.linspace(-0.5, 0.5, x.numel(), dtype=torch.float64).reshape(SHAPE))


def diffusers_run(scheduler, start, module=None):
    """The outputs and the samples of a run over the scheduler's own timesteps."""
    import torch

    samples, outputs = [torch.from_numpy(start)], []
    for call, t in enumerate(scheduler.timesteps):
        given = scheduler.scale_model_input(samples[-1], t) if hasattr(scheduler, "precondition_inputs") else samples[-1]
        outputs.append(network(given))
        if module:
            module.randn_tensor = lambda *_, **__: torch.from_numpy(NOISE[call])
        samples.append(scheduler.step(outputs[-1], t, samples[-1]).prev_sample)
    assert samples[-1].dtype == torch.float64
    return torch.stack(outputs).numpy(), torch.stack(samples[1:]).numpy()


def solver(name, sigmas, limits):
    """A diffusers solver on given sigmas, as in `multistep.py`."""
    import diffusers
    import torch

    kind, options = multistep.RUNS[name]
    options = {**options, **limits}
    if kind in ("DPMSolverSinglestepScheduler", "UniPCMultistepScheduler"):
        options["final_sigmas_type"] = "zero"
    if "tau" in options:
        tau = options.pop("tau")
        options["tau_func"] = lambda _: torch.tensor(tau)
    scheduler = getattr(diffusers, kind)(**options)
    scheduler.set_timesteps(STEPS)
    scheduler.sigmas = torch.tensor(sigmas)
    return scheduler


def k_diffusion_run(sampler, options, sigmas, clips):
    import torch

    seen, outputs, at = [], [], []

    def model(x, sigma):
        seen.append(x.clone())
        at.append(float(sigma[0]))
        outputs.append(network(x / (1 + at[-1] ** 2) ** 0.5))
        x0 = x - sigma[0] * outputs[-1]
        return x0.clamp(-1, 1) if clips else x0

    def draw(ago):
        return torch.from_numpy(NOISE[len(seen) - 1 - ago])

    options = dict(options)
    if "sde" in sampler.__name__ or "ancestral" in sampler.__name__:
        options["noise_sampler"] = stages.brownian(draw, at) if "sde" in sampler.__name__ else lambda *_: draw(0)
    original, torch.randn_like = torch.randn_like, lambda x: draw(0) if seen else torch.zeros_like(x)
    try:
        with torch.no_grad():
            end = sampler(model, torch.from_numpy(START) * sigmas[0], torch.tensor(sigmas, dtype=torch.float64), disable=True, **options)
    finally:
        torch.randn_like = original
    return torch.stack(outputs).numpy(), torch.stack([*seen[1:], end]).numpy()


@float64()
def clipped():
    import diffusers
    from diffusers.schedulers import scheduling_lcm, scheduling_sasolver

    sampling = load_k_diffusion()
    process = Process()
    clean = [float(sigma) for sigma in process.sigma_grid("karras", STEPS)] + [0.0]
    noisy = [float(sigma) for sigma in process.sigma_grid("karras", STEPS + 1)]
    tensors = {"start": START, "noise": NOISE, "clean": numpy.array(clean), "noisy": numpy.array(noisy)}

    def add(case, run, limits):
        """A run with limits, if they change it."""
        (outputs, samples), (_, free) = run(limits), run({})
        assert numpy.isfinite(samples).all() and numpy.abs(samples - free).max() > 0.05, case
        tensors[f"{case}.outputs"], tensors[f"{case}.samples"] = outputs, samples

    for name in SOLVERS:
        sigmas = noisy if multistep.ends_in_noise(name) else clean
        module = scheduling_sasolver if name.startswith("sa-solver") else None
        add(name, lambda limits: diffusers_run(solver(name, sigmas, limits), START, module), THRESHOLD)

    def lcm(limits):
        scheduler = diffusers.LCMScheduler(num_train_timesteps=COUNT, trained_betas=process.betas, **{"clip_sample": False, **limits})
        scheduler.set_timesteps(STEPS)
        tensors["lcm.timesteps"] = scheduler.timesteps.numpy().copy()
        return diffusers_run(scheduler, START, scheduling_lcm)

    add("lcm", lcm, THRESHOLD)
    add("lcm/range", lcm, RANGE)

    def edm(limits):
        scheduler = diffusers.EDMDPMSolverMultistepScheduler(lower_order_final=False, **limits)
        scheduler.set_timesteps(STEPS)
        tensors["edm.sigmas"] = scheduler.sigmas.numpy().copy()
        return diffusers_run(scheduler, START * 80)

    add("edm/dpm++2m", edm, THRESHOLD)
    for name, (function, options) in K_DIFFUSION.items():
        add(name, lambda limits: k_diffusion_run(getattr(sampling, function), options, clean, bool(limits)), RANGE)
    return save(tensors)


FILES = {"clipped.safetensors": clipped}
