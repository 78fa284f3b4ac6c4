"""A scheduler of ours is used as diffusers' own are."""

import inspect
import logging

import diffusers
import pytest
import schedulers.diffusers
import torch
from pairs import begun, cases, mine, original, split
from schedulers.diffusers import NAMES, Scheduler, class_for

SHAPE = (2, 3, 4, 5)


# What it is.


@pytest.mark.parametrize("name", NAMES)
def test_a_class_is_the_originals_with_its_signatures(name):
    ours, theirs = class_for(name), getattr(diffusers, name)
    assert issubclass(ours, (theirs, Scheduler)) and ours.__name__ == name
    assert getattr(schedulers.diffusers, name) is ours
    for method in ("__init__", "set_timesteps", "step", "scale_model_input", "add_noise", "scale_noise"):
        if hasattr(theirs, method):
            assert inspect.signature(getattr(ours, method)) == inspect.signature(getattr(theirs, method))


def test_pipelines_see_which_arguments_a_step_takes():
    scheduler = Scheduler.from_config(diffusers.DDIMScheduler())
    assert {"eta", "generator"} <= inspect.signature(scheduler.step).parameters.keys()
    assert "eta" not in inspect.signature(Scheduler.from_config(diffusers.PNDMScheduler()).step).parameters
    with pytest.raises(TypeError, match="unexpected keyword"):
        scheduler.set_timesteps(4)
        scheduler.step(torch.zeros(1), 0, torch.zeros(1), strength=1)


def test_the_fidelity_is_corrected_unless_it_is_said_and_stays():
    scheduler = Scheduler.from_config(diffusers.EulerDiscreteScheduler())
    assert scheduler.fidelity == "corrected"
    faithful = Scheduler.from_config(scheduler, fidelity="diffusers")
    assert faithful.fidelity == "diffusers" and Scheduler.from_config(faithful).fidelity == "diffusers"
    with pytest.raises(ValueError, match="fidelity 'exact'"):
        faithful.fidelity = "exact"


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_scheduler_is_read_by_diffusers_and_by_us(name, tmp_path, caplog):
    saved = mine({"_class_name": name, "num_train_timesteps": 500}, "diffusers")
    saved.save_pretrained(tmp_path)
    diffusers.logging.get_logger("diffusers.configuration_utils").propagate = True
    with caplog.at_level(logging.WARNING):
        theirs = getattr(diffusers, name).from_pretrained(tmp_path)
    assert not [record for record in caplog.records if "_fidelity" in record.message]
    assert type(theirs) is getattr(diffusers, name)
    for again in (Scheduler.from_config(theirs), class_for(name).from_pretrained(tmp_path)):
        assert again.fidelity == "diffusers" and type(again) is class_for(name)
        assert all(again.config[key] == value for key, value in theirs.config.items() if not key.startswith("_"))
    assert class_for(name).from_pretrained(tmp_path, fidelity="corrected").fidelity == "corrected"


def test_a_configuration_without_its_class_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match="give the scheduler itself"):
        Scheduler.from_config({"beta_end": 0.02})
    with pytest.raises(ValueError, match="'VQDiffusionScheduler' is no class that has plans"):
        Scheduler.from_config(diffusers.VQDiffusionScheduler(num_vec_classes=4))
    assert schedulers.diffusers.EulerDiscreteScheduler.from_config({"beta_end": 0.03}).config.beta_end == 0.03


def test_another_class_takes_over_a_configuration():
    theirs = diffusers.PNDMScheduler(beta_schedule="scaled_linear", skip_prk_steps=True)
    ours = schedulers.diffusers.DPMSolverMultistepScheduler.from_config(theirs.config, use_karras_sigmas=True)
    assert ours.config.beta_schedule == "scaled_linear" and ours.config.use_karras_sigmas
    assert isinstance(ours, diffusers.DPMSolverMultistepScheduler)
    assert len(ours) == 1000 and diffusers.DDIMScheduler in ours.compatibles


@pytest.mark.parametrize("name", NAMES)
def test_tables_and_the_first_scale_are_there(name):
    theirs, (ours, _) = original({"_class_name": name}), begun(name)
    setting, _ = split(theirs, 8, {})
    theirs.set_timesteps(**setting)
    for key in ("betas", "alphas_cumprod", "sigmas", "timesteps", "init_noise_sigma", "order", "begin_index"):
        value, other = getattr(theirs, key, None), getattr(ours, key, None)
        assert torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other


# What a step answers.


def test_a_step_answers_by_name_or_as_a_tuple_and_leaves_its_arguments_alone():
    for name in (
        "DDIMScheduler",
        "EulerDiscreteScheduler",
        "UniPCMultistepScheduler",
        "FlowMatchEulerDiscreteScheduler",
    ):
        scheduler, x = begun(name)
        output, t = torch.sin(x), scheduler.timesteps[0]
        before = x.clone(), output.clone()
        named = scheduler.step(output, t, x)
        setting, _ = split(scheduler, 8, {})
        scheduler.set_timesteps(**setting)
        plain = scheduler.step(model_output=output, timestep=t, sample=x, return_dict=False)
        assert torch.equal(named.prev_sample, plain[0]) and torch.equal(x, before[0]) and torch.equal(output, before[1])
        assert type(named) is type(original({"_class_name": name}).step.__globals__[type(named).__name__](plain[0]))
        if len(plain) > 1:
            assert torch.equal(named.pred_original_sample, plain[1])


def test_given_noise_takes_the_place_of_the_generators():
    for name, options, arguments in (
        ("DDIMScheduler", {}, {"eta": 1.0}),
        ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}, {}),
    ):
        theirs, (ours, x) = original({"_class_name": name, **options}), begun(name, **options)
        theirs.set_timesteps(8)
        noise = torch.full(SHAPE, 0.5)
        a, b = (
            one.step(torch.sin(x), one.timesteps[0], x, variance_noise=noise, **arguments)[0] for one in (theirs, ours)
        )
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="both a generator and variance_noise"):
        ours, x = begun("DDIMScheduler")
        ours.step(x, ours.timesteps[0], x, eta=1.0, generator=torch.Generator(), variance_noise=x)


def test_a_list_of_generators_draws_for_each_sample():
    ours, x = begun("EulerAncestralDiscreteScheduler")
    theirs = original({"_class_name": "EulerAncestralDiscreteScheduler"})
    theirs.set_timesteps(8)
    draws = [[torch.Generator().manual_seed(seed) for seed in (3, 4)] for _ in range(2)]
    theirs.scale_model_input(x, theirs.timesteps[0])
    a, b = (one.step(torch.sin(x), one.timesteps[0], x, generator=g)[0] for one, g in zip((theirs, ours), draws))
    assert torch.allclose(a, b, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    "name",
    ["DDIMScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler"],
)
def test_gradients_go_through_a_step(name):
    theirs, (ours, x) = original({"_class_name": name}), begun(name)
    theirs.set_timesteps(8)
    gradients = []
    for scheduler in (theirs, ours):
        y, w = x.clone().requires_grad_(), torch.tensor(0.7, requires_grad=True)
        z = y
        for t in scheduler.timesteps[:3]:
            z = scheduler.step(torch.sin(w * z), t, z, return_dict=False)[0]
        gradients.append(torch.autograd.grad(z.square().sum(), (y, w)))
    for a, b in zip(*gradients):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-4 * float(a.abs().max()))


def test_tensors_may_be_strided_shared_and_the_same():
    ours, x = begun("DPMSolverMultistepScheduler")
    wide = torch.stack([x, torch.sin(x)], dim=-1)
    x, output = wide.unbind(-1)
    assert not x.is_contiguous()
    strided = ours.step(output, ours.timesteps[0], x)[0]
    ours.set_timesteps(8)
    assert torch.equal(strided, ours.step(output.contiguous(), ours.timesteps[0], x.contiguous())[0])
    ours.set_timesteps(8)
    same = ours.step(x, ours.timesteps[0], x)[0]
    ours.set_timesteps(8)
    assert torch.equal(same, ours.step(x.clone(), ours.timesteps[0], x)[0])


# Training.


def test_noise_and_velocities_are_the_originals():
    x, noise, t = torch.randn(SHAPE), torch.randn(SHAPE), torch.tensor([10, 700])
    theirs, ours = original({"_class_name": "DDPMScheduler"}), mine({"_class_name": "DDPMScheduler"})
    assert torch.equal(theirs.add_noise(x, noise, t), ours.add_noise(x, noise, t))
    assert torch.equal(theirs.get_velocity(x, noise, t), ours.get_velocity(x, noise, t))
    flow, (mixed, _) = (
        original({"_class_name": "FlowMatchEulerDiscreteScheduler"}),
        begun("FlowMatchEulerDiscreteScheduler"),
    )
    flow.set_timesteps(8)
    assert torch.equal(
        flow.scale_noise(x, flow.timesteps[2:4], noise), mixed.scale_noise(x, flow.timesteps[2:4], noise)
    )


@pytest.mark.parametrize("number", [0, 100, 200])
def test_late_starts_take_the_noise_of_the_corrected_levels(number):
    case = cases("diffusers-steps.json")[number]
    ours = mine(case["config"], "corrected")
    setting, _ = split(ours, case["steps"], {})
    ours.set_timesteps(**setting)
    level = ours._state.whole.calls[1].level
    made = ours.add_noise(torch.ones(1, 1), torch.full((1, 1), 2.0), ours.timesteps[1:2])
    assert torch.allclose(made, torch.tensor(level[0] + 2 * level[1], dtype=made.dtype), rtol=1e-5)
