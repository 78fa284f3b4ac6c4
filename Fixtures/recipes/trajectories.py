"""Whole runs of reference samplers on small tensors, in float64.

The network is no network: call k answers `outputs[k]`, whatever it is asked, and a draw in call k is `noise[k]`. Both are NumPy's
normals, those of the second sample of the batch half as large again as those of the first, so that what is done per sample shows.
All tensors have the shape 2×3×4×5.

A case is sampler/.../prediction/clipping, where clipping is `none`, `range` (−1 ... 1), `dynamic` (ratio 0.9, at most 1.5) or
`dynamic1` (the same, at most 1, which is diffusers' default). `case.samples` [calls, ...] are the samples after each call,
`case.denoised` [calls, ...] the x0 predictions after clipping. `timesteps` of a sampler and spacing, or `k-diffusion.sigmas`, are the
grid. The schedule of diffusers and k-diffusion is scaled linear with T = 1000, stored as `betas`.

Where the references differ from the mathematics:

- diffusers' DDPM draws noise in the last step if its timestep is above 0; it gets zeros there. (The floor of 1e-20 under the variance of
  fixed_small matters in that step alone.)
- diffusers' DDIM takes t - T//N as the next timestep, which is right for leading spacing alone, so it runs on that one.
- diffusers' DPM-Solver returns no x0 prediction; the one recorded is what it keeps for its next step. Its timesteps are its own.
- guided-diffusion rounds every coefficient to float32, by `Tensor.float`, which is `Tensor.double` here.
- guided-diffusion's p_sample takes the mean from the network if it predicts the previous sample, so that clipping changes what it reports
  as x0 but not the samples. Recorded as it is.
- k-diffusion has no clipping; where a case clips, the model that it is given does.
"""

import contextlib

import numpy
from safetensors.numpy import save

from recipes import guided, plans

SHAPE = (2, 3, 4, 5)
STEPS = 7
CALLS = 9
SCALES = numpy.array([0.8, 1.2]).reshape(2, 1, 1, 1)
START = numpy.random.default_rng(0).standard_normal(SHAPE)
OUTPUTS = numpy.stack([numpy.random.default_rng(100 + call).standard_normal(SHAPE) for call in range(CALLS)]) * SCALES
NOISE = numpy.stack([numpy.random.default_rng(200 + call).standard_normal(SHAPE) for call in range(CALLS)])
CLIPPINGS = {
    "none": dict(clip_sample=False),
    "range": dict(clip_sample=True, clip_sample_range=1.0),
    "dynamic": dict(thresholding=True, dynamic_thresholding_ratio=0.9, sample_max_value=1.5),
    "dynamic1": dict(thresholding=True, dynamic_thresholding_ratio=0.9),
}
PREDICTIONS = {"epsilon": "epsilon", "x0": "sample", "v": "v_prediction"}


class Recorder:
    """The tensors of a file. Checks that clipping has something to do."""

    def __init__(self):
        self.tensors = {"start": START, "outputs": OUTPUTS, "noise": NOISE}

    def add(self, case, samples, denoised):
        self.tensors[f"{case}.samples"] = numpy.stack([sample.numpy() for sample in samples])
        self.tensors[f"{case}.denoised"] = numpy.stack([x0.numpy() for x0 in denoised])
        limited = numpy.mean(numpy.abs(self.tensors[f"{case}.denoised"]) == 1)
        assert limited == 0 if case.endswith("/none") else limited > 0.05, (case, limited)


def run_diffusers(scheduler, **arguments):
    """The samples and x0 predictions of a run over the scheduler's own timesteps."""
    import torch
    from diffusers.schedulers import scheduling_ddpm

    sample, samples, denoised = torch.from_numpy(START), [], []
    for call, t in enumerate(scheduler.timesteps):
        is_last = call == len(scheduler.timesteps) - 1
        noise = torch.from_numpy(NOISE[call] * (0 if is_last else 1))
        scheduling_ddpm.randn_tensor = lambda *_, **__: noise
        if arguments.get("eta"):
            arguments["variance_noise"] = noise
        made = scheduler.step(torch.from_numpy(OUTPUTS[call]), t, sample, **arguments)
        sample = made.prev_sample
        assert sample.dtype == torch.float64
        samples.append(sample)
        denoised.append(made.pred_original_sample if hasattr(made, "pred_original_sample") else scheduler.model_outputs[-1])
    return samples, denoised


def run_k_diffusion(sampling, name, sigmas, prediction, clips):
    """The same for a k-diffusion sampler, whose samples are x/signal."""
    import torch

    sampler = {"euler": sampling.sample_euler, "euler-ancestral": sampling.sample_euler_ancestral, "heun": sampling.sample_heun}[name]
    seen, denoised = [], []

    def model(x, sigma):
        output, sigma = torch.from_numpy(OUTPUTS[len(seen)]), sigma[0]
        seen.append(x.clone())
        x0 = {
            "epsilon": lambda: x - sigma * output,
            "x0": lambda: output.clone(),
            "v": lambda: x / (sigma**2 + 1) - sigma / (sigma**2 + 1).sqrt() * output,  # its network sees x/sqrt(sigma^2 + 1)
        }[prediction]()
        denoised.append(x0.clamp(-1, 1) if clips else x0)
        return denoised[-1]

    arguments = {"noise_sampler": lambda *_: torch.from_numpy(NOISE[len(seen) - 1])} if "ancestral" in name else {}
    with torch.no_grad():
        end = sampler(model, torch.from_numpy(START * sigmas[0]), torch.tensor(sigmas, dtype=torch.float64), disable=True, **arguments)
    return seen[1:] + [end], denoised


@plans.float64()
def trajectories():
    sampling = plans.load_k_diffusion()
    DDPMScheduler, DDIMScheduler = plans.load_diffusers()
    from diffusers import DPMSolverMultistepScheduler

    process = plans.Process()
    recorder = Recorder()
    tensors = recorder.tensors
    tensors["betas"] = numpy.array(process.betas)

    def options(prediction, clipping):
        return dict(
            num_train_timesteps=plans.COUNT, trained_betas=process.betas, prediction_type=PREDICTIONS[prediction],
            **{"clip_sample": False, **CLIPPINGS[clipping]})

    trailing = plans.timesteps("trailing", STEPS)
    tensors["ddpm.timesteps"] = numpy.array(trailing)
    for prediction in PREDICTIONS:
        for clipping in CLIPPINGS:
            for variance in ("fixed_small", "fixed_large"):
                scheduler = DDPMScheduler(variance_type=variance, **options(prediction, clipping))
                scheduler.set_timesteps(timesteps=trailing)
                recorder.add(f"ddpm/{variance}/{prediction}/{clipping}", *run_diffusers(scheduler))
            if clipping == "dynamic1":
                continue
            for eta in (0.0, 0.5):
                for rederives in (False, True):
                    scheduler = DDIMScheduler(steps_offset=1, **options(prediction, clipping))
                    scheduler.set_timesteps(STEPS)
                    tensors["ddim.timesteps"] = scheduler.timesteps.numpy().copy()
                    name = f"ddim/{eta}/{'rederived' if rederives else 'direct'}/{prediction}/{clipping}"
                    recorder.add(name, *run_diffusers(scheduler, eta=eta, use_clipped_model_output=rederives))
            if clipping == "range":
                continue
            for spacing in ("leading", "linspace"):
                choices = options(prediction, clipping)
                del choices["clip_sample"]
                scheduler = DPMSolverMultistepScheduler(
                    solver_order=2, algorithm_type="dpmsolver++", solver_type="midpoint", lower_order_final=False,
                    euler_at_final=False, final_sigmas_type="zero", timestep_spacing=spacing, **choices)
                scheduler.set_timesteps(STEPS)
                tensors[f"dpm++2m/{spacing}.timesteps"] = scheduler.timesteps.numpy().copy()
                recorder.add(f"dpm++2m/{spacing}/{prediction}/{clipping}", *run_diffusers(scheduler))

    grid = plans.timesteps("trailing", (CALLS + 1) // 2)
    sigmas = [float(process.sigmas[t]) for t in grid] + [0.0]
    tensors["k-diffusion.timesteps"], tensors["k-diffusion.sigmas"] = numpy.array(grid), numpy.array(sigmas)
    for name in ("euler", "euler-ancestral", "heun"):
        for prediction in PREDICTIONS:
            for clipping in ("none", "range"):
                made = run_k_diffusion(sampling, name, sigmas, prediction, clips=clipping == "range")
                recorder.add(f"{name}/{prediction}/{clipping}", *made)
    return save(tensors)


PROCESSES = [("linear", 1000, "4,3,2"), ("cosine", 300, "3,5")]


@contextlib.contextmanager
def doubles():
    """Makes guided-diffusion keep its float64 coefficients, and puts back what it takes."""
    import torch

    float_method, randn_like = torch.Tensor.float, torch.randn_like
    torch.Tensor.float = torch.Tensor.double
    try:
        yield
    finally:
        torch.Tensor.float, torch.randn_like = float_method, randn_like


@doubles()
def guided_trajectories(checkout):
    import torch

    gaussian, respace = guided.load(checkout)
    recorder = Recorder()
    for schedule, count, sections in PROCESSES:
        betas = gaussian.get_named_beta_schedule(schedule, count)
        recorder.tensors[f"{schedule}.betas"] = betas
        for variance in (gaussian.ModelVarType.FIXED_SMALL, gaussian.ModelVarType.FIXED_LARGE):
            for mean, prediction in (("EPSILON", "epsilon"), ("START_X", "x0"), ("PREVIOUS_X", "previous")):
                process = respace.SpacedDiffusion(
                    use_timesteps=respace.space_timesteps(count, sections), betas=betas,
                    model_mean_type=gaussian.ModelMeanType[mean], model_var_type=variance, loss_type=gaussian.LossType.MSE)
                recorder.tensors[f"{schedule}.timesteps"] = numpy.array(process.timestep_map[::-1])
                samplers = {variance.name.lower(): (process.p_sample, {})}
                if variance == gaussian.ModelVarType.FIXED_SMALL:  # it has no part in DDIM
                    samplers.update({f"ddim/{eta}": (process.ddim_sample, {"eta": eta}) for eta in (0.0, 0.5)})
                for name, (step, arguments) in samplers.items():
                    for clipping in ("none", "range"):
                        sample, samples, denoised = torch.from_numpy(START), [], []
                        for call in range(process.num_timesteps):
                            t = torch.full((SHAPE[0],), process.num_timesteps - 1 - call)
                            torch.randn_like = lambda _: torch.from_numpy(NOISE[call])
                            made = step(
                                lambda *_: torch.from_numpy(OUTPUTS[call]), sample, t, clip_denoised=clipping == "range", **arguments)
                            sample = made["sample"]
                            assert sample.dtype == torch.float64
                            samples.append(sample)
                            denoised.append(made["pred_xstart"])
                        recorder.add(f"{schedule}/{name}/{prediction}/{clipping}", samples, denoised)
    return save(recorder.tensors)


FILES = {"trajectories.safetensors": trajectories}
GUIDED = {"guided-trajectories.safetensors": guided_trajectories}
