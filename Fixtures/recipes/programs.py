"""Grids and runs of programs that people draw pictures with, by their own functions in float64.

`comfyui-grids.safetensors`, from a checkout of ComfyUI at a125cd8 (12 October 2025), whose files are run as they are:

- `discrete/scheduler/N`: the sigmas of a scheduler of `comfy/samplers.py` on the scaled linear schedule with T = 1000, with the 0 at their end.
- `flow-S/scheduler/N`: the times of a scheduler on rectified flow with the shift S and T = 1000.
- `gits/N`, `optimal/family/N`: the sigmas or times of the nodes GITSScheduler (coefficient 1.2) and OptimalStepsScheduler.

`comfyui-runs.safetensors`, from the same checkout: whole runs of samplers of `comfy/k_diffusion/sampling.py`, as factors.

- `case.run` [C, 1 + 2C]: after each call, the factors of the start, of the outputs of all calls, and of the noises drawn after them. The
  network answers with x0. A case is sampler/process/N: `exploding`, samples x0 + sigma epsilon, or `flow`, samples (1 - t) x0 + t epsilon.
- `name/sampler/process/N.run`: the same of ComfyUI's own names.
- `process.N` [N + 1]: the sigmas, by Karras from 14.6 to 0.03, or the times, shifted by 3; `late` flow begins below 1, where samplers that
  go by lambda can. Runs of SA-Solver end at the last sigma before the 0, as ComfyUI lowers its orders by one more than others do.

`forge-grids.safetensors`, from a checkout of stable-diffusion-webui-forge at dfdcbab:

- `ays/11/family/N`, `ays/32/family/N`: sigmas of Align Your Steps with tables of 11 and 32, with the 0 at their end.
"""

import ast
import importlib
import inspect
import math
import pathlib
import sys
import types
from functools import partial
from typing import Callable, NamedTuple

import numpy
import scipy.stats
from mpmath import mpf
from safetensors.numpy import save

from recipes.plans import Process, float64, spaced
from recipes.stages import brownian

STEPS = [1, 2, 3, 7, 10, 20, 30, 50]
SCHEDULERS = ["simple", "sgm_uniform", "ddim_uniform", "beta", "normal", "linear_quadratic", "kl_optimal"]


def taken(path, names, known):
    """Definitions out of a file that cannot be imported without a program around it."""
    nodes = [
        node for node in ast.parse(pathlib.Path(path).read_text()).body
        if getattr(node, "name", None) in names or any(getattr(target, "id", None) in names for target in getattr(node, "targets", []))]
    assert len(nodes) == len(names), (path, names)
    exec(compile(ast.Module(nodes, []), str(path), "exec"), known)
    return known


class Float64Torch:
    """What the programs' torch makes in float32 is float64."""

    def __enter__(self):
        import torch

        self.saved = torch.FloatTensor, torch.float, torch.Tensor.float
        torch.FloatTensor, torch.float, torch.Tensor.float = torch.DoubleTensor, torch.float64, torch.Tensor.double
        return torch

    def __exit__(self, *_):
        import torch

        torch.FloatTensor, torch.float, torch.Tensor.float = self.saved


def samplings(checkout, torch):
    """ComfyUI's `model_sampling` of the discrete schedule and of rectified flow."""
    known = taken(
        checkout / "comfy/model_sampling.py", ["ModelSamplingDiscrete", "ModelSamplingDiscreteFlow", "time_snr_shift"],
        {"torch": torch, "math": math})
    discrete = known["ModelSamplingDiscrete"].__new__(known["ModelSamplingDiscrete"])
    torch.nn.Module.__init__(discrete)
    discrete.set_sigmas(torch.tensor([float(sigma) for sigma in Process().sigmas]))
    result = {"discrete": discrete}
    for shift in (1, 3):
        flow = known["ModelSamplingDiscreteFlow"]()
        flow.set_parameters(shift=float(shift))
        result[f"flow-{shift}"] = flow
    return result


@float64()
def comfyui_grids(checkout):
    checkout = pathlib.Path(checkout)
    tensors = {}
    with Float64Torch() as torch:
        functions = [
            "simple_scheduler", "ddim_scheduler", "normal_scheduler", "beta_scheduler", "linear_quadratic_schedule",
            "kl_optimal_scheduler", "SchedulerHandler", "SCHEDULER_HANDLERS", "calculate_sigmas"]
        k_diffusion = taken(
            checkout / "comfy/k_diffusion/sampling.py", ["append_zero", "get_sigmas_karras", "get_sigmas_exponential"],
            {"torch": torch, "math": math})
        known = taken(checkout / "comfy/samplers.py", functions, {
            "torch": torch, "math": math, "numpy": numpy, "scipy": scipy, "NamedTuple": NamedTuple, "Callable": Callable,
            "partial": partial, "k_diffusion_sampling": types.SimpleNamespace(**k_diffusion)})
        for process, sampling in samplings(checkout, torch).items():
            for scheduler in SCHEDULERS:
                for steps in STEPS:
                    if scheduler == "kl_optimal" and (steps == 1 or process != "discrete"):
                        continue  # 0/0; and angles of times mean nothing
                    sigmas = known["calculate_sigmas"](sampling, scheduler, steps)
                    assert sigmas.dtype == torch.float64
                    tensors[f"{process}/{scheduler}/{steps}"] = sigmas.numpy().copy()
        node = {"torch": torch, "np": numpy, "io": types.SimpleNamespace(ComfyNode=object, NodeOutput=lambda value: value, Schema=None)}
        for name, file, families in (
            ("gits", "nodes_gits", [1.2]), ("optimal", "nodes_optimalsteps", ["FLUX", "Wan", "Chroma"])):
            kind = {"gits": "GITSScheduler", "optimal": "OptimalStepsScheduler"}[name]
            made = taken(checkout / f"comfy_extras/{file}.py", ["loglinear_interp", "NOISE_LEVELS", kind], dict(node))[kind]
            for family in families:
                for steps in (2, 3, 7, 10, 20, 40, 50):
                    if name == "optimal" and steps < 3:
                        continue  # the node's least
                    key = f"gits/{steps}" if name == "gits" else f"optimal/{family.lower()}/{steps}"
                    tensors[key] = made.execute(family, steps, 1.0).numpy().copy()
    return save(tensors)


def load_sampling(checkout, torch):
    """`comfy.k_diffusion.sampling`, without the program around it."""

    class CONST:
        pass

    packages = {name: types.ModuleType(name) for name in ("comfy", "comfy.model_patcher", "comfy.model_sampling", "torchsde")}
    packages["comfy"].__path__ = [str(checkout / "comfy")]
    packages["comfy.model_sampling"].CONST = CONST
    for name in ("model_patcher", "model_sampling"):
        setattr(packages["comfy"], name, packages[f"comfy.{name}"])
    missing = {name: module for name, module in packages.items() if name not in sys.modules}
    sys.modules.update(missing)
    try:
        return importlib.import_module("comfy.k_diffusion.sampling"), CONST
    finally:
        for name in [name for name in sys.modules if name in missing or name.startswith("comfy")]:
            del sys.modules[name]


class Model:
    """A network of which every answer is a symbol, and what ComfyUI asks around it."""

    def __init__(self, sampling, calls, torch):
        self.units = torch.eye(1 + 2 * calls, dtype=torch.float64).reshape(1 + 2 * calls, 1, -1)
        self.calls, self.seen, self.at = calls, [], []
        self.inner_model = types.SimpleNamespace(
            inner_model=types.SimpleNamespace(model_sampling=sampling),
            model_patcher=types.SimpleNamespace(get_model_object=lambda _: sampling))

    def __call__(self, x, sigma, **_):
        self.seen.append(x.clone())
        self.at.append(float(sigma[0]))
        return self.units[len(self.seen)]

    def draw(self, *_):
        return self.units[self.calls + len(self.seen)]


RUNS = {
    "kdpm2-ancestral-rf": ("sample_dpm_2_ancestral_RF", ["flow"], {}, 2),
    "dpm++2s-ancestral": ("sample_dpmpp_2s_ancestral", ["exploding"], {}, 2),
    "dpm++2s-ancestral/0.4": ("sample_dpmpp_2s_ancestral", ["exploding"], dict(eta=0.4), 2),
    "dpm++2s-ancestral-rf": ("sample_dpmpp_2s_ancestral_RF", ["flow"], {}, 2),
    "dpm++2s-ancestral-rf/0.4": ("sample_dpmpp_2s_ancestral_RF", ["flow"], dict(eta=0.4), 2),
    "euler-ancestral-rf/0.6": ("sample_euler_ancestral_RF", ["flow"], dict(eta=0.6), 1),
    "kdpm2-ancestral-rf/0.6": ("sample_dpm_2_ancestral_RF", ["flow"], dict(eta=0.6), 2),
    "seeds-2": ("sample_seeds_2", ["exploding", "late"], {}, 2),
    "seeds-2/0.5": ("sample_seeds_2", ["exploding", "late"], dict(eta=0.5), 2),
    "seeds-3": ("sample_seeds_3", ["exploding", "late"], {}, 3),
    "seeds-3/0": ("sample_seeds_3", ["exploding", "late"], dict(eta=0.0), 3),
    **{f"er-sde-{order}": ("sample_er_sde", ["exploding", "late"], dict(max_stage=order), 1) for order in (1, 2, 3)},
    "sa-solver-pece": ("sample_sa_solver_pece", ["exploding", "late"], dict(tau_func=lambda _: 1.0), 2),
    "sa-solver-pece/2": (
        "sample_sa_solver_pece", ["exploding"], dict(tau_func=lambda _: 0.6, predictor_order=2, corrector_order=2), 2),
    "dpm-fast": ("sample_dpm_fast", ["exploding"], {}, 1),
    "res-multistep": ("sample_res_multistep", ["exploding"], {}, 1),
    "dpm++2m-sde": ("sample_dpmpp_2m_sde", ["late"], {}, 1),
    "dpm++3m-sde-k": ("sample_dpmpp_3m_sde", ["late"], {}, 1),
    "ipndm": ("sample_ipndm", ["exploding"], {}, 1),
    "ddpm": ("sample_ddpm", ["exploding"], {}, 1),
    "gradient-estimation": ("sample_gradient_estimation", ["exploding"], {}, 1),
}


# Every name of ComfyUI whose steps are said to be the same here: its function, the processes, and the most calls of a step.
NAMES = {
    "euler": ("sample_euler", ["exploding", "flow"], 1),
    "euler_ancestral": ("sample_euler_ancestral", ["exploding", "flow"], 1),
    "heun": ("sample_heun", ["exploding", "flow"], 2),
    "dpm_2": ("sample_dpm_2", ["exploding", "flow"], 2),
    "dpm_2_ancestral": ("sample_dpm_2_ancestral", ["exploding", "flow"], 2),
    "dpmpp_2s_ancestral": ("sample_dpmpp_2s_ancestral", ["exploding", "flow"], 2),
    "dpmpp_sde": ("sample_dpmpp_sde", ["exploding"], 2),
    "dpmpp_2m": ("sample_dpmpp_2m", ["exploding"], 1),
    "dpmpp_2m_sde": ("sample_dpmpp_2m_sde", ["exploding", "late"], 1),
    "dpmpp_2m_sde_heun": ("sample_dpmpp_2m_sde_heun", ["exploding", "late"], 1),
    "dpmpp_3m_sde": ("sample_dpmpp_3m_sde", ["exploding", "late"], 1),
    "ddpm": ("sample_ddpm", ["exploding"], 1),
    "lcm": ("sample_lcm", ["exploding", "flow"], 1),
    "res_multistep": ("sample_res_multistep", ["exploding"], 1),
    "er_sde": ("sample_er_sde", ["exploding", "late"], 1),
    "seeds_2": ("sample_seeds_2", ["exploding", "late"], 2),
    "seeds_3": ("sample_seeds_3", ["exploding", "late"], 3),
}


def named_runs(sampling, CONST, tensors, torch):
    for name, (function, processes, most) in NAMES.items():
        for process in processes:
            for steps in (2, 5):
                calls = most * (steps - 1) + 1
                kind = types.SimpleNamespace() if process == "exploding" else CONST()
                kind.noise_scaling = lambda sigma, noise, x: x + sigma * noise
                if process != "exploding":
                    kind.noise_scaling = lambda sigma, noise, x: (1 - sigma) * x + sigma * noise
                model = Model(kind, calls, torch)
                sampler = getattr(sampling, function)
                options = {}
                if "noise_sampler" in inspect.signature(sampler).parameters:
                    draw = lambda ago: model.units[calls + len(model.seen) - ago]
                    options["noise_sampler"] = brownian(draw, model.at) if name == "dpmpp_sde" else model.draw
                end = sampler(model, model.units[0], torch.tensor(tensors[f"{process}.{steps}"]), disable=True, **options)
                made = [x.flatten().numpy() for x in [*model.seen[1:], end]]
                tensors[f"name/{name}/{process}/{steps}.run"] = numpy.array(made)


@float64()
def comfyui_runs(checkout):
    import torch

    tensors = {}
    sampling, CONST = load_sampling(pathlib.Path(checkout), torch)
    for steps in (1, 2, 3, 5, 8):
        sigmas = numpy.array([float(sigma) for sigma in spaced("karras", steps, mpf(14.6), mpf(0.03))] + [0.0])
        times = numpy.arange(steps, -1, -1) / steps
        tensors[f"exploding.{steps}"], tensors[f"flow.{steps}"] = sigmas, 3 * times / (1 + 2 * times)
        tensors[f"late.{steps}"] = tensors[f"flow.{steps}"] * 0.98
        for name, (function, processes, options, most) in RUNS.items():
            for process in processes:
                if steps < {"dpm-fast": 2, "sa-solver-pece": 3, "sa-solver-pece/2": 3}.get(name, 1):
                    continue
                points = tensors[f"{process}.{steps}"]
                calls = most * (steps - 1) + 1
                kind = types.SimpleNamespace() if process == "exploding" else CONST()
                model = Model(kind, calls, torch)
                start, given = model.units[0], torch.tensor(points)
                if name == "dpm-fast":
                    model.units = model.units[: 1 + 2 * calls]
                    end = sampling.sample_dpm_fast(model, start, points[-2], points[0], steps - 1, disable=True)
                else:
                    if "noise_sampler" in inspect.signature(getattr(sampling, function)).parameters:
                        options = {**options, "noise_sampler": model.draw}
                    given = given[:-1] if name.startswith("sa-solver") else given
                    end = getattr(sampling, function)(model, start, given, disable=True, **options)
                # Without the 0 no order is lowered, and what is returned is not the last sample.
                isOpen = name.startswith("sa-solver")
                made = [x.flatten().numpy() for x in (model.seen[1:] if isOpen else [*model.seen[1:], end])]
                tensors[f"{name}/{process}/{steps}.run"] = numpy.array(made)
    named_runs(sampling, CONST, tensors, torch)
    return save(tensors)


def forge_grids(checkout):
    tensors = {}
    with Float64Torch() as torch:
        for family in ("stableDiffusion", "stableDiffusionXL"):
            model = types.SimpleNamespace(is_sdxl=family == "stableDiffusionXL")
            known = {"torch": torch, "np": numpy, "shared": types.SimpleNamespace(sd_model=model)}
            taken(pathlib.Path(checkout) / "modules/sd_schedulers.py", ["ays_11_sigmas", "ays_32_sigmas"], known)
            for count in (11, 32):
                for steps in (2, 5, 11, 25, 32):
                    sigmas = known[f"ays_{count}_sigmas"](steps, 0.029, 14.615)
                    tensors[f"ays/{count}/{family}/{steps}"] = sigmas.numpy().copy()
    return save(tensors)


OF_COMFYUI = {"comfyui-grids.safetensors": comfyui_grids, "comfyui-runs.safetensors": comfyui_runs}
OF_FORGE = {"forge-grids.safetensors": forge_grids}
