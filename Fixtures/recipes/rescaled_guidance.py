"""Classifier-free guidance with rescaling, by diffusers' rescale_noise_cfg, in float64.

The function stands in a pipeline module that needs more packages than it does; its source is taken from there and run.
"""

import ast
import json
import pathlib

import numpy


def rescaled():
    import diffusers
    import torch

    path = pathlib.Path(diffusers.__file__).parent / "pipelines/stable_diffusion/pipeline_stable_diffusion.py"
    functions = {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    scope = {}
    exec(compile(ast.Module([functions["rescale_noise_cfg"]], []), str(path), "exec"), scope)

    shape = (2, 2, 3)
    conditional, unconditional = (torch.from_numpy(numpy.random.default_rng(seed).standard_normal(shape)) for seed in (1, 2))
    conditional[1] *= 3
    made = {"shape": shape, "conditional": conditional.flatten().tolist(), "unconditional": unconditional.flatten().tolist()}
    made["cases"] = []
    for scale in (1.5, 7.5):
        guided = unconditional + scale * (conditional - unconditional)
        for rescale in (0.0, 0.7, 1.0):
            answer = scope["rescale_noise_cfg"](guided, conditional, guidance_rescale=rescale)
            made["cases"].append({"scale": scale, "rescale": rescale, "answer": answer.flatten().tolist()})
    return json.dumps(made, indent=1) + "\n"


FILES = {"rescaled-guidance.json": rescaled}
