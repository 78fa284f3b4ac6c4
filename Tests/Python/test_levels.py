"""Schedules, samples, targets and weights, held to the truth, to diffusers and to k-diffusion."""

import pickle

import numpy as np
import pytest
from schedulers import ArgumentError, RequestError
from schedulers.training import EDM, Schedule, mix, target, weights
from schedulers.training.levels import TARGETS
from support import UNIT, Kind, numbers

GOLDEN = numbers("training-paths")
X0, EPSILON = GOLDEN["x0"], GOLDEN["epsilon"]
KINDS = ["numpy", "torch", "jax", "mlx"]


@pytest.mark.parametrize(
    "case", ["linear/300", "guided-linear/4000/zero", "cosine/1000", "scaled-linear/1000/zero", "sigmoid/10"]
)
def test_tables_are_within_two_ulps_of_fifty_digits(case):
    truth, (name, count, *zero) = numbers("truth"), case.split("/")
    named = Schedule(name, int(count), zero_terminal_snr=bool(zero))
    exact = truth[f"{case}.betas"]
    assert (abs(named.betas - exact) <= np.spacing(exact)).all()
    # The tables are those of the rounded betas, which are the definition's or beside it.
    schedule, compared = Schedule.from_betas(exact), 0
    for attribute in Schedule.__annotations__:
        found = getattr(schedule, attribute)
        assert found.shape == (int(count),) and found.dtype == np.float64 and not found.flags.writeable
        first, *rest = attribute.split("_")
        table = first + "".join("SNR" if word == "snr" else word.capitalize() for word in rest)
        if table != "betas" and f"{case}.{table}" in truth:
            values, found = truth[f"{case}.{table}"][:, 0], found[truth[f"{case}.timesteps"]]
            is_same = (found == values) | (abs(found - values) <= 2 * np.spacing(abs(values)))
            assert is_same.all(), (attribute, found[~is_same], values[~is_same])
            compared += 1
    assert compared >= 10


def test_schedules_can_be_made_in_every_way():
    linear = Schedule("linear", 1000)
    assert np.array_equal(Schedule.from_betas(linear.betas).alpha_bars, linear.alpha_bars)
    assert abs(Schedule.from_alpha_bars(linear.alpha_bars).betas / linear.betas - 1).max() < 1e-11
    config = {"_class_name": "DDPMScheduler", "beta_schedule": "linear", "num_train_timesteps": 1000}
    assert np.array_equal(Schedule.from_config(config).betas, linear.betas)
    assert Schedule("cosine", 50, zero_terminal_snr=True).signals[-1] == 0
    again = pickle.loads(pickle.dumps(linear))
    assert np.array_equal(again.betas, linear.betas) and len(again) == 1000
    assert np.array_equal(linear.table("reciprocalSignals"), linear.table("reciprocalSignals"))
    with pytest.raises(AttributeError):
        linear.nothing
    with pytest.raises(RequestError, match='unknown schedule "none"; known: linear'):
        Schedule("none")


@pytest.mark.parametrize("name", KINDS)
def test_rectified_flow_trains_as_diffusers_script_does(name):
    kind, sigmas = Kind(name), GOLDEN["flow.sigmas"]
    is_double = name in ("numpy", "torch")
    unit = UNIT if is_double else 2.0**-24
    x0, epsilon = (kind.array(x, "float64" if is_double else "float32") for x in (X0, EPSILON))
    # Two products and a sum of numbers below 4; in float32 the numbers themselves are rounded too.
    bound = 4 * (8 if is_double else 12) * unit
    assert abs(kind.double(mix(x0, epsilon, 1 - sigmas, sigmas)) - GOLDEN["flow.noisy"]).max() <= bound
    assert abs(kind.double(target("flow", x0, epsilon, 1 - sigmas, sigmas)) - GOLDEN["flow.target"]).max() <= bound
    for scheme, weighting, tolerance in (("sigma_sqrt", "sigmaSquareRoot", 2.0**-23), ("cosmap", "cosMap", 32 * UNIT)):
        made, theirs = weights(weighting, 1 - sigmas, sigmas, prediction="flow"), GOLDEN[f"flow.weights/{scheme}"]
        assert (abs(made - theirs) <= tolerance * theirs).all()


@pytest.mark.parametrize("path", ["exploding", "preserving"])
def test_edm_trains_as_k_diffusions_denoiser_does(path):
    sigmas = GOLDEN["edm.sigmas"]
    signal = np.ones(3) if path == "exploding" else 1 / np.sqrt(1 + sigmas**2)
    noise, edm = sigmas * signal, EDM()
    # The bounds are derived in BatchLevelsTests.swift.
    made = edm.input(mix(X0, EPSILON, signal, noise), signal, noise)
    assert abs(made - GOLDEN["edm.input"]).max() <= 32 * UNIT * 8
    made, error = edm.target(X0, EPSILON, signal, noise), 32 * UNIT * 4 / 0.03
    assert abs(made - GOLDEN["edm.target"]).max() <= error
    for weighting, parameters, name in (("edm", {}, "karras"), ("softMinSNR", {"gamma": 4}, "soft-min-snr")):
        losses = edm.weights(signal, noise, weighting, **parameters) * ((GOLDEN["output"] - made) ** 2).mean((1, 2))
        theirs = GOLDEN[f"edm.loss/{name}"]
        assert (abs(losses - theirs) <= 2 * 8 * error * theirs).all()
    assert np.allclose(edm.weights(signal, noise), 1, rtol=8 * UNIT)
    assert np.allclose(4 * edm.timesteps(signal, noise), np.log(sigmas), rtol=16 * UNIT)


@pytest.mark.parametrize("prediction", TARGETS)
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
def test_targets_solve_with_the_sample_for_the_data(prediction, name, dtype):
    """x = signal·x0 + noise·epsilon and the target are two equations, whose factors Docs/Plan.md has."""
    if dtype == "bfloat16" and name == "numpy" or dtype == "float64" and name in ("jax", "mlx"):
        pytest.skip(f"{name} has no {dtype}")
    kind, schedule, t = Kind(name), Schedule("cosine", 100), [99, 3, 40]
    x0, epsilon = kind.array(X0, dtype), kind.array(EPSILON, dtype)
    x, made = schedule.mix(x0, epsilon, t), schedule.target(prediction, x0, epsilon, t)
    assert x.dtype == x0.dtype and made.dtype == x0.dtype and type(x) is type(x0)
    signal, noise = schedule.signals[t].reshape(3, 1, 1), schedule.noises[t].reshape(3, 1, 1)
    given, e = kind.double(x0), kind.double(epsilon)
    expected = {
        "epsilon": e,
        "x0": given,
        "v": signal * e - noise * given,
        "flow": e - given,
        "reverseFlow": given - e,
    }[prediction]
    unit = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": UNIT}[dtype]
    # A rounding of the result, and in float32 or double two of the factors, two of the products and one of the sum.
    bound = 5 * (unit + (0 if unit == UNIT else 2.0**-24) * 4) + 5 * 4 * UNIT
    assert abs(kind.double(made) - expected).max() <= 4 * bound
    assert abs(kind.double(x) - (signal * given + noise * e)).max() <= 4 * bound


def test_gradients_flow_through_mixing():
    torch = Kind("torch").xp
    x0, epsilon = torch.from_numpy(X0.copy()).requires_grad_(), torch.from_numpy(EPSILON.copy()).requires_grad_()
    schedule, t = Schedule("linear"), torch.tensor([999, 0, 17])
    (schedule.mix(x0, epsilon, t) + 3 * schedule.target("v", x0, epsilon, t)).sum().backward()
    signal, noise = schedule.signals[t.numpy()], schedule.noises[t.numpy()]
    assert np.allclose(x0.grad[:, 0, 0], signal - 3 * noise, rtol=1e-14)
    assert np.allclose(epsilon.grad[:, 0, 0], noise + 3 * signal, rtol=1e-14)


@pytest.mark.parametrize(
    "weighting,parameters,formula",
    [
        ("uniform", {}, lambda s: 0 * s + 1),
        ("minSNR", {"gamma": 5}, lambda s: np.minimum(s, 5) / s),
        ("softMinSNR", {"gamma": 4}, lambda s: 4 / (s + 4)),
        ("p2", {"k": 1, "gamma": 0.5}, lambda s: (1 + s) ** -0.5),
        ("edm", {"sigma_data": 0.5}, lambda s: (s + 4) / s),
    ],
)
def test_weights_are_those_of_the_papers(weighting, parameters, formula):
    schedule = Schedule("linear")
    made = schedule.weights(weighting, range(1000), **parameters)
    assert np.allclose(made, formula(schedule.snr), rtol=1e-13)
    assert schedule.weights(weighting, [], **parameters).shape == (0,)
    like = Kind("torch").array(X0, "float32")
    assert schedule.weights(weighting, [1, 2], like=like, **parameters).dtype == like.dtype


WRONG = {
    "another shape": lambda s: s.mix(X0, EPSILON[:2], [1, 2, 3]),
    "too few timesteps": lambda s: s.mix(X0, EPSILON, [1, 2]),
    "a timestep outside": lambda s: s.mix(X0, EPSILON, [1, 2, 1000]),
    "a fraction": lambda s: s.mix(X0, EPSILON, [1, 2, 0.5]),
    "NaN": lambda s: s.mix(X0, EPSILON, [1, 2, np.nan]),
    "whole numbers": lambda s: s.mix(X0.astype(int), EPSILON, [1, 2, 3]),
    "a list": lambda s: s.mix([1.0], [2.0], [1]),
    "a negative signal": lambda s: mix(X0, EPSILON, [-1, 0, 0], [1, 1, 1]),
    "two dimensions": lambda s: mix(X0, EPSILON, np.ones((3, 1)), [1, 1, 1]),
    "no numbers": lambda s: mix(X0, EPSILON, ["a", "b", "c"], [1, 1, 1]),
    "two kinds": lambda s: s.mix(X0, Kind("torch").array(EPSILON), [1, 2, 3]),
    "another device": lambda s: s.mix(
        Kind("torch").array(X0),
        Kind("torch").xp.empty(X0.shape, device="meta", dtype=Kind("torch").xp.float64),
        [1, 2, 3],
    ),
    "no noise of EDM": lambda s: EDM().target(X0, EPSILON, [1, 1, 1], [0, 1, 1]),
    "no data of EDM": lambda s: EDM(0),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_fit_is_an_error(wrong):
    with pytest.raises(ArgumentError):
        WRONG[wrong](Schedule())


def test_unknown_names_are_errors():
    for wrong in (
        lambda: Schedule().target("noise", X0, EPSILON, [1, 2, 3]),
        lambda: Schedule().weights("none", [1]),
        lambda: Schedule().weights("minSNR", [1], delta=3),
        lambda: Schedule().table("none"),
        lambda: Schedule(timesteps=0),
        lambda: Schedule.from_betas([2.0]),
    ):
        with pytest.raises(RequestError):
            wrong()
