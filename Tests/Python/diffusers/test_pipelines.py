"""diffusers' own pipelines with tiny random networks: our scheduler in the original's place makes the same pictures."""

import sys

import diffusers
import pytest
import torch
from pairs import FIXTURES
from schedulers.diffusers import Scheduler, _places

sys.path.insert(0, str(FIXTURES))
from recipes import real_pipelines, tiny_pipelines

# The networks are random, and multiply what rounding leaves of a step by about as much as there are steps. Half
# precision rounds so coarsely that the originals' own order of operations shows: pictures are compared in float32.
CLOSE = 1e-4


def picture(scheduler, pipeline, parts, arguments):
    """The latents that a pipeline makes with a scheduler."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        components, usual = parts()
        made = {} if "scheduler" in components else {"scheduler": scheduler}
        pipe = getattr(diffusers, f"{pipeline}Pipeline")(**components, **made)
        pipe.scheduler = scheduler  # some pipelines make another of it
        pipe.set_progress_bar_config(disable=True)
        given = {"output_type": "latent", **usual, **arguments}
        result = pipe(generator=torch.Generator().manual_seed(1), return_dict=False, **given)[0]
    return (
        torch.stack([torch.as_tensor(one) for one in result]) if isinstance(result, list) else torch.as_tensor(result)
    )


def scheduler_of(model, other):
    config = real_pipelines.model_config(model)
    name, options = other or (config["_class_name"], {})
    return getattr(diffusers, name).from_config({**config, **options})


@pytest.fixture
def left(monkeypatch):
    """The steps that were left to the original."""
    steps, own = [], _places.is_left
    monkeypatch.setattr(_places, "is_left", lambda *a: own(*a) and (steps.append(a) or True))
    return steps


@pytest.mark.parametrize("run", real_pipelines.RUNS)
def test_a_pipeline_makes_the_same_picture(run, left):
    pipeline, parts, model, _, arguments, *other = real_pipelines.RUNS[run]
    original = scheduler_of(model, *(other or [None]))
    theirs = picture(original, pipeline, parts, arguments)
    ours = picture(Scheduler.from_config(original, fidelity="diffusers"), pipeline, parts, arguments)
    assert float((theirs - ours).abs().max()) <= CLOSE * max(float(theirs.abs().max()), 1)
    # Cosmos' pipelines write the last of the sigmas themselves, or give x̂0 to the step.
    assert not left or run.startswith("Cosmos")


@pytest.mark.parametrize("run", real_pipelines.RUNS)
def test_a_pipeline_runs_with_the_corrected_plan(run, left):
    pipeline, parts, model, _, arguments, *other = real_pipelines.RUNS[run]
    scheduler = Scheduler.from_config(scheduler_of(model, *(other or [None])))
    assert scheduler.fidelity == "corrected"
    assert torch.isfinite(picture(scheduler, pipeline, parts, arguments)).all()
    assert not left or run.startswith("Cosmos")


def test_a_base_model_and_a_refiner_share_a_run():
    pictures = []
    for fidelity in (None, "diffusers"):
        latents = {}
        for pipeline, parts, model, part in (
            ("StableDiffusionXL", tiny_pipelines.stable_xl, real_pipelines.XL, dict(denoising_end=0.6)),
            (
                "StableDiffusionXLImg2Img",
                tiny_pipelines.stable_xl_from_picture,
                real_pipelines.REFINER,
                dict(denoising_start=0.6),
            ),
        ):
            scheduler = scheduler_of(model, None)
            if fidelity:
                scheduler = Scheduler.from_config(scheduler, fidelity=fidelity)
            made = picture(scheduler, pipeline, parts, dict(num_inference_steps=10, **part, **latents))
            latents = {"image": made}
        pictures.append(made)
    assert float((pictures[0] - pictures[1]).abs().max()) <= CLOSE * float(pictures[0].abs().max())


def test_a_saved_pipeline_is_one_of_diffusers(tmp_path):
    components, _ = tiny_pipelines.unconditional()
    pipe = diffusers.DDIMPipeline(scheduler=diffusers.DDIMScheduler(beta_end=0.01), **components)
    pipe.scheduler = Scheduler.from_config(pipe.scheduler)
    pipe.save_pretrained(tmp_path)
    again = diffusers.DDIMPipeline.from_pretrained(tmp_path)
    assert type(again.scheduler) is diffusers.DDIMScheduler and again.scheduler.config.beta_end == 0.01
