"""Losses with their gradients and bounds in bits per dimension, held to guided-diffusion in float64."""

import math

import numpy as np
import pytest
from schedulers import ArgumentError, NotFiniteError, RequestError
from schedulers.training import DiscretizedGaussian, ReverseProcess, Schedule, TrainingLoss, VariationalBound
from support import UNIT, numbers, optional

GOLDEN = numbers("guided-losses")
SCHEDULE = Schedule.from_betas(GOLDEN["betas"])
TANH = DiscretizedGaussian(cdf="tanh")
MEANS = {"epsilon": "epsilon", "start_x": "x0", "previous_x": "previous"}
VARIANCES = {
    "fixed_small": "fixedSmall",
    "fixed_large": "fixedLarge",
    "learned": "learned",
    "learned_range": "learnedRange",
}
KINDS = {"mse": "mse", "rescaled_mse": "rescaledMSE", "kl": "kl", "rescaled_kl": "rescaledKL"}
# The tolerances are derived in GuidedLossTests.swift: δ is the relative error of a coefficient.
DELTA = 32 * UNIT / (1 - SCHEDULE.alpha_bars[0])
BIT = math.log(2)


def output(k, mean, variance):
    both = GOLDEN[f"outputs/{mean}"][k]
    half = both.shape[1] // 2
    if not variance.startswith("learned"):
        return both[:, :half]
    return both if variance == "learned_range" else np.concatenate([both[:, :half], both[:, half:] - 3], 1)


def slip(process, t, deviation):
    size = abs(process.denoised_sample[t]) + abs(process.denoised_output[t])
    return 10 * DELTA * (abs(process.mean_x0[t]) * size + abs(process.mean_sample[t])) / deviation


def deviation(process, t, said):
    return math.exp((process.offset[t] + (process.slope[t] * said.min() if process.learns_variance else 0)) / 2)


def tolerance(bits, process, t, said):
    nats, s = bits * BIT, slip(process, t, deviation(process, t, said))
    first = 16e6 * UNIT + 40 * s if t == 0 else math.sqrt(2 * nats) * s + s * s
    return (first + 16 * DELTA * (1 + nats)) / BIT


def arrays(kind, *values):
    return [optional("torch").from_numpy(v.copy()) if kind == "torch" else v for v in values]


@pytest.mark.parametrize("module", ["numpy", "torch"])
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("kind", KINDS)
def test_losses_and_gradients_are_the_references(module, mean, variance, kind):
    t, x0, epsilon = GOLDEN["timesteps"], GOLDEN["x0"], GOLDEN["noise"][0]
    name, F = f"loss/{mean}/{variance}/{kind}", output(0, mean, variance)
    loss = TrainingLoss(SCHEDULE, MEANS[mean], VARIANCES[variance], KINDS[kind], likelihood=TANH)
    process = loss.bound.process
    given = arrays(module, F, x0, epsilon, SCHEDULE.mix(x0, epsilon, t))
    if module == "torch":
        given[0].requires_grad_()
    made = loss(*given, t)
    if module == "torch":
        made.total.backward()
        assert made.gradient is None
        gradient, parts = (
            given[0].grad.numpy(),
            [x.detach().numpy() for x in (made.losses, made.squared_errors, made.bounds)],
        )
    else:
        gradient, parts = made.gradient, [made.losses, made.squared_errors, made.bounds]
    assert gradient.shape == F.shape
    golden, theirs = GOLDEN[f"{name}.loss"], GOLDEN[f"{name}.gradient"]
    has_bound = kind.endswith("kl") or process.learns_variance
    squares = GOLDEN[f"{name}.mse"] if kind.endswith("mse") else np.zeros(3)
    bounds = np.zeros(3) if not has_bound else GOLDEN[f"{name}.vb"] if kind.endswith("mse") else golden
    scale = {"rescaled_kl": 9, "rescaled_mse": 0.009}.get(kind, 1)
    half = F.shape[1] // 2 if process.learns_variance else F.shape[1]
    for n in range(3):
        said = F[n, half:]
        of_bound, of_squares = scale * tolerance(bounds[n] / scale, process, t[n], said), 100 * DELTA
        for own, other, bound in zip(
            parts, (golden, squares, bounds), (of_squares + of_bound, of_squares, of_bound if has_bound else 0)
        ):
            assert abs(own[n] - other[n]) <= bound, (n, own[n], other[n], bound)
        smallest, factor = deviation(process, t[n], said), loss.factor / 12
        s = slip(process, t[n], smallest)
        through = abs(process.mean_x0[t[n]] * process.denoised_output[t[n]]) / smallest
        spread, slope = (
            math.exp(process.posterior_log_variance[t[n]]) / smallest**2,
            max(abs(process.slope[t[n]]), 1e-30),
        )
        square = 2 * (abs(theirs[n]) / max(factor * slope, 1e-300) + 1) + spread
        allowed = 64 * DELTA * (abs(theirs[n]) + 1)
        if has_bound:
            of_variance = slope * (np.sqrt(square) * s + s * s + 16 * DELTA * (1 + spread))
            is_variance = np.arange(F.shape[1]).reshape(-1, *[1] * (F.ndim - 2)) >= half
            allowed = allowed + factor * np.where(is_variance, of_variance, through * s)
            if t[n] == 0:
                allowed = allowed + factor * np.where(is_variance, slope, through) * (16e6 * UNIT + 40 * s) * 40
        # The gradient is of the mean of three losses here, and of their sum there.
        assert (abs(3 * gradient[n] - theirs[n]) <= allowed).all()
    total = made.total if module == "numpy" else made.total.item()
    assert abs(total - parts[0].sum() / 3) <= 4 * UNIT * abs(total)


@pytest.mark.parametrize("module", ["numpy", "torch"])
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("clip", [False, True])
def test_bounds_are_the_references(module, mean, variance, clip):
    name = f"bound/{mean}/{variance}/{'range' if clip else 'none'}"
    if f"{name}.vb" not in GOLDEN:
        pytest.skip("the reference has no such bound")
    process = ReverseProcess(SCHEDULE, MEANS[mean], VARIANCES[variance], clip=clip)
    asked, draws = [], GOLDEN["noise"]

    def network(x, t):
        asked.append(t)
        return arrays(module, output(1 + int(t), mean, variance))[0]

    [x0] = arrays(module, GOLDEN["x0"])
    made = VariationalBound(process, TANH)(x0, network, lambda t: arrays(module, draws[t])[0])
    assert asked == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    total = np.zeros(3)
    for column, (t, term) in enumerate(zip(reversed(range(9)), made.terms)):
        F = output(1 + t, mean, variance)
        signal, noise = process.signal[t], process.noise[t]
        size = 5 * (abs(process.denoised_sample[t]) + abs(process.denoised_output[t])) + 1
        of_epsilon = size * signal / noise + 5 / noise
        for n in range(3):
            vb, allowed = GOLDEN[f"{name}.vb"][n, column], 0.0
            allowed = tolerance(vb, process, t, F[n, F.shape[1] // 2 :])
            total[n] += allowed
            assert abs(term.bound[n] - vb) <= allowed
            assert abs(term.x0_error[n] - GOLDEN[f"{name}.xstart_mse"][n, column]) <= 2 * DELTA * size * size
            assert abs(term.epsilon_error[n] - GOLDEN[f"{name}.mse"][n, column]) <= 2 * DELTA * of_epsilon**2
    assert (abs(np.asarray(made.prior) - GOLDEN[f"{name}.prior_bpd"]) <= 4 * DELTA).all()
    assert (abs(np.asarray(made.total) - GOLDEN[f"{name}.total_bpd"]) <= total + 5 * DELTA).all()


@pytest.mark.parametrize("variance", VARIANCES.values())
@pytest.mark.parametrize("prediction", ["epsilon", "x0", "v", "flow", "reverseFlow"])
@pytest.mark.parametrize("kind", KINDS.values())
def test_numpys_gradient_is_torchs(kind, prediction, variance):
    rng, schedule, t, importance = np.random.default_rng(1), Schedule("cosine", 40), [0, 20, 7], [0.5, 3.0, 1.0]
    x0 = np.array([-1, 0.2, 1, 0.6, -0.3, 0.1, 0.5, -0.5, 0]).reshape(3, 1, 3)
    epsilon = rng.standard_normal((3, 1, 3))
    loss = TrainingLoss(schedule, prediction, variance, kind, "minSNR", gamma=5)
    x, F = (
        schedule.mix(x0, epsilon, t),
        schedule.target(prediction, x0, epsilon, t) + 0.01 * rng.standard_normal((3, 1, 3)),
    )
    if loss.bound.process.learns_variance:
        F = np.concatenate([F, np.full_like(F, -1.3)], 1)
    own = loss(F, x0, epsilon, x, t, importance)
    tensors = arrays("torch", F, x0, epsilon, x)
    tensors[0].requires_grad_()
    theirs = loss(*tensors, t, importance)
    theirs.total.backward()
    # The same formulas, with the chain rule by hand and by autograd.
    assert abs(own.total - theirs.total.item()) <= 1e-13 * abs(own.total)
    assert np.allclose(own.gradient, tensors[0].grad, rtol=1e-12, atol=1e-15)
    # In float32, whose roundings L_0 magnifies by 1/deviation: 1e-7 over a deviation of 0.02, twice for a gradient.
    narrow = loss(*(x.astype(np.float32) for x in (F, x0, epsilon, x)), t, importance)
    assert narrow.gradient.dtype == np.float32
    assert abs(narrow.total - own.total) <= 1e-3 * (abs(own.total) + 1)


def test_the_bound_of_the_truth_is_its_prior_and_its_decoder():
    schedule, x0 = Schedule("cosine", 40), np.linspace(-1, 1, 6).reshape(2, 1, 3)
    epsilon, t = np.random.default_rng(0).standard_normal((2, 1, 3)), [1, 39]
    term = VariationalBound(ReverseProcess(schedule, "x0", "fixedSmall")).term(
        x0, x0, epsilon, schedule.mix(x0, epsilon, t), t
    )
    assert (term.bound == 0).all() and (term.x0_error == 0).all() and (term.epsilon_error < 1e-25).all()


def test_a_perfect_network_has_no_loss():
    schedule, x0 = Schedule("linear"), np.zeros((2, 3))
    epsilon = np.ones((2, 3))
    made = TrainingLoss(schedule)(epsilon, x0, epsilon, schedule.mix(x0, epsilon, [3, 30]), [3, 30])
    assert made.total == 0 and (made.gradient == 0).all()


def test_half_precision_trains_by_float32():
    torch = optional("torch")
    schedule, t = Schedule("linear"), [3, 500]
    x0, epsilon = torch.linspace(-1, 1, 12).reshape(2, 2, 3).bfloat16(), torch.ones(2, 2, 3).bfloat16()
    F = torch.cat([epsilon, epsilon], 1).requires_grad_()
    made = TrainingLoss(schedule, "epsilon", "learnedRange")(F, x0, epsilon, schedule.mix(x0, epsilon, t), t)
    made.total.backward()
    assert made.total.dtype == torch.float32 and F.grad.dtype == torch.bfloat16 and F.grad.isfinite().all()


def test_what_has_no_answer_is_an_error():
    zero, schedule, x = Schedule("cosine", 40, zero_terminal_snr=True), Schedule("cosine", 40), np.zeros((2, 1, 3))
    wrong = [
        (RequestError, lambda: TrainingLoss(zero, "epsilon")),
        (RequestError, lambda: TrainingLoss(schedule, "noise")),
        (RequestError, lambda: TrainingLoss(schedule, variance="small")),
        (RequestError, lambda: TrainingLoss(schedule, kind="l1")),
        (ArgumentError, lambda: DiscretizedGaussian(1)),
        (ArgumentError, lambda: DiscretizedGaussian(cdf="erf")),
        (ArgumentError, lambda: TrainingLoss(schedule, variance="learned")(x, x, x, x, [0, 1])),
        (ArgumentError, lambda: TrainingLoss(schedule)(x, x, x[:1], x, [0, 1])),
        (ArgumentError, lambda: TrainingLoss(schedule)(x, x, x, x, [0, 40])),
        (ArgumentError, lambda: TrainingLoss(schedule)(x, x, x, x, [0, 1], [1.0])),
        (NotFiniteError, lambda: TrainingLoss(schedule)(x * np.nan, x, x, x, [0, 1])),
        (NotFiniteError, lambda: VariationalBound(ReverseProcess(schedule)).term(x + np.inf, x, x, x, [0, 1])),
    ]
    for kind, make in wrong:
        with pytest.raises(kind):
            make()


@pytest.mark.parametrize("prediction", ["epsilon", "x0", "v", "flow", "reverseFlow", "previous"])
def test_what_a_network_is_to_answer_is_read_as_the_data(prediction):
    schedule, t = Schedule("cosine", 40), [0, 1, 20, 39]
    rng = np.random.default_rng(3)
    x0, epsilon = np.clip(rng.standard_normal((4, 2, 3)), -1, 1), rng.standard_normal((4, 2, 3))
    process, x = ReverseProcess(schedule, prediction, "fixedSmall"), schedule.mix(x0, epsilon, t)
    column = [
        [table[t].reshape(4, 1, 1) for table in pair]
        for pair in (process.target(), (process.denoised_sample, process.denoised_output))
    ]
    F = column[0][0] * x0 + column[0][1] * epsilon
    term = VariationalBound(process).term(F, x0, epsilon, x, t)
    # Two products of rounded numbers, of the sizes of x and F; 8 roundings of each.
    off = 8 * UNIT * (abs(column[1][0] * x) + abs(column[1][1] * F)).reshape(4, -1).max(1) + 8 * UNIT
    assert (term.x0_error <= off**2).all()
    # What is left of x is epsilon.
    assert (np.sqrt(term.epsilon_error) <= (off * process.signal[t] + 32 * UNIT) / process.noise[t]).all()
    # And L_t of a process with the posterior's own variance is nothing but what these roundings make of it.
    deviation = np.exp(process.posterior_log_variance[t] / 2)
    assert (term.bound[1:] <= ((process.mean_x0[t] * off / deviation) ** 2)[1:]).all()


def test_the_prior_is_the_divergence_from_a_standard_normal():
    schedule, x0 = Schedule.from_betas([0.1, 0.2, 0.3]), np.random.default_rng(0).uniform(-1, 1, (3, 2, 5))
    v = 1 - 0.9 * 0.8 * 0.7  # KL(N(m, v) ‖ N(0, 1)) = ½·(v − 1 − ln v + m²)
    expected = (v - 1 - math.log(v) + (1 - v) * (x0**2).mean((1, 2))) / 2 / BIT
    assert np.allclose(VariationalBound(ReverseProcess(schedule)).prior(x0), expected, rtol=1e-13)
