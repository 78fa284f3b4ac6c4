"""Timesteps and levels to train at, held to 50-digit arithmetic, to guided-diffusion and to the Swift library."""

import numpy as np
import pytest
from schedulers import ArgumentError
from schedulers.training import (
    LogNormalSigma,
    LossSecondMoment,
    PhiloxGenerator,
    Schedule,
    Stratified,
    TimestepDistribution,
)
from support import UNIT, numbers

KNOWN = numbers("timestep-sampling")


class Replay:
    """A generator that gives what was recorded."""

    def __init__(self, values):
        self.values = list(values)

    def random(self, count):
        return np.array([self.values.pop(0) for _ in range(count)])


@pytest.mark.parametrize("seed,stream", [(0, 0), (42, 3), (2**64 - 1, (1 << 40) + 5)])
def test_philox_numbers_are_those_of_the_layout(seed, stream):
    generator = PhiloxGenerator(seed, stream)
    made = list(generator.words(2)) + list(generator.words(3))
    assert generator.position == 5
    made += list(PhiloxGenerator(seed, stream, position=(1 << 33) + 1).words(1))
    assert [int(word) for word in made] == [int(w) % 2**64 for w in KNOWN[f"philox/{seed:x}/{stream}"]]
    assert PhiloxGenerator(7).random(3).tolist() == [
        (int(w >> np.uint64(12)) + 0.5) / 2**52 for w in PhiloxGenerator(7).words(3)
    ]


def compare(distribution, expected):
    # The bounds are derived in TimestepDistributionTests.swift.
    assert abs(distribution.probabilities - expected).max() <= 2.0**-50
    tail = (expected < 1e-5) & (expected > 1e-30)
    assert (abs(distribution.probabilities - expected)[tail] <= 8 * 140 * 8 * UNIT * expected[tail]).all()
    assert (distribution.weights == 1).all()


@pytest.mark.parametrize("mean,deviation", [(0.0, 1.0), (-0.75, 0.5), (1.5, 2.0)])
@pytest.mark.parametrize("count", [1, 10, 1000])
def test_logit_normal_probabilities(count, mean, deviation):
    distribution = TimestepDistribution.logit_normal(count, mean, deviation)
    compare(distribution, KNOWN[f"logit-normal/{count}/{mean}/{deviation}"])


@pytest.mark.parametrize(
    "name,schedule,mean,deviation",
    [
        ("cosine/10", ("cosine", 10, False), -1.2, 1.2),
        ("cosine/10/zero", ("cosine", 10, True), -1.2, 1.2),
        ("linear/300", ("linear", 300, False), 0.5, 0.9),
    ],
)
def test_log_normal_probabilities(name, schedule, mean, deviation):
    schedule = Schedule(*schedule[:2], zero_terminal_snr=schedule[2])
    distribution = TimestepDistribution.log_normal(LogNormalSigma(mean, deviation), schedule)
    compare(distribution, KNOWN[f"log-normal/{name}/{mean}/{deviation}"])


@pytest.mark.parametrize("mean,deviation", [(-1.2, 1.2), (0.0, 1.0), (-0.75, 0.5), (1.5, 2.0)])
def test_sigmas_at_places(mean, deviation):
    made, expected = LogNormalSigma(mean, deviation).at(KNOWN["normal.u"]), KNOWN[f"sigma/{mean}/{deviation}"]
    # The quantile is within 2⁻⁴⁸ as in Swift, times the deviation; ln σ is a sum of numbers below 32.
    assert (abs(made - expected) <= expected * (deviation * 2.0**-48 + 67 * UNIT)).all()


def test_the_cell_of_a_logit_normal_timestep_is_that_of_the_time_it_is_the_floor_of():
    sigmas = LogNormalSigma(0.4, 1.3).draw(500, PhiloxGenerator(5))
    draws = TimestepDistribution.logit_normal(50, 0.4, 1.3).draw(500, PhiloxGenerator(5))
    assert (np.floor(50 * sigmas / (1 + sigmas)) == draws.timesteps).all()


def test_a_draw_is_the_first_timestep_whose_cumulative_probability_passes_the_place():
    distribution = TimestepDistribution([1, 0, 3, 4, 0], weighting="none")
    assert distribution.probabilities.tolist() == [0.125, 0, 0.375, 0.5, 0]
    assert distribution.at(np.array([0, 0.1249, 0.125, 0.4999, 0.5, 1])).timesteps.tolist() == [0, 0, 2, 2, 3, 3]
    unbiased = TimestepDistribution([1, 1, 2])
    assert unbiased.at(np.array([0.1, 0.9])).weights.tolist() == [4 / 3, 2 / 3]


def test_stratified_draws_are_spread_evenly():
    sampler = Stratified(TimestepDistribution.uniform(1000))
    draws = sampler.draw(100, PhiloxGenerator(1))
    assert (draws.timesteps // 10 == np.arange(100)).all() and (draws.weights == 1).all()
    assert (np.diff(draws.timesteps) > 0).all()
    assert len(sampler.draw(0, np.random.default_rng(0)).timesteps) == 0


@pytest.mark.parametrize("count,length,uniform", [(7, 3, 0.05), (20, 10, 0.001), (1, 2, 0.5)])
def test_loss_aware_timesteps_are_guided_diffusions(count, length, uniform):
    golden = {
        k.split(".")[-1]: v for k, v in numbers("resampling").items() if k.startswith(f"{count}/{length}/{uniform}.")
    }
    sampler, learned = LossSecondMoment(count, length, uniform), 0
    # As in ResamplingTests.swift.
    tolerance = 2 * (length + count + 10) * UNIT
    for look, checkpoint in enumerate(golden["checkpoints"]):
        sampler.update(golden["timesteps"][learned:checkpoint], golden["losses"][learned:checkpoint])
        learned = checkpoint
        assert sampler.is_warmed_up == (look >= 3)
        ours, theirs = sampler.distribution.probabilities, golden["probabilities"][look]
        assert (abs(ours - theirs) <= tolerance * theirs).all()
        draws = sampler.draw(16, Replay(golden["uniforms"][look]))
        assert draws.timesteps.tolist() == golden["drawn"][look].tolist()
        assert (abs(draws.weights - golden["weights"][look]) <= 2.0**-23 * draws.weights).all()
    assert learned == len(golden["losses"])


def test_what_is_left_out_is_what_the_papers_have():
    assert LogNormalSigma() == LogNormalSigma(-1.2, 1.2)
    # The ends of what doubles hold: 8.3 deviations from the mean at most.
    for mean in (700 - 8.3, 8.3 - 700):
        assert np.isfinite(LogNormalSigma(mean, 1).at(np.array([0.0, 1.0]))).all()
        with pytest.raises(ArgumentError):
            LogNormalSigma(mean * 1.01, 1)
    assert LogNormalSigma(0, 1).at(np.array([0.0, 1.0])).prod() == pytest.approx(1, rel=1e-12)


def test_losses_of_any_size_are_compared():
    for scale in (1e200, 1e-200):
        sampler = LossSecondMoment(2, 1, 1e-12)
        sampler.update([0, 1], [scale, 3 * scale])
        assert np.allclose(sampler.distribution.probabilities, [0.25, 0.75], rtol=1e-11)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: TimestepDistribution([]),
        lambda: TimestepDistribution([1, -1]),
        lambda: TimestepDistribution([0, 0]),
        lambda: TimestepDistribution([np.nan]),
        lambda: TimestepDistribution([1, 0]),
        lambda: TimestepDistribution([1, 1], weighting="some"),
        lambda: TimestepDistribution("ab"),
        lambda: TimestepDistribution.uniform(0),
        lambda: TimestepDistribution.uniform(3).draw(-1, PhiloxGenerator()),
        lambda: LogNormalSigma(0, 0),
        lambda: LogNormalSigma(np.nan, 1),
        lambda: LossSecondMoment(0),
        lambda: LossSecondMoment(3, 0),
        lambda: LossSecondMoment(3).update([3], [1]),
        lambda: LossSecondMoment(3).update([0.5], [1]),
        lambda: LossSecondMoment(3).update([0], [np.inf]),
        lambda: LossSecondMoment(3).update([0, 1], [1]),
        lambda: PhiloxGenerator(-1),
    ],
)
def test_what_cannot_be_drawn_is_an_error(wrong):
    with pytest.raises(ArgumentError):
        wrong()


def test_losses_that_are_refused_teach_nothing():
    sampler = LossSecondMoment(2, 1)
    with pytest.raises(ArgumentError, match="losses must be finite"):
        sampler.update([0, 1], [1, -1])
    sampler.update([0], [3.0])
    assert not sampler.is_warmed_up
    sampler.update([1], [4.0])
    assert np.allclose(sampler.distribution.probabilities, 0.999 * np.array([3, 4]) / 7 + 0.0005, rtol=1e-15)
