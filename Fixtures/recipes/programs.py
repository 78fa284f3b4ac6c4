"""Grids of programs that people draw pictures with, by their own functions in float64.

`comfyui-grids.safetensors`, from a checkout of ComfyUI at a125cd8 (12 October 2025), whose files are run as they are:

- `discrete/scheduler/N`: the sigmas of a scheduler of `comfy/samplers.py` on the scaled linear schedule with T = 1000, with the 0 at their end.
- `flow-S/scheduler/N`: the times of a scheduler on rectified flow with the shift S and T = 1000.
- `gits/N`, `optimal/family/N`: the sigmas or times of the nodes GITSScheduler (coefficient 1.2) and OptimalStepsScheduler.

`forge-grids.safetensors`, from a checkout of stable-diffusion-webui-forge at dfdcbab:

- `ays/11/family/N`, `ays/32/family/N`: sigmas of Align Your Steps with tables of 11 and 32, with the 0 at their end.
"""

import ast
import math
import pathlib
import types
from functools import partial
from typing import Callable, NamedTuple

import numpy
import scipy.stats
from safetensors.numpy import save

from recipes.plans import Process, float64

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


OF_COMFYUI = {"comfyui-grids.safetensors": comfyui_grids}
OF_FORGE = {"forge-grids.safetensors": forge_grids}
