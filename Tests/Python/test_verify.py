"""Recorded runs, and whether they are right."""

import json

import numpy as np
import pytest
import schedulers
from schedulers import ArgumentError, FileError, Judgement, RequestError, verify
from support import ROOT, optional

RIGHT, WRONG = (ROOT / f"Fixtures/Data/example-{kind}.safetensors" for kind in ("right", "wrong"))


def test_a_right_run_agrees():
    found = verify(RIGHT)
    assert isinstance(found, Judgement) and found and found.agrees and found.diagnosis is None
    assert len(found.steps) == 10 and all(step.agrees for step in found.steps)
    assert max(step.difference for step in found.steps) < 1e-5
    assert "right" in found.text and str(found) == found.text and str(RIGHT) in found.text


def test_a_wrong_run_is_diagnosed():
    """As the README has it."""
    found = verify(str(WRONG))
    assert not found and [step.step for step in found.steps if not step.agrees][0] == 1
    assert "r0 is upside down" in found.diagnosis and found.diagnosis in found.text
    assert "wrong from step 1 on" in found.text
    first = found.steps[1]
    assert (first.timestep, first.recorded_timestep, first.element) == (811, 811, (0, 2, 1, 2))
    assert 0.0084 < first.difference < 0.0085 and 0.0011 < first.allowed < 0.0012
    assert found.answer["judgement"]["fidelity"] == "diffusers"


def test_tolerance_and_fidelity_are_heard():
    assert verify(WRONG, tolerance=0.1).agrees
    assert not verify(RIGHT, tolerance=1e-9).agrees
    assert verify(RIGHT, fidelity="corrected").answer["judgement"]["fidelity"] == "corrected"
    with pytest.raises(RequestError):
        verify(RIGHT, fidelity="exact")
    with pytest.raises(RequestError):
        verify(RIGHT, tolerance=-1)


@pytest.mark.parametrize("contents", [None, b"", b"\0" * 100, b"{}", RIGHT.read_bytes()[:2000], "folder"])
def test_what_cannot_be_judged_is_an_error(tmp_path, contents):
    path = tmp_path / "trace.safetensors"
    if contents == "folder":
        path.mkdir()
    elif contents is not None:
        path.write_bytes(contents)
    with pytest.raises(FileError, match="cannot judge"):
        verify(path)


def test_a_path_is_a_path():
    for wrong in (3, None, [RIGHT]):
        with pytest.raises(ArgumentError):
            verify(wrong)
    with pytest.raises(ArgumentError, match="code 0"):
        verify("a\0b")


def test_a_run_of_the_package_is_judged_by_its_plan(tmp_path):
    """A trace in JSON, of a run that Docs/Plan.md describes."""
    plan = schedulers.Plan.from_sampler("dpm++2m", steps=5)
    run, rng = schedulers.Run(plan, np.random.default_rng(0).standard_normal((2, 3, 4))), np.random.default_rng(1)
    samples, outputs = [run.sample], []
    for _ in run:
        outputs.append(rng.standard_normal((2, 3, 4)))
        run.advance(outputs[-1])
        samples.append(run.sample)
    trace = {"format": "scheduler-trace/1", "plan": json.loads(plan.json()), "timesteps": list(plan.timesteps)}
    trace |= {"samples": np.array(samples).tolist(), "model_outputs": np.array(outputs).tolist()}
    path = tmp_path / "run.json"
    path.write_text(json.dumps(trace))
    assert verify(path, tolerance=1e-12).agrees
    trace["samples"][3][0][0][0] += 1e-3
    path.write_text(json.dumps(trace))
    # The step that made the sample, and the one that was given it, which made the next of another.
    assert [step.step for step in verify(path, tolerance=1e-6).steps if not step.agrees] == [2, 3]


def test_a_pipeline_is_recorded(tmp_path):
    torch, diffusers = optional("torch"), optional("diffusers")
    unet = diffusers.UNet2DModel(
        sample_size=8,
        block_out_channels=(8,),
        norm_num_groups=2,
        layers_per_block=1,
        down_block_types=("DownBlock2D",),
        up_block_types=("UpBlock2D",),
    )
    pipe = diffusers.DDIMPipeline(unet, diffusers.DDIMScheduler())
    pipe.set_progress_bar_config(disable=True)
    with schedulers.record(pipe, tmp_path / "trace.safetensors") as paths:
        assert paths == []
        pipe(num_inference_steps=4, output_type="np", generator=torch.Generator().manual_seed(0))
        pipe(num_inference_steps=3, output_type="np", eta=0.5)
    assert [path.name for path in paths] == ["trace.safetensors", "trace-2.safetensors"]
    assert type(pipe.scheduler) is diffusers.DDIMScheduler
    for path, count in zip(paths, (4, 3)):
        found = verify(path)
        assert found.agrees and len(found.steps) == count, found.text
    with pytest.warns(UserWarning, match="was asked for no step"):
        with schedulers.record(pipe, tmp_path / "none.safetensors"):
            pass


def test_an_interrupted_pipeline_leaves_its_steps(tmp_path):
    torch, diffusers = optional("torch"), optional("diffusers")

    class Pipe:
        scheduler = diffusers.EulerDiscreteScheduler()

    x = torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(0)) * 14
    with pytest.raises(KeyboardInterrupt):
        with schedulers.record(Pipe, tmp_path / "part.safetensors") as paths:
            Pipe.scheduler.set_timesteps(5)
            for i, t in enumerate(Pipe.scheduler.timesteps):
                if i == 3:
                    raise KeyboardInterrupt
                x = Pipe.scheduler.step(0.1 * Pipe.scheduler.scale_model_input(x, t), t, x).prev_sample
    found = verify(paths[0])
    assert found.agrees and len(found.steps) == 3
