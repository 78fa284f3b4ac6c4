"""Runs against Swift's own: those of the tool `scheduler run`, of every sampler and every class."""

import concurrent.futures
import json
import os
import subprocess

import numpy as np
import pytest
from schedulers import Plan, Run, catalog
from support import ROOT, classes

TOOL = os.environ.get("SCHEDULERS_TOOL_PATH") or ROOT / ".build/debug/scheduler"
pytestmark = pytest.mark.skipif(not os.path.exists(TOOL), reason=f"the tool {TOOL} is not there; swift build makes it")

SAMPLERS = [(name, {}) for name in (entry["name"] for entry in catalog()["samplers"])]
SAMPLERS += [
    (name, {"clipping": "dynamic", "prediction": "v"}) for name in ("ddim", "ddpm", "dpm++2m", "unipc", "heun")
]
SAMPLERS += [("ddim", {"clipping": "static"}), ("euler", {"spacing": "flow"}), ("dpm++2m-sde", {"spacing": "karras"})]


def plans():
    for name, options in SAMPLERS:
        yield "-".join([name, *options.values()]), Plan.from_sampler(name, steps=6, **options)
    for name in classes():
        yield name, Plan.from_config({"_class_name": name}, 6, fidelity="diffusers")


class Trace:
    """A plan, and what Swift makes of it."""

    def __init__(self, name, plan, folder):
        self.name, self.plan, self.folder = name, plan, folder
        folder.mkdir()
        (folder / "plan.json").write_text(plan.json())
        for precision in ("float64", "float32"):
            command = [
                TOOL,
                "run",
                "--plan",
                folder / "plan.json",
                "--model",
                "gaussian",
                "--shape",
                "2,2,3,4",
                "--seed",
                "5",
            ]
            command += ["--precision", precision, "--format", "npy", "--output", folder / precision]
            run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
            assert run.returncode == 0, (name, run.stderr)

    def array(self, precision, name):
        return np.load(self.folder / precision / f"{name}.npy")


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traces")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(Trace, name, plan, folder / str(i)) for i, (name, plan) in enumerate(plans())]
        return [job.result() for job in jobs]


def samples_of(trace, precision, in_place):
    start, outputs, noises = (trace.array(precision, name) for name in ("samples", "model_outputs", "noises"))
    run, made = Run(trace.plan, start[0].copy(), in_place=in_place), []
    for output, noise, _ in zip(outputs, noises, run):
        run.advance(output, noise)
        made.append(run.sample.copy())
    return np.array(made), start[1:]


def adds_up_alike(plan):
    """Whether Swift's engine steps in place, and so by the library's own loops: where no earlier sample counts."""
    return all(len(step.next.samples) <= 1 and step.next.made == 0 for step in plan.steps)


def test_there_is_a_trace_of_everything(traces):
    assert len(traces) >= 41 + 34
    for kind in ("range", "dynamic"):
        assert any(trace.plan.clipping.kind == kind for trace in traces)
    assert sum(trace.plan.is_stochastic for trace in traces) > 20
    assert sum(adds_up_alike(trace.plan) for trace in traces) > 50


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_in_place_a_run_has_swifts_bits(traces, precision):
    count = 0
    for trace in traces:
        made, own = samples_of(trace, precision, True)
        assert made.dtype == own.dtype == precision
        if adds_up_alike(trace.plan):
            assert np.array_equal(made, own), trace.name
            count += 1
        else:
            # The same sums in another order: see ALLOWED of Tests/Runtimes/compare.py, and its float table.
            allowed = 1e-12 if precision == "float64" else 2e-5
            assert abs(made - own).max() <= allowed * max(1, abs(own).max()), trace.name
    assert count > 50


def test_by_operators_a_run_is_swifts(traces):
    for trace in traces:
        made, own = samples_of(trace, "float64", False)
        # In double, of 1 or the largest number of the run: see ALLOWED of Tests/Runtimes/compare.py.
        assert abs(made - own).max() <= 1e-12 * max(1, abs(own).max()), trace.name


def test_the_library_plans_as_the_tool_does(tmp_path):
    """The numbers of a configuration, by the C library and by the command line."""
    path = tmp_path / "scheduler_config.json"
    for name in ("EulerDiscreteScheduler", "UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler"):
        path.write_text(json.dumps({"_class_name": name}))
        for fidelity in ("corrected", "diffusers"):
            command = [TOOL, "plan", path, "--steps", "7", "--fidelity", fidelity, "--format", "json"]
            run = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
            assert Plan.from_json(run.stdout) == Plan.from_config(path, 7, fidelity=fidelity)
