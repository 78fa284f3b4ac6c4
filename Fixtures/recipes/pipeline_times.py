"""The times that the pipelines of diffusers give to `set_timesteps`, by their own functions.

`pipeline-times.json`: for each row a `name`, `steps`, `tokens` where mu depends on them, and what the pipeline gives: `sigmas`,
`timesteps` and `mu`. What stands in a function of a pipeline's module is made by it, taken out by name; what stands in the pipeline's
body is the same line here. `released.py` makes of them the arguments of each model.
"""

import json

import numpy

from recipes.shifts import function

LINE = "pipelines/flux/pipeline_flux.py"


def mu(tokens, config, few=256, many=4096, least=0.5, most=1.15):
    """`calculate_shift`, as most pipelines have copied it from Flux's, of the file's own constants or those of the pipeline."""
    names = ("base_image_seq_len", few), ("max_image_seq_len", many), ("base_shift", least), ("max_shift", most)
    return function(LINE, "calculate_shift")(tokens, *(config.get(*name) for name in names))


def to_share(steps):
    """From 1 to 1/N: Flux, Qwen-Image, LTX, Krea, Chroma and others."""
    return {"sigmas": numpy.linspace(1.0, 1 / steps, steps).tolist()}


def to_zero(steps):
    """From 1 towards 0, which is left to the scheduler: HunyuanVideo, HunyuanImage and OmniGen."""
    return {"sigmas": numpy.linspace(1.0, 0.0, steps + 1)[:-1].tolist()}


def z_image(steps):
    return {"sigmas": function("pipelines/z_image/pipeline_z_image.py", "get_default_z_image_sigmas")(steps)}


def mochi(steps):
    return {"sigmas": function("pipelines/mochi/pipeline_mochi.py", "linear_quadratic_schedule")(steps, 0.025)}


def ltx_condition(steps):
    sigmas = function("pipelines/ltx/pipeline_ltx_condition.py", "linear_quadratic_schedule")(steps)
    return {"timesteps": (sigmas * 1000).tolist()}


def ltx2(name):
    """A table of LTX-2's distilled networks."""
    return {"sigmas": function("pipelines/ltx2/utils.py", name)}


def whole(times, tokens, module):
    """Whole timesteps and their sigmas, and mu of the root of the tokens."""
    times = times.astype(numpy.int64).astype(numpy.float32)
    return {
        "timesteps": times.tolist(), "sigmas": (times / 1000).tolist(),
        "mu": function(module, "calculate_shift")(tokens, 256, 0.25, 0.75)}


def cogview4(steps, tokens):
    return whole(numpy.linspace(1000, 1.0, steps), tokens, "pipelines/cogview4/pipeline_cogview4.py")


def glm_image(steps, tokens):
    return whole(numpy.linspace(1000, 1.0, steps + 1)[:-1], tokens, "pipelines/glm_image/pipeline_glm_image.py")


def flux2(steps, tokens):
    return {**to_share(steps), "mu": function("pipelines/flux2/pipeline_flux2.py", "compute_empirical_mu")(tokens, steps)}


def rising(steps):
    """Cosmos Predict2: from 0 to 1, of which only the number counts, as its pipeline gives the scheduler ends. The pipeline then makes
    the last sigma that of the step before: there the sample stays as it is."""
    import torch

    return {"sigmas": torch.linspace(0, 1, steps, dtype=torch.float64).tolist(), "last_step": steps - 1}


def ernie(steps):
    import torch

    return {"sigmas": torch.linspace(1.0, 0.0, steps + 1)[:-1].tolist()}


def log_snr(steps):
    """Stable Audio 3."""
    return {"sigmas": function("pipelines/stable_audio_3/pipeline_stable_audio_3.py", "logsnr_sigma_schedule")(steps, -6.2, 2.0)}


def logit_normal(steps, height=2048, width=2048):
    """Ideogram 4."""
    module = "pipelines/ideogram4/pipeline_ideogram4.py"
    center = function(module, "_resolution_aware_mu")(height, width, 0.0)
    return {"sigmas": function(module, "_logit_normal_sigmas")(steps, center, std=1.5).tolist()}


def shifted(steps, shift=3.0):
    """ACE-Step."""
    import torch

    times = torch.linspace(1.0, 0.0, steps + 1)
    return {"sigmas": (shift * times / (1 + (shift - 1) * times))[:-1].tolist()}


def times():
    rows = []
    for steps in (1, 2, 7, 28, 50):
        rows += [("flux", steps, to_share(steps)), ("hunyuanVideo", steps, to_zero(steps)), ("zImage", steps, z_image(steps))]
        rows.append(("ltxCondition", steps, ltx_condition(steps)))
        if steps > 1:
            rows += [("cosmosPredict2", steps, rising(steps)), ("mochi", steps, mochi(steps))]
    for steps in (4, 9, 64):
        rows += [("mochi", steps, mochi(steps)), ("ltxCondition", steps, ltx_condition(steps)), ("zImage", steps, z_image(steps))]
    for steps, tokens in ((1, 4096), (2, 4096), (4, 1024), (4, 6144), (28, 4096), (50, 4096)):
        made = {"cogView4": cogview4, "glmImage": glm_image, "flux2": flux2}
        rows += [(name, steps, {"tokens": tokens, **make(steps, tokens)}) for name, make in made.items()]
    for name, table in (("ltx2Distilled", "DISTILLED_SIGMA_VALUES"), ("ltx2Upscaling", "STAGE_2_DISTILLED_SIGMA_VALUES")):
        made = ltx2(table)
        rows.append((name, len(made["sigmas"]), made))
    return "[\n" + ",\n".join(json.dumps({"name": name, "steps": steps, **made}) for name, steps, made in rows) + "\n]\n"


FILES = {"pipeline-times.json": times}
