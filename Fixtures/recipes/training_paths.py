"""Training with a noise level for each sample: rectified flow by diffusers, EDM by k-diffusion, in float64.

`training-paths.safetensors`: `x0`, `epsilon` and the network's `output` [3, 2, 8].

- `flow.sigmas` [3]: noise levels t of FlowMatchEulerDiscreteScheduler; `flow.noisy` what its `scale_noise` makes of each sample at its own;
  `flow.target` noise − data, the line of diffusers' examples/dreambooth/train_dreambooth_lora_sd3.py; `flow.weights/SCHEME` [3] what
  `compute_loss_weighting_for_sd3` gives.
- `edm.sigmas` [3]; `edm.input` what the Denoiser of k-diffusion's layers.py gives its network; `edm.target` what its loss asks the network
  for, read off the loss's gradient; `edm.loss/WEIGHTING` [3] the loss of `output`.
"""

import importlib
import sys
import types

import numpy
from safetensors.numpy import save

from recipes.plans import load_k_diffusion

SIGMA_DATA = 0.5


def load_layers():
    """k_diffusion.layers, without what other layers need."""
    load_k_diffusion()
    stand_ins = {name: types.ModuleType(name) for name in ("dctorch", "dctorch.functional", "einops")}
    stand_ins["dctorch"].functional = stand_ins["dctorch.functional"]
    stand_ins["einops"].rearrange = stand_ins["einops"].repeat = None
    missing = {name: module for name, module in stand_ins.items() if name not in sys.modules}
    sys.modules.update(missing)
    try:
        return importlib.import_module("k_diffusion.layers")
    finally:
        for name in missing:
            del sys.modules[name]


def flow(x0, epsilon):
    from diffusers import FlowMatchEulerDiscreteScheduler
    from diffusers.training_utils import compute_loss_weighting_for_sd3

    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    indices = [3, 700, 998]
    sigmas = scheduler.sigmas[indices].double()
    weights = {
        f"flow.weights/{scheme}": compute_loss_weighting_for_sd3(scheme, sigmas).double() for scheme in ("sigma_sqrt", "cosmap")}
    return {
        "flow.sigmas": sigmas, "flow.noisy": scheduler.scale_noise(x0, scheduler.timesteps[indices], epsilon), "flow.target": epsilon - x0,
        **weights,
    }


def edm(x0, epsilon, output):
    import torch

    layers = load_layers()
    sigmas, given = torch.tensor([0.03, 0.7, 60.0], dtype=torch.float64), []
    answer = output.clone().requires_grad_()

    def network(input, sigma):
        given.append(input)
        return answer

    losses = {name: layers.Denoiser(network, SIGMA_DATA, name).loss(x0, epsilon, sigmas) for name in ("karras", "soft-min-snr")}
    losses["karras"].sum().backward()
    # The loss is the mean of (output − target)² over a sample's 16 scalars.
    target = output - answer.grad * 16 / 2
    return {
        "edm.sigmas": sigmas, "edm.input": given[0], "edm.target": target,
        **{f"edm.loss/{name}": loss.detach() for name, loss in losses.items()},
    }


def paths():
    import torch

    torch.manual_seed(18)
    x0, epsilon, output = (torch.randn(3, 2, 8, dtype=torch.float64) for _ in range(3))
    made = {"x0": x0, "epsilon": epsilon, "output": output, **flow(x0, epsilon), **edm(x0, epsilon, output)}
    assert all(tensor.dtype == torch.float64 for tensor in made.values())
    return save({name: numpy.ascontiguousarray(tensor.numpy()) for name, tensor in made.items()})


FILES = {"training-paths.safetensors": paths}
