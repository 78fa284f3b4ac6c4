"""Makes traces for `scheduler verify`: right ones of diffusers and guided-diffusion with options at random, and wrong ones.

    make_traces.py [--guided-diffusion PATH] [--seed 0] [--right 320] [--wrong 2] [--wide] FOLDER

writes FOLDER/right/*.safetensors, FOLDER/wrong/*.safetensors and FOLDER/manifest.json, which says of each file which exit status, step
and mistake are expected. `judge_traces.py` compares that with what the tool says. Not part of `regenerate.py`: the traces are made and
thrown away.

With `--wide` the right ones have 1 to 999 steps of 50 to 4000 timesteps, and betas of up to 0.08.

A wrong trace is made by a scheduler with a mistake in it. Beside it a right one takes the same steps from the same samples; the first at
which they differ by ten tolerances, and by nothing that matters before, is the step that is expected.
"""

import argparse
import json
import os
import pathlib
import random
import sys
import warnings

os.environ["ATEN_CPU_CAPABILITY"] = "avx2"

import numpy
import torch

# What is shared with the recipes lies beside this folder.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import record_trace
from recipes import classes, guided

TOLERANCE = 2e-4
GUIDED = ("p_sample", "ddim_sample", "ddim_reverse_sample")
DIFFUSERS = (
    "DDPMScheduler", "DDIMScheduler", "DDIMInverseScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler",
    "HeunDiscreteScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler",
    "LMSDiscreteScheduler", "IPNDMScheduler", "PNDMScheduler", "DPMSolverSinglestepScheduler", "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler", "LCMScheduler", "TCDScheduler", "FlowMatchEulerDiscreteScheduler", "EDMEulerScheduler",
    "EDMDPMSolverMultistepScheduler", "SASolverScheduler", "FlowMatchHeunDiscreteScheduler", "FlowMatchLCMScheduler",
    "CMStochasticIterativeScheduler", "DPMSolverSDEScheduler", "DPMSolverMultistepInverseScheduler",
    # A run of RePaint needs a picture to fill in, which a trace does not hold.
    *(name for name in classes.PLAIN if name != "RePaintScheduler"))
SOLVERS = (
    "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler",
    "SASolverScheduler", "DPMSolverMultistepInverseScheduler")


class Unusable(Exception):
    """Options that the reference refuses, or that make numbers which are not finite."""


def shape(rng):
    return rng.choice([(1, 3, 4, 6), (2, 3, 5, 4), (3, 4, 6, 8), (2, 1, 8, 8)])


def model(rng, doubled=False, positive=False):
    """A network that is none: half of what it is given, and noise of its own."""
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    scale = rng.choice([0.0, 0.3])

    def answer(x, t):
        mine = torch.randn(x.shape, generator=generator) * (1 - scale) + scale * torch.tanh(x)
        if not doubled:
            return mine
        share = torch.rand(x.shape, generator=generator)
        return torch.cat([mine, share if positive else share * 2.2 - 1.1], dim=1)

    return answer


# Options at random.


def betas(rng, name):
    schedules = {
        "DDPMScheduler": ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace"],
        "HeunDiscreteScheduler": ["linear", "scaled_linear", "squaredcos_cap_v2", "exp"],
    }.get(name, ["linear", "scaled_linear", "squaredcos_cap_v2"])
    count = rng.choice([100, 500, 1000, 1000, 1000])
    options = dict(
        num_train_timesteps=count, beta_schedule=rng.choice(schedules), beta_start=rng.choice([1e-4, 0.00085, 0.001]),
        beta_end=rng.choice([0.012, 0.02]))
    if rng.random() < 0.1:
        options["trained_betas"] = [round(rng.uniform(1e-4, 0.02), 6) for _ in range(count)]
    return options


def diffusers_options(rng, name):
    if name == "IPNDMScheduler":
        return dict(num_train_timesteps=rng.choice([100, 1000]))
    if name.startswith("FlowMatch"):
        return flow_options(rng, name)
    if name == "CMStochasticIterativeScheduler":
        return consistency_options(rng)
    if name.startswith("EDM"):
        return edm_options(rng, name)
    if name in classes.PLAIN:
        return {option: rng.choice(choices) for option, choices in classes.PLAIN[name].items()}
    clipping = dict(clip_sample=rng.random() < 0.5, clip_sample_range=rng.choice([1.0, 1.0, 2.0]))
    threshold = dict(
        thresholding=rng.random() < 0.25, dynamic_thresholding_ratio=rng.choice([0.9, 0.995]), sample_max_value=rng.choice([1.0, 1.5]))
    kinds = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"]
    kinds += ["use_flow_sigmas"] * (name in SOLVERS) + ["use_lu_lambdas"] * (name == "DPMSolverMultistepScheduler")
    sigmas = {rng.choice(kinds): True} if rng.random() < 0.6 else {}
    if "use_flow_sigmas" in sigmas:
        sigmas |= dict(flow_shift=rng.choice([1.0, 3.0, 0.7]), use_dynamic_shifting=rng.random() < 0.3)
    spacing = dict(timestep_spacing=rng.choice(["leading", "trailing", "linspace"]), steps_offset=rng.choice([0, 1]))
    if spacing["timestep_spacing"] != "leading":
        spacing["steps_offset"] = 0
    prediction = dict(prediction_type=rng.choice(["epsilon", "sample", "v_prediction"]))
    rescaling = dict(rescale_betas_zero_snr=rng.random() < 0.2)
    options = {**betas(rng, name), **prediction, **spacing}
    if name == "DDPMScheduler":
        variance = rng.choice(["fixed_small", "fixed_small_log", "fixed_large", "learned", "learned_range"])
        options |= clipping | threshold | rescaling | dict(variance_type=variance)
    elif name == "DDIMScheduler":
        options |= clipping | threshold | rescaling | dict(set_alpha_to_one=rng.random() < 0.5)
    elif name == "DDIMInverseScheduler":
        options |= clipping | rescaling | dict(set_alpha_to_one=rng.random() < 0.5)
        options["timestep_spacing"] = rng.choice(["leading", "trailing"])
    elif name == "EulerDiscreteScheduler":
        options |= rescaling | sigmas | dict(
            interpolation_type=rng.choice(["linear", "linear", "log_linear"]), final_sigmas_type=rng.choice(["zero", "sigma_min"]),
            timestep_type=rng.choice(["discrete", "discrete", "continuous"]))
        if rng.random() < 0.2 and sigmas:
            options |= dict(sigma_min=0.05, sigma_max=12.0)
    elif name == "EulerAncestralDiscreteScheduler":
        options |= rescaling
        options["prediction_type"] = rng.choice(["epsilon", "v_prediction"])
    elif name == "HeunDiscreteScheduler":
        options |= clipping | sigmas
        if rng.random() < 0.5:
            options["clip_sample"] = False
    elif name == "DPMSolverMultistepScheduler":
        options |= threshold | rescaling | sigmas | dict(
            solver_order=rng.choice([1, 2, 3]), lower_order_final=rng.random() < 0.7, euler_at_final=rng.random() < 0.2,
            final_sigmas_type=rng.choice(["zero", "sigma_min"]),
            algorithm_type=rng.choice(["dpmsolver++", "dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver", "deis"]),
            solver_type=rng.choice(["midpoint", "midpoint", "heun", "heun", "logrho", "bh1", "bh2"]))
        if rng.random() < 0.1:
            options["lambda_min_clipped"] = -5.1
        if rng.random() < 0.1:
            options["variance_type"] = rng.choice(["learned", "learned_range"])
    elif name == "DPMSolverMultistepInverseScheduler":
        options |= threshold | sigmas | dict(
            solver_order=rng.choice([1, 2, 3]), lower_order_final=rng.random() < 0.7, euler_at_final=rng.random() < 0.2,
            algorithm_type=rng.choice(["dpmsolver++", "dpmsolver++", "dpmsolver", "deis"]),
            solver_type=rng.choice(["midpoint", "midpoint", "heun", "heun", "logrho", "bh1", "bh2"]))
        options.pop("use_dynamic_shifting", None)
        if rng.random() < 0.1:
            options["lambda_min_clipped"] = -5.1
        if rng.random() < 0.1:
            options["variance_type"] = rng.choice(["learned", "learned_range"])
    elif name == "UniPCMultistepScheduler":
        options |= threshold | rescaling | sigmas | dict(
            solver_order=rng.choice([1, 2, 3]), lower_order_final=rng.random() < 0.7, predict_x0=rng.random() < 0.7,
            final_sigmas_type=rng.choice(["zero", "zero", "sigma_min"]),
            solver_type=rng.choice(["bh1", "bh2", "bh2", "midpoint", "heun", "logrho"]),
            disable_corrector=rng.choice([[], [], [0], [0, 1, 2], [3], list(range(50))]))
        if rng.random() < 0.2 and sigmas:
            options |= dict(sigma_min=rng.choice([None, 0.05]), sigma_max=12.0)
    elif name == "DEISMultistepScheduler":
        options |= threshold | sigmas | dict(
            solver_order=rng.choice([1, 2, 3]), lower_order_final=rng.random() < 0.7,
            algorithm_type=rng.choice(["deis", "deis", "dpmsolver", "dpmsolver++"]),
            solver_type=rng.choice(["logrho", "logrho", "midpoint", "heun", "bh1", "bh2"]))
    elif name == "SASolverScheduler":
        options |= threshold | sigmas | dict(
            predictor_order=rng.choice([1, 2, 3, 4]), corrector_order=rng.choice([1, 2, 3, 4]), lower_order_final=rng.random() < 0.7,
            algorithm_type=rng.choice(["data_prediction", "data_prediction", "noise_prediction"]))
        options.pop("use_dynamic_shifting", None)
        if rng.random() < 0.1:
            options["lambda_min_clipped"] = -5.1
        if rng.random() < 0.1:
            options["variance_type"] = rng.choice(["learned", "learned_range"])
    elif name in ("LMSDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler"):
        options |= sigmas
        if name != "LMSDiscreteScheduler":
            options["prediction_type"] = rng.choice(["epsilon", "v_prediction"])
    elif name == "PNDMScheduler":
        options |= dict(skip_prk_steps=rng.random() < 0.5, set_alpha_to_one=rng.random() < 0.5)
        options["prediction_type"] = rng.choice(["epsilon", "v_prediction"])
    elif name == "DPMSolverSinglestepScheduler":
        del options["timestep_spacing"], options["steps_offset"]
        options |= threshold | sigmas | dict(
            solver_order=rng.choice([1, 2, 3]), lower_order_final=rng.random() < 0.5, final_sigmas_type=rng.choice(["zero", "sigma_min"]),
            algorithm_type=rng.choice(["dpmsolver++", "dpmsolver++", "dpmsolver", "sde-dpmsolver++", "deis"]),
            solver_type=rng.choice(["midpoint", "heun", "heun", "logrho", "bh1", "bh2"]))
        if rng.random() < 0.1:
            options["lambda_min_clipped"] = -5.1
        if rng.random() < 0.1:
            options["variance_type"] = rng.choice(["learned", "learned_range"])
    elif name in ("LCMScheduler", "TCDScheduler"):
        options |= clipping | threshold | rescaling | dict(
            original_inference_steps=rng.choice([50, 50, 25, 100]), set_alpha_to_one=rng.random() < 0.5,
            timestep_scaling=rng.choice([10.0, 10.0, 1.0]))
    if options.get("use_flow_sigmas") and rng.random() < 0.6:
        options["prediction_type"] = "flow_prediction"
    return options


def flow_options(rng, name):
    if name == "FlowMatchHeunDiscreteScheduler":
        return dict(num_train_timesteps=rng.choice([100, 1000]), shift=rng.choice([1.0, 3.0, 0.5]))
    options = dict(
        num_train_timesteps=rng.choice([100, 1000]), shift=rng.choice([1.0, 3.0, 0.5]), use_dynamic_shifting=rng.random() < 0.4,
        time_shift_type=rng.choice(["exponential", "linear"]), invert_sigmas=rng.random() < 0.2,
        stochastic_sampling=rng.random() < 0.3, shift_terminal=rng.choice([None, None, 0.1]))
    if rng.random() < 0.4:
        options[rng.choice(["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"])] = True
    if name == "FlowMatchLCMScheduler":
        del options["stochastic_sampling"]
        options["upscale_mode"] = rng.choice(["bicubic", "nearest"])
    return options


def consistency_options(rng):
    return dict(
        num_train_timesteps=rng.choice([40, 18, 151]), sigma_min=rng.choice([0.002, 0.01]), sigma_max=rng.choice([80.0, 10.0]),
        sigma_data=rng.choice([0.5, 1.0]), s_noise=rng.choice([1.0, 1.0, 1.007]), rho=rng.choice([7.0, 7.0, 3.0]),
        clip_denoised=rng.random() < 0.5)


def edm_options(rng, name):
    options = dict(
        sigma_min=rng.choice([0.002, 0.02]), sigma_max=rng.choice([80.0, 10.0]), sigma_data=rng.choice([0.5, 1.0]),
        sigma_schedule=rng.choice(["karras", "exponential"]), rho=rng.choice([7.0, 7.0, 3.0]),
        prediction_type=rng.choice(["epsilon", "v_prediction"]), final_sigmas_type=rng.choice(["zero", "sigma_min"]))
    if name == "EDMDPMSolverMultistepScheduler":
        options |= dict(
            solver_order=rng.choice([1, 2, 3]), thresholding=rng.random() < 0.25, sample_max_value=rng.choice([1.0, 1.5]),
            algorithm_type=rng.choice(["dpmsolver++", "sde-dpmsolver++"]), solver_type=rng.choice(["midpoint", "heun", "bh2"]),
            lower_order_final=rng.random() < 0.7, euler_at_final=rng.random() < 0.2)
    return options


def step_arguments(rng, name, options):
    if options.get("use_dynamic_shifting"):
        return {"mu": rng.choice([0.5, 0.9, 1.15])}
    if name == "TCDScheduler":
        return rng.choice([{}, {"eta": 0.0}, {"eta": 0.5}, {"eta": 1.0}])
    if name == "LMSDiscreteScheduler":
        return rng.choice([{}, {}, {"order": 1}, {"order": 2}, {"order": 3}])
    if name == "RePaintScheduler":
        return rng.choice([{}, {"jump_length": 1, "jump_n_sample": 2}, {"jump_length": 2, "jump_n_sample": 3}])
    if name == "DPMSolverSDEScheduler":
        return rng.choice([{}, {}, {"s_noise": 1.003}])
    if name in ("EulerDiscreteScheduler", "EDMEulerScheduler"):
        return rng.choice([
            {}, {}, {"s_churn": 2.0}, {"s_churn": 40.0, "s_noise": 1.003}, {"s_churn": 10.0, "s_tmin": 0.05, "s_tmax": 20.0}])
    if name != "DDIMScheduler":
        return {}
    return rng.choice([{}, {"eta": 0.3}, {"eta": 1.0}, {"use_clipped_model_output": True}, {"eta": 0.5, "use_clipped_model_output": True}])


def guided_flags(rng, sampler):
    steps = rng.choice([20, 100, 300, 1000, 1000, 4000])
    respacing = rng.choice(["", "ddim10", "10", "25", "10,15,20", "5,5", "1,8,3", "1"])
    if steps == 20 or (respacing == "" and steps > 100):
        respacing = rng.choice(["5", "3,4", "ddim10", "ddim5"])
    return dict(
        steps=steps, learn_sigma=rng.random() < 0.4, sigma_small=rng.random() < 0.5,
        noise_schedule="cosine" if steps == 20 else rng.choice(["linear", "cosine"]), use_kl=rng.random() < 0.1,
        predict_xstart=rng.random() < 0.3, rescale_timesteps=rng.random() < 0.4, rescale_learned_sigmas=False,
        timestep_respacing=respacing)


# Runs. Each is a run of steps that can be taken by a scheduler with a mistake, and by a right one from the same samples.


class DiffusersRun:
    def __init__(self, name, options, steps, arguments):
        self.scheduler = classes.scheduler(name)(**options)
        self.module = sys.modules[type(self.scheduler).__module__]
        self.scheduler.set_timesteps(steps, **({"mu": arguments["mu"]} if "mu" in arguments else {}))
        self.timesteps = list(classes.told(self.scheduler))
        self.steps, self.arguments = steps, arguments
        learned = options.get("variance_type") in ("learned", "learned_range")
        is_split = name in ("DDPMScheduler", "UnCLIPScheduler") or options.get("prediction_type", "epsilon") == "epsilon"
        self.doubled = learned and is_split
        # diffusers takes what a network learns of the variance for the variance itself, whose root multiplies the noise.
        self.positive = name == "DDPMScheduler" and options.get("variance_type") == "learned"
        self.config, self.order = self.scheduler.to_json_string(), list(self.timesteps)

    def scaled(self, i, x):
        scale = getattr(self.scheduler, "scale_model_input", lambda x, t: x)
        return scale(x, self.timesteps[i]) if i < len(self.timesteps) else x

    def draws(self):
        return hasattr(self.module, "randn_tensor")

    def step(self, i, x, output, noise):
        self.module.randn_tensor = lambda *_, **__: noise
        self.scheduler.noise_sampler = lambda *_: noise
        arguments = {key: value for key, value in self.arguments.items() if key != "mu"}
        return self.scheduler.step(output, self.timesteps[i], x, **arguments).prev_sample

    def stochastic(self):
        name = type(self.scheduler).__name__
        if self.scheduler.config.get("algorithm_type", "").startswith("sde"):
            return True
        if name == "TCDScheduler":
            return self.arguments.get("eta", 0.3) > 0
        if self.scheduler.config.get("stochastic_sampling"):
            return True
        drawing = (
            "DDPMScheduler", "EulerAncestralDiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "LCMScheduler", "SASolverScheduler",
            "FlowMatchLCMScheduler", "CMStochasticIterativeScheduler", "DPMSolverSDEScheduler", "UnCLIPScheduler",
            "CosineDPMSolverMultistepScheduler", "DDPMWuerstchenScheduler", "SCMScheduler")
        return name in drawing or self.arguments.get("s_churn", 0) > 0 or self.arguments.get("eta", 0) > 0


class GuidedRun:
    def __init__(self, modules, flags, sampler, eta, clip):
        self.gaussian, self.respace = modules
        self.process = create(modules, flags)
        self.flags, self.sampler, self.eta, self.clip = flags, sampler, eta, clip
        count = self.process.num_timesteps
        self.order = list(range(count)) if sampler == "ddim_reverse_sample" else list(range(count))[::-1]
        self.steps, self.doubled, self.positive, self.arguments = count, flags["learn_sigma"], False, {}
        scale = 1000.0 / self.process.original_num_steps
        told = [torch.tensor(self.process.timestep_map[t]) for t in self.order]
        self.timesteps = [t.float() * scale for t in told] if flags["rescale_timesteps"] else told
        self.config = json.dumps(
            {"_class_name": "GaussianDiffusion", **flags, "sampler": sampler, "eta": eta, "clip_denoised": clip})

    def scaled(self, i, x):
        return x

    def step(self, i, x, output, noise):
        before, torch.randn_like = torch.randn_like, lambda _: noise
        try:
            arguments = {} if self.sampler == "p_sample" else {"eta": self.eta}
            t = torch.full(x.shape[:1], self.order[i])
            return getattr(self.process, self.sampler)(lambda *_: output, x, t, clip_denoised=self.clip, **arguments)["sample"]
        finally:
            torch.randn_like = before

    def stochastic(self):
        return self.sampler == "p_sample" or (self.sampler == "ddim_sample" and self.eta > 0)


def create(modules, flags):
    """`create_gaussian_diffusion` of script_util.py, whose module needs more than these two."""
    gaussian, respace = modules
    steps = flags["steps"]
    return respace.SpacedDiffusion(
        use_timesteps=respace.space_timesteps(steps, flags["timestep_respacing"] or [steps]),
        betas=gaussian.get_named_beta_schedule(flags["noise_schedule"], steps),
        model_mean_type=gaussian.ModelMeanType.START_X if flags["predict_xstart"] else gaussian.ModelMeanType.EPSILON,
        model_var_type=gaussian.ModelVarType.LEARNED_RANGE if flags["learn_sigma"]
        else gaussian.ModelVarType.FIXED_SMALL if flags["sigma_small"] else gaussian.ModelVarType.FIXED_LARGE,
        loss_type=gaussian.LossType.MSE, rescale_timesteps=flags["rescale_timesteps"])


class Tape:
    """What a run is recorded on, and what the right scheduler would have made at each step."""

    def __init__(self, rng, run, size, deviant=None, guilty=None):
        generator = torch.Generator().manual_seed(rng.randrange(2**31))
        network = model(rng, run.doubled, run.positive)
        draw = lambda: torch.randn(size, generator=generator)
        start = draw()
        if isinstance(run, DiffusersRun) and hasattr(run.scheduler, "init_noise_sigma"):
            start = start * float(run.scheduler.init_noise_sigma)
        self.run, self.samples, self.outputs, self.noises, self.right = run, [start], [], [], []
        self.timesteps = list(run.timesteps)
        for i in range(len(run.order)):
            x = self.samples[-1]
            output = network(run.scaled(i, x), run.timesteps[i])
            noise = draw() if run.stochastic() or isinstance(run, GuidedRun) else torch.zeros(size)
            run.scaled(i, x)
            right = run.step(i, x, output, noise)
            self.outputs.append(output)
            self.noises.append(noise)
            self.right.append(right)
            self.samples.append(deviant(i, x, output, noise, right, self) if deviant else right)
        if not all(torch.isfinite(x).all() for x in self.samples + self.right):
            raise Unusable("not finite")
        # DPM-Solver takes three channels for the prediction where the variance is learned.
        if any(x.shape != start.shape for x in self.samples):
            raise Unusable("another shape")

    def recorded(self, **changes):
        """What `record_trace.save` writes."""
        tape = {"timesteps": self.timesteps, "samples": self.samples, "outputs": self.outputs, "noises": self.noises, **changes}
        return (
            self.run.config, self.run.steps, tape["timesteps"], tape["samples"], tape["outputs"], tape["noises"],
            self.run.arguments)

    def first(self, samples=None, timesteps=None, right=None):
        """The first step that is wrong; None if there is none, or if it is a close call."""
        samples, right = samples or self.samples, right or self.right
        for i, made in enumerate(right):
            if timesteps and abs(float(timesteps[i]) - float(self.run.timesteps[i])) > 0.02:
                return i
            bound = TOLERANCE * max(1, float(samples[i].abs().max()), float(samples[i + 1].abs().max()))
            difference = float((made - samples[i + 1]).abs().max())
            if difference > bound / 2:
                return i if difference > 10 * bound else None
        return None


WIDE_STEPS, WIDE_TIMESTEPS = (1, 2, 3, 7, 61, 300, 999), (50, 400, 1000, 4000)


def wide(rng, name, turn):
    """Options of a run at the ends of what there is; the number of steps goes around with the turn."""
    steps = WIDE_STEPS[turn % len(WIDE_STEPS)]
    if name.startswith("EDM") or name == "IPNDMScheduler":
        return dict(inference_steps=steps)
    if name == "CMStochasticIterativeScheduler":
        return dict(inference_steps=steps, num_train_timesteps=rng.choice([max(steps, 2), 1000]))
    fixed = dict(inference_steps=steps, num_train_timesteps=rng.choice([t for t in WIDE_TIMESTEPS if t >= steps]))
    if name.startswith("FlowMatch"):
        return fixed
    if name in ("LCMScheduler", "TCDScheduler"):
        fixed["original_inference_steps"] = rng.choice([n for n in (50, 400, 1000) if steps <= n <= fixed["num_train_timesteps"]])
    fixed["beta_end"] = rng.choice([0.012, 0.02, 0.03, 0.08])
    known = classes.PLAIN.get(name, fixed)
    return {option: value for option, value in fixed.items() if option in known or option == "inference_steps"}


def random_run(rng, modules, name, **fixed):
    """A run of a class with options at random, except those that are given."""
    if name in GUIDED:
        flags = guided_flags(rng, name)
        eta = rng.choice([0.0, 0.3, 1.0]) if name == "ddim_sample" else 0.0
        clip = rng.random() < 0.6
        eta, clip = fixed.pop("eta", eta), fixed.pop("clip", clip)
        return GuidedRun(modules, {**flags, **fixed}, name, eta, clip)
    steps = fixed.pop("inference_steps", rng.choice([1, 2, 5, 7, 10, 14, 15, 20, 25, 30, 50]))
    arguments = fixed.pop("arguments", None)
    options = {**diffusers_options(rng, name), **fixed}
    if "num_train_timesteps" in fixed:
        options.pop("trained_betas", None)
    arguments = arguments or step_arguments(rng, name, options)
    if name == "IPNDMScheduler" and rng.random() < 0.2:
        options["trained_betas"] = sorted((round(rng.uniform(0.01, 0.99), 6) for _ in range(steps + 1)), reverse=True)
    return DiffusersRun(name, options, steps, arguments)


def attempt(make):
    """What can be made; the references answer options that they cannot follow with all kinds of exceptions."""
    try:
        return make()
    except Unusable:
        return None
    except (ValueError, IndexError, AssertionError, NotImplementedError, AttributeError, TypeError, RuntimeError, KeyError,
            ZeroDivisionError, OverflowError, NameError):
        return None


def make_right(rng, modules, folder, count, is_wide=False):
    names = [name for name in DIFFUSERS] + [name for name in GUIDED for _ in range(2) if modules and not is_wide]
    listed, tried = [], 0
    while len(listed) < count:
        name = names[len(listed) % len(names)]
        fixed = wide(rng, name, len(listed) // len(names) + tried) if is_wide else {}
        size = (1, 3, 4, 6) if fixed.get("inference_steps", 0) > 99 else shape(rng)
        tape = attempt(lambda: Tape(rng, random_run(rng, modules, name, **fixed), size))
        # Where a class has no run of so many steps, another number will do.
        tried = 0 if tape else tried + 1
        if tape:
            path = folder / f"right/{len(listed):03}-{name}.safetensors"
            record_trace.save(str(path), *tape.recorded())
            listed.append(dict(file=str(path.relative_to(folder)), status=0, steps=len(tape.outputs)))
    return listed


def make_wrong(rng, modules, folder, count):
    from traces import mistakes

    listed = []
    for title in mistakes.MISTAKES:
        for _ in range(count if modules or not title.endswith("_sample") else 0):
            mistake, tape, changes, step = mistakes.make(title, rng, modules)
            path = folder / f"wrong/{len(listed):03}-{title.replace(' ', '-').replace(',', '')}.safetensors"
            record_trace.save(str(path), *tape.recorded(**changes))
            listed.append(dict(file=str(path.relative_to(folder)), status=1, step=step, mistakes=[mistake], title=title))
    return listed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--guided-diffusion", metavar="PATH", help="a checkout of guided-diffusion; without one its runs are left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--right", type=int, default=320, help="how many right traces")
    parser.add_argument("--wrong", type=int, default=2, help="how many wrong traces for each mistake")
    parser.add_argument("--wide", action="store_true", help="runs at the ends of what there is, of diffusers alone")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    import diffusers

    diffusers.logging.set_verbosity_error()
    modules = guided.load(arguments.guided_diffusion) if arguments.guided_diffusion else None
    for name in ("right", "wrong"):
        (arguments.folder / name).mkdir(parents=True, exist_ok=True)
    rng = random.Random(arguments.seed)
    listed = make_right(rng, modules, arguments.folder, arguments.right, arguments.wide)
    if arguments.wrong:
        listed += make_wrong(random.Random(arguments.seed + 1), modules, arguments.folder, arguments.wrong)
    (arguments.folder / "manifest.json").write_text(json.dumps(listed, indent=1) + "\n")
    print(f"made {len(listed)} traces in {arguments.folder}")
    if not modules:
        print("left out guided-diffusion's runs and the mistakes in them: they take --guided-diffusion, a checkout of it")


if __name__ == "__main__":
    sys.modules["traces.make_traces"] = sys.modules["__main__"]
    main()
