"""How runs go: edited, copied, ended early, at the wrong place; and which steps are the original's."""

import copy
import pickle

import pytest
import torch
from pairs import begun, mine, original, walked
from schedulers import RequestError, StateError

SHAPE = (2, 3, 4, 5)
COPIED = (
    "DDIMScheduler",
    "UniPCMultistepScheduler",
    "HeunDiscreteScheduler",
    "PNDMScheduler",
    "DPMSolverSinglestepScheduler",
)


# How runs go.


@pytest.mark.parametrize(
    "name",
    [
        "DDIMScheduler",
        "DPMSolverMultistepScheduler",
        "UniPCMultistepScheduler",
        "EulerAncestralDiscreteScheduler",
        "HeunDiscreteScheduler",
        "DEISMultistepScheduler",
    ],
)
def test_samples_may_be_edited_between_steps(name, engine):
    mask = torch.tensor([1.0, 0.0, 1.0]).view(1, 3, 1, 1)

    def put_back(i, x):
        return mask * (1 - i / 10) + (1 - mask) * x

    def in_place(i, x):
        return x.mul_(1 - mask).add_(mask, alpha=1 - i / 10)

    theirs, (ours, x) = original({"_class_name": name}), begun(name, 10)
    theirs.set_timesteps(10)
    expected = walked(theirs, x, edit=put_back)
    for edit in (put_back, in_place):
        ours.set_timesteps(10)
        # Of a network of slope 3 a rounding becomes three at most in each step.
        for i, (a, b) in enumerate(zip(expected, walked(ours, x.clone(), edit=edit))):
            assert torch.allclose(a, b, rtol=0, atol=2e-5 * 2**i * max(1, float(a.abs().max()))), i


@pytest.mark.parametrize("name", COPIED)
def test_a_run_may_be_made_in_inference_mode(name, engine):
    usual, x = begun(name)
    expected = walked(usual, x)
    with torch.inference_mode():
        ours, _ = begun(name)
        made = walked(ours, x)
    # The engine adds up in another order where it cannot know that nobody has written to the sample.
    assert all(torch.allclose(a, b, rtol=0, atol=1e-4 * max(1, float(a.abs().max()))) for a, b in zip(expected, made))


def test_a_run_may_end_early_and_begin_again():
    ours, x = begun("UniPCMultistepScheduler", 10)
    first = walked(ours, x, last=4)
    ours.set_timesteps(10)
    assert all(torch.equal(a, b) for a, b in zip(first, walked(ours, x, last=4)))


def test_the_batch_of_a_class_without_memory_may_change():
    ours, x = begun("EulerDiscreteScheduler")
    y = ours.step(torch.sin(x), ours.timesteps[0], x)[0]
    whole = copy.deepcopy(ours).step(torch.sin(y), ours.timesteps[1], y)[0]
    assert torch.equal(ours.step(torch.sin(y[:1]), ours.timesteps[1], y[:1])[0], whole[:1])


def test_the_batch_of_a_class_with_memory_must_stay():
    ours, x = begun("DPMSolverMultistepScheduler")
    y = ours.step(torch.sin(x), ours.timesteps[0], x)[0]
    with pytest.raises(StateError, match="began with a tensor of shape"):
        ours.step(torch.sin(y[:1]), ours.timesteps[1], y[:1])


@pytest.mark.parametrize("name", COPIED)
def test_a_scheduler_is_copied_and_pickled_in_the_middle_of_a_run(name, engine):
    ours, x = begun(name, 10)
    middle = walked(ours, x, last=5)[-1]
    for copied in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert type(copied) is type(ours)
        expected = walked(copy.deepcopy(ours), middle, first=5)
        assert all(torch.equal(a, b) for a, b in zip(expected, walked(copied, middle, first=5)))


def test_a_run_has_an_end():
    for name in ("EulerDiscreteScheduler", "UniPCMultistepScheduler"):
        ours, x = begun(name, 4)
        x = walked(ours, x)[-1]
        with pytest.raises(IndexError, match="step 4 of a run of 4"):
            ours.step(x, ours.timesteps[-1], x)


def test_an_integer_is_no_timestep_of_a_class_with_sigmas():
    ours, x = begun("EulerDiscreteScheduler")
    for index in (0, torch.tensor(0)):
        with pytest.raises(ValueError, match="is an integer"):
            ours.step(x, index, x)


def test_what_cannot_be_followed_is_refused_when_it_is_set():
    with pytest.raises(RequestError, match="EulerDiscreteScheduler"):
        begun("EulerDiscreteScheduler", 1500)


def test_noise_that_moves_the_timesteps_is_refused_by_the_mathematics():
    ours, x = begun("EulerDiscreteScheduler", fidelity="corrected")
    with pytest.raises(StateError, match="asked at other timesteps"):
        ours.step(x, ours.timesteps[0], x, s_churn=5.0)


# What is left to the original.


def compared(theirs, ours, x, **arguments):
    for i, t in enumerate(theirs.timesteps):
        a, b = (scheduler.step(torch.sin(x), t, x, **arguments)[0] for scheduler in (theirs, ours))
        assert torch.allclose(a, b, rtol=1e-6, atol=1e-6), i
        x = a


def test_edited_sigmas_hold_for_the_rest_of_the_run():
    theirs, (ours, x) = (
        original({"_class_name": "FlowMatchEulerDiscreteScheduler"}),
        begun("FlowMatchEulerDiscreteScheduler"),
    )
    theirs.set_timesteps(8)
    for scheduler in (theirs, ours):
        scheduler.sigmas[-1] = scheduler.sigmas[-2]
    compared(theirs, ours, x)
    ours.set_timesteps(8)
    ours.sigmas = ours.sigmas.clone()  # the same numbers
    ours.timesteps = ours.timesteps.clone()
    ours.step(x, ours.timesteps[0], x)
    assert ours._state.engine is not None


def test_a_shift_that_is_set_later_holds():
    for name in ("FlowMatchEulerDiscreteScheduler", "FlowMatchLCMScheduler"):
        theirs, ours = original({"_class_name": name}), mine({"_class_name": name})
        for scheduler in (theirs, ours):
            scheduler.set_shift(3.0)
            scheduler.set_timesteps(6)
        assert torch.equal(theirs.timesteps, ours.timesteps)
        assert torch.allclose(torch.tensor(ours._state.whole.timesteps), ours.timesteps, rtol=1e-6)


def test_timesteps_for_each_token_and_sizes_to_scale_to_are_the_originals():
    theirs, (ours, _) = (
        original({"_class_name": "FlowMatchEulerDiscreteScheduler"}),
        begun("FlowMatchEulerDiscreteScheduler"),
    )
    theirs.set_timesteps(8)
    x = torch.randn(2, 5, 3)
    compared(theirs, ours, x, per_token_timesteps=torch.linspace(100, 900, 10).view(2, 5))
    answers = []
    for scheduler in (
        original({"_class_name": "FlowMatchLCMScheduler"}),
        mine({"_class_name": "FlowMatchLCMScheduler"}),
    ):
        scheduler.set_scale_factors([2.0], "nearest")
        scheduler.set_timesteps(2)
        x = torch.ones(1, 3, 4, 4)
        answers.append(scheduler.step(x, scheduler.timesteps[0], x, generator=torch.Generator().manual_seed(0))[0])
    assert answers[0].shape[-1] == 8 and torch.equal(*answers)


def test_a_timestep_that_is_none_of_the_runs_is_the_originals():
    theirs, (ours, x) = original({"_class_name": "DDIMScheduler"}), begun("DDIMScheduler")
    theirs.set_timesteps(8)
    assert torch.equal(*(scheduler.step(torch.sin(x), 333, x)[0] for scheduler in (theirs, ours)))


def test_before_set_timesteps_a_step_is_the_originals_or_of_all_timesteps():
    x = torch.randn(SHAPE)
    for name, t in (("EulerDiscreteScheduler", 500.0), ("DDPMScheduler", 500)):
        a, b = (
            scheduler.step(torch.sin(x), t, x, generator=torch.Generator().manual_seed(0))[0]
            for scheduler in (original({"_class_name": name}), mine({"_class_name": name}))
        )
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-5)
