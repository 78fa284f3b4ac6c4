"""The scheduler_config.json of released models, and the runs that the models' own pipelines ask for.

`diffusers-files.json`: for each model its `year`, the `source` of its values with the `date` of that, and their `kind`:
the model's own `file`, a `copy` of it, what a `program` has for the model, the `script` that made the model for
diffusers, diffusers' `documentation`, or the `tests` of the pipeline. `config` is what the source says, with diffusers'
own defaults for keys that it does not have. Of a file or its copy, `text` is what diffusers writes to a file again.
`steps` and `arguments` are what the `pipeline` gives to `set_timesteps`, and how much of the run it makes: the defaults
of its `__call__` for a picture of the usual size, or what the documentation of a distilled model says.

`released-runs.safetensors`: `model/tensor` are the tensors of a trace of that run, and the `sigmas` that diffusers has.
The network is a fixed smooth function. Long runs have few elements.
"""

import ast
import json

from recipes import pipelines
from recipes import pipeline_times as times
from recipes.shifts import parsed

HUB = "https://huggingface.co/{}/blob/main/scheduler/scheduler_config.json"
SOURCE_TREE = "https://github.com/huggingface/diffusers/blob/58eb52c0803ea9af3abec60841c2a093bdf1f951/"
FORGE = ("https://github.com/lllyasviel/stable-diffusion-webui-forge/blob/dfdcbab685e57677014f05a3309b48cc87383167/backend/huggingface/{}/"
         "scheduler/scheduler_config.json")
TOOLKIT = "https://github.com/ostris/ai-toolkit/blob/27a03a91f23eb1b757d5ec2e80ee3e129cfcc350/"
# When the files of the hub were read. Elsewhere a date is that of the last change at the source, or when it was read.
READ = "2026-11-22"

STABLE = {"beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000, "trained_betas": None}
OFFSET = {**STABLE, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1}
XL = {**OFFSET, "clip_sample": False, "interpolation_type": "linear", "prediction_type": "epsilon", "sample_max_value": 1.0}
XL_EULER = {"_class_name": "EulerDiscreteScheduler", **XL, "timestep_spacing": "leading", "use_karras_sigmas": False}
PIXELS = {
    "beta_end": 0.02, "beta_start": 0.0001, "clip_sample": True, "num_train_timesteps": 1000, "trained_betas": None,
}
CLASS = {"_class_name": "FlowMatchEulerDiscreteScheduler"}
SIZES = {"base_image_seq_len": 256, "base_shift": 0.5, "max_image_seq_len": 4096, "max_shift": 1.15}
FLOW = {**CLASS, **SIZES, "num_train_timesteps": 1000}
NO_SPACING = {"use_beta_sigmas": False, "use_exponential_sigmas": False, "use_karras_sigmas": False}
# What diffusers 0.34 and later write.
WHOLE_FLOW = {**FLOW, "invert_sigmas": False, "shift_terminal": None, "stochastic_sampling": False, "time_shift_type": "exponential",
              **NO_SPACING}
LTX = {**CLASS, "base_image_seq_len": 1024, "base_shift": 0.95, "max_image_seq_len": 4096, "max_shift": 2.05}
WAN = {
    "_class_name": "UniPCMultistepScheduler", "beta_end": 0.02, "beta_schedule": "linear", "beta_start": 0.0001, "disable_corrector": [],
    "dynamic_thresholding_ratio": 0.995, "final_sigmas_type": "zero", "lower_order_final": True, "num_train_timesteps": 1000,
    "predict_x0": True, "prediction_type": "flow_prediction", "rescale_betas_zero_snr": False, "sample_max_value": 1.0, "solver_order": 2,
    "solver_p": None, "solver_type": "bh2", "steps_offset": 0, "thresholding": False, "timestep_spacing": "linspace", "trained_betas": None,
    "use_beta_sigmas": False, "use_exponential_sigmas": False, "use_flow_sigmas": True, "use_karras_sigmas": False}
UNIPC_FLOW = {
    "_class_name": "UniPCMultistepScheduler", "prediction_type": "flow_prediction", "use_flow_sigmas": True, "num_train_timesteps": 1000}
COSMOS = {"_class_name": "UniPCMultistepScheduler", "use_karras_sigmas": True, "use_flow_sigmas": True,
          "prediction_type": "flow_prediction", "sigma_max": 200.0, "sigma_min": 0.01}
AUDIO = {"_class_name": "DDIMScheduler", "beta_end": 0.0195, "beta_schedule": "scaled_linear", "beta_start": 0.0015,
         "num_train_timesteps": 1000, "steps_offset": 1, "clip_sample": False, "set_alpha_to_one": False, "prediction_type": "epsilon"}
DPM = {"_class_name": "DPMSolverMultistepScheduler"}
CONSISTENCY = {"_class_name": "CMStochasticIterativeScheduler", "sigma_min": 0.002, "sigma_max": 80.0}
LOG_3 = 1.0986122886681098


def default(module, name="num_inference_steps"):
    """The default of an argument of a pipeline's call."""
    call = next(node for statement in parsed(module) for node in ast.walk(statement)
                if isinstance(node, ast.FunctionDef) and node.name == "__call__")
    named, values = call.args.args, call.args.defaults
    return next(ast.literal_eval(value) for argument, value in zip(named[-len(values):], values) if argument.arg == name)


def shifted(tokens, **constants):
    """Equal sigmas, and mu of the picture's tokens."""
    return lambda steps, config: {**times.to_share(steps), "mu": times.mu(tokens, config, **constants)}


def of_steps(make):
    return lambda steps, config: make(steps)


def of_tokens(make, tokens):
    return lambda steps, config: make(steps, tokens)


def given(**arguments):
    return lambda steps, config: arguments


def z_image(steps, config):
    return {**times.z_image(steps), "mu": times.mu(4096, config)}


def kind(name, place):
    """Rows of one kind of source, at an address that may hold the model's name or a path."""

    def row(model, year, pipeline, config, date=READ, at="", steps=None, arguments=given()):
        source = place.format(model) + at
        return {"model": model, "year": year, "source": source, "date": date, "kind": name, "config": config}, pipeline, steps, arguments

    return row


hub, forge, copy, toolkit = kind("file", HUB), kind("copy", FORGE), kind("copy", ""), kind("program", TOOLKIT)
script, documentation, tests, example = (
    kind(name, SOURCE_TREE + place) for name, place in (
        ("script", "scripts/"), ("documentation", "docs/source/en/api/pipelines/"), ("tests", "tests/pipelines/"),
        ("documentation", "src/diffusers/pipelines/")))
STABLE_DIFFUSION = "stable_diffusion/pipeline_stable_diffusion"
STABLE_XL = "stable_diffusion_xl/pipeline_stable_diffusion_xl"
FLUX = "flux/pipeline_flux"
MODELS = [
    hub("CompVis/stable-diffusion-v1-4", 2022, STABLE_DIFFUSION, {
        "_class_name": "PNDMScheduler", "_diffusers_version": "0.7.0.dev0", **OFFSET, "clip_sample": False}),
    hub("stable-diffusion-v1-5/stable-diffusion-v1-5", 2022, STABLE_DIFFUSION, {
        "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", **OFFSET, "clip_sample": False}),
    hub("stable-diffusion-v1-5/stable-diffusion-inpainting", 2022, STABLE_DIFFUSION + "_inpaint", {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.6.0.dev0", **OFFSET, "clip_sample": False},
        arguments=given(strength=1.0)),
    copy("lambdalabs/sd-image-variations-diffusers", 2022, STABLE_DIFFUSION + "_image_variation", {
        "_class_name": "PNDMScheduler", "_diffusers_version": "0.4.0.dev0", **STABLE, "skip_prk_steps": True},
        "2026-11-30", "https://github.com/yuanqi99/sd-image-variations-diffusers/blob/"
        "273115e88df42350019ef4d628265b8c29ef4af5/scheduler/scheduler_config.json"),
    hub("stabilityai/stable-diffusion-2-1", 2022, STABLE_DIFFUSION, {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.8.0", **OFFSET, "clip_sample": False, "prediction_type": "v_prediction"}),
    hub("stabilityai/stable-diffusion-2-1-base", 2022, STABLE_DIFFUSION, {
        "_class_name": "PNDMScheduler", "_diffusers_version": "0.10.0.dev0", **OFFSET, "clip_sample": False, "prediction_type": "epsilon"}),
    forge("stabilityai/stable-diffusion-2-inpainting", 2022, STABLE_DIFFUSION + "_inpaint", {
        "_class_name": "PNDMScheduler", "_diffusers_version": "0.8.0", **OFFSET, "clip_sample": False}, "2024-07-30",
        arguments=given(strength=1.0)),
    forge("stabilityai/stable-diffusion-x4-upscaler", 2022, STABLE_DIFFUSION + "_upscale", {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.9.0.dev0", **OFFSET, "beta_end": 0.02, "beta_start": 0.0001,
        "clip_sample": False, "prediction_type": "v_prediction"}, "2024-07-30"),
    hub("facebook/DiT-XL-2-256", 2022, "dit/pipeline_dit", {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.12.0.dev0", **PIXELS, "beta_schedule": "linear", "clip_sample": False,
        "prediction_type": "epsilon", "set_alpha_to_one": True, "steps_offset": 0}),
    kind("file", "https://huggingface.co/{}/blob/main/scheduler_config.json")(
        "google/ddpm-celebahq-256", 2022, "ddpm/pipeline_ddpm", {
            "_class_name": "DDPMScheduler", "_diffusers_version": "0.1.1", **PIXELS, "beta_schedule": "linear",
            "variance_type": "fixed_small"}),
    hub("CompVis/ldm-celebahq-256", 2022, "deprecated/latent_diffusion_uncond/pipeline_latent_diffusion_uncond", {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.0.4", "beta_end": 0.0195, "beta_schedule": "scaled_linear",
        "beta_start": 0.0015, "clip_sample": False, "num_train_timesteps": 1000, "trained_betas": None}),
    script("harmonai/maestro-150k", 2022, "deprecated/dance_diffusion/pipeline_dance_diffusion", {
        "_class_name": "IPNDMScheduler", "num_train_timesteps": 100}, "2025-04-09", "convert_dance_diffusion_to_diffusers.py"),
    script("google/music-spectrogram-diffusion", 2022, "deprecated/spectrogram_diffusion/pipeline_spectrogram_diffusion", {
        "_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "variance_type": "fixed_large"},
        "2024-05-10", "convert_music_spectrogram_to_diffusers.py"),

    hub("stabilityai/stable-diffusion-xl-base-1.0", 2023, STABLE_XL, {**XL_EULER, "_diffusers_version": "0.19.0.dev0"}),
    forge("stabilityai/stable-diffusion-xl-refiner-1.0", 2023, STABLE_XL + "_img2img", {
        **XL_EULER, "_diffusers_version": "0.19.0.dev0"}, "2024-07-30", arguments=given(strength=0.3, begin_index=True)),
    forge("diffusers/stable-diffusion-xl-1.0-inpainting-0.1", 2023, STABLE_XL + "_inpaint", {
        **XL_EULER, "_diffusers_version": "0.21.0.dev0"}, "2024-07-30", arguments=given(strength=0.9999, begin_index=True)),
    hub("stabilityai/sdxl-turbo", 2023, STABLE_XL, {
        "_class_name": "EulerAncestralDiscreteScheduler", "_diffusers_version": "0.24.0.dev0", **XL, "timestep_spacing": "trailing"},
        steps=1),
    hub("stabilityai/stable-video-diffusion-img2vid", 2023, "stable_video_diffusion/pipeline_stable_video_diffusion", {
        "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.24.0.dev0", **OFFSET, "clip_sample": False,
        "interpolation_type": "linear", "prediction_type": "v_prediction", "sigma_max": 700.0, "sigma_min": 0.002,
        "timestep_spacing": "leading", "timestep_type": "continuous", "use_karras_sigmas": True}),
    hub("PixArt-alpha/PixArt-XL-2-1024-MS", 2023, "pixart_alpha/pipeline_pixart_alpha", {
        **DPM, "_diffusers_version": "0.22.0.dev0", "algorithm_type": "dpmsolver++", "beta_end": 0.02,
        "beta_schedule": "linear", "beta_start": 0.0001, "dynamic_thresholding_ratio": 0.995, "euler_at_final": False,
        "lambda_min_clipped": -float("inf"), "lower_order_final": True, "num_train_timesteps": 1000, "prediction_type": "epsilon",
        "sample_max_value": 1.0, "solver_order": 2, "solver_type": "midpoint", "steps_offset": 0, "thresholding": False,
        "timestep_spacing": "linspace", "trained_betas": None, "use_karras_sigmas": False, "use_lu_lambdas": False, "variance_type": None}),
    script("DeepFloyd/IF-I-XL-v1.0", 2023, "deepfloyd_if/pipeline_if", {
        "_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "dynamic_thresholding_ratio": 0.95,
        "prediction_type": "epsilon", "sample_max_value": 1.5, "thresholding": True, "variance_type": "learned_range"},
        "2024-03-18", "convert_if.py"),
    script("DeepFloyd/IF-II-L-v1.0", 2023, "deepfloyd_if/pipeline_if_superresolution", {
        "_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "dynamic_thresholding_ratio": 0.95,
        "prediction_type": "epsilon", "sample_max_value": 1.0, "thresholding": True, "variance_type": "learned_range"},
        "2024-03-18", "convert_if.py"),
    tests("kandinsky-community/kandinsky-2-2-decoder", 2023, "kandinsky2_2/pipeline_kandinsky2_2", {
        "_class_name": "DDIMScheduler", "beta_end": 0.012, "beta_schedule": "linear", "beta_start": 0.00085, "clip_sample": False,
        "num_train_timesteps": 1000, "prediction_type": "epsilon", "set_alpha_to_one": False, "steps_offset": 1, "thresholding": False},
        "2026-07-08", "kandinsky2_2/test_kandinsky.py"),
    tests("kandinsky-community/kandinsky-2-2-prior", 2023, "kandinsky2_2/pipeline_kandinsky2_2_prior", {
        "_class_name": "UnCLIPScheduler", "variance_type": "fixed_small_log", "prediction_type": "sample", "num_train_timesteps": 1000,
        "clip_sample": True, "clip_sample_range": 10.0}, "2026-07-16", "kandinsky2_2/test_kandinsky_prior.py"),
    tests("kandinsky-community/kandinsky-3", 2023, "kandinsky3/pipeline_kandinsky3", {
        "_class_name": "DDPMScheduler", "beta_end": 0.012, "beta_schedule": "squaredcos_cap_v2", "beta_start": 0.00085,
        "clip_sample": True, "steps_offset": 1, "thresholding": False}, "2026-07-08", "kandinsky3/test_kandinsky3.py"),
    tests("openai/shap-e", 2023, "shap_e/pipeline_shap_e", {
        "_class_name": "HeunDiscreteScheduler", "beta_schedule": "exp", "num_train_timesteps": 1024, "prediction_type": "sample",
        "use_karras_sigmas": True, "clip_sample": True, "clip_sample_range": 1.0}, "2026-07-08", "shap_e/test_shap_e.py"),
    script("openai/diffusers-cd_imagenet64_l2", 2023, "consistency_models/pipeline_consistency_models", {
        **CONSISTENCY, "num_train_timesteps": 40}, "2025-04-09", "convert_consistency_to_diffusers.py", 2,
        given(timesteps=[22, 0])),
    script("openai/diffusers-cd_bedroom256_lpips", 2023, "consistency_models/pipeline_consistency_models", {
        **CONSISTENCY, "num_train_timesteps": 40}, "2025-04-09", "convert_consistency_to_diffusers.py", 2,
        given(timesteps=[17, 0])),
    script("openai/diffusers-ct_imagenet64", 2023, "consistency_models/pipeline_consistency_models", {
        **CONSISTENCY, "num_train_timesteps": 201}, "2025-04-09", "convert_consistency_to_diffusers.py"),
    tests("SimianLuo/LCM_Dreamshaper_v7", 2023, "latent_consistency_models/pipeline_latent_consistency_text2img", {
        "_class_name": "LCMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False,
        "set_alpha_to_one": False}, "2026-07-07", "latent_consistency_models/test_latent_consistency_models.py"),
    documentation("latent-consistency/lcm-sdxl", 2023, STABLE_XL, {**XL_EULER, "_class_name": "LCMScheduler"},
                  "2026-07-29", "latent_consistency_models.md", 4),
    documentation("guoyww/animatediff-motion-adapter-v1-5-2", 2023, "animatediff/pipeline_animatediff", {
        "_class_name": "DDIMScheduler", **OFFSET, "clip_sample": False, "timestep_spacing": "linspace", "beta_schedule": "linear"},
        "2026-08-20", "animatediff.md"),
    script("cvssp/audioldm", 2023, "deprecated/audioldm/pipeline_audioldm", AUDIO, "2025-04-09",
           "convert_original_audioldm_to_diffusers.py"),
    script("cvssp/audioldm2", 2023, "audioldm2/pipeline_audioldm2", AUDIO, "2025-04-09",
           "convert_original_audioldm2_to_diffusers.py"),
    script("ali-vilab/i2vgen-xl", 2023, "deprecated/i2vgen_xl/pipeline_i2vgen_xl", {
        "_class_name": "DDIMScheduler", "beta_schedule": "squaredcos_cap_v2", "rescale_betas_zero_snr": True, "set_alpha_to_one": True,
        "clip_sample": False, "steps_offset": 1, "timestep_spacing": "leading", "prediction_type": "v_prediction"},
        "2025-01-20", "convert_i2vgen_to_diffusers.py"),
    script("thu-ml/unidiffuser-v1", 2023, "deprecated/unidiffuser/pipeline_unidiffuser", {
        **DPM, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "solver_order": 3},
        "2023-10-02", "convert_unidiffuser_to_diffusers.py"),

    forge("playgroundai/playground-v2.5-1024px-aesthetic", 2024, STABLE_XL, {
        "_class_name": "EDMDPMSolverMultistepScheduler", "_diffusers_version": "0.27.0.dev0", "algorithm_type": "dpmsolver++",
        "dynamic_thresholding_ratio": 0.995, "euler_at_final": False, "final_sigmas_type": "zero", "lower_order_final": True,
        "num_train_timesteps": 1000, "prediction_type": "epsilon", "rho": 7.0, "sample_max_value": 1.0, "sigma_data": 0.5,
        "sigma_max": 80.0, "sigma_min": 0.002, "solver_order": 2, "solver_type": "midpoint", "thresholding": False}, "2024-07-30"),
    forge("Kwai-Kolors/Kolors", 2024, "kolors/pipeline_kolors", {
        **XL_EULER, "_diffusers_version": "0.18.0.dev0", "beta_end": 0.014, "clip_sample_range": 1.0, "dynamic_thresholding_ratio": 0.995,
        "num_train_timesteps": 1100, "rescale_betas_zero_snr": False, "thresholding": False}, "2024-07-30"),
    forge("Tencent-Hunyuan/HunyuanDiT-Diffusers", 2024, "hunyuandit/pipeline_hunyuandit", {
        "_class_name": "DDPMScheduler", "_diffusers_version": "0.29.0.dev0", **OFFSET, "beta_end": 0.03, "clip_sample": False,
        "clip_sample_range": 1.0, "dynamic_thresholding_ratio": 0.995, "prediction_type": "v_prediction", "rescale_betas_zero_snr": False,
        "sample_max_value": 1.0, "thresholding": False, "timestep_spacing": "leading", "variance_type": "fixed_small"}, "2024-07-30"),
    script("PixArt-alpha/PixArt-Sigma-XL-2-1024-MS", 2024, "pixart_alpha/pipeline_pixart_sigma", DPM, "2024-04-23",
           "convert_pixart_sigma_to_diffusers.py"),
    script("stabilityai/stable-cascade-prior", 2024, "stable_cascade/pipeline_stable_cascade_prior", {
        "_class_name": "DDPMWuerstchenScheduler"}, "2025-11-10", "convert_stable_cascade.py"),
    script("stabilityai/stable-audio-open-1.0", 2024, "stable_audio/pipeline_stable_audio", {
        "_class_name": "CosineDPMSolverMultistepScheduler", "sigma_min": 0.3, "sigma_max": 500, "solver_order": 2,
        "prediction_type": "v_prediction", "sigma_data": 1.0, "sigma_schedule": "exponential"}, "2025-11-10",
        "convert_stable_audio.py"),
    script("THUDM/CogVideoX-2b", 2024, "cogvideo/pipeline_cogvideox", {
        "_class_name": "CogVideoXDDIMScheduler", "snr_shift_scale": 3.0, "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "beta_start": 0.00085, "clip_sample": False, "num_train_timesteps": 1000, "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True, "set_alpha_to_one": True, "timestep_spacing": "trailing"}, "2026-02-13",
        "convert_cogvideox_to_diffusers.py"),
    script("Alpha-VLLM/Lumina-Next-SFT-diffusers", 2024, "lumina/pipeline_lumina", CLASS, "2025-03-13",
           "convert_lumina_to_diffusers.py"),
    documentation("wangfuyun/AnimateLCM", 2024, "animatediff/pipeline_animatediff", {
        "_class_name": "LCMScheduler", **OFFSET, "beta_schedule": "linear", "clip_sample": False}, "2026-08-20", "animatediff.md", 6),
    script("ucsd-reach/musicldm", 2024, "deprecated/musicldm/pipeline_musicldm", AUDIO, "2025-04-09",
           "convert_original_musicldm_to_diffusers.py"),
    hub("rhymes-ai/Allegro-TI2V", 2024, "allegro/pipeline_allegro", {
        "_class_name": "EulerAncestralDiscreteScheduler", "beta_end": 0.02, "beta_schedule": "linear", "beta_start": 0.0001,
        "num_train_timesteps": 1000, "prediction_type": "epsilon", "rescale_betas_zero_snr": False}),
    hub("stabilityai/stable-diffusion-3-medium-diffusers", 2024, "stable_diffusion_3/pipeline_stable_diffusion_3", {
        **CLASS, "_diffusers_version": "0.29.0.dev0", "num_train_timesteps": 1000, "shift": 3.0}),
    copy("stabilityai/stable-diffusion-3.5-large", 2024, "stable_diffusion_3/pipeline_stable_diffusion_3", {
        **CLASS, "_diffusers_version": "0.29.0.dev0", "num_train_timesteps": 1000, "shift": 3.0}, "2024-10-25",
        FORGE.format("stabilityai/stable-diffusion-3.5-large").replace(
            "dfdcbab685e57677014f05a3309b48cc87383167", "1363999fb1659586f0276ed63824a1def158ac86")),
    hub("black-forest-labs/FLUX.1-dev", 2024, FLUX, {
        **FLOW, "_diffusers_version": "0.30.0.dev0", "shift": 3.0, "use_dynamic_shifting": True}, arguments=shifted(4096)),
    forge("black-forest-labs/FLUX.1-schnell", 2024, FLUX, {
        **FLOW, "_diffusers_version": "0.30.0.dev0", "shift": 1.0, "use_dynamic_shifting": False}, "2024-08-11", steps=4,
        arguments=shifted(4096)),
    script("genmo/mochi-1-preview", 2024, "mochi/pipeline_mochi", {**CLASS, "invert_sigmas": True}, "2025-04-09",
           "convert_mochi_to_diffusers.py", arguments=of_steps(times.mochi)),
    script("Lightricks/LTX-Video", 2024, "ltx/pipeline_ltx", {**LTX, "use_dynamic_shifting": True, "shift_terminal": 0.1},
           "2026-02-13", "convert_ltx_to_diffusers.py", arguments=shifted(21 * 16 * 22)),
    script("hunyuanvideo-community/HunyuanVideo", 2024, "hunyuan_video/pipeline_hunyuan_video", {**CLASS, "shift": 7.0},
           "2026-02-13", "convert_hunyuan_video_to_diffusers.py", arguments=of_steps(times.to_zero)),
    script("Efficient-Large-Model/Sana_1600M_1024px_diffusers", 2024, "sana/pipeline_sana", {
        **DPM, "flow_shift": 3.0, "use_flow_sigmas": True, "prediction_type": "flow_prediction"}, "2025-11-10",
        "convert_sana_to_diffusers.py"),
    script("nvidia/Cosmos-1.0-Diffusion-7B-Text2World", 2025, "cosmos/pipeline_cosmos_text2world", {
        "_class_name": "EDMEulerScheduler", "sigma_min": 0.002, "sigma_max": 80, "sigma_data": 0.5, "sigma_schedule": "karras",
        "num_train_timesteps": 1000, "prediction_type": "epsilon", "rho": 7.0, "final_sigmas_type": "sigma_min"},
        "2026-02-25", "convert_cosmos_to_diffusers.py"),
    script("Shitao/OmniGen-v1-diffusers", 2025, "omnigen/pipeline_omnigen", {**CLASS, "invert_sigmas": True, "num_train_timesteps": 1},
           "2025-02-12", "convert_omnigen_to_diffusers.py", arguments=of_steps(times.to_zero)),

    script("Efficient-Large-Model/Sana_1600M_4Kpx_BF16_diffusers", 2025, "sana/pipeline_sana", {
        **DPM, "flow_shift": 6.0, "use_flow_sigmas": True, "prediction_type": "flow_prediction"}, "2025-11-10",
        "convert_sana_to_diffusers.py"),
    toolkit("Alpha-VLLM/Lumina-Image-2.0", 2025, "lumina2/pipeline_lumina2", {
        **FLOW, "_diffusers_version": "0.33.0.dev0", "invert_sigmas": False, "shift": 6.0, "shift_terminal": None,
        "use_dynamic_shifting": False, **NO_SPACING}, "2026-07-27", "toolkit/sampler.py", arguments=shifted(16)),
    toolkit("THUDM/CogView4-6B", 2025, "cogview4/pipeline_cogview4", {
        **CLASS, "base_image_seq_len": 256, "base_shift": 0.25, "invert_sigmas": False, "max_image_seq_len": 4096, "max_shift": 0.75,
        "num_train_timesteps": 1000, "shift": 1.0, "shift_terminal": None, "time_shift_type": "linear", "use_dynamic_shifting": True,
        **NO_SPACING}, "2025-03-27", "toolkit/models/cogview4.py", arguments=of_tokens(times.cogview4, 4096)),
    toolkit("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", 2025, "wan/pipeline_wan", {
        **WAN, "_diffusers_version": "0.33.0.dev0", "flow_shift": 3.0}, "2026-07-10", "toolkit/models/wan21/wan21.py"),
    example("Wan-AI/Wan2.1-T2V-14B-Diffusers", 2025, "wan/pipeline_wan", {**UNIPC_FLOW, "flow_shift": 5.0}, "2026-05-21",
            "wan/pipeline_wan.py"),
    script("Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers", 2025, "wan/pipeline_wan_i2v", {**UNIPC_FLOW, "flow_shift": 16.0}, "2026-02-13",
           "convert_wan_to_diffusers.py"),
    toolkit("HiDream-ai/HiDream-I1-Full", 2025, "hidream_image/pipeline_hidream_image", {
        **CLASS, "num_train_timesteps": 1000, "shift": 3.0}, "2025-07-27",
        "extensions_built_in/diffusion_models/hidream/hidream_model.py", arguments=given(mu=times.mu(4096, {}))),
    documentation("Skywork/SkyReels-V2-T2V-14B-540P-Diffusers", 2025, "skyreels_v2/pipeline_skyreels_v2", {
        **UNIPC_FLOW, "flow_shift": 8.0}, "2026-07-29", "skyreels_v2.md"),
    documentation("Lightricks/LTX-Video-0.9.7-distilled", 2025, "ltx/pipeline_ltx_condition", {
        **CLASS, "use_dynamic_shifting": False}, "2026-07-29", "ltx_video.md", 8,
        given(timesteps=[1000, 993, 987, 981, 975, 909, 725, 0.03])),
    script("Lightricks/LTX-Video-0.9.7-dev", 2025, "ltx/pipeline_ltx_condition", {**CLASS, "use_dynamic_shifting": False},
           "2026-02-13", "convert_ltx_to_diffusers.py", arguments=of_steps(times.ltx_condition)),
    # With what the constructor of the pipeline adds to it.
    script("nvidia/Cosmos-Predict2-2B-Text2Image", 2025, "cosmos/pipeline_cosmos2_text2image", {
        **CLASS, "use_karras_sigmas": True, "sigma_max": 80.0, "sigma_min": 0.002, "sigma_data": 1.0, "final_sigmas_type": "sigma_min"},
        "2026-02-25", "convert_cosmos_to_diffusers.py", arguments=of_steps(times.rising)),
    script("nvidia/Cosmos-Predict2.5-2B", 2025, "cosmos/pipeline_cosmos2_5_predict", COSMOS, "2026-02-25",
           "convert_cosmos_to_diffusers.py"),
    toolkit("black-forest-labs/FLUX.1-Kontext-dev", 2025, "flux/pipeline_flux_kontext", {
        **FLOW, "shift": 3.0, "use_dynamic_shifting": True}, "2025-07-18",
        "extensions_built_in/diffusion_models/flux_kontext/flux_kontext.py", arguments=shifted(4096)),
    copy("briaai/BRIA-3.2", 2025, "bria/pipeline_bria", {
        **FLOW, "_diffusers_version": "0.33.1", "invert_sigmas": False, "shift": 3.0, "shift_terminal": None,
        "time_shift_type": "exponential", "use_dynamic_shifting": True, **NO_SPACING}, "2026-11-30",
        "https://github.com/Bria-AI/BRIA-3.2/blob/6980bd3d9838f24a72ea9a87d650fd305450099d/scheduler/scheduler_config.json",
        arguments=shifted(4096)),
    copy("lodestones/Chroma1-HD", 2025, "chroma/pipeline_chroma", {
        **WHOLE_FLOW, "_diffusers_version": "0.34.0.dev0", "shift": 3.0, "use_dynamic_shifting": True}, "2025-06-18",
        "https://github.com/vladmandic/sdnext/blob/058a7f0cf326f39c0135c6257d7b7e61073e51fd/configs/chroma/scheduler/"
        "scheduler_config.json", arguments=shifted(4096)),
    toolkit("Wan-AI/Wan2.2-T2V-A14B-Diffusers", 2025, "wan/pipeline_wan", {
        **WAN, "_diffusers_version": "0.35.0.dev0", "flow_shift": 3.0, "time_shift_type": "exponential", "use_dynamic_shifting": False},
        "2026-07-10", "extensions_built_in/diffusion_models/wan22/wan22_14b_model.py"),
    toolkit("Wan-AI/Wan2.2-TI2V-5B-Diffusers", 2025, "wan/pipeline_wan", {
        **WAN, "_diffusers_version": "0.35.0.dev0", "flow_shift": 5.0, "time_shift_type": "exponential", "use_dynamic_shifting": False},
        "2026-07-10", "extensions_built_in/diffusion_models/wan22/wan22_5b_model.py"),
    toolkit("Qwen/Qwen-Image", 2025, "qwenimage/pipeline_qwenimage", {
        **WHOLE_FLOW, "max_image_seq_len": 8192, "max_shift": 0.9, "shift": 1.0, "shift_terminal": 0.02, "use_dynamic_shifting": True},
        "2026-07-17", "extensions_built_in/diffusion_models/qwen_image/qwen_image.py", arguments=shifted(4096)),
    documentation("lightx2v/Qwen-Image-Lightning", 2025, "qwenimage/pipeline_qwenimage", {
        **WHOLE_FLOW, "base_shift": LOG_3, "max_image_seq_len": 8192, "max_shift": LOG_3, "shift": 1.0, "use_dynamic_shifting": True},
        "2026-07-29", "qwenimage.md", 8, shifted(4096)),
    script("hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-720p_t2v", 2025, "hunyuan_video1_5/pipeline_hunyuan_video1_5", {
        **CLASS, "shift": 9.0}, "2025-12-07", "convert_hunyuan_video1_5_to_diffusers.py", arguments=of_steps(times.to_zero)),
    script("Photoroom/prx-512-t2i-sft", 2025, "prx/pipeline_prx", {**CLASS, "num_train_timesteps": 1000, "shift": 3.0},
           "2026-06-16", "convert_prx_to_diffusers.py"),
    script("Efficient-Large-Model/Sana_Sprint_1.6B_1024px_diffusers", 2025, "sana/pipeline_sana_sprint", {
        "_class_name": "SCMScheduler", "prediction_type": "trigflow", "sigma_data": 0.5}, "2025-11-10", "convert_sana_to_diffusers.py"),
    script("Efficient-Large-Model/SANA-Video_2B_480p_diffusers", 2025, "sana_video/pipeline_sana_video", {
        **UNIPC_FLOW, "flow_shift": 8.0}, "2026-03-17", "convert_sana_video_to_diffusers.py"),
    toolkit("black-forest-labs/FLUX.2-dev", 2025, "flux2/pipeline_flux2", {**FLOW, "shift": 3.0, "use_dynamic_shifting": True},
            "2026-04-30", "extensions_built_in/diffusion_models/flux2/flux2_model.py", arguments=of_tokens(times.flux2, 4096)),
    hub("Tongyi-MAI/Z-Image-Turbo", 2025, "z_image/pipeline_z_image", {
        **CLASS, "_diffusers_version": "0.36.0.dev0", "num_train_timesteps": 1000, "shift": 3.0, "use_dynamic_shifting": False},
        steps=9, arguments=z_image),
    documentation("nvidia/ChronoEdit-14B-Diffusers", 2025, "chronoedit/pipeline_chronoedit", {**UNIPC_FLOW, "flow_shift": 2.0},
                  "2026-07-29", "chronoedit.md", 8),

    script("Lightricks/LTX-2", 2026, "ltx2/pipeline_ltx2", {**LTX, "use_dynamic_shifting": True, "shift_terminal": 0.1}, "2026-08-11",
           "convert_ltx2_to_diffusers.py", arguments=shifted(16 * 16 * 24, few=1024, least=0.95, most=2.05)),
    script("rootonchair/LTX-2-19b-distilled", 2026, "ltx2/pipeline_ltx2", {**LTX, "use_dynamic_shifting": False, "shift_terminal": None},
           "2026-08-11", "convert_ltx2_to_diffusers.py", 8, given(**times.ltx2("DISTILLED_SIGMA_VALUES"))),
    toolkit("baidu/ERNIE-Image", 2026, "ernie_image/pipeline_ernie_image", {
        **WHOLE_FLOW, "shift": 3.0, "use_dynamic_shifting": False}, "2026-04-17",
        "extensions_built_in/diffusion_models/ernie_image/ernie_image.py", arguments=of_steps(times.ernie)),
    toolkit("NucleusAI/Nucleus-Image", 2026, "nucleusmoe_image/pipeline_nucleusmoe_image", {
        **WHOLE_FLOW, "shift": 1.0, "use_dynamic_shifting": False}, "2026-04-16",
        "extensions_built_in/diffusion_models/nucleus_image/nucleus_image_model.py", arguments=shifted(4096)),
    script("ruixiangma/LongCat-AudioDiT-1B-Diffusers", 2026, "longcat_audio_dit/pipeline_longcat_audio_dit", {
        **CLASS, "shift": 1.0, "invert_sigmas": True}, "2026-04-16", "convert_longcat_audio_dit_to_diffusers.py",
        arguments=of_steps(times.z_image)),
    script("ACE-Step/acestep-v15-xl-turbo-diffusers", 2026, "ace_step/pipeline_ace_step", {**CLASS, "num_train_timesteps": 1, "shift": 1.0},
           "2026-04-30", "convert_ace_step_to_diffusers.py", arguments=of_steps(times.shifted)),
    toolkit("ideogram-ai/ideogram-v4", 2026, "ideogram4/pipeline_ideogram4", {
        **WHOLE_FLOW, "shift": 1.0, "use_dynamic_shifting": False}, "2026-06-16",
        "extensions_built_in/diffusion_models/ideogram4/ideogram4.py", arguments=of_steps(times.logit_normal)),
    script("jdopensource/JoyAI-Image-Edit-Diffusers", 2026, "joyimage/pipeline_joyimage_edit", {
        **CLASS, "num_train_timesteps": 1000, "shift": 1.5}, "2026-07-07", "convert_joyimage_edit_to_diffusers.py"),
    toolkit("krea/Krea-2-Raw", 2026, "krea2/pipeline_krea2", {
        **FLOW, "max_image_seq_len": 6400, "shift": 1.0, "use_dynamic_shifting": True, "time_shift_type": "exponential"}, "2026-07-13",
        "extensions_built_in/diffusion_models/krea2/krea2.py", arguments=shifted(4096, many=6400)),
    example("krea/Krea-2-Turbo", 2026, "krea2/pipeline_krea2", {
        **FLOW, "max_image_seq_len": 6400, "shift": 1.0, "use_dynamic_shifting": True, "time_shift_type": "exponential"}, "2026-06-23",
        "krea2/pipeline_krea2.py", 8, lambda steps, config: {**times.to_share(steps), "mu": 1.15}),
    script("stabilityai/stable-audio-3-medium", 2026, "stable_audio_3/pipeline_stable_audio_3", {
        **CLASS, "num_train_timesteps": 1, "shift": 1.0, "stochastic_sampling": True}, "2026-08-18",
        "convert_stable_audio_3_to_diffusers.py", 8, of_steps(times.log_snr)),
    documentation("nvidia/Cosmos3-Nano", 2026, "cosmos/pipeline_cosmos3_omni", {**COSMOS, "flow_shift": 10.0, "use_karras_sigmas": False},
                  "2026-08-20", "cosmos3.md"),
]


def run(entry):
    """The trace that a model's pipeline would make, and the sigmas of its scheduler."""
    import torch

    config, asked = entry["config"], dict(entry["arguments"])
    name = config["_class_name"]
    options = {key: value for key, value in config.items() if not key.startswith("_")}
    strength, begun, last = asked.pop("strength", None), asked.pop("begin_index", False), asked.pop("last_step", None)
    steps = entry["steps"]
    if not {"sigmas", "timesteps"} & asked.keys():
        asked["steps"] = steps
    first = 0 if strength is None else max(steps - min(int(steps * strength), steps), 0)
    size = 2 if steps > 100 else 4 if steps > 30 else 8
    learned = "learned" in str(options.get("variance_type"))
    model = (lambda x, t: torch.cat([pipelines.answer(x, t), 0.5 * pipelines.answer(-x, t)], 1)) if learned else pipelines.answer
    tensors, _ = pipelines.trace(
        name, options, asked, first, shape=(1, min(size, 4), max(size // 4, 1), 1), model=model, begin_index=begun,
        last_step=last)
    tensors["timesteps"] = tensors["timesteps"].float()
    with pipelines.prepared(name, options) as scheduler:
        scheduler.set_timesteps(**pipelines.asked(pipelines.settings_of(name, asked)))
        if hasattr(scheduler, "sigmas"):
            tensors["sigmas"] = scheduler.sigmas.float().clone()
    return tensors


def entries():
    import diffusers

    for entry, pipeline, steps, arguments in MODELS:
        module = f"pipelines/{pipeline}.py"
        steps = steps or default(module)
        entry = {**entry, "pipeline": module, "steps": steps, "arguments": arguments(steps, entry["config"])}
        yield entry, getattr(diffusers, entry["config"]["_class_name"]).from_config(entry["config"])


def files():
    made = [
        json.dumps({**entry, "text": scheduler.to_json_string()} if entry["kind"] in ("file", "copy") else entry)
        for entry, scheduler in entries()]
    return "[\n" + ",\n".join(made) + "\n]\n"


def runs():
    from safetensors.torch import save

    made = {}
    for entry, _ in entries():
        made.update({f"{entry['model']}/{key}": tensor for key, tensor in run(entry).items()})
    return save(made)


FILES = {"diffusers-files.json": files, "released-runs.safetensors": runs}
