"""Noise: by its address, of others, in threads, in the middle of a run."""

import json
import pickle

import numpy as np
import pytest
from schedulers import ArgumentError, Brownian, Philox, Plan, RequestError, Run, StateError, noise
from support import ROOT, Kind, optional

SOURCES = {
    "philox": lambda: Philox(3),
    "philox of each sample": lambda: Philox(seeds=[3, 4]),
    "brownian": lambda: Brownian(3),
    "torch": lambda: noise.Torch(3),
    "torch in double": lambda: noise.Torch(3, precision="float64"),
    "torch of each sample": lambda: noise.Torch(seeds=[3, 4]),
    "torch-cuda": lambda: noise.TorchCUDA(3, device="h100"),
    "torch-sde": lambda: noise.TorchSDE(3, sigmas=(0.03, 14.6)),
    "numpy": lambda: noise.NumPy(3),
    "numpy in float32": lambda: noise.NumPy(3, precision="float32"),
    "numpy-legacy": lambda: noise.NumPyLegacy(3),
    "jax": lambda: noise.JAX(3),
    "mlx": lambda: noise.MLX(3),
}
STEPS = [(10.0, 5.0), (5.0, 1.0), (1.0, 0.1)]


def test_philox_has_the_frozen_bits():
    """As Tests/SchedulersTests/Noise/NoiseTests.swift has them."""
    known = json.loads((ROOT / "Fixtures/Data/noise-float32.json").read_text())
    assert len(known) == 5
    for answer in known:
        values = Philox(int(answer["seed"], 16)).normal(
            (1, answer["count"]), sample=answer["sample"], draw=answer["draw"]
        )
        bits = values[0].view(np.uint32)
        assert [f"{word:08x}" for word in bits[: len(answer["first"])]] == answer["first"]
        digest = 0xCBF29CE484222325
        for byte in bits.astype("<u4").tobytes():
            digest = (digest ^ byte) * 0x100000001B3 % 2**64
        assert f"{digest:016x}" == answer["checksum"]


def test_noise_has_an_address():
    whole = Philox(7)
    draws = [whole.next((3, 4, 5)) for _ in range(3)]
    for draw, values in enumerate(draws):
        for sample in range(3):
            assert np.array_equal(Philox(7).normal((1, 4, 5), sample=sample, draw=draw)[0], values[sample])
    assert np.array_equal(Philox(seeds=[1, 7]).next((2, 20))[1], Philox(7).next((1, 20))[0])
    assert np.array_equal(Philox(7, first_sample=1).next((2, 20)), Philox(7).next((3, 20))[1:])
    big = Philox(2**64 - 1).normal((2, 3), sample=2**64 - 1, draw=2**32 - 1)
    assert np.isfinite(big).all() and not np.array_equal(
        big, Philox(2**64 - 2).normal((2, 3), sample=2**64 - 1, draw=2**32 - 1)
    )


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_standard_normal_and_goes_on(name):
    source = SOURCES[name]()
    draws = [source.next((2, 3000), interval=step) for step in STEPS]
    for values in draws:
        # Six deviations of the mean and of the variance of 6000 normals.
        assert values.dtype == np.float32 and abs(values.mean()) < 6 / 77 and abs(values.var() - 1) < 6 * 2**0.5 / 77
    assert not any(np.array_equal(a, b) for a, b in [(draws[0], draws[1]), (draws[1], draws[2])])


@pytest.mark.parametrize("way", ["fork", "pickle"])
@pytest.mark.parametrize("name", SOURCES)
def test_every_source_goes_on_from_any_place(name, way):
    source = SOURCES[name]()
    # Odd numbers leave half a pair behind in some.
    for size in (5, 7, 20):
        source.next((2, size), interval=STEPS[0])
        copy = source.fork() if way == "fork" else pickle.loads(pickle.dumps(source))
        assert np.array_equal(copy.next((2, 9), interval=STEPS[1]), source.next((2, 9), interval=STEPS[1]))
        assert repr(copy) == repr(source)


@pytest.mark.parametrize("kind", ["numpy", "torch", "jax", "mlx"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16", "float64"])
def test_noise_is_made_like_an_array(kind, dtype):
    if dtype == "bfloat16" and kind == "numpy" or dtype == "float64" and kind in ("jax", "mlx"):
        pytest.skip(f"{kind} has no {dtype}")
    kind = Kind(kind)
    like = kind.array(np.zeros((2, 3)), dtype)
    made = Philox(1).next((2, 30), like=like)
    assert type(made) is type(like) and made.dtype == like.dtype
    unit = {"float16": 2.0**-11, "bfloat16": 2.0**-8}.get(dtype, 0)
    exact = Philox(1).next((2, 30)).astype(float)
    assert (abs(kind.double(made) - exact) <= unit * abs(exact)).all()
    assert np.array_equal(kind.double(Philox(1).normal((2, 30), like=like)), kind.double(made))


@pytest.mark.parametrize("shape", [(2, 4, 8, 8), (1, 5), (3, 17), (7,)])
def test_torchs_noise(shape):
    torch = optional("torch")
    if (
        "avx2" not in torch.backends.cpu.get_cpu_capability().lower()
        and "avx512" not in torch.backends.cpu.get_cpu_capability().lower()
    ):
        pytest.skip("torch draws otherwise on this processor")
    for precision in ("float32", "float64", "float16", "bfloat16"):
        generator, source = torch.Generator().manual_seed(11), noise.Torch(11, precision=precision)
        for _ in range(3):
            theirs = torch.randn(shape, generator=generator, dtype=getattr(torch, precision))
            assert torch.equal(source.next(shape, like=theirs), theirs)


def test_numpys_noise():
    shape = (2, 3, 50)
    theirs, ours = np.random.default_rng(11), noise.NumPy(11)
    for _ in range(3):
        assert np.array_equal(ours.next(shape, dtype="float64"), theirs.standard_normal(shape))
    theirs, ours = np.random.default_rng(11), noise.NumPy(11, precision="float32")
    assert np.array_equal(ours.next(shape), theirs.standard_normal(shape, dtype=np.float32))
    theirs, ours = np.random.RandomState(11), noise.NumPyLegacy(11)
    for _ in range(3):
        assert np.array_equal(ours.next(shape, dtype="float64"), theirs.randn(*shape))


def test_jaxs_noise():
    jax = optional("jax")
    key, source = jax.random.key(11), noise.JAX(11)
    for _ in range(3):
        key, subkey = jax.random.split(key)
        # Docs/Noise.md: another processor has another logarithm.
        assert abs(source.next((2, 50)) - np.asarray(jax.random.normal(subkey, (2, 50)))).max() <= 5e-7


def test_mlxs_noise():
    mx, source = optional("mlx.core"), noise.MLX(11)
    mx.random.seed(11)
    for _ in range(3):
        assert abs(source.next((2, 50)) - np.array(mx.random.normal((2, 50)))).max() <= 5e-7


def test_a_brownian_path_adds_up():
    source = Brownian(5)
    whole = source.next((1, 1000), dtype="float64", interval=(4.0, 0.0)) * 2
    parts = [source.next((1, 1000), dtype="float64", interval=step) for step in ((4.0, 1.0), (1.0, 0.0))]
    # W(4) − W(0) = (W(4) − W(1)) + (W(1) − W(0)), of numbers below 10 that are rounded to float32 first.
    assert abs(whole - (parts[0] * 3**0.5 + parts[1])).max() < 20 * 2.0**-24


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_run_draws_alike_in_place_and_by_operators(name, dtype):
    plan = Plan.from_sampler("dpm++2m-sde", steps=6, spacing="karras")
    x = np.random.default_rng(0).standard_normal((2, 3, 7)).astype(dtype)
    made = [plan.sample(x, lambda x, t: 0.2 * x, SOURCES[name](), in_place=in_place) for in_place in (None, False)]
    unit = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10}[dtype]
    # A few hundred roundings, of which in half precision the noise has one more by operators: they add it up in
    # float32, where the library has it rounded in its own memory.
    assert abs(made[0].astype(float) - made[1]).max() <= 100 * unit * max(1, abs(made[0].astype(float)).max())


def test_torchs_stream_is_drawn_from_as_diffusers_does():
    """DDIM with eta 0 draws nothing, DPM++ SDE at the end in vain: Docs/Noise.md."""
    torch, diffusers = optional("torch"), optional("diffusers")
    for config, steps in (
        ({"_class_name": "SASolverScheduler", "use_flow_sigmas": False}, 8),
        ({"_class_name": "DDPMScheduler"}, 8),
        ({"_class_name": "LCMScheduler"}, 4),
    ):
        scheduler = getattr(diffusers, config["_class_name"]).from_config(config)
        scheduler.set_timesteps(steps)
        x = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
        plan = Plan.from_config(dict(scheduler.config, _class_name=config["_class_name"]), steps, fidelity="diffusers")
        generator, y = torch.Generator().manual_seed(2), x
        for t in scheduler.timesteps:
            y = scheduler.step(0.1 * y, t, y, generator=generator).prev_sample
        made, source = plan.sample(x, lambda x, t: 0.1 * x, source := noise.Torch(2)), source
        assert abs(made - y).max() <= 1e-4 * y.abs().max()
        # The streams are at the same place, too.
        assert torch.equal(source.next((1, 20), like=x), torch.randn(1, 20, generator=generator))


WRONG = {
    "a negative seed": lambda: Philox(-1),
    "a seed beyond": lambda: Philox(1 << 64),
    "a fraction": lambda: Philox(0.5),
    "text": lambda: Philox("1"),
    "a draw beyond": lambda: Philox(1).normal((1, 2), draw=1 << 32),
    "a negative sample": lambda: Philox(1).normal((1, 2), sample=-1),
    "no shape": lambda: Philox(1).next(()),
    "an empty shape": lambda: Philox(1).next((0, 3)),
    "a negative shape": lambda: Philox(1).next((-1, 3)),
    "a shape of text": lambda: Philox(1).next("ab"),
    "a shape that is none": lambda: Philox(1).next(3),
    "more than there is": lambda: Philox(1).next((1 << 20, 1 << 30)),
    "whole numbers": lambda: Philox(1).next((1, 3), dtype="int32"),
    "no dtype": lambda: Philox(1).next((1, 3), dtype="none"),
    "like a list": lambda: Philox(1).next((1, 3), like=[1.0]),
    "seeds for another batch": lambda: Philox(seeds=[1, 2]).next((3, 3)),
    "a path without an interval": lambda: Brownian(1).next((1, 3)),
    "a path to a negative time": lambda: Brownian(1).next((1, 3), interval=(1, -1)),
    "a path to no time": lambda: Brownian(1).next((1, 3), interval=(1, float("nan"))),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_drawn_is_an_error(wrong):
    with pytest.raises(ArgumentError):
        WRONG[wrong]()


def test_sources_that_are_not_there_are_errors():
    for wrong in (
        lambda: noise.Torch(1, precision="int8"),
        lambda: noise.TorchCUDA(1, device="toaster"),
        lambda: noise.NumPyLegacy(1 << 32),
        lambda: noise.TorchSDE(1, sigmas=(2, 1)),
        lambda: noise.Source(source="dice", seed=1),
        lambda: Philox(seeds=[]),
    ):
        with pytest.raises(RequestError):
            wrong()


def test_a_source_in_use_is_not_drawn_from():
    source = Philox(1)
    run = Run(Plan.from_config({"_class_name": "DDPMScheduler"}, 3), np.ones((1, 4), np.float32))
    with source.used():
        with pytest.raises(StateError, match="another thread"):
            source.next((1, 3))
        with pytest.raises(StateError, match="another thread"):
            run.advance(run.input, source)
    run.advance(run.input, source)
    assert run.count == 1
