"""Which configurations diffusers runs: options at random, with few steps and many, short processes and long ones, and betas that end at 0.08.

`diffusers-limits.json` has for each a configuration, a number of steps, arguments, and `outcome`: "runs", "NaN" where a sample is not finite, or the
name of the exception that diffusers ends with; `rounded` is the same where torch's functions round correctly, as in `configurations.py`, and
`outcome` with those of AMD's processors. The network answers with numbers at random, a learned variance with positive ones.
"""

import json
import random
import warnings

import numpy

from recipes import classes
from recipes.configurations import CLASSES, rounded_functions

CASES_PER_CLASS = 24
# What is known to be near a limit.
LISTED = [
    ("EDMDPMSolverMultistepScheduler", {"final_sigmas_type": "sigma_min", **options}, steps, {})
    for steps in (2, 10, 20) for options in (
        {"sigma_schedule": "exponential", "solver_type": "heun"}, {"sigma_schedule": "exponential", "solver_order": 3},
        {"rho": 1.5, "algorithm_type": "sde-dpmsolver++"}, {"rho": 1.5}, {"solver_order": 3, "lower_order_final": False},
        {"sigma_schedule": "exponential", "algorithm_type": "sde-dpmsolver++"})] + [
    ("DDIMScheduler", {
        "rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": prediction, "clip_sample": False}, 10,
     {"eta": eta}) for prediction in ("sample", "v_prediction", "epsilon") for eta in (0.0, 0.5, 1.0)] + [
    ("DDPMScheduler", {"variance_type": kind}, 5, {}) for kind in ("learned", "learned_range", "fixed_large_log")] + [
    ("DDPMScheduler", {"thresholding": True, "sample_max_value": value}, 5, {}) for value in (0.5, 1.0, 3.0)] + [
    ("UniPCMultistepScheduler", {
        "use_flow_sigmas": True, "use_dynamic_shifting": True, "time_shift_type": kind, "prediction_type": "flow_prediction"}, 5,
     {"mu": 1.5}) for kind in ("linear", "exponential")] + [
    ("DPMSolverMultistepScheduler", {
        "use_flow_sigmas": True, "use_dynamic_shifting": True, "time_shift_type": "linear", "prediction_type": "flow_prediction"}, 5,
     arguments) for arguments in ({}, {"mu": 1.5})] + [
    (name, {"use_beta_sigmas": True, "beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 4000}, steps, {})
    for name in ("KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler") for steps in (20, 150, 300)] + [
    # The last step goes nowhere, for which a Brownian path has no noise, unless it is the first.
    ("CosineDPMSolverMultistepScheduler", {"final_sigmas_type": "sigma_min", **options}, steps, {})
    for options, steps in (
        ({"sigma_min": 0.5}, 7), ({"sigma_min": 0.02}, 6), ({"sigma_min": 0.127, "sigma_schedule": "karras"}, 8),
        ({"sigma_schedule": "karras"}, 1))]


def outcome(name, config, steps, arguments):
    import importlib
    import sys

    import torch

    generator = torch.Generator().manual_seed(1)
    shape = (1, 2, 2, 2)
    settings = {key: value for key, value in arguments.items() if key in classes.SETTINGS}
    arguments = {key: value for key, value in arguments.items() if key not in classes.SETTINGS}
    draw = lambda shape=shape, **_: torch.randn(shape, generator=generator)
    try:
        scheduler = classes.runner(name)(**config)
        scheduler.set_timesteps(steps, **settings)
        module = sys.modules[type(scheduler).__module__]
        module.randn_tensor = draw
        classes.randn_tensor = draw
        scheduler.noise_sampler = lambda *_: draw()
        if name == "CosineDPMSolverMultistepScheduler" and config.get("final_sigmas_type") == "sigma_min":
            # Its own noise, of which other recipes leave something else in torchsde's place.
            scheduler.noise_sampler = None
            sys.modules[classes.BROWNIAN["DPMSolverSDEScheduler"]].torchsde = importlib.import_module("torchsde")
            torch.manual_seed(1)
        learned = str(config.get("variance_type")).startswith("learned") and name in ("DDPMScheduler", "UnCLIPScheduler")
        x = draw() * float(getattr(scheduler, "init_noise_sigma", 1))
        for timestep in classes.told(scheduler):
            if hasattr(scheduler, "scale_model_input"):
                scheduler.scale_model_input(x, timestep)
            answer = torch.cat([draw(), draw().abs().clamp(max=1)], dim=1) if learned else draw()
            x = scheduler.step(answer, timestep, x, **arguments).prev_sample
            if not torch.isfinite(x).all():
                return "NaN"
    except Exception as error:
        return type(error).__name__
    return "runs"


def limits():
    from traces import make_traces

    warnings.filterwarnings("ignore")
    chooser = random.Random(15)
    cases = list(LISTED)
    for name in CLASSES:
        for turn in range(CASES_PER_CLASS):
            options = make_traces.diffusers_options(chooser, name)
            fixed = make_traces.wide(chooser, name, turn % 6) if turn % 2 else {"inference_steps": chooser.randint(1, 12)}
            steps = fixed.pop("inference_steps")
            options.pop("trained_betas", None)
            config = {**options, **fixed}
            if str(config.get("variance_type")).startswith("learned") and name != "DDPMScheduler":
                # That DPM-Solver cuts three channels off is not a matter of numbers.
                del config["variance_type"]
            cases.append((name, config, steps, make_traces.step_arguments(chooser, name, config)))
    rows = []
    for name, config, steps, arguments in cases:
        with numpy.errstate(all="ignore"):
            made = outcome(name, dict(config), steps, arguments)
            with rounded_functions():
                rounded = outcome(name, dict(config), steps, arguments)
        config = {"_class_name": name, **config}
        rows.append({"config": config, "steps": steps, "arguments": arguments, "outcome": made, "rounded": rounded})
    return "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n"


FILES = {"diffusers-limits.json": limits}
