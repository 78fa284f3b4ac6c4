"""Runs on arrays of every kind and type, of every class, in place and by operators."""

import copy
import pickle

import numpy as np
import pytest
from schedulers import Philox, Plan, Run, StateError
from support import FIDELITIES, Kind, Recording, configurations, named, plan_of

# In double, of 1 or the largest number of the run: see ALLOWED of Tests/Runtimes/compare.py.
DOUBLE = 1e-12
UNITS = {
    "float64": (2.0**-53, 0.0),
    "float32": (2.0**-24, 0.0),
    "float16": (2.0**-24, 2.0**-11),
    "bfloat16": (2.0**-24, 2.0**-8),
}
WAYS = [
    ("numpy", "float64", True),
    ("numpy", "float64", False),
    ("numpy", "float32", True),
    ("numpy", "float32", False),
    ("numpy", "float16", True),
    ("numpy", "float16", False),
    ("torch", "float64", None),
    ("torch", "float64", False),
    ("torch", "float32", True),
    ("torch", "float32", False),
    ("torch", "float16", True),
    ("torch", "float16", False),
    ("torch", "bfloat16", False),
    ("jax", "float32", None),
    ("jax", "float16", None),
    ("jax", "bfloat16", None),
    ("mlx", "float32", None),
    ("mlx", "float16", None),
    ("mlx", "bfloat16", None),
]


def rounded(dtype):
    """What numbers are in a type, as doubles."""
    if dtype == "bfloat16":
        torch = Kind("torch").xp
        return lambda x: torch.from_numpy(x).to(torch.bfloat16).double().numpy()
    return lambda x: x.astype(dtype).astype(np.float64)


def run_of(plan, recording, kind, dtype, in_place):
    """The samples and x̂0 of a run on arrays of a kind."""
    run, samples, denoised = Run(plan, kind.array(recording.start, dtype), in_place=in_place), [], []
    for query, output, noise in zip(run, recording.outputs, recording.noises):
        assert query.step == run.count and query.needs_noise == run.needs_noise
        run.advance(kind.array(output, dtype), kind.array(noise, dtype))
        assert run.sample.dtype == kind.array(output, dtype).dtype
        samples.append(kind.double(run.sample).copy())
        denoised.append(kind.double(run.denoised).copy())
    assert run.query is None and run.step is None
    return samples, denoised


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("configuration", configurations(), ids=named)
def test_every_class_runs_on_every_array(configuration, fidelity):
    plan, recordings = plan_of(configuration, fidelity), {}
    for name, dtype, in_place in WAYS:
        kind, (unit, store) = Kind(name), UNITS[dtype]
        if dtype not in recordings:
            recordings[dtype] = Recording(plan, rounding=rounded(dtype))
        recording = recordings[dtype]
        samples, denoised = run_of(plan, recording, kind, dtype, in_place)
        allowed = DOUBLE if dtype == "float64" else recording.bound(unit, store)
        difference = recording.difference(samples)
        # What the bound says must be worth something.
        assert allowed < 0.02 or store > 0
        assert difference <= allowed, f"{name} {dtype} {in_place}: {difference} of {allowed}"
        # x̂0 of the last step, of a sample that is off by so much.
        read, x = recording.values["steps"][-1]["denoised"], recording.samples[-2]
        size = abs(read["sample"]) * abs(x).max() + abs(read["output"]) * abs(recording.outputs[-1]).max()
        off = (
            abs(read["sample"]) * allowed * max(1, *(abs(x).max() for x in recording.samples))
            + (4 * unit + store) * size
        )
        assert abs(denoised[-1] - recording.denoised[-1]).max() <= 2 * off + store


@pytest.mark.parametrize("ratio", [1.0, 0.995, 0.5, 1e-9])
@pytest.mark.parametrize(
    "name,in_place", [("numpy", True), ("numpy", False), ("torch", False), ("jax", None), ("mlx", None)]
)
def test_a_quantile_at_the_ends_is_one(name, in_place, ratio):
    config = {"_class_name": "DDPMScheduler", "thresholding": True, "sample_max_value": 100.0}
    plan = Plan.from_config({**config, "dynamic_thresholding_ratio": ratio, "clip_sample": False}, 3)
    recording = Recording(plan, rounding=rounded("float32"))
    samples, _ = run_of(plan, recording, Kind(name), "float32", in_place)
    # x̂0 over a quantile is at most 1, and has the roundings of both.
    assert recording.difference(samples) <= 100 * 2.0**-24


SAMPLE = np.random.default_rng(0).standard_normal((2, 4, 5)).astype(np.float32)


def stochastic(**options):
    return Plan.from_config({"_class_name": "DDPMScheduler", **options}, 5)


def multistep():
    return Plan.from_sampler("dpm++2m", steps=6)


def network(x, timestep):
    return 0.3 * x


def test_a_run_is_the_same_by_hand_and_by_the_plan():
    plan, before, draws = stochastic(), SAMPLE.copy(), Philox(7)
    run, source = Run(plan, SAMPLE), Philox(7)
    for query in run:
        run.advance(network(run.input, query.timestep), source)
    assert np.array_equal(run.sample, plan.sample(SAMPLE, network, Philox(7)))
    assert np.array_equal(run.sample, plan.sample(SAMPLE, network, lambda shape, query: draws.next(shape)))
    assert np.array_equal(SAMPLE, before)


def test_a_model_that_is_awaited_makes_the_same():
    import asyncio

    async def awaited(x, timestep):
        await asyncio.sleep(0)
        return network(x, timestep)

    made = asyncio.run(stochastic().sample_async(SAMPLE, awaited, Philox(7)))
    assert np.array_equal(made, stochastic().sample(SAMPLE, network, Philox(7)))


@pytest.mark.parametrize("name,in_place", [("numpy", True), ("torch", True)])
def test_in_place_means_the_memory_of_the_sample(name, in_place):
    kind, plan = Kind(name), multistep()
    x = kind.array(SAMPLE)
    made = plan.sample(x, network, in_place=True)
    assert made is x
    assert np.array_equal(kind.double(x), kind.double(plan.sample(kind.array(SAMPLE), network)))


def test_every_sample_is_a_new_array_unless_in_place():
    run = Run(multistep(), SAMPLE.copy())
    kept, copies = [], []
    for query in run:
        x = run.input
        run.advance(0.3 * x)
        kept.append((run.sample, run.denoised))
        copies.append((run.sample.copy(), run.denoised.copy()))
    assert all(np.array_equal(a, b) for pair in zip(kept, copies) for a, b in zip(*pair))


def test_a_network_may_return_its_input():
    """Its memory is then the sample's, which the library must not write while it reads."""
    plan = Plan.from_sampler("euler", schedule="linear", prediction="x0", steps=4)
    expected = plan.sample(SAMPLE.astype(float), lambda x, t: x, in_place=False)
    for kind in (Kind("numpy"), Kind("torch")):
        for in_place in (True, None):
            made = np.asarray(plan.sample(kind.array(SAMPLE), lambda x, t: x, in_place=in_place))
            assert abs(made - expected).max() < 1e-5


@pytest.mark.parametrize("name", ["numpy", "torch", "jax", "mlx"])
@pytest.mark.parametrize("in_place", [None, False])
@pytest.mark.parametrize("way", ["fork", "copy", "pickle", "deepcopy"])
@pytest.mark.parametrize("make", [stochastic, multistep, lambda: stochastic(thresholding=True, sample_max_value=2)])
def test_a_run_goes_on_from_the_middle_to_the_same_bits(name, in_place, way, make):
    kind, plan = Kind(name), make()
    run, whole = Run(plan, kind.array(SAMPLE), in_place=in_place), Run(plan, kind.array(SAMPLE), in_place=in_place)
    noise = [
        kind.array(x) for x in np.random.default_rng(1).standard_normal((len(plan), *SAMPLE.shape)).astype(np.float32)
    ]
    copies = []
    for query in run:
        # Before the first step, and after each.
        copies.append(
            {"fork": run.fork, "copy": lambda: copy.copy(run), "deepcopy": lambda: copy.deepcopy(run)}.get(
                way, lambda: pickle.loads(pickle.dumps(run))
            )()
        )
        run.advance(network(run.input, query.timestep), noise[query.step])
    for query in whole:
        whole.advance(network(whole.input, query.timestep), noise[query.step])
    for i, other in enumerate(copies):
        assert other.count == i and other.plan == plan
        for query in other:
            other.advance(network(other.input, query.timestep), noise[query.step])
        assert np.array_equal(kind.double(other.sample), kind.double(whole.sample))
        assert np.array_equal(kind.double(other.denoised), kind.double(whole.denoised))


def test_a_fork_in_place_has_memory_of_its_own():
    run = Run(multistep(), SAMPLE.copy(), in_place=True)
    run.advance(network(run.input, 0))
    fork, before = run.fork(), run.sample.copy()
    run.advance(network(run.input, 0))
    assert np.array_equal(fork.sample, before) and not np.array_equal(run.sample, before)
    fork.advance(network(fork.input, 0))
    assert np.array_equal(fork.sample, run.sample)


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize(
    "name", ["UniPCMultistepScheduler", "HeunDiscreteScheduler", "DDIMScheduler", "KDPM2DiscreteScheduler"]
)
@pytest.mark.parametrize(
    "kind,in_place", [("numpy", True), ("numpy", None), ("numpy", False), ("torch", None), ("torch", False)]
)
def test_a_sample_that_is_changed_is_gone_on_from(kind, in_place, name, fidelity):
    """As the runtime of a hundred lines does, whether the plan goes back to what was made or not."""
    from schedulers.plan import Run as Plain

    kind, plan = Kind(kind), Plan.from_config({"_class_name": name}, 5, fidelity=fidelity)
    rng = np.random.default_rng(2)
    x, edits = plan.initial_scale * SAMPLE.astype(float), rng.standard_normal((len(plan), *SAMPLE.shape))
    run, plain = Run(plan, kind.array(x), in_place=in_place), Plain(Recording(plan).values, x)
    noise = rng.standard_normal(SAMPLE.shape)
    for query, edit in zip(run, edits):
        if query.step in (1, 2, 4):
            run.sample, plain.sample = kind.array(edit), edit
        run.advance(kind.array(edit / 2), kind.array(noise))
        plain.advance(edit / 2, noise)
        assert abs(kind.double(run.sample) - plain.sample).max() <= DOUBLE * max(
            1, abs(plain.sample).max(), plan.initial_scale
        )


def test_gradients_flow_through_a_whole_run():
    torch = Kind("torch").xp
    plan = Plan.from_sampler("dpm++2m", steps=6, clipping="static")
    x, scale = (
        torch.from_numpy(SAMPLE.astype(float)).requires_grad_(),
        torch.tensor(0.3, dtype=torch.float64, requires_grad=True),
    )
    loss = plan.sample(x, lambda x, t: scale * x).square().sum()
    loss.backward()
    h = 1e-6

    def at(x, scale):
        return float((plan.sample(x, lambda x, t: scale * x, in_place=False) ** 2).sum())

    numeric = (at(SAMPLE.astype(float), 0.3 + h) - at(SAMPLE.astype(float), 0.3 - h)) / (2 * h)
    # Rounding of a loss of 1e2 over h, and h² of a third derivative.
    assert abs(scale.grad.item() - numeric) <= 1e-6 * (abs(numeric) + loss.item())
    assert x.grad.isfinite().all() and x.grad.abs().sum() > 0


def test_a_gradient_of_the_network_alone_is_kept_too():
    torch = Kind("torch").xp
    scale = torch.tensor(0.3, requires_grad=True)
    made = multistep().sample(torch.from_numpy(SAMPLE.copy()), lambda x, t: scale * x)
    assert made.requires_grad
    with torch.no_grad():
        assert not multistep().sample(torch.from_numpy(SAMPLE.copy()), lambda x, t: scale * x).requires_grad
    # What the library has begun it cannot give a gradient, and says so.
    run = Run(multistep(), torch.from_numpy(SAMPLE.copy()))
    with torch.no_grad():
        run.advance(scale * run.input)
    with pytest.raises(StateError, match="in_place=False"):
        run.advance(scale * run.input)
    assert run.count == 1


def test_torch_compiles_and_maps_a_run():
    torch = Kind("torch").xp
    plan, x = multistep(), torch.from_numpy(SAMPLE.astype(float))
    expected = plan.sample(x, network, in_place=False)
    mapped = torch.func.vmap(lambda row: plan.sample(row[None], network)[0])(x)
    assert torch.allclose(mapped, expected, rtol=1e-13)
    assert torch.func.jvp(lambda x: plan.sample(x, network), (x,), (x,))[1].isfinite().all()
    compiled = torch.compile(lambda x: plan.sample(x, network), backend="eager")
    assert torch.allclose(compiled(x), expected, rtol=1e-13)


def test_jax_compiles_and_differentiates_a_run():
    jax = pytest.importorskip("jax")
    plan, x = multistep(), jax.numpy.asarray(SAMPLE)
    expected = plan.sample(x, network)
    made = jax.jit(lambda x: plan.sample(x, network))(x)
    assert np.allclose(made, expected, rtol=1e-5)
    slope = jax.grad(lambda x: plan.sample(x, network).sum())(x)
    # The run is linear, so that its slope is the run of ones.
    assert np.allclose(slope, plan.sample(jax.numpy.ones_like(x), network), rtol=1e-5)


def test_mlx_compiles_and_differentiates_a_run():
    mx = pytest.importorskip("mlx.core")
    plan, x = multistep(), mx.array(SAMPLE)
    made = mx.compile(lambda x: plan.sample(x, network))(x)
    assert np.allclose(np.array(made), np.array(plan.sample(x, network)), rtol=1e-5)
    slope = mx.grad(lambda x: plan.sample(x, network).sum())(x)
    assert np.allclose(np.array(slope), np.array(plan.sample(mx.ones_like(x), network)), rtol=1e-5)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_make_the_same_numbers(threads):
    plan, x = stochastic(), np.random.default_rng(0).standard_normal((4, 3, 100, 100)).astype(np.float32)
    run, source = Run(plan, x, threads=threads), Philox(1)
    for query in run:
        run.advance(network(run.input, 0), source)
    assert np.array_equal(run.sample, plan.sample(x, network, Philox(1)))


def test_channels_last_and_other_layouts_are_kept_by_operators():
    torch = Kind("torch").xp
    x = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    made = multistep().sample(x, network)
    assert made.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(made, multistep().sample(x.contiguous(), network), rtol=1e-4)
    strided = np.asfortranarray(SAMPLE)
    assert np.allclose(multistep().sample(strided, network), multistep().sample(SAMPLE, network), rtol=1e-5)
    big = SAMPLE.astype(">f4")
    assert np.allclose(multistep().sample(big, network).astype("f4"), multistep().sample(SAMPLE, network), rtol=1e-5)
