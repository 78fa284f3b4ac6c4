"""Every array of guided-diffusion's GaussianDiffusion, from a checkout of https://github.com/openai/guided-diffusion at 22e0df8."""

import importlib
import subprocess
import sys
import types

import numpy
from safetensors.numpy import save

COMMIT = "22e0df8183507e13a7813f8d38d51b072ca1e67c"
CASES = [("linear", count, "") for count in (20, 300, 1000, 4000)] + [
    ("cosine", count, "") for count in (10, 300, 1000, 4000)
]
# Respaced: section counts, and DDIM's integer strides.
CASES += [("linear", 1000, "250"), ("linear", 1000, "10,15,20"), ("cosine", 4000, "ddim50"), ("cosine", 1000, "90,60,60,20,20")]
# space_timesteps alone.
SPACINGS = [(300, "10,15,20"), (1000, "ddim25"), (1000, "ddim100"), (4000, "ddim250"), (1001, "ddim11"), (997, "5,0,249,6")]
SPACINGS += [(1000, str(steps)) for steps in range(2, 130)] + [(101, f"{steps},{steps}") for steps in range(2, 51)]
ARRAYS = """betas alphas_cumprod alphas_cumprod_prev alphas_cumprod_next sqrt_alphas_cumprod sqrt_one_minus_alphas_cumprod
log_one_minus_alphas_cumprod sqrt_recip_alphas_cumprod sqrt_recipm1_alphas_cumprod posterior_variance
posterior_log_variance_clipped posterior_mean_coef1 posterior_mean_coef2""".split()


def load(checkout):
    """The package at a path, with stand-ins for what its import needs and these arrays never touch."""
    commit = subprocess.run(
        ["git", "-C", checkout, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    if commit != COMMIT:
        sys.exit(f"{checkout} is guided-diffusion at {commit}; check out {COMMIT}")
    for name in ("mpi4py", "blobfile"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["mpi4py"].MPI = types.ModuleType("MPI")
    sys.path.insert(0, checkout)
    return importlib.import_module("guided_diffusion.gaussian_diffusion"), importlib.import_module("guided_diffusion.respace")


def tables(checkout):
    gaussian, respace = load(checkout)
    tensors = {}
    for schedule, count, spacing in CASES:
        process = respace.SpacedDiffusion(
            use_timesteps=respace.space_timesteps(count, spacing or [count]),
            betas=gaussian.get_named_beta_schedule(schedule, count),
            model_mean_type=gaussian.ModelMeanType.EPSILON,
            model_var_type=gaussian.ModelVarType.FIXED_SMALL,
            loss_type=gaussian.LossType.MSE,
        ) if spacing else gaussian.GaussianDiffusion(
            betas=gaussian.get_named_beta_schedule(schedule, count),
            model_mean_type=gaussian.ModelMeanType.EPSILON,
            model_var_type=gaussian.ModelVarType.FIXED_SMALL,
            loss_type=gaussian.LossType.MSE,
        )
        case = f"{schedule}/{count}" + (f"/{spacing}" if spacing else "")
        for array in ARRAYS:
            tensors[f"{case}.{array}"] = numpy.asarray(getattr(process, array), dtype=numpy.float64)
        if spacing:
            tensors[f"{case}.timestep_map"] = numpy.array(process.timestep_map)
    for count, spacing in SPACINGS:
        tensors[f"space_timesteps/{count}/{spacing}"] = numpy.array(sorted(respace.space_timesteps(count, spacing)))
    return save(tensors)


GUIDED = {"guided-diffusion.safetensors": tables}
