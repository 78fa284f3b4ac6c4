"""Divergences and probabilities, held to 50-digit arithmetic and to guided-diffusion."""

import numpy as np
import pytest
from schedulers.training import DiscretizedGaussian, normal_kl
from schedulers.training.kl import kl_with_gradients
from support import UNIT, numbers, optional


def test_divergences_have_the_digits_of_the_formula():
    rows = numbers("likelihood")["kl"]
    value, by_mean, by_logarithm = kl_with_gradients(*rows[:, :4].T)
    d = abs(rows[:, 1] - rows[:, 3])
    # As Sources/Schedulers/Likelihood/NormalKL.swift says; the last is a sum of two parts, of which the larger counts.
    growth = np.expm1(rows[:, 1] - rows[:, 3])
    parts = np.maximum(abs(growth), abs(2 * rows[:, 6] + growth)) / 2
    assert (abs(value - rows[:, 4]) <= (16 + 2 * d) * UNIT * rows[:, 4] + 1e-300).all()
    assert (abs(by_mean - rows[:, 5]) <= 8 * UNIT * abs(rows[:, 5]) + 1e-300).all()
    assert (abs(by_logarithm - rows[:, 6]) <= (12 + 2 * d) * UNIT * parts + 1e-300).all()


def allowed(rows):
    """How far the logarithm and its derivatives by mean and log deviation may be off.

    An edge a, in deviations, is a rounded difference: it slips by s, 3 units of the numbers that it is made of. With
    H = φ(a)/P, ln P then moves by s·H at either edge, and ln H by s·(|a| + H). Beside that stand the roundings that
    DiscretizedGaussian.swift promises, twice, as a sum of rounded terms has the place of its exact one."""
    levels, x, mean, log_deviation, value, by_mean, by_deviation = rows.T
    scale, half, end = np.maximum(np.exp(-log_deviation), 1e-300), 1 / (levels - 1), 1 - 0.255 / (levels - 1)
    is_open = abs(x) > end
    distance = np.where(is_open, np.sign(x) * (x - mean), abs(x - mean))
    a, p = (distance - half) * scale, distance * half * scale * scale
    slip = 3 * UNIT * (abs(x) + abs(mean) + half) * scale
    part = np.where(is_open, 1, -np.expm1(-2 * np.maximum(p, 0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        H = np.where(part > 0, abs(by_mean) / scale / part, 1)
        logarithm = np.maximum(1, -np.log(np.maximum(abs(value), 1e-300))) * abs(value)
    a = np.clip(a, -40, 1e150)  # no double is as small as a density beyond 40 deviations
    relative = 2 * np.where(a > 12, 32, 32 + 5 * a * a) * UNIT
    moved = 2 * slip * (1 + abs(a) + H)
    floor = np.where(a > 0, 4 * (1 + a * a), 0)
    return (
        64 * UNIT * logarithm + 2 * slip * H,
        (relative + moved) * abs(by_mean),
        relative * np.maximum(abs(by_deviation), floor) + 2 * slip * H + moved * H * (1 + abs(a)),
    )


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_the_exact_logarithm_is_that_of_fifty_digits(kind):
    rows = numbers("likelihood")["bins"]
    made = np.empty((len(rows), 3))
    for levels in np.unique(rows[:, 0]):
        at = rows[:, 0] == levels
        gaussian, given = DiscretizedGaussian(int(levels)), list(rows[at, 1:4].T)
        if kind == "torch":
            given = [optional("torch").from_numpy(x.copy()) for x in given]
        made[at] = np.stack([np.asarray(part) for part in gaussian.with_gradients(*given)], 1)
    with np.errstate(over="ignore"):
        bounds = allowed(rows)
    for k, bound in enumerate(bounds):
        # Below 1e-300 a number has fewer digits, or none.
        is_off = ~(abs(made[:, k] - rows[:, 4 + k]) <= bound + 1e-300)
        assert not is_off.any(), (k, rows[is_off][0], made[is_off][0], bound[is_off][0])
    # The bound says something: most rows have eleven digits.
    is_number = abs(rows[:, 4]) > 1e-290
    assert np.median(bounds[0][is_number] / abs(rows[is_number, 4])) < 1e-11


@pytest.mark.parametrize("cdf", ["exact", "tanh"])
def test_gradients_of_torch_are_the_derivatives(cdf):
    torch = optional("torch")
    gaussian = DiscretizedGaussian(cdf=cdf)
    x, mean, deviation = (
        torch.tensor(v, dtype=torch.float64) for v in ([-1, 0.2, 1], [-0.7, 0.25, 0.4], [-1, -2, -0.5])
    )
    mean, deviation = mean.requires_grad_(), deviation.requires_grad_()
    gaussian.log_probability(x, mean, deviation).sum().backward()
    _, by_mean, by_deviation = gaussian.with_gradients(x, mean.detach(), deviation.detach())
    assert torch.equal(mean.grad, by_mean) and torch.equal(deviation.grad, by_deviation)
    for k, name in enumerate((mean, deviation)):
        for i in range(3):
            change, h = torch.zeros(2, 3, dtype=torch.float64), 1e-6
            change[k, i] = h
            ends = [
                gaussian.log_probability(x, mean.detach() + s * change[0], deviation.detach() + s * change[1]).sum()
                for s in (1, -1)
            ]
            # Rounding over h, and h² of a third derivative that is below 1000.
            assert abs((ends[0] - ends[1]) / (2 * h) - name.grad[i]) < 1e-8


def test_the_gradient_of_a_divergence_is_torchs():
    torch = optional("torch")
    parts = [torch.tensor(v, dtype=torch.float64) for v in ([0.3, -1.0], [-2.0, 0.1], [0.1, 0.4], [-1.5, 0.3])]
    parts[2], parts[3] = parts[2].requires_grad_(), parts[3].requires_grad_()
    normal_kl(*parts).sum().backward()
    mean1, l1, mean2, l2 = (x.detach() for x in parts)
    # torch's own way, which cancels where the variances are near.
    mean2.requires_grad_(), l2.requires_grad_()
    (((l1 - l2).exp() - 1 - (l1 - l2) + (mean1 - mean2) ** 2 * (-l2).exp()) / 2).sum().backward()
    assert torch.allclose(parts[2].grad, mean2.grad, rtol=1e-14) and torch.allclose(parts[3].grad, l2.grad, rtol=1e-14)


@pytest.mark.parametrize("cdf", ["exact", "tanh"])
@pytest.mark.parametrize("levels", [2, 3, 16, 256])
def test_the_probabilities_of_all_levels_add_up_to_1(levels, cdf):
    gaussian, x = DiscretizedGaussian(levels, cdf), 2 * np.arange(levels) / (levels - 1) - 1
    for mean, log_deviation in ((0.1, -1.0), (-1.2, 0.5), (0.7, -3.0)):
        ones = np.ones(levels)
        total = np.exp(gaussian.log_probability(x, mean * ones, log_deviation * ones)).sum()
        # As in DiscretizedGaussianTests.swift.
        assert abs(total - 1) <= levels * (1e-12 if cdf == "tanh" else 0) + levels * 128 * UNIT


@pytest.mark.parametrize("cdf", ["exact", "tanh"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_finite_input_gives_nan(cdf, dtype):
    torch = optional("torch")
    magnitudes = [0, 0.3, 1 / 255, 1, 7, 1e20] + ([1e154, 1e300] if dtype == "float64" else [])
    grid = np.array(
        [
            [x, sign * mean, log_deviation]
            for x in (-1, -0.5, 0, 0.5, 1)
            for mean in magnitudes
            for sign in (1, -1)
            for log_deviation in (-750, -700, -90, -20, -5, 0, 5, 80, 700, 1e4)
        ]
    )
    made = DiscretizedGaussian(256, cdf).with_gradients(*(torch.tensor(c, dtype=getattr(torch, dtype)) for c in grid.T))
    assert not any(part.isnan().any() for part in made)
    assert (made[0] <= 1e-6).all()
    nan = DiscretizedGaussian(256, cdf).log_probability(*np.array([[np.nan, 0, 0], [0, np.nan, 0], [0, 0, np.nan]]))
    assert np.isnan(nan).all()


def test_the_tanh_form_is_guided_diffusions():
    rows = numbers("guided-likelihood")["bins"]
    value, by_mean, by_deviation = DiscretizedGaussian(cdf="tanh").with_gradients(*rows[:, 1:4].T)
    # As in DiscretizedGaussianTests.swift, which derives it.
    probability, scale = np.exp(rows[:, 4]), np.exp(-rows[:, 3])
    is_clamped = probability < 1.000001e-12
    reach = np.minimum(8, (abs(rows[:, 1] - rows[:, 2]) + 1 / 255) * scale)
    relative, slopes = (np.where(is_clamped, 0, k * UNIT / probability) for k in (16, 80))
    assert is_clamped.sum() > 50
    assert (abs(value - rows[:, 4]) <= relative + 4 * UNIT * abs(rows[:, 4])).all()
    assert (abs(by_mean - rows[:, 5]) <= relative * abs(rows[:, 5]) + slopes * scale).all()
    assert (abs(by_deviation - rows[:, 6]) <= relative * abs(rows[:, 6]) + slopes * reach).all()
