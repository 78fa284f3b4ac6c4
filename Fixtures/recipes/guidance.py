"""Guidance, by diffusers' guiders in float64, by its pipeline of two conditions, and of perpendicular negatives by rational arithmetic.

`guidance.json`: outputs of a network, `shape` each, by what it was told: `conditional` and `unconditional` for three steps, nearly parallel
in the third; `image`, the first of two conditions; `negatives`. `cases` have the class of a guider, its options, and its answer at each of
`steps`. `intervals` have the steps at which a guider is active. `twoConditions` and `perpendicular` have scales and one answer.
"""

import ast
import fractions
import json
import pathlib
import unittest.mock

import numpy

SHAPE = (2, 2, 3)
STEPS = 3

# A guider of diffusers by its class, the options that are not its defaults, and the steps to record.
CASES = [
    *(("ClassifierFreeGuidance", dict(guidance_scale=scale, guidance_rescale=rescale), [0]) for scale in (1.5, 7.5) for rescale in (0.0, 0.7, 1.0)),
    ("ClassifierFreeGuidance", dict(guidance_scale=2.0, use_original_formulation=True), [0]),
    ("AutoGuidance", dict(guidance_scale=2.3), [0]),
    ("AdaptiveProjectedGuidance", dict(guidance_scale=7.5, eta=0.0, adaptive_projected_guidance_rescale=2.5), [0]),
    ("AdaptiveProjectedGuidance", dict(guidance_scale=6.5, eta=0.25, adaptive_projected_guidance_rescale=0.0, use_original_formulation=True), [0]),
    ("AdaptiveProjectedGuidance", dict(
        guidance_scale=6.5, eta=0.25, adaptive_projected_guidance_rescale=2.5, adaptive_projected_guidance_momentum=-0.5,
        use_original_formulation=True, guidance_rescale=0.7), [0, 1, 2]),
    ("AdaptiveProjectedGuidance", dict(guidance_scale=4.0, adaptive_projected_guidance_momentum=-0.75), [0, 1]),
    ("ClassifierFreeZeroStarGuidance", dict(guidance_scale=7.5, zero_init_steps=0), [0]),
    ("ClassifierFreeZeroStarGuidance", dict(guidance_scale=4.0), [0, 1]),
    ("ClassifierFreeZeroStarGuidance", dict(guidance_scale=4.0, zero_init_steps=0, guidance_rescale=0.7), [2]),
    ("MagnitudeAwareGuidance", dict(), [0]),
    ("MagnitudeAwareGuidance", dict(guidance_scale=6.0, alpha=1.5, guidance_rescale=0.7), [2]),
    ("MagnitudeAwareGuidance", dict(guidance_scale=5.0, alpha=0.5, use_original_formulation=True), [1]),
]
# The start, the stop and the number of steps; 0.29·100 and 0.57·100 are a little less than 29 and 57.
INTERVALS = [(0.0, 1.0, 4), (0.2, 0.8, 10), (0.1, 0.45, 7), (0.29, 0.57, 100), (0.5, 0.5, 6)]


def outputs():
    """Rounded to four digits, which keeps the file small: what is made of them is not."""
    draw = numpy.random.default_rng(18)
    normal = lambda: numpy.round(draw.standard_normal(SHAPE), 4)
    told = {"conditional": [normal() for _ in range(STEPS)], "unconditional": [normal() for _ in range(STEPS)]}
    told["conditional"][0][1] *= 3
    told["unconditional"][2] = numpy.round(told["conditional"][2] * 0.75 + 0.1 * normal(), 4)
    return told | {"image": [normal()], "negatives": [normal() for _ in range(2)]}


def guided(told, name, options, steps):
    import diffusers.guiders
    import torch

    needed = {"auto_guidance_layers": [0], "dropout": 0.1} if name == "AutoGuidance" else {}
    guider = getattr(diffusers.guiders, name)(**needed, **options)
    answers = []
    # CFG-Zero* asks for float32 by this name.
    with unittest.mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
        for step in steps:
            guider.set_state(step, STEPS, None)
            # Makes the momentum buffer at step 0.
            guider.prepare_inputs({})
            answer = guider.forward(*(torch.from_numpy(told[kind][step]) for kind in ("conditional", "unconditional"))).pred
            assert answer.dtype == torch.float64
            answers.append(answer.flatten().tolist())
    return {"guider": name, "options": options, "steps": steps, "answers": answers}


def active(start, stop, steps):
    import diffusers.guiders

    guider = diffusers.guiders.ClassifierFreeGuidance(start=start, stop=stop)

    def is_active(step):
        guider.set_state(step, steps, None)
        return guider.num_conditions == 2

    return {"start": start, "stop": stop, "count": steps, "active": [step for step in range(steps) if is_active(step)]}


def two_conditions(told, scale, image_scale):
    """The statement of diffusers' pipeline for InstructPix2Pix that guides, on its own."""
    import diffusers

    path = pathlib.Path(diffusers.__file__).parent / "pipelines/stable_diffusion/pipeline_stable_diffusion_instruct_pix2pix.py"
    found = [
        node for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign) and {"noise_pred_image", "guidance_scale"} <= {
            getattr(part, "id", getattr(part, "attr", None)) for part in ast.walk(node.value)}]
    assert len(found) == 1
    scope = {
        "self": unittest.mock.Mock(guidance_scale=scale, image_guidance_scale=image_scale), "noise_pred_image": told["image"][0],
        "noise_pred_text": told["conditional"][0], "noise_pred_uncond": told["unconditional"][0]}
    exec(compile(ast.Module(found, []), str(path), "exec"), scope)
    return {"scale": scale, "imageScale": image_scale, "answer": scope["noise_pred"].flatten().tolist()}


def perpendicular(told, scale, weights):
    """u + scale·(p − Σ weight·(n − <n, p>/<p, p>·p)) of each sample, p and n less u, rounded once (Armandpour et al. 2023, arXiv 2304.04968)."""
    exact = lambda array: [fractions.Fraction(float(value)) for value in array.flatten()]
    product = lambda a, b: sum(x * y for x, y in zip(a, b))
    answer = []
    for sample in range(SHAPE[0]):
        conditional, unconditional = (exact(told[kind][0][sample]) for kind in ("conditional", "unconditional"))
        p = [a - b for a, b in zip(conditional, unconditional)]
        direction = p
        for weight, output in zip(weights, told["negatives"]):
            n = [a - b for a, b in zip(exact(output[sample]), unconditional)]
            share = product(n, p) / product(p, p)
            direction = [d - fractions.Fraction(weight) * (a - share * b) for d, a, b in zip(direction, n, p)]
        answer += [float(u + fractions.Fraction(scale) * d) for u, d in zip(unconditional, direction)]
    return {"scale": scale, "weights": weights, "answer": answer}


def guidance():
    told = outputs()
    made = {
        "shape": SHAPE, **{kind: [array.flatten().tolist() for array in arrays] for kind, arrays in told.items()},
        "cases": [guided(told, *case) for case in CASES], "intervals": [active(*interval) for interval in INTERVALS],
        "twoConditions": [two_conditions(told, *scales) for scales in ((7.5, 1.5), (1.0, 2.0), (3.0, 1.0))],
        "perpendicular": [perpendicular(told, *arguments) for arguments in ((7.5, [1.0]), (4.0, [0.5, 1.75]), (1.0, [0.0]))],
    }
    return json.dumps(made) + "\n"


FILES = {"guidance.json": guidance}
