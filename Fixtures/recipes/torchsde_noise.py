"""What torchsde's Brownian tree does between sigmas, as diffusers' and k-diffusion's BrownianTreeNoiseSampler asks it.

The root of the interval's length is NumPy's, as torch's has other last bits on AMD's processors.

An entry is consecutive draws of a shape from one tree, over `intervals` of sigmas in the order of a run. Numbers are summed up as in
`torch_noise.py`.
"""

import importlib
import json
import sys

import numpy

from recipes import classes
from recipes.torch_noise import summary

# Seeds, the smallest and the largest sigma, the shape, and the sigmas of a run.
RUNS = [
    ([0], (0.029167533, 14.614647), (1, 4, 4), [14.614647, 9.0, 9.0000005, 3.1415927, 0.5, 0.029167533]),
    ([42], (0.002, 80.0), (2, 3, 5), [80.0, 40.001, 2.5000005, 0.25, 0.002]),
    ([2**32 + 7], (0.1, 0.9), (17,), [0.9, 0.1]),
    # Ends outside the tree, and sigmas that rise.
    ([7], (0.5, 2.0), (16,), [3.0, 1.0, 1.5, 0.25]),
    # A generator for each sample.
    ([3, 4], (0.029167533, 14.614647), (2, 16), [14.614647, 1.0, 0.3]),
    ([0], (0.0001, 700.0), (3,), [700.0, 123.456, 0.001]),
]


def torchsde_noise():
    import torch

    module = sys.modules[classes.scheduler("DPMSolverSDEScheduler").__module__]
    # Other recipes put something else in torchsde's place.
    module.torchsde = importlib.import_module("torchsde")
    entries = []
    for seeds, (low, high), shape, sigmas in RUNS:
        sigmas = torch.tensor(sigmas)
        ends = torch.tensor([low, high])
        sampler = module.BrownianTreeNoiseSampler(torch.zeros(shape), *ends, seeds if len(seeds) > 1 else seeds[0])
        values = [
            (sampler.tree(a, b).numpy() / numpy.sqrt((b - a).abs().numpy())).flatten().astype(numpy.float64)
            for a, b in zip(sigmas, sigmas[1:])]
        entries.append({
            "seeds": seeds, "least": float(ends[0]), "most": float(ends[1]), "shape": list(shape), "sigmas": sigmas.tolist(),
            "seed": "0", "draws": [len(value) for value in values], **summary(values)})
    return json.dumps(entries, indent=1) + "\n"


FILES = {"noise-torchsde.json": torchsde_noise}
