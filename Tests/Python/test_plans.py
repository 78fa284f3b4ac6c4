"""Plans: where they come from, what they say, and what is refused."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
import schedulers
from schedulers import (
    ArgumentError,
    FileError,
    JSONError,
    Plan,
    RequestError,
    SchedulersError,
    StateError,
    catalog,
)
from support import classes

EULER = {"_class_name": "EulerDiscreteScheduler", "beta_schedule": "scaled_linear", "timestep_spacing": "leading"}


def test_a_configuration_is_read_in_every_form(tmp_path):
    path = tmp_path / "scheduler_config.json"
    path.write_text(json.dumps(EULER))
    forms = [EULER, json.dumps(EULER), "  " + json.dumps(EULER), str(path), path, tmp_path, str(tmp_path)]
    plans = [Plan.from_config(form, steps=7) for form in forms]
    assert len(set(plans)) == 1 and len(plans[0]) == 7
    diffusers = pytest.importorskip("diffusers")
    scheduler = diffusers.EulerDiscreteScheduler(beta_schedule="scaled_linear", timestep_spacing="leading")
    config = {"_class_name": "EulerDiscreteScheduler", **scheduler.config}
    assert Plan.from_config(config, steps=7) == plans[0]


def test_arguments_are_a_pipelines():
    flow = {"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": True}
    sigmas = np.linspace(1, 1 / 4, 4)
    plan = Plan.from_config(flow, mu=1.15, sigmas=sigmas)
    # The shift of Flux: σ' = e^mu/(e^mu + 1/σ − 1), with the level's noise on the line signal + noise = 1.
    shifted = np.exp(1.15) / (np.exp(1.15) + 1 / sigmas - 1)
    assert np.allclose([step.level.noise for step in plan.steps], shifted, rtol=1e-14)
    assert plan == Plan.from_config(flow, 4, mu=1.15, sigmas=list(sigmas))
    assert plan != Plan.from_config(flow, 4, mu=1.16)
    late = Plan.from_config(EULER, 10, strength=0.6)
    assert len(late) == 6 and late.timesteps == Plan.from_config(EULER, 10).timesteps[4:]
    given = Plan.from_config({"_class_name": "DDPMScheduler"}, timesteps=[800, 300, 5])
    assert given.timesteps == (800, 300, 5)
    assert Plan.from_config({"_class_name": "DDIMScheduler"}, 5, eta=1.0).is_stochastic
    assert not Plan.from_config({"_class_name": "DDIMScheduler"}, 5).is_stochastic
    exact, faithful = (Plan.from_config(EULER, 5, fidelity=fidelity) for fidelity in ("corrected", "diffusers"))
    assert exact != faithful and exact.timesteps == faithful.timesteps


def test_presets_are_released_models():
    names = catalog()["presets"]
    assert "flux.1-dev" in [name if isinstance(name, str) else name["name"] for name in names]
    plan = Plan.from_preset("flux.1-dev", steps=4)
    assert len(plan) == 4 and plan.provenance["fidelity"] == "corrected"
    assert Plan.from_preset("flux.1-dev", 4, tokens=4096) == plan != Plan.from_preset("flux.1-dev", 4, tokens=256)
    assert Plan.from_preset("flux.1-dev", mu=1.15, sigmas=[1, 0.5]).steps[0].level.noise == 1
    with pytest.raises(RequestError, match="known"):
        Plan.from_preset("flux.0")


def test_samplers_have_names_and_options():
    plan = Plan.from_sampler(
        "dpm++2m", schedule="scaled-linear", spacing="trailing", steps=20, prediction="v", zero_terminal_snr=True
    )
    assert len(plan) == 20 and plan.steps[0].level.signal == 0 and plan.steps[0].sigma == float("inf")
    assert plan.provenance["sampler"] == "dpm++2m"
    assert Plan.from_sampler("ddim", steps=5, eta=0.5).is_stochastic
    assert Plan.from_sampler("ddim", steps=5, clipping="dynamic").clipping.kind == "dynamic"
    assert Plan.from_sampler("euler", spacing="karras", steps=5, sigma_max=10.0, rho=5.0) != Plan.from_sampler(
        "euler", spacing="karras", steps=5, sigma_max=10.0
    )
    assert "dpm++2m" in str([entry for entry in catalog()["samplers"]])


def test_a_plan_says_its_numbers():
    plan = Plan.from_config({"_class_name": "DDPMScheduler", "clip_sample": True}, 4)
    step = plan.steps[0]
    # sample·x + output·F of epsilon prediction, at a level of signal² + noise² = 1.
    assert np.isclose(step.denoised.sample, 1 / step.level.signal, rtol=1e-15)
    assert np.isclose(step.denoised.output, -step.level.noise / step.level.signal, rtol=1e-15)
    assert step.level.sigma == pytest.approx(step.sigma, rel=1e-15)
    assert step.arrival == plan.steps[1].level and plan.steps[-1].arrival.noise == 0
    assert step.next_timestep == plan.steps[1].timestep and plan.steps[-1].next_timestep is None
    assert step.needs_noise and not plan.steps[-1].needs_noise and step.variance.kind == "fixed"
    assert plan.clipping.kind == "range" and (plan.clipping.lower, plan.clipping.upper) == (-1, 1)
    assert plan.initial_scale == 1 and not plan.learns_variance and plan.is_stochastic
    assert plan.start == step.level and plan.draws_noise == (True, True, True, False)
    query = plan.query(1)
    assert (query.step, query.count, query.timestep) == (1, 4, plan.timesteps[1])
    assert (query.level, query.sigma, query.arrival) == (plan.steps[1].level, plan.steps[1].sigma, plan.steps[2].level)
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.timestep = 3
    with pytest.raises(AttributeError, match="immutable"):
        plan.steps = ()
    for wrong in (-1, 4):
        with pytest.raises(ArgumentError):
            plan.query(wrong)


def test_plans_are_values():
    plan, same, other = (Plan.from_config(EULER, steps) for steps in (5, 5, 6))
    assert plan == same and hash(plan) == hash(same) and plan != other and plan != 5
    assert {plan: 1}[same] == 1
    for copy in (
        pickle.loads(pickle.dumps(plan)),
        Plan.from_json(plan.json()),
        Plan.from_json(json.loads(plan.json())),
    ):
        assert copy == plan and copy.provenance == plan.provenance
    assert Plan.from_json(plan.json().encode()) == plan
    # What it was made from is no part of it.
    named = {**json.loads(plan.json()), "provenance": {"by": "hand"}}
    assert Plan.from_json(named) == plan
    assert repr(plan) == "<Plan of EulerDiscreteScheduler: 5 steps, deterministic>"
    assert repr(Plan.from_sampler("ddpm", steps=3)) == "<Plan of ddpm: 3 steps, stochastic>"
    assert "a file" in repr(Plan.from_json(named))


def test_every_number_of_a_plan_is_read_back():
    """From the JSON that Docs/Plan.md describes into the steps."""
    plan = Plan.from_config({"_class_name": "UniPCMultistepScheduler", "thresholding": True}, 5, fidelity="diffusers")
    for step, values in zip(plan.steps, json.loads(plan.json())["steps"]):
        assert dataclasses.asdict(step.next) == {
            k: tuple(v) if isinstance(v, list) else v for k, v in values["next"].items()
        }
        assert dataclasses.asdict(step.denoised) == values["denoised"]
        assert dataclasses.asdict(step.estimate) == values["estimate"]
        assert (step.timestep, step.next_timestep) == (values["timestep"], values["nextTimestep"])
        assert (step.sigma, step.input_scale) == (values["sigma"], values["inputScale"])
        assert (
            dataclasses.asdict(step.level) == values["level"] and dataclasses.asdict(step.arrival) == values["arrival"]
        )


def test_every_class_has_a_plan():
    named = catalog()["classes"]
    for name in {*named, *classes()}:
        # Some go to clean data in the last of the steps, and PNDM begins with four calls in each of three.
        assert 3 <= len(Plan.from_config({"_class_name": name}, 4)) <= 13


REFUSED = {
    RequestError: {
        "an unknown class": lambda: Plan.from_config({"_class_name": "NoScheduler"}, 5),
        "no class": lambda: Plan.from_config({}, 5),
        "an unknown value": lambda: Plan.from_config({**EULER, "timestep_spacing": "wide"}, 5),
        "a value of another kind": lambda: Plan.from_config({**EULER, "beta_start": "small"}, 5),
        "an unknown argument": lambda: Plan.from_config(EULER, 5, warmth=3),
        "no steps": lambda: Plan.from_config(EULER, 0),
        "steps beyond": lambda: Plan.from_config(EULER, 100000),
        "more steps than can be counted": lambda: Plan.from_config(EULER, 10**30),
        "steps of another kind": lambda: Plan.from_config(EULER, "five"),
        "an unknown fidelity": lambda: Plan.from_config(EULER, 5, fidelity="some"),
        "times that rise": lambda: Plan.from_config({"_class_name": "DDPMScheduler"}, timesteps=[5, 300]),
        "NaN": lambda: Plan.from_config(EULER, 5, strength=float("nan")),
        "an unknown sampler": lambda: Plan.from_sampler("leap"),
        "an unknown schedule": lambda: Plan.from_sampler("ddim", schedule="curved"),
        "an unknown key": lambda: Plan.from_sampler("ddim", warmth=3),
        "eta of a sampler without": lambda: Plan.from_sampler("heun", eta=0.5),
        "epsilon without signal": lambda: Plan.from_sampler("ddim", zero_terminal_snr=True),
    },
    JSONError: {
        "no JSON": lambda: Plan.from_config("{", 5),
        "a list": lambda: Plan.from_json("[1]"),
        "no plan": lambda: Plan.from_json("{}"),
        "a number": lambda: Plan.from_json("3"),
        "bytes that are no text": lambda: Plan.from_json(b"\xff"),
        "depth": lambda: Plan.from_json("[" * 100000),
        "a number without end": lambda: Plan.from_json("1" * 10000),
    },
    ArgumentError: {
        "a configuration of another kind": lambda: Plan.from_config(3, 5),
        "what JSON cannot hold": lambda: Plan.from_config({**EULER, "trained_betas": object()}, 5),
        "a plan of another kind": lambda: Plan.from_json(3),
    },
    FileError: {
        "no file": lambda: Plan.from_config("nowhere.json", 5),
        "a name with 0": lambda: Plan.from_config("a\0b", 5),
    },
}


@pytest.mark.parametrize("kind,name", [(kind, name) for kind, cases in REFUSED.items() for name in cases])
def test_what_cannot_be_followed_is_an_error(kind, name):
    with pytest.raises(SchedulersError) as raised:
        REFUSED[kind][name]()
    assert type(raised.value) is kind, raised.value
    text = str(raised.value)
    assert text and "\n" not in text and isinstance(raised.value, ValueError)


def test_files_that_are_no_configurations_are_named(tmp_path):
    path = tmp_path / "scheduler_config.json"
    path.write_text("<html>")
    with pytest.raises(JSONError, match="scheduler_config.json is not JSON"):
        Plan.from_config(path, 5)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(JSONError, match="scheduler_config.json is not UTF-8"):
        Plan.from_config(path, 5)
    with pytest.raises(FileError):
        Plan.from_config(tmp_path / "nothing" / "scheduler_config.json")


def damaged(change):
    values = json.loads(Plan.from_sampler("dpm++2m", steps=3).json())
    change(values)
    return values


DAMAGES = {
    "another version": (lambda p: p.update(format="scheduler-plan/2"), "scheduler-plan/2"),
    "no version": (lambda p: p.pop("format"), "None"),
    "no steps": (lambda p: p.pop("steps"), "steps"),
    "steps of another kind": (lambda p: p.update(steps=3), "not as the format says"),
    "a step of another kind": (lambda p: p["steps"].append(None), "not as the format says"),
    "NaN": (lambda p: p["steps"][1]["next"].update(made=float("nan")), "step 1 has nan"),
    "a number beyond doubles": (lambda p: p["steps"][1]["next"].update(made=10**400), "not as the format says|step 1"),
    "text for a number": (lambda p: p["steps"][1]["denoised"].update(output="1"), "step 1 has '1'"),
    "a coefficient less": (lambda p: p["steps"][2]["estimate"].pop("sample"), "step 2"),
    "what lies before the run": (lambda p: p["steps"][0]["next"].update(estimates=[1, 1]), "reaches back"),
    "an unknown clipping": (lambda p: p.update(clipping={"kind": "soft"}), "not as the format says"),
    "no clipping": (lambda p: p.update(clipping=None), "not as the format says"),
    "an unknown variance": (lambda p: p["steps"][1].update(variance={"kind": "large"}), "step 1"),
    "a level of another kind": (lambda p: p["steps"][1].update(level=3), "not as the format says"),
    "a level without noise": (lambda p: p["steps"][1].update(level={"signal": 1}), "not as the format says"),
    "a start of another kind": (lambda p: p.update(start="x"), "not as the format says"),
    "learnsVariance of another kind": (lambda p: p.update(learnsVariance=1), "learnsVariance"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_plan_that_is_damaged_is_refused(name):
    change, says = DAMAGES[name]
    with pytest.raises(JSONError, match=says):
        Plan.from_json(damaged(change))


def test_a_plan_that_draws_noise_asks_for_a_source():
    plan, x = Plan.from_config({"_class_name": "DDPMScheduler"}, 3), np.ones((1, 2, 3))

    def network(x, timestep):
        raise AssertionError("the network is not to be called")

    with pytest.raises(StateError, match="step 0 draws noise"):
        plan.sample(x, network)
    for wrong in (3, np.ones((1, 2, 3)), "philox"):
        with pytest.raises(SchedulersError):
            plan.sample(x, lambda x, t: x, wrong)


def test_an_error_of_the_network_or_the_noise_is_its_own():
    plan, x = Plan.from_config({"_class_name": "DDPMScheduler"}, 3), np.ones((1, 2, 3))

    def fail(*_):
        raise KeyError("mine")

    for run in (lambda: plan.sample(x, fail, schedulers.Philox(1)), lambda: plan.sample(x, lambda x, t: x, fail)):
        with pytest.raises(KeyError, match="mine"):
            run()


def test_a_plan_with_no_more_than_a_reader_needs_runs():
    """The keys that Docs/Plan.md marks: what others follow from is theirs to leave out."""
    plan, x = Plan.from_config({"_class_name": "DDPMScheduler"}, 4), np.random.default_rng(0).standard_normal((1, 2, 3))
    values = json.loads(plan.json())
    needed = ("timestep", "inputScale", "denoised", "estimate", "next", "variance")
    values = {key: values[key] for key in ("format", "initialScale", "clipping", "learnsVariance", "steps")}
    values["steps"] = [{key: step[key] for key in needed} for step in values["steps"]]
    bare = Plan.from_json(values)
    assert bare.steps[0].level is None and bare.start is None and bare.provenance == {}
    network, noise = (lambda x, t: 0.1 * x), schedulers.Philox(1)
    expected = plan.sample(x, network, schedulers.Philox(1))
    assert np.allclose(bare.sample(x, network, noise), expected, rtol=1e-12)
    with pytest.raises(ArgumentError, match="needs the interval"):
        bare.sample(x, network, schedulers.Brownian(1))
