"""Under the fidelity "corrected" a scheduler runs the library's plan, with the noise that the original would draw."""

import pytest
import torch
from pairs import SHAPE, answer, cases, mine, scaled, split, step, told
from schedulers import Plan, RequestError, Run, StateError
from schedulers.diffusers import _noise

STEPS = cases("diffusers-steps.json")
for repaint in STEPS:
    if repaint["config"]["_class_name"] == "RePaintScheduler":
        repaint["arguments"] = {"jump_n_sample": 1}  # the jumps back are the pipeline's


def name(case):
    return f"{STEPS.index(case)}-{case['config']['_class_name']}"


@pytest.fixture
def draws(monkeypatch):
    """The noise that was drawn."""
    drawn = []
    for name in ("randn_tensor", "path"):
        own = getattr(_noise, name)
        monkeypatch.setattr(_noise, name, lambda *a, own=own, **more: drawn.append(own(*a, **more)) or drawn[-1])
    return drawn


@pytest.mark.parametrize("case", STEPS, ids=name)
def test_a_run_is_that_of_the_librarys_plan(case, draws, engine):
    ours = mine(case["config"], "corrected")
    setting, stepping = split(ours, case["steps"], case["arguments"])
    try:
        plan = Plan.from_config(case["config"], case["steps"], fidelity="corrected", **case["arguments"])
    except RequestError:
        with pytest.raises(RequestError):
            ours.set_timesteps(**setting)
            step(ours, 0, torch.zeros(SHAPE), torch.ones(SHAPE), torch.Generator(), **stepping)
        return
    ours.set_timesteps(**setting)
    if stepping.get("s_churn") and plan.timesteps != tuple(map(float, ours._state.whole.timesteps)):
        with pytest.raises(StateError, match="asked at other timesteps"):
            step(ours, 0, torch.zeros(SHAPE), torch.ones(SHAPE), torch.Generator(), **stepping)
        return
    x = torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * plan.initial_scale
    run, times, generator = Run(plan, x, in_place=False), told(ours), torch.Generator().manual_seed(1)
    assert torch.equal(torch.tensor(plan.timesteps, dtype=torch.float64).to(times), times)
    for i, query in enumerate(run):
        y = scaled(ours, x, times[i])
        assert torch.allclose(y, run.input, rtol=1e-15)
        output = answer(y, times[i], 6 if plan.learns_variance else 3, torch.float64)
        draws.clear()
        made = step(ours, i, output, x, generator, **stepping)[0].double()
        run.advance(output, draws[-1].double() if query.needs_noise else None)
        # Factors are rounded in another order; what is added up may be larger than what is left.
        size = max(float(x.abs().max()), float(output.abs().max()), float(made.abs().max()), 1)
        if "RePaint" not in name(case):  # whose sample is the picture's where that is known
            assert float((made - run.sample).abs().max()) <= 1e-11 * size
        run.sample = x = made
