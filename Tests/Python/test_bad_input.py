"""What does not fit is an exception of the package's own, and the interpreter lives on."""

import ctypes
import os
import pathlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from schedulers import (
    ArgumentError,
    LibraryMissingError,
    LibraryVersionError,
    NotFiniteError,
    Philox,
    Plan,
    Run,
    SchedulersError,
    StateError,
    _library,
)
from support import ROOT, Kind, optional

X = np.random.default_rng(0).standard_normal((2, 4, 5)).astype(np.float32)


def deterministic():
    return Plan.from_sampler("dpm++2m", steps=4)


def stochastic():
    return Plan.from_config({"_class_name": "DDPMScheduler"}, 4)


def learned():
    return Plan.from_config({"_class_name": "DDPMScheduler", "variance_type": "learned_range"}, 4)


def torch_of(**options):
    torch = optional("torch")
    return torch.empty(2, 4, 5, **{k: getattr(torch, v) if k == "dtype" else v for k, v in options.items()})


SAMPLES = {
    "a list": lambda: [[1.0]],
    "nothing": lambda: None,
    "a number": lambda: 1.0,
    "a number of NumPy": lambda: np.float32(1),
    "text": lambda: "x",
    "whole numbers": lambda: X.astype(int),
    "truth": lambda: X > 0,
    "complex numbers": lambda: X.astype(complex),
    "objects": lambda: X.astype(object),
    "no dimensions": lambda: np.array(1.0),
    "no samples": lambda: X[:0],
    "empty samples": lambda: X[:, :0],
    "whole numbers of torch": lambda: torch_of(dtype="int32"),
    "a record": lambda: np.zeros(3, dtype=[("a", "f4")]),
}
IN_PLACE = {
    "every other number": lambda: X.copy()[:, :, ::2],
    "columns first": lambda: np.asfortranarray(X),
    "backwards": lambda: X.copy()[::-1],
    "bytes the other way round": lambda: X.astype(">f4"),
    "long doubles": lambda: X.astype(np.longdouble),
    "what cannot be written to": lambda: np.broadcast_to(np.float32(1), (2, 4, 5)),
    "read only": lambda: read_only(),
    "a masked array": lambda: np.ma.masked_array(X),
    "a matrix": lambda: np.matrix(np.ones((2, 3), np.float32)),
    "an odd address": lambda: np.zeros(161, np.uint8)[1:].view(np.float32).reshape(2, 4, 5),
    "bfloat16": lambda: torch_of(dtype="bfloat16"),
    "a transposed tensor": lambda: torch_of().mT,
    "a tensor of no device": lambda: torch_of(device="meta"),
    "a tensor with a gradient": lambda: torch_of(requires_grad=True),
    "a parameter": lambda: optional("torch").nn.Parameter(torch_of()),
    "a sparse tensor": lambda: torch_of().to_sparse(),
    "a negated view": lambda: optional("torch")._neg_view(torch_of()),
    "a tensor without storage": lambda: emptied(torch_of()),
    "jax": lambda: optional("jax").numpy.ones((2, 4, 5)),
    "mlx": lambda: optional("mlx.core").ones((2, 4, 5)),
}


def read_only():
    x = X.copy()
    x.flags.writeable = False
    return x


def emptied(x):
    x.untyped_storage().resize_(4)
    return x


@pytest.mark.parametrize("in_place", [None, True, False])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_that_is_none(name, in_place):
    with pytest.raises(ArgumentError):
        Run(deterministic(), SAMPLES[name](), in_place=in_place)


@pytest.mark.parametrize("name", IN_PLACE)
def test_what_the_library_cannot_work_on(name):
    with pytest.raises(ArgumentError) as raised:
        Run(deterministic(), IN_PLACE[name](), in_place=True)
    assert "\n" not in str(raised.value)


OUTPUTS = {
    "a list": lambda: [[1.0]],
    "another shape": lambda: X[:, :2],
    "another batch": lambda: X[:1],
    "fewer dimensions": lambda: X.reshape(2, 20),
    "what would be spread": lambda: X[:, :1, :1],
    "twice the channels": lambda: np.concatenate([X, X], 1),
    "whole numbers": lambda: X.astype(int),
    "another kind": lambda: Kind("torch").array(X),
    "nothing": lambda: None,
}


@pytest.mark.parametrize("in_place", [None, True, False])
@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_that_does_not_fit(name, in_place):
    run = Run(deterministic(), X.copy(), in_place=in_place)
    with pytest.raises(ArgumentError, match="the output"):
        run.advance(OUTPUTS[name]())
    run.advance(0.1 * X)
    assert run.count == 1


@pytest.mark.parametrize("in_place", [None, True, False])
@pytest.mark.parametrize("name", OUTPUTS)
def test_noise_that_does_not_fit(name, in_place):
    run = Run(stochastic(), X.copy(), in_place=in_place)
    if name != "nothing":
        with pytest.raises(ArgumentError, match="the noise"):
            run.advance(X.copy(), OUTPUTS[name]())
    with pytest.raises(ArgumentError, match="the noise"):
        run.advance(X.copy(), lambda shape, query: OUTPUTS[name]())
    with pytest.raises(StateError, match="step 0 draws noise"):
        run.advance(X.copy())
    run.advance(X.copy(), X.copy())
    assert run.count == 1


@pytest.mark.parametrize("in_place", [None, True, False])
@pytest.mark.parametrize("name", OUTPUTS)
def test_a_sample_that_takes_the_place_of_another(name, in_place):
    run = Run(deterministic(), X.copy(), in_place=in_place)
    with pytest.raises(ArgumentError, match="the new sample"):
        run.sample = OUTPUTS[name]()
    assert np.array_equal(run.sample, X)


def test_devices_that_differ():
    torch = optional("torch")
    run = Run(deterministic(), torch.from_numpy(X.copy()))
    with pytest.raises(ArgumentError, match="the output is on meta and the sample on cpu"):
        run.advance(torch.empty(2, 4, 5, device="meta"))
    on_meta = Run(deterministic(), torch.empty(2, 4, 5, device="meta"))
    with pytest.raises(ArgumentError, match="on cpu and the sample on meta"):
        on_meta.advance(torch.from_numpy(X.copy()))
    # A plan runs on a device that computes nothing.
    assert deterministic().sample(torch.empty(2, 4, 5, device="meta"), lambda x, t: x).device.type == "meta"


def test_devices_of_jax_that_differ():
    """In a process of its own, to which XLA shows two devices."""
    optional("jax")
    program = """
        import jax, numpy as np
        from schedulers import ArgumentError, Plan, Run
        first, second = jax.devices()
        run = Run(Plan.from_sampler("dpm++2m", steps=4), jax.device_put(np.ones((1, 2, 3), np.float32), first))
        try:
            run.advance(jax.device_put(np.ones((1, 2, 3), np.float32), second))
        except ArgumentError as error:
            print(error)
    """
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", textwrap.dedent(program)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert "move one of them" in run.stdout, (run.stdout, run.stderr)


@pytest.mark.parametrize("in_place", [None, True, False])
def test_a_learned_variance_needs_twice_the_channels(in_place):
    run = Run(learned(), X.copy(), in_place=in_place)
    with pytest.raises(ArgumentError, match=r"\(2, 4, 5\), where \(2, 8, 5\)"):
        run.advance(X.copy(), X.copy())
    with pytest.raises(ArgumentError, match="channels"):
        Run(learned(), X[:, 0, 0].copy())


@pytest.mark.parametrize("in_place", [None, True, False])
def test_a_run_at_its_end(in_place):
    run = Run(deterministic(), X.copy(), in_place=in_place)
    for _ in run:
        run.advance(0.1 * run.input)
    with pytest.raises(StateError, match="at its end, after 4 steps"):
        run.advance(X)
    assert run.query is None and not run.needs_noise and run.fork().count == 4
    stuck = Run(deterministic(), X.copy(), in_place=in_place)
    with pytest.raises(StateError, match="step 0 was not advanced"):
        for _ in stuck:
            pass


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["numpy", "torch", "jax", "mlx"])
def test_numbers_that_are_none_are_found_where_it_is_asked(kind, value):
    kind, wrong = Kind(kind), X.copy()
    wrong[1, 2, 3] = value
    run = Run(deterministic(), kind.array(X))
    with pytest.raises(NotFiniteError, match="step 0"):
        run.check(kind.array(wrong))
    run.check(kind.array(X))
    with pytest.raises(NotFiniteError):
        deterministic().sample(kind.array(X), lambda x, t: kind.array(wrong), check=True)
    # Nobody asked: what a network says is made use of.
    made = kind.double(deterministic().sample(kind.array(X), lambda x, t: kind.array(wrong)))
    assert not np.isfinite(made[1, 2, 3]) and np.isfinite(made[0]).all()


@pytest.mark.parametrize(
    "kind,in_place", [("numpy", None), ("numpy", False), ("torch", False), ("jax", None), ("mlx", None)]
)
def test_a_threshold_of_nan_is_nan_for_its_sample_alone(kind, in_place):
    kind, wrong = Kind(kind), X.copy()
    wrong[1, 2, 3] = np.nan
    # A quantile in the middle, far from where NaN is sorted to.
    config = {"_class_name": "DDIMScheduler", "thresholding": True, "sample_max_value": 2.0}
    plan = Plan.from_config({**config, "dynamic_thresholding_ratio": 0.5}, 4)
    made = kind.double(plan.sample(kind.array(X), lambda x, t: kind.array(wrong), in_place=in_place))
    assert np.isnan(made[1]).all() and np.isfinite(made[0]).all()


def test_plans_and_threads_that_are_none():
    for wrong in (None, 3, "dpm++2m", deterministic().json()):
        with pytest.raises(ArgumentError):
            Run(wrong, X)
    for threads in (0, -1, 1 << 40):
        with pytest.raises(ArgumentError):
            Run(deterministic(), X, threads=threads)


def test_a_state_that_was_damaged():
    run = Run(deterministic(), X.copy())
    run.advance(0.1 * X)
    state = run.__getstate__()
    for native in (b"", state["native"][:-1], state["native"] + b"\0", b"\xff" * len(state["native"]), None, "text"):
        other = object.__new__(Run)
        if native is None:
            continue
        with pytest.raises(SchedulersError):
            other.__setstate__({**state, "native": native})


def test_a_library_that_is_none(tmp_path, monkeypatch):
    """Each in an interpreter of its own, which says how it ended."""
    empty, text = tmp_path / "empty.so", tmp_path / "text.so"
    empty.write_bytes(b"")
    text.write_text("no library")
    program = """
        import sys
        import numpy as np
        from schedulers import LibraryMissingError, Plan, Run
        try:
            Plan.from_sampler("ddim", steps=3)
        except LibraryMissingError as error:
            print(error)
        # A plan that was saved runs without it.
        plan = Plan.from_json(open(sys.argv[1]).read())
        print(plan.sample(np.ones((1, 2, 3)), lambda x, t: x).shape, plan.draws_noise)
        try:
            Run(plan, np.ones((1, 2, 3)), in_place=True)
        except LibraryMissingError as error:
            print("in place", error)
    """
    saved = tmp_path / "plan.json"
    saved.write_text(deterministic().json())
    libc = next(pathlib.Path("/").glob("lib*/**/libc.so.6"), None)
    for place in [tmp_path / "nowhere.so", tmp_path, empty, text, *([libc] if libc else [])]:
        environment = {**os.environ, "SCHEDULERS_LIBRARY": str(place), "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", textwrap.dedent(program), saved]
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        lines = run.stdout.splitlines()
        assert str(place) in lines[0] and "SCHEDULERS_LIBRARY" in lines[0]
        assert lines[1] == "(1, 2, 3) (False, False, False, False)" and lines[2].startswith("in place")
        version = subprocess.run(
            [sys.executable, "-m", "schedulers", "--version"], env=environment, capture_output=True, text=True
        )
        assert version.returncode == 1 and str(place) in version.stderr


def test_a_library_of_another_version(tmp_path):
    source, library = tmp_path / "other.c", tmp_path / "other.so"
    body = 'int schedulers_abi_version(void) { return %d; } const char *schedulers_version(void) { return "9"; }'
    body += " void schedulers_text_free(char *text) {}"
    for abi, says in ((99, "version 99 of its interface"), (_library.ABI, "lacks a function")):
        source.write_text(body % abi)
        subprocess.run(["cc", "-shared", "-fPIC", source, "-o", library], check=True)
        program = "from schedulers import *\ntry:\n Philox(1)\nexcept LibraryVersionError as error: print(error)"
        environment = {**os.environ, "SCHEDULERS_LIBRARY": str(library), "PYTHONPATH": os.pathsep.join(sys.path)}
        run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert says in run.stdout, (run.stdout, run.stderr)
    assert issubclass(LibraryVersionError, SchedulersError) and issubclass(LibraryMissingError, SchedulersError)


def test_the_header_has_what_python_calls():
    """The interface's version, the statuses and the signatures of schedulers.h."""
    import re

    header = (ROOT / "Sources/SchedulersC/include/schedulers.h").read_text()
    assert int(re.search(r"#define SCHEDULERS_ABI_VERSION (\d+)", header)[1]) == _library.ABI
    declared = dict(re.findall(r"int32_t schedulers_(\w+)\(([^;]*)schedulers_error \*error\);", header))
    kinds = {
        "int32_t": ctypes.c_int32,
        "int64_t": ctypes.c_int64,
        "uint64_t": ctypes.c_uint64,
        "double": ctypes.c_double,
        "size_t": ctypes.c_size_t,
    }
    for name, arguments in _library.SIGNATURES.items():
        given = [part.strip() for part in declared[name].split(",") if part.strip()]
        assert len(given) == len(arguments), name
        for text, kind in zip(given, arguments):
            if "*" not in text:
                assert kinds[text.split()[0]] is kind, (name, text)
            else:
                assert kind in (ctypes.c_void_p, ctypes.c_char_p) or hasattr(kind, "contents"), (name, text)
    from schedulers.errors import BY_STATUS

    statuses = dict(re.findall(r"SCHEDULERS_([A-Z_]+) = (\d+)", header[: header.index("typedef")]))
    assert {int(v) for k, v in statuses.items() if k not in ("OK", "FLOAT32", "FLOAT64", "FLOAT16")} == set(BY_STATUS)
    fields = re.search(r"typedef struct schedulers_query \{(.*?)\} schedulers_query;", header, re.S)[1]
    names = [n.strip() for line in re.findall(r"(?:int64_t|double|int32_t) ([^;]*);", fields) for n in line.split(",")]
    assert names == [field[0] for field in _library.Query._fields_]


def test_random_arguments_end_nothing():
    """Thousands of runs with whatever comes: each ends in numbers or in an exception of the package's own."""
    rng, torch = np.random.default_rng(0), optional("torch")
    plans = [deterministic(), stochastic(), learned(), Plan.from_config({"_class_name": "HeunDiscreteScheduler"}, 3)]

    def anything():
        shape = tuple(int(n) for n in rng.integers(0, 4, rng.integers(0, 4)))
        x = rng.standard_normal(shape).astype(rng.choice(["f2", "f4", "f8", ">f4", "i4", "?", "c8", "f16"]))
        x = [x, x.T, x[::-1] if x.ndim else x, np.asfortranarray(x), x.tolist(), None, Philox(1), lambda *_: x][
            rng.integers(0, 8)
        ]
        if isinstance(x, np.ndarray) and rng.random() < 0.3 and x.dtype.isnative and x.dtype != np.longdouble:
            x = torch.from_numpy(x.copy())
            x = [x, x.mT if x.ndim > 1 else x, x.detach().requires_grad_() if x.is_floating_point() else x][
                rng.integers(0, 3)
            ]
        return x

    ended, made = 0, 0
    for _ in range(4000):
        try:
            x = anything()
            run = Run(plans[rng.integers(0, 4)], x, in_place=[None, True, False][rng.integers(0, 3)])
            for _ in range(5):
                output = [x, run.input, anything()][rng.integers(0, 3)]
                run.advance(output, [None, anything(), Philox(3), x][rng.integers(0, 4)])
                made += 1
                if rng.random() < 0.2:
                    run.sample = [x, anything(), run.sample][rng.integers(0, 3)]
        except SchedulersError:
            ended += 1
    assert ended > 1000 and made > 200
