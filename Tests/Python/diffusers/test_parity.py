"""Under the fidelity "diffusers" every step is the original's, but for rounding.

Both are given the original's sample in each step, so that nothing adds up. The originals make a step of 4 to 20
operations in float32, of which a term passes through at most 12; ours of at most 4, over factors that are the same
numbers. Each rounds by half a unit in the last place of the largest number around, u·magnitude. The bound is 16·u.

In half precision the originals round so after each operation, and in float64 they have factors of float32.
"""

import sys

import pytest
import torch
from pairs import FIXTURES, UNIT, cases, original, side_by_side
from schedulers import RequestError

sys.path.insert(0, str(FIXTURES))
from recipes import pipelines

ROUNDINGS = 16
STEPS = cases("diffusers-steps.json")
RELEASED = cases("diffusers-files.json")
# Of the pipelines' own arguments, those that the schedulers are not given.
NOT_TOLD = ("strength", "last_step", "begin_index")


def check(config, steps, arguments, kind=torch.float32, unit=None, **part):
    """Makes a run of both, and returns how many steps were compared."""
    unit, count = unit or UNIT[kind], 0
    for i, theirs, ours, total, x0 in side_by_side(config, steps, arguments, kind, **part):
        assert len(theirs) == len(ours)
        for value, other, size in zip(theirs, ours, (total, x0)):
            assert value.dtype == other.dtype and value.shape == other.shape
            error = float((value.double() - other.double()).abs().max())
            assert error <= ROUNDINGS * unit * size or is_idle(config, steps, i), f"step {i}: {error}"
        count += 1
    return count


def is_idle(config, steps, i):
    """Whether a step goes from the last sigma to the same one, of an SDE. The noise that diffusers adds is the root of
    what rounding leaves of two equal logarithms, another number on each make of processors."""
    stays = config.get("final_sigmas_type") == "sigma_min" and i + 1 == steps
    return stays and str(config.get("algorithm_type")).startswith("sde-")


def name(case):
    return case.get("model") or f"{STEPS.index(case)}-{case['config']['_class_name']}"


@pytest.mark.parametrize("case", STEPS, ids=name)
def test_a_step_of_any_class_with_any_options_is_the_originals(case, engine):
    check(case["config"], case["steps"], case["arguments"])


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("case", STEPS[::2], ids=name)
def test_a_step_in_half_precision_is_the_originals_in_its_type(case, kind):
    check(case["config"], case["steps"], case["arguments"], kind)


@pytest.mark.parametrize("case", STEPS[::4], ids=name)
def test_a_step_in_float64_has_the_originals_factors_in_float32(case, engine):
    check(case["config"], case["steps"], case["arguments"], torch.float64, UNIT[torch.float32])


@pytest.mark.parametrize("case", RELEASED, ids=name)
def test_the_run_of_a_released_model_is_the_originals(case):
    arguments = {key: value for key, value in case["arguments"].items() if key not in NOT_TOLD}
    steps = min(case["steps"], 60)
    assert check(case["config"], steps, arguments) > 0


@pytest.mark.parametrize("begins", [False, True], ids=["found", "begun"])
@pytest.mark.parametrize("number", range(len(pipelines.LATE)))
def test_a_run_that_begins_late_is_the_originals(number, begins, engine):
    scheduler, options, first = pipelines.LATE[number]
    config = {"_class_name": scheduler, **options}
    calls = pipelines.TWO_CALLS
    if begins and not hasattr(original(config), "set_begin_index"):
        pytest.skip("the class is not told where it begins")
    if first % 2 and scheduler in calls:
        pytest.skip("a run does not begin with the second call of a step")
    if scheduler == "PNDMScheduler" and not options and first > 1:
        pytest.skip("diffusers ends with an error")
    assert check(config, 20, {}, first=first, begins=begins) > 0


@pytest.mark.parametrize("number", range(len(pipelines.GIVEN)))
def test_a_run_at_given_times_is_the_originals(number):
    scheduler, options, settings = pipelines.GIVEN[number]
    arguments = pipelines.settings_of(scheduler, {key: value for key, value in settings.items() if key != "steps"})
    config = {"_class_name": scheduler, **options}
    if (
        max(arguments.get("timesteps", [0])) > 1000
        or scheduler == "DPMSolverSinglestepScheduler"
        and "flow_shift" in options
    ):
        with pytest.raises(RequestError):  # times that the network was not trained at, and times that have no effect
            check(config, settings.get("steps"), arguments)
    else:
        check(config, settings.get("steps"), arguments)
