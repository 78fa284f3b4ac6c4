"""On a GPU a step is as many kernels as operations on tensors of the sample's size. torch.profiler counts them on the
processor, where our steps are made by the operators that serve a GPU too."""

import pytest
import torch
from pairs import answer, mine, original, split, step, told
from schedulers.diffusers import NAMES, _engines
from schedulers.diffusers._traits import TRAITS
from torch.profiler import ProfilerActivity, profile

SHAPE = (2, 4, 8, 8)
# They move no numbers, or by another one that is counted.
FREE = {
    "aten::to",
    "aten::_to_copy",
    "aten::clone",
    "aten::contiguous",
    "aten::item",
    "aten::promote_types",
    "aten::as_strided",
    "aten::empty",
    "aten::empty_like",
    "aten::empty_strided",
    "aten::expand",
    "aten::detach",
    "aten::view",
    "aten::reshape",
    "aten::_reshape_alias",
    "aten::select",
    "aten::slice",
    "aten::narrow",
    "aten::chunk",
    "aten::split",
    "aten::unsqueeze",
    "aten::resize_",
    "aten::flatten",
    "aten::resolve_conj",
    "aten::resolve_neg",
    "aten::result_type",
    "aten::unflatten",
    "aten::lift_fresh",
    "aten::set_",
    "aten::is_nonzero",
    "aten::unbind",
}


def kernels(scheduler, i, output, x, **arguments):
    """How many operations the i-th step makes on tensors as large as a sample of the batch."""
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as made:
        step(scheduler, i, output, x, torch.Generator().manual_seed(0), **arguments)
    return sum(within(event, x[0].numel()) for event in made.events() if event.cpu_parent is None)


def within(event, size):
    """The kernels of an operation: those of the ones that it is made of, or else its own."""
    inner = sum(within(child, size) for child in event.cpu_children)
    large = any(torch.Size(shape).numel() >= size for shape in event.input_shapes if shape)
    draws = event.name == "aten::normal_"
    return inner or int(event.name.startswith("aten::") and event.name not in FREE and (large or draws))


def counted(scheduler, name):
    """The kernels of a step in the middle of a run, and of the one after, the second call in a step of two."""
    setting, _ = split(scheduler, 8, {})
    scheduler.set_timesteps(**setting)
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    counts = []
    for i in range(6):
        output = answer(x, told(scheduler)[i], 2 * SHAPE[1] if "learned" in name else SHAPE[1], x.dtype)
        counts.append(kernels(scheduler, i, output, x))
    return max(counts[4:])


# Nearly all kernels of two classes are those of torchsde's path.
CASES = {name: {"_class_name": name} for name in NAMES if not TRAITS[name].brownian}
CASES["DDPMScheduler, learned_range"] = {"_class_name": "DDPMScheduler", "variance_type": "learned_range"}
CASES["DDIMScheduler, unclipped"] = {"_class_name": "DDIMScheduler", "clip_sample": False}
CASES["DPMSolverMultistepScheduler, SDE"] = {
    "_class_name": "DPMSolverMultistepScheduler",
    "algorithm_type": "sde-dpmsolver++",
}
CASES["DPMSolverMultistepScheduler, order 3"] = {"_class_name": "DPMSolverMultistepScheduler", "solver_order": 3}


@pytest.mark.parametrize("name", CASES)
def test_a_step_takes_fewer_kernels_than_the_originals(name, monkeypatch, record_property):
    monkeypatch.setattr(_engines, "takes", lambda *_: False)
    theirs, ours = counted(original(CASES[name]), name), counted(mine(CASES[name]), name)
    record_property("kernels", f"{ours} of {theirs}")
    print(f"{name}: {ours} kernels, diffusers {theirs}")
    assert ours < theirs
