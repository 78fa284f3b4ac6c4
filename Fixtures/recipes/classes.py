"""diffusers' scheduler classes by name, two of which import torchsde, and that for a Brownian tree from which no recipe draws."""

import importlib
import sys
import types

# Classes whose options do not depend on each other, with the choices of each option: a class of this kind is one line.
PLAIN = {
    "RePaintScheduler": dict(
        num_train_timesteps=[100, 500, 1000], beta_schedule=["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"],
        beta_start=[1e-4, 0.00085], beta_end=[0.012, 0.02], eta=[0.0, 0.0, 0.5, 1.0], clip_sample=[True, False]),
    "LTXEulerAncestralRFScheduler": dict(num_train_timesteps=[1000, 1000, 500], eta=[0.0, 0.5, 1.0, 1.0], s_noise=[1.0, 1.003]),
    "CogVideoXDDIMScheduler": dict(
        num_train_timesteps=[1000, 1000, 500], beta_schedule=["linear", "scaled_linear", "scaled_linear", "squaredcos_cap_v2"],
        beta_start=[0.0001, 0.00085], beta_end=[0.012, 0.02], prediction_type=["epsilon", "sample", "v_prediction"],
        rescale_betas_zero_snr=[True, False], snr_shift_scale=[1.0, 3.0, 3.0], set_alpha_to_one=[True, False],
        timestep_spacing=["leading", "trailing", "linspace"], clip_sample=[True, False]),
    "UnCLIPScheduler": dict(
        num_train_timesteps=[1000, 1000, 100], variance_type=["fixed_small_log", "learned_range"], clip_sample=[True, False],
        clip_sample_range=[1.0, 2.0, 5.0], prediction_type=["epsilon", "sample"]),
    "CosineDPMSolverMultistepScheduler": dict(
        sigma_min=[0.3, 0.02], sigma_max=[500, 500, 80.0], sigma_data=[1.0, 1.0, 0.5], sigma_schedule=["exponential", "exponential", "karras"],
        prediction_type=["v_prediction", "v_prediction", "epsilon"], rho=[7.0, 3.0], solver_order=[1, 2, 2],
        solver_type=["midpoint", "heun"], lower_order_final=[True, False], euler_at_final=[False, False, True]),
    "DDPMWuerstchenScheduler": dict(scaler=[1.0, 1.0, 2.0, 0.5], s=[0.008, 0.008, 0.02]),
    "SCMScheduler": dict(num_train_timesteps=[1000, 100], sigma_data=[0.5, 0.5, 1.0]),
    "MiniMaxH3Scheduler": dict(shift=[12.0, 3.0, 1.0]),
}
# Their modules have a Brownian tree, which the others draw from torch.
BROWNIAN = {
    "DPMSolverSDEScheduler": "diffusers.schedulers.scheduling_dpmsolver_sde",
    "CosineDPMSolverMultistepScheduler": "diffusers.schedulers.scheduling_cosine_dpmsolver_multistep"}


class ToldNext:
    """UnCLIPScheduler as pipelines step it, which tell it the next timestep."""

    def step(self, model_output, timestep, sample, prev_timestep=None, **kwargs):
        i = [int(t) for t in self.timesteps].index(int(timestep))
        following = self.timesteps[i + 1] if i + 1 < len(self.timesteps) else None
        return super().step(model_output, timestep, sample, prev_timestep=prev_timestep or following, **kwargs)


class ForEachSample:
    """DDPMWuerstchenScheduler, which wants a time for each sample."""

    def step(self, model_output, timestep, sample, **kwargs):
        return super().step(model_output, timestep.expand(len(sample)), sample, **kwargs)


class AnySteps:
    """SCMScheduler, whose second time of two has to be taken back for another number of steps."""

    def set_timesteps(self, num_inference_steps, **kwargs):
        more = {} if num_inference_steps == 2 else {"intermediate_timesteps": None}
        super().set_timesteps(num_inference_steps, **{**more, **kwargs})


STEPPED = {"UnCLIPScheduler": ToldNext, "DDPMWuerstchenScheduler": ForEachSample, "SCMScheduler": AnySteps}


def scheduler(name):
    import diffusers

    if name in STEPPED:
        base = getattr(diffusers, name)
        return type(name, (STEPPED[name], base), {"__module__": base.__module__})
    if name not in BROWNIAN:
        return getattr(diffusers, name)
    is_missing = "torchsde" not in sys.modules
    if is_missing:
        sys.modules["torchsde"] = types.ModuleType("torchsde")
    try:
        return getattr(importlib.import_module(BROWNIAN[name]), name)
    finally:
        if is_missing:
            del sys.modules["torchsde"]


def told(scheduler):
    """The times at which the network is asked."""
    import record_trace

    return record_trace.told(scheduler)


class BrownianPath:
    """The noise of DPMSolverSDEScheduler: what a path does from one sigma to another, which may begin with what it did before.

    `draw` makes the part of it that is fresh."""

    def __init__(self, draw):
        self.draw, self.last = draw, None

    def __call__(self, start, end):
        fresh, made = self.draw(), None
        if self.last and self.last[0] == start:
            share = float((start - self.last[1]) / (start - end))
            made = share**0.5 * self.last[2] + (1 - share) ** 0.5 * fresh
        self.last = (start, end, fresh)
        return fresh if made is None else made


def runner(name):
    """The class, or what makes the one that is stepped otherwise like the others."""
    return Inpainting if name == "RePaintScheduler" else scheduler(name)


# Arguments of set_timesteps among those of a run.
SETTINGS = ("mu", "sigmas", "jump_length", "jump_n_sample")
# Where the recipes put the noise that they draw.
randn_tensor = None


class Inpainting:
    """RePaintScheduler where nothing of the picture is known. A step goes on with the jump back after it, as the pipeline does, and its
    noise is the one draw that is distributed like all of theirs."""

    def __init__(self, **config):
        self.scheduler = scheduler("RePaintScheduler")(**config)
        self.module = sys.modules[type(self.scheduler).__module__]

    def __getattr__(self, name):
        return getattr(self.scheduler, name)

    def set_timesteps(self, steps, jump_length=10, jump_n_sample=10):
        import torch

        self.scheduler.set_timesteps(steps, jump_length, jump_n_sample)
        told, self.jumps, last = [], [], self.scheduler.timesteps[0] + 1
        for timestep in self.scheduler.timesteps:
            if timestep < last:
                told.append(timestep)
                self.jumps.append([])
            else:
                self.jumps[-1].append(last)
            last = timestep
        self.timesteps, self.index = torch.stack(told), 0

    def step(self, output, timestep, sample):
        import torch

        drawn = []
        self.module.randn_tensor = lambda shape, **_: drawn.append(randn_tensor(shape)) or drawn[-1]
        zero = torch.zeros_like(sample)
        made = self.scheduler.step(output, timestep, sample, original_image=zero, mask=zero)
        steps = self.scheduler.config.num_train_timesteps // self.scheduler.num_inference_steps
        factor = float(self.scheduler.eta * self.scheduler._get_variance(timestep) ** 0.5) if timestep > 0 else 0.0
        noise, variance = factor * drawn[0].double(), factor**2
        for last in self.jumps[self.index]:
            drawn.clear()
            made.prev_sample = self.scheduler.undo_step(made.prev_sample, last)
            for beta, fresh in zip(self.scheduler.betas[last : last + steps].double(), drawn):
                noise = (1 - beta) ** 0.5 * noise + beta**0.5 * fresh.double()
                variance = (1 - beta) * variance + beta
        self.noise = (noise / float(variance) ** 0.5).float() if variance > 0 else zero
        self.index += 1
        return made
