"""Runs of released files through diffusers' own pipelines, right ones and broken ones.

`real-pipelines.safetensors`: `name/tensor` are the tensors of the trace `name`, which `record_pipeline` wrote. The
file's metadata holds JSON with the metadata of each trace and status 0. The networks are tiny and random.

`broken-pipelines.safetensors`: the same of runs where one line of a copy of diffusers is another, with status 1, the
first `step` that is wrong, the `mistake` that a judge should name, and `words` of it; or null, and why it is not named.
"""

import json
import pathlib
import tempfile

import torch

from recipes import classes, released, slips, tiny_pipelines as tiny
from recipes.pipelines import AYS_SIGMAS, AYS_XL, prepared
from recipes.traces import save

FULL, HALF, BRAIN = torch.float32, torch.float16, torch.bfloat16
SD, SDXL = "StableDiffusion", "StableDiffusionXL"
SD14, SD15 = "CompVis/stable-diffusion-v1-4", "stable-diffusion-v1-5/stable-diffusion-v1-5"
XL, REFINER = "stabilityai/stable-diffusion-xl-base-1.0", "stabilityai/stable-diffusion-xl-refiner-1.0"
INPAINTING = "stable-diffusion-v1-5/stable-diffusion-inpainting"
SD21, SD3 = "stabilityai/stable-diffusion-2-1", "stabilityai/stable-diffusion-3-medium-diffusers"
FLUX, QWEN, Z_IMAGE = "black-forest-labs/FLUX.1-dev", "Qwen/Qwen-Image", "Tongyi-MAI/Z-Image-Turbo"
HAS_PICTURE = dict(image=tiny.picture())
HAS_MASK = dict(**HAS_PICTURE, mask_image=tiny.mask())
LATENTS = dict(image=tiny.random(1, 4, 4, 4, seed=8))
TWO = dict(num_images_per_prompt=2)


def of(name, **options):
    """Another class in the place of the file's own, made `from_config` as people do."""
    return f"{name}Scheduler", options


# The pipeline, what it is made of, the model whose scheduler_config.json it has, the type, the arguments of the call,
# and what takes the place of the scheduler.
RUNS = {
    # Text to image.
    "Stable Diffusion 1.4": (SD, tiny.stable, SD14, FULL, dict(num_inference_steps=8)),
    "Stable Diffusion 1.5, DPM++ 2M Karras": (
        SD, tiny.stable, SD15, HALF, dict(num_inference_steps=7, **TWO),
        of("DPMSolverMultistep", use_karras_sigmas=True)),
    "Stable Diffusion 1.5, LMS": (SD, tiny.stable, SD15, FULL, dict(num_inference_steps=7), of("LMSDiscrete")),
    "Stable Diffusion 2.1": (SD, tiny.stable, SD21, BRAIN, dict(num_inference_steps=6, eta=0.5, **TWO)),
    "Stable Diffusion 1.5 with ControlNet, UniPC": (
        SD + "ControlNet", tiny.stable_control, SD15, BRAIN, dict(num_inference_steps=7), of("UniPCMultistep")),
    "Stable Diffusion XL, base to 0.75": (
        SDXL, tiny.stable_xl, XL, FULL, dict(num_inference_steps=8, denoising_end=0.75)),
    "Stable Diffusion XL, DPM++ SDE at Align Your Steps": (
        SDXL, tiny.stable_xl, XL, FULL, dict(timesteps=AYS_XL[::2]),
        of("DPMSolverMultistep", algorithm_type="sde-dpmsolver++")),
    "Stable Diffusion XL, sigmas of Align Your Steps": (SDXL, tiny.stable_xl, XL, BRAIN, dict(sigmas=AYS_SIGMAS)),
    "Stable Diffusion XL, singlestep": (
        SDXL, tiny.stable_xl, XL, HALF, dict(num_inference_steps=7), of("DPMSolverSinglestep")),
    "Stable Diffusion XL, KDPM2 ancestral": (
        SDXL, tiny.stable_xl, XL, HALF, dict(num_inference_steps=4), of("KDPM2AncestralDiscrete")),
    "Stable Diffusion XL, DEIS": (
        SDXL, tiny.stable_xl, XL, FULL, dict(num_inference_steps=8, denoising_end=0.6), of("DEISMultistep")),
    "Stable Diffusion XL, SA-Solver": (SDXL, tiny.stable_xl, XL, BRAIN, dict(num_inference_steps=6), of("SASolver")),
    "Stable Diffusion XL, TCD": (
        SDXL, tiny.stable_xl, XL, FULL, dict(num_inference_steps=4, eta=0.3), of("TCD")),
    "Stable Diffusion XL Turbo": (
        SDXL, tiny.stable_xl, "stabilityai/sdxl-turbo", HALF, dict(num_inference_steps=4, guidance_scale=0.0)),
    "LCM-SDXL": (SDXL, tiny.stable_xl, "latent-consistency/lcm-sdxl", HALF, dict(num_inference_steps=4)),
    "Playground 2.5": (
        SDXL, tiny.stable_xl, "playgroundai/playground-v2.5-1024px-aesthetic", HALF, dict(num_inference_steps=7)),
    "LCM Dreamshaper": (
        "LatentConsistencyModel", tiny.latent_consistency, "SimianLuo/LCM_Dreamshaper_v7", HALF,
        dict(num_inference_steps=4, **TWO)),
    "PixArt": (
        "PixArtSigma", tiny.pixart, "PixArt-alpha/PixArt-XL-2-1024-MS", FULL, dict(num_inference_steps=8)),
    "DeepFloyd IF": ("IF", tiny.deepfloyd, "DeepFloyd/IF-I-XL-v1.0", FULL, dict(num_inference_steps=6)),
    "DeepFloyd IF, second stage": (
        "IFSuperResolution", tiny.deepfloyd_upscaling, "DeepFloyd/IF-II-L-v1.0", HALF, dict(num_inference_steps=6)),
    "Kandinsky 2.2": (
        "KandinskyV22", tiny.kandinsky, "kandinsky-community/kandinsky-2-2-decoder", BRAIN,
        dict(num_inference_steps=6)),
    "DiT": ("DiT", tiny.dit, "facebook/DiT-XL-2-256", HALF, dict(num_inference_steps=6)),
    "DDPM": ("DDPM", tiny.unconditional, "google/ddpm-celebahq-256", HALF, dict(num_inference_steps=6)),
    "LDM of faces, eta": (
        "DDIM", tiny.unconditional, "CompVis/ldm-celebahq-256", FULL, dict(num_inference_steps=6, eta=0.3)),
    "Consistency distillation at 22 and 0": (
        "ConsistencyModel", tiny.consistency, "openai/diffusers-cd_imagenet64_l2", HALF,
        dict(num_inference_steps=None, timesteps=[22, 0])),
    "Consistency training": (
        "ConsistencyModel", tiny.consistency, "openai/diffusers-ct_imagenet64", FULL, dict(num_inference_steps=5)),
    "Stable Diffusion 3": ("StableDiffusion3", tiny.stable_3, SD3, BRAIN, dict(num_inference_steps=7)),
    "FLUX.1 dev": ("Flux", tiny.flux, FLUX, FULL, dict(num_inference_steps=7)),
    "FLUX.1 dev, sigmas": ("Flux", tiny.flux, FLUX, BRAIN, dict(sigmas=[1.0, 0.8, 0.55, 0.3], **TWO)),
    "FLUX.1 schnell": (
        "Flux", tiny.flux, "black-forest-labs/FLUX.1-schnell", HALF, dict(num_inference_steps=4, **TWO)),
    "FLUX.2 dev": ("Flux2", tiny.flux_2, "black-forest-labs/FLUX.2-dev", BRAIN, dict(num_inference_steps=8)),
    "Chroma": ("Chroma", tiny.chroma, "lodestones/Chroma1-HD", HALF, dict(num_inference_steps=7)),
    "CogView4": ("CogView4", tiny.cogview_4, "THUDM/CogView4-6B", FULL, dict(num_inference_steps=7)),
    "Lumina 2": ("Lumina2", tiny.lumina_2, "Alpha-VLLM/Lumina-Image-2.0", BRAIN, dict(num_inference_steps=7)),
    "Qwen-Image": ("QwenImage", tiny.qwen, QWEN, BRAIN, dict(num_inference_steps=8)),
    "Qwen-Image Lightning": (
        "QwenImage", tiny.qwen, "lightx2v/Qwen-Image-Lightning", FULL, dict(num_inference_steps=8, true_cfg_scale=1.0)),
    "Z-Image Turbo": ("ZImage", tiny.z_image, Z_IMAGE, BRAIN, dict(num_inference_steps=9, guidance_scale=0.0)),
    "Krea 2": ("Krea2", tiny.krea_2, "krea/Krea-2-Raw", HALF, dict(num_inference_steps=7)),
    "PRX": ("PRX", tiny.prx, "Photoroom/prx-512-t2i-sft", BRAIN, dict(num_inference_steps=7)),
    "Stable Cascade's prior": (
        "StableCascadePrior", tiny.stable_cascade, "stabilityai/stable-cascade-prior", FULL, dict(num_inference_steps=7)),
    "Stable Audio Open": (
        "StableAudio", tiny.stable_audio, "stabilityai/stable-audio-open-1.0", HALF, dict(num_inference_steps=8)),
    "Sana Sprint": (
        "SanaSprint", tiny.sana_sprint, "Efficient-Large-Model/Sana_Sprint_1.6B_1024px_diffusers", BRAIN,
        dict(num_inference_steps=2)),
    "Sana Sprint in four steps": (
        "SanaSprint", tiny.sana_sprint, "Efficient-Large-Model/Sana_Sprint_1.6B_1024px_diffusers", FULL,
        dict(num_inference_steps=4, intermediate_timesteps=None)),
    "Sana": ("Sana", tiny.sana, "Efficient-Large-Model/Sana_1600M_1024px_diffusers", FULL, dict(num_inference_steps=8)),
    "Cosmos Predict2": (
        "Cosmos2TextToImage", tiny.cosmos, "nvidia/Cosmos-Predict2-2B-Text2Image", FULL, dict(num_inference_steps=8)),
    # Image to image, and refiners.
    "Stable Diffusion 1.4 from a picture": (
        SD + "Img2Img", tiny.stable_from_picture, SD14, FULL, dict(num_inference_steps=12, strength=0.6)),
    "Stable Diffusion 2.1 from a picture": (
        SD + "Img2Img", tiny.stable_from_picture, SD21, HALF, dict(num_inference_steps=12, strength=0.45, **TWO)),
    "Stable Diffusion XL, refiner from 0.75": (
        SDXL + "Img2Img", tiny.stable_xl_from_picture, REFINER, HALF,
        dict(num_inference_steps=20, denoising_start=0.75, **LATENTS)),
    "Stable Diffusion XL, refiner at strength 0.3": (
        SDXL + "Img2Img", tiny.stable_xl_from_picture, REFINER, BRAIN, dict(num_inference_steps=20, strength=0.3)),
    "Stable Diffusion XL from a picture, Heun": (
        SDXL + "Img2Img", tiny.stable_xl_from_picture, XL, FULL, dict(num_inference_steps=8, strength=0.5),
        of("HeunDiscrete")),
    "LCM Dreamshaper from a picture": (
        "LatentConsistencyModelImg2Img", tiny.latent_consistency_from_picture, "SimianLuo/LCM_Dreamshaper_v7", FULL,
        dict(num_inference_steps=4, strength=0.6)),
    "DeepFloyd IF from a picture": (
        "IFImg2Img", tiny.deepfloyd_from_picture, "DeepFloyd/IF-I-XL-v1.0", BRAIN,
        dict(num_inference_steps=10, strength=0.7)),
    "Kandinsky 2.2 from a picture": (
        "KandinskyV22Img2Img", tiny.kandinsky_from_picture, "kandinsky-community/kandinsky-2-2-decoder", FULL,
        dict(num_inference_steps=10, strength=0.7)),
    "Stable Diffusion 3 from a picture": (
        "StableDiffusion3Img2Img", tiny.stable_3, SD3, FULL,
        dict(num_inference_steps=10, strength=0.55, **HAS_PICTURE)),
    "FLUX.1 dev from a picture": (
        "FluxImg2Img", tiny.flux, FLUX, BRAIN, dict(num_inference_steps=10, strength=0.65, **HAS_PICTURE)),
    # Inpainting.
    "Stable Diffusion 1.5 inpainting": (
        SD + "Inpaint", tiny.stable_inpainting_model, INPAINTING, FULL, dict(num_inference_steps=7, eta=0.4)),
    "Stable Diffusion 1.4 inpainting by its mask": (
        SD + "Inpaint", tiny.stable_inpainting, SD14, HALF, dict(num_inference_steps=8, strength=0.75),
        of("DPMSolverMultistep")),
    "Stable Diffusion XL inpainting": (
        SDXL + "Inpaint", tiny.stable_xl, "diffusers/stable-diffusion-xl-1.0-inpainting-0.1", FULL,
        dict(num_inference_steps=6, strength=0.9999, **HAS_MASK)),
    "FLUX.1 dev inpainting": (
        "FluxInpaint", tiny.flux, FLUX, HALF, dict(num_inference_steps=8, strength=0.6, **HAS_MASK)),
    # Video.
    "Stable Video Diffusion": (
        "StableVideoDiffusion", tiny.stable_video, "stabilityai/stable-video-diffusion-img2vid", HALF,
        dict(num_inference_steps=6)),
    "AnimateDiff": (
        "AnimateDiff", tiny.animate, "guoyww/animatediff-motion-adapter-v1-5-2", HALF, dict(num_inference_steps=7)),
    "AnimateLCM": ("AnimateDiff", tiny.animate, "wangfuyun/AnimateLCM", BRAIN, dict(num_inference_steps=4)),
    "CogVideoX": ("CogVideoX", tiny.cogvideo, "THUDM/CogVideoX-2b", BRAIN, dict(num_inference_steps=7)),
    "Allegro": ("Allegro", tiny.allegro, "rhymes-ai/Allegro-TI2V", FULL, dict(num_inference_steps=6)),
    "Wan 2.1": ("Wan", tiny.wan, "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", FULL, dict(num_inference_steps=8)),
    "Wan 2.1 14B": ("Wan", tiny.wan, "Wan-AI/Wan2.1-T2V-14B-Diffusers", BRAIN, dict(num_inference_steps=8)),
    "Wan 2.2": ("Wan", tiny.wan_2, "Wan-AI/Wan2.2-T2V-A14B-Diffusers", HALF, dict(num_inference_steps=8)),
    "Wan 2.1 from a picture": (
        "WanImageToVideo", tiny.wan_from_picture, "Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers", BRAIN,
        dict(num_inference_steps=7)),
    "LTX-Video": ("LTX", tiny.ltx, "Lightricks/LTX-Video", FULL, dict(num_inference_steps=8)),
    "HunyuanVideo": (
        "HunyuanVideo", tiny.hunyuan_video, "hunyuanvideo-community/HunyuanVideo", BRAIN, dict(num_inference_steps=8)),
    "Mochi": ("Mochi", tiny.mochi, "genmo/mochi-1-preview", BRAIN, dict(num_inference_steps=8)),
    "Sana Video": (
        "SanaVideo", tiny.sana_video, "Efficient-Large-Model/SANA-Video_2B_480p_diffusers", HALF,
        dict(num_inference_steps=8)),
    "Cosmos 1": (
        "CosmosTextToWorld", tiny.cosmos_video, "nvidia/Cosmos-1.0-Diffusion-7B-Text2World", BRAIN,
        dict(num_inference_steps=6)),
}


# What is broken: the run, whether the line is the scheduler's or the pipeline's, the line, what stands there instead,
# the first step that is wrong, the mistake to name, and words of it; or None and why it is not named.
SCHEDULER, PIPELINE = "scheduler", "pipeline"
BROKEN = {
    "PNDM, ratio of signals not rooted": (
        "Stable Diffusion 1.4", SCHEDULER,
        "sample_coeff = (alpha_prod_t_prev / alpha_prod_t) ** (0.5)",
        "sample_coeff = alpha_prod_t_prev / alpha_prod_t",
        0, "coefficient", "squared"),
    "PNDM, outputs in the opposite order": (
        "Stable Diffusion 1.4", SCHEDULER,
        "55 * self.ets[-1] - 59 * self.ets[-2] + 37 * self.ets[-3] - 9 * self.ets[-4]",
        "55 * self.ets[-4] - 59 * self.ets[-3] + 37 * self.ets[-2] - 9 * self.ets[-1]",
        4, "coefficient", "opposite order"),
    "DDIM, eta is 1 whatever it is": (
        "Stable Diffusion 2.1", SCHEDULER,
        "std_dev_t = eta * variance", "std_dev_t = variance",
        0, "eta", "eta is 1"),
    "DDIM, v with the signs exchanged": (
        "Stable Diffusion 2.1 from a picture", SCHEDULER,
        "(alpha_prod_t**0.5) * sample - (beta_prod_t**0.5) * model_output",
        "(beta_prod_t**0.5) * model_output - (alpha_prod_t**0.5) * sample",
        0, "coefficient", "x0 has the opposite sign"),
    "DDIM, a timestep too far": (
        "Kandinsky 2.2 from a picture", SCHEDULER,
        "prev_timestep = timestep - self.config.num_train_timesteps // self.num_inference_steps",
        "prev_timestep = timestep - self.config.num_train_timesteps // self.num_inference_steps - 1",
        0, "previous-timestep", "one too low"),
    "DDIM, direction without eta": (
        "Stable Diffusion 1.5 inpainting", SCHEDULER,
        "(1 - alpha_prod_t_prev - std_dev_t**2) ** (0.5) * pred_epsilon",
        "(1 - alpha_prod_t_prev) ** (0.5) * pred_epsilon",
        0, "coefficient", "no noise"),
    "DDIM, next noise level in x0": (
        "Stable Diffusion 1.5 inpainting", SCHEDULER,
        "(sample - beta_prod_t ** (0.5) * model_output) / alpha_prod_t ** (0.5)",
        "(sample - (1 - alpha_prod_t_prev) ** (0.5) * model_output) / alpha_prod_t ** (0.5)",
        0, "coefficient", "next noise level"),
    "DDIM, told the time after": (
        "AnimateDiff", PIPELINE,
        "latents = self.scheduler.step(noise_pred, t, latents, **extra_step_kwargs).prev_sample",
        "latents = self.scheduler.step(noise_pred, timesteps[min(i + 1, len(timesteps) - 1)], latents, "
        "**extra_step_kwargs).prev_sample",
        0, "reported-timesteps", "the timestep of the one after"),
    "DPM++ 2M, r0 upside down": (
        "Stable Diffusion 1.5, DPM++ 2M Karras", SCHEDULER,
        "D0, D1 = m0, (1.0 / r0) * (m0 - m1)\n        if self.config.algorithm_type == \"dpmsolver++\":\n"
        "            # See https://huggingface.co/papers/2211.01095",
        "D0, D1 = m0, r0 * (m0 - m1)\n        if self.config.algorithm_type == \"dpmsolver++\":\n"
        "            # See https://huggingface.co/papers/2211.01095",
        1, "coefficient", "r0"),
    "DPM++ 2M, half too much": (
        "PixArt", SCHEDULER,
        "- 0.5 * (alpha_t * (torch.exp(-h) - 1.0)) * D1",
        "- (alpha_t * (torch.exp(-h) - 1.0)) * D1",
        1, "coefficient", "twice"),
    "DPM++ SDE, noise not rooted": (
        "Stable Diffusion XL, DPM++ SDE at Align Your Steps", SCHEDULER,
        "sigma_t * torch.sqrt(1.0 - torch.exp(-2 * h)) * noise",
        "sigma_t * (1.0 - torch.exp(-2 * h)) * noise",
        0, "coefficient", "the noise is not rooted"),
    "DPM++ on flow, signal of a sphere": (
        "Sana", SCHEDULER,
        "            alpha_t = 1 - sigma\n", "            alpha_t = (1 - sigma**2) ** 0.5\n",
        0, None, "each step is between other levels, and the orders above the first are not tried there"),
    "DPM++, x0 by the flow's sign": (
        "Sana", SCHEDULER,
        "                x0_pred = sample - sigma_t * model_output\n            else:",
        "                x0_pred = sample + sigma_t * model_output\n            else:",
        0, "output-sign", "opposite sign"),
    "DPM-Solver on a picture, first order": (
        "Stable Diffusion 1.4 inpainting by its mask", SCHEDULER,
        "if self.config.solver_order == 1 or self.lower_order_nums < 1 or lower_order_final:",
        "if True:",
        1, "solver-order", "solver_order is 1"),
    "UniPC, ratio with the other sign": (
        "Stable Diffusion 1.5 with ControlNet, UniPC", SCHEDULER,
        "rk = (lambda_si - lambda_s0) / h", "rk = (lambda_s0 - lambda_si) / h",
        1, None, "the corrector's linear system takes the ratio too, and mixes all coefficients"),
    "UniPC, no corrector": (
        "Wan 2.1", SCHEDULER,
        "use_corrector = (\n            self.step_index > 0", "use_corrector = (\n            self.step_index > 99",
        1, "solver-type", "disable_corrector"),
    "UniPC, bh1 for bh2": (
        "Wan 2.1 14B", SCHEDULER,
        "B_h = torch.expm1(hh)", "B_h = hh",
        1, "solver-type", "bh1"),
    "UniPC, sigmas not shifted": (
        "Wan 2.1 from a picture", SCHEDULER,
        "sigmas = self.config.flow_shift * sigmas / (1 + (self.config.flow_shift - 1) * sigmas)",
        "sigmas = 1 * sigmas",
        0, "spacing", "flow_shift is 1"),
    "UniPC, first order": (
        "Sana Video", SCHEDULER,
        "this_order = min(self.config.solver_order, len(self.timesteps) - self.step_index)", "this_order = 1",
        1, "solver-order", "solver_order is 1"),
    "Euler, next sigma in x0": (
        "Stable Diffusion XL, base to 0.75", SCHEDULER,
        "pred_original_sample = sample - sigma_hat * model_output",
        "pred_original_sample = sample - self.sigmas[self.step_index + 1] * model_output",
        0, "coefficient", "next noise level"),
    "Euler, backwards": (
        "Stable Diffusion XL, sigmas of Align Your Steps", SCHEDULER,
        "dt = self.sigmas[self.step_index + 1] - sigma_hat", "dt = sigma_hat - self.sigmas[self.step_index + 1]",
        0, "output-sign", "opposite sign"),
    "Euler, v's skip connection forgotten": (
        "Stable Video Diffusion", SCHEDULER,
        "(sample / (sigma**2 + 1))", "sample * 0",
        2, "coefficient", "the sample in x0 is missing"),
    "Euler, begins a step earlier than its times": (
        "Stable Diffusion XL, refiner from 0.75", PIPELINE,
        "                self.scheduler.set_begin_index(t_start)\n",
        "                self.scheduler.set_begin_index(t_start - 1)\n",
        0, "reported-timesteps", "early by one step"),
    "Euler ancestral, sigma to for sigma down": (
        "Stable Diffusion XL Turbo", SCHEDULER,
        "dt = sigma_down - sigma\n", "dt = sigma_to - sigma\n",
        0, "coefficient", "adds no noise"),
    "Euler ancestral, noise of sigma to": (
        "Allegro", SCHEDULER,
        "prev_sample = prev_sample + noise * sigma_up", "prev_sample = prev_sample + noise * sigma_to",
        0, "coefficient", "the noise is the next noise level"),
    "Heun, no correction": (
        "Stable Diffusion XL from a picture, Heun", SCHEDULER,
        "derivative = (self.prev_derivative + derivative) / 2", "derivative = self.prev_derivative",
        1, "solver-order", "correction is missing"),
    "LMS, of order 2": (
        "Stable Diffusion 1.5, LMS", SCHEDULER,
        "order = min(self.step_index + 1, order)", "order = min(self.step_index + 1, 2)",
        2, "solver-order", "order is 2"),
    "LCM, noise of this level": (
        "LCM-SDXL", SCHEDULER,
        "prev_sample = alpha_prod_t_prev.sqrt() * denoised + beta_prod_t_prev.sqrt() * noise",
        "prev_sample = alpha_prod_t_prev.sqrt() * denoised + beta_prod_t.sqrt() * noise",
        0, "coefficient", "the noise is multiplied by noise level / next noise level"),
    "LCM, noise at the end": (
        "LCM Dreamshaper from a picture", SCHEDULER,
        "if self.step_index != self.num_inference_steps - 1:", "if True:",
        3, "noise-at-last-step", "at the last step"),
    "TCD, noise without its root": (
        "Stable Diffusion XL, TCD", SCHEDULER,
        "                    1 - alpha_prod_t_prev / alpha_prod_s\n                ).sqrt() * noise",
        "                    1 - alpha_prod_t_prev / alpha_prod_s\n                ) * noise",
        0, "coefficient", "the noise is squared"),
    "Consistency model, noise forgotten": (
        "Consistency training", SCHEDULER,
        "prev_sample = denoised + z * (sigma_hat**2 - sigma_min**2) ** 0.5", "prev_sample = denoised",
        0, "noise-missing", "no noise"),
    "DDPM, learned range read as a share": (
        "DeepFloyd IF, second stage", SCHEDULER,
        "frac = (predicted_variance + 1) / 2", "frac = predicted_variance",
        0, "variance", "0 ... 1"),
    "DDPM, threshold forgotten": (
        "DeepFloyd IF", SCHEDULER,
        "        if self.config.thresholding:\n            pred_original_sample",
        "        if False:\n            pred_original_sample",
        0, "clipping", "clipped to -1 ... 1"),
    "DDPM, variance for deviation": (
        "DDPM", SCHEDULER,
        "** 0.5) * variance_noise", ") * variance_noise",
        0, "variance", "not by its root"),
    "Flow, sign": (
        "Stable Diffusion 3", SCHEDULER,
        "prev_sample = sample + dt * model_output", "prev_sample = sample - dt * model_output",
        0, "output-sign", "opposite sign"),
    "Flow, sigmas in half precision": (
        "Stable Diffusion 3 from a picture", PIPELINE,
        "        timesteps = self.scheduler.timesteps[t_start * self.scheduler.order :]",
        "        timesteps = self.scheduler.timesteps[t_start * self.scheduler.order :]\n"
        "        self.scheduler.sigmas = self.scheduler.sigmas.bfloat16().float()",
        0, "precision", "sigmas"),
    "Flow, mu for its exponent": (
        "FLUX.1 dev", SCHEDULER,
        "math.exp(mu) / (math.exp(mu) + (1 / t - 1) ** sigma)", "mu / (mu + (1 / t - 1) ** sigma)",
        0, "shift", "linear"),
    "Flow, shift of the file in the place of mu": (
        "FLUX.2 dev", SCHEDULER,
        "        if self.config.use_dynamic_shifting:\n            sigmas", "        if False:\n            sigmas",
        0, "shift", "mu is 1.099"),
    "Flow, times as fractions": (
        "FLUX.1 dev from a picture", PIPELINE,
        "latents = self.scheduler.step(noise_pred, t, latents",
        "latents = self.scheduler.step(noise_pred, t / 1000, latents",
        0, "reported-timesteps", "fractions"),
    "Flow, terminal forgotten": (
        "Qwen-Image", SCHEDULER,
        "if self.config.shift_terminal:", "if False:",
        1, "shift", "terminal"),
    "Flow, length of the step after": (
        "Chroma", SCHEDULER,
        "dt = sigma_next - sigma",
        "dt = self.sigmas[min(sigma_idx + 2, len(self.sigmas) - 1)] - sigma_next",
        0, "coefficient", "step after"),
    "Flow, shift upside down": (
        "Lumina 2", SCHEDULER,
        "self._shift = shift", "self._shift = 1 / shift",
        0, "shift", "upside down"),
    "Flow, shift set by the pipeline": (
        "HunyuanVideo", PIPELINE,
        "        timesteps, num_inference_steps = retrieve_timesteps(\n            self.scheduler, num",
        "        self.scheduler.set_shift(3.0)\n        timesteps, num_inference_steps = retrieve_timesteps(\n"
        "            self.scheduler, num",
        0, "spacing", "shift is 3"),
    "Flow, linear shift with an exponent": (
        "CogView4", SCHEDULER,
        "return mu / (mu + (1 / t - 1) ** sigma)",
        "return math.exp(mu) / (math.exp(mu) + (1 / t - 1) ** sigma)",
        0, "shift", "exponential"),
    "Flow, stretched to a tenth of what the file says": (
        "LTX-Video", SCHEDULER,
        "(1 - self.config.shift_terminal)", "(1 - self.config.shift_terminal / 10)",
        0, "shift", "0.01"),
    "EDM, sigma data forgotten": (
        "Playground 2.5", SCHEDULER,
        "sigma_data = self.config.sigma_data\n", "sigma_data = 1.0\n",
        0, "schedule", "sigma_data"),
}


def model_config(model):
    return next(entry["config"] for entry, *_ in released.MODELS if entry["model"] == model)


def in_type(value, kind):
    if torch.is_tensor(value):
        return value.to(kind) if value.is_floating_point() else value
    is_list = isinstance(value, list) and value and torch.is_tensor(value[0])
    return [in_type(item, kind) for item in value] if is_list else value


def recorded(pipeline, parts, model, kind, arguments, other=None, edited=lambda thing: thing):
    """The tensors and texts of the run. `edited` returns what takes the place of a class of diffusers."""
    import diffusers
    import record_trace
    from safetensors import safe_open

    config = model_config(model)
    name, options = other or (config["_class_name"], {})
    with prepared(name, {}), tempfile.TemporaryDirectory() as folder:
        scheduler = edited(classes.scheduler(name)).from_config({**config, **options})
        components, usual = parts()
        pipe = edited(getattr(diffusers, f"{pipeline}Pipeline"))(scheduler=scheduler, **components).to(kind)
        pipe.set_progress_bar_config(disable=True)
        given = {**{"output_type": "latent"}, **usual, **arguments}
        path = pathlib.Path(folder) / "trace.safetensors"
        record_trace.record_pipeline(
            pipe, path, generator=torch.Generator().manual_seed(1),
            **{key: in_type(value, kind) for key, value in given.items()})
        with safe_open(path, "pt") as file:
            tensors, texts = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()
    texts["scheduler_config"] = json.dumps(json.loads(texts["scheduler_config"]))
    return tensors, texts


def broken_run(run, place, old, new):
    """A run in which one line of a copy of diffusers is another."""
    with tempfile.TemporaryDirectory() as folder:

        def edited(kind):
            is_pipeline = kind.__name__.endswith("Pipeline")
            return slips.edited(kind, old, new, folder) if is_pipeline == (place == PIPELINE) else kind

        return recorded(*RUNS[run], edited=edited)


def right():
    bundle, metadata = {}, {}
    for title, run in RUNS.items():
        tensors, texts = recorded(*run)
        bundle.update({f"{title}/{key}": tensor for key, tensor in tensors.items()})
        metadata[title] = {"metadata": texts, "status": 0}
    return save(bundle, metadata)


def broken():
    bundle, metadata = {}, {}
    for title, (*edit, step, mistake, words) in BROKEN.items():
        tensors, texts = broken_run(*edit)
        bundle.update({f"{title}/{key}": tensor for key, tensor in tensors.items()})
        metadata[title] = {"metadata": texts, "status": 1, "step": step, "mistake": mistake, "words": words}
    return save(bundle, metadata)


FILES = {"real-pipelines.safetensors": right, "broken-pipelines.safetensors": broken}
