"""The scheduler_config.json of released models, as published, and what diffusers makes of those that this library reads.

`diffusers-files.json`: for each model its `source`, the `config`, and, where the class is supported, the timesteps and sigmas of 20 steps,
with diffusers' own defaults for keys that the file does not have, and the `text` that diffusers writes to a file again.
"""

import json

HUB = "https://huggingface.co/{}/blob/main/scheduler/scheduler_config.json"
STABLE = {"beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000, "trained_betas": None}
OFFSET = {**STABLE, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1}
XL = {**OFFSET, "clip_sample": False, "interpolation_type": "linear", "prediction_type": "epsilon", "sample_max_value": 1.0}
PIXELS = {
    "beta_end": 0.02, "beta_start": 0.0001, "clip_sample": True, "num_train_timesteps": 1000, "trained_betas": None,
}
FLOW = {"_class_name": "FlowMatchEulerDiscreteScheduler", "base_image_seq_len": 256, "base_shift": 0.5, "max_image_seq_len": 4096,
        "max_shift": 1.15, "num_train_timesteps": 1000}
MODELS = {
    "CompVis/stable-diffusion-v1-4": {
        "_class_name": "PNDMScheduler", "_diffusers_version": "0.7.0.dev0", **OFFSET, "clip_sample": False},
    "stable-diffusion-v1-5/stable-diffusion-v1-5": {
        "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", **OFFSET, "clip_sample": False},
    "stable-diffusion-v1-5/stable-diffusion-inpainting": {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.6.0.dev0", **OFFSET, "clip_sample": False},
    "stabilityai/stable-diffusion-2-1": {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.8.0", **OFFSET, "clip_sample": False, "prediction_type": "v_prediction"},
    "stabilityai/stable-diffusion-2-1-base": {
        "_class_name": "PNDMScheduler", "_diffusers_version": "0.10.0.dev0", **OFFSET, "clip_sample": False, "prediction_type": "epsilon"},
    "stabilityai/stable-diffusion-xl-base-1.0": {
        "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.19.0.dev0", **XL, "timestep_spacing": "leading",
        "use_karras_sigmas": False},
    "stabilityai/sdxl-turbo": {
        "_class_name": "EulerAncestralDiscreteScheduler", "_diffusers_version": "0.24.0.dev0", **XL, "timestep_spacing": "trailing"},
    "stabilityai/stable-video-diffusion-img2vid": {
        "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.24.0.dev0", **OFFSET, "clip_sample": False,
        "interpolation_type": "linear", "prediction_type": "v_prediction", "sigma_max": 700.0, "sigma_min": 0.002,
        "timestep_spacing": "leading", "timestep_type": "continuous", "use_karras_sigmas": True},
    "PixArt-alpha/PixArt-XL-2-1024-MS": {
        "_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.22.0.dev0", "algorithm_type": "dpmsolver++", "beta_end": 0.02,
        "beta_schedule": "linear", "beta_start": 0.0001, "dynamic_thresholding_ratio": 0.995, "euler_at_final": False,
        "lambda_min_clipped": -float("inf"), "lower_order_final": True, "num_train_timesteps": 1000, "prediction_type": "epsilon",
        "sample_max_value": 1.0, "solver_order": 2, "solver_type": "midpoint", "steps_offset": 0, "thresholding": False,
        "timestep_spacing": "linspace", "trained_betas": None, "use_karras_sigmas": False, "use_lu_lambdas": False, "variance_type": None},
    "DeepFloyd/IF-I-XL-v1.0": {
        "_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "dynamic_thresholding_ratio": 0.95,
        "prediction_type": "epsilon", "sample_max_value": 1.5, "thresholding": True, "variance_type": "learned_range"},
    "kandinsky-community/kandinsky-2-2-decoder": {
        "_class_name": "DDIMScheduler", "beta_end": 0.012, "beta_schedule": "linear", "beta_start": 0.00085, "clip_sample": False,
        "num_train_timesteps": 1000, "prediction_type": "epsilon", "set_alpha_to_one": False, "steps_offset": 1, "thresholding": False},
    "facebook/DiT-XL-2-256": {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.12.0.dev0", **PIXELS, "beta_schedule": "linear", "clip_sample": False,
        "prediction_type": "epsilon", "set_alpha_to_one": True, "steps_offset": 0},
    "google/ddpm-celebahq-256": {
        "_class_name": "DDPMScheduler", "_diffusers_version": "0.1.1", **PIXELS, "beta_schedule": "linear", "variance_type": "fixed_small"},
    "CompVis/ldm-celebahq-256": {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.0.4", "beta_end": 0.0195, "beta_schedule": "scaled_linear",
        "beta_start": 0.0015, "clip_sample": False, "num_train_timesteps": 1000, "trained_betas": None},
    "rhymes-ai/Allegro-TI2V": {
        "_class_name": "EulerAncestralDiscreteScheduler", "beta_end": 0.02, "beta_schedule": "linear", "beta_start": 0.0001,
        "num_train_timesteps": 1000, "prediction_type": "epsilon", "rescale_betas_zero_snr": False},
    "stabilityai/stable-diffusion-3-medium-diffusers": {
        "_class_name": "FlowMatchEulerDiscreteScheduler", "_diffusers_version": "0.29.0.dev0", "num_train_timesteps": 1000, "shift": 3.0},
    "black-forest-labs/FLUX.1-dev": {**FLOW, "_diffusers_version": "0.30.0.dev0", "shift": 3.0, "use_dynamic_shifting": True},
    "Tongyi-MAI/Z-Image-Turbo": {
        "_class_name": "FlowMatchEulerDiscreteScheduler", "_diffusers_version": "0.36.0.dev0", "num_train_timesteps": 1000, "shift": 3.0,
        "use_dynamic_shifting": False},
}
# Where the values are given elsewhere than in the model's own file.
SOURCES = {
    "google/ddpm-celebahq-256": "https://huggingface.co/google/ddpm-celebahq-256/blob/main/scheduler_config.json",
    "DeepFloyd/IF-I-XL-v1.0": "https://github.com/huggingface/diffusers/blob/main/scripts/convert_if.py",
    "kandinsky-community/kandinsky-2-2-decoder":
        "https://github.com/huggingface/diffusers/blob/main/tests/pipelines/kandinsky2_2/test_kandinsky.py",
}
UNSUPPORTED = ()
# mu of Flux for a picture of 1024 by 1024 pixels.
MU = 1.15


def files():
    import diffusers

    made = []
    for model, config in MODELS.items():
        entry = {"model": model, "source": SOURCES.get(model, HUB.format(model)), "config": config}
        if config["_class_name"] not in UNSUPPORTED:
            scheduler = getattr(diffusers, config["_class_name"]).from_config(config)
            scheduler.set_timesteps(20, **({"mu": MU} if config.get("use_dynamic_shifting") else {}))
            entry["text"] = scheduler.to_json_string()
            entry["timesteps"] = scheduler.timesteps.tolist()
            if hasattr(scheduler, "sigmas"):
                entry["sigmas"] = scheduler.sigmas.tolist()
        made.append(entry)
    return "[\n" + ",\n".join(json.dumps(entry) for entry in made) + "\n]\n"


FILES = {"diffusers-files.json": files}
