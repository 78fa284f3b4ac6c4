"""Several threads and processes, and memory over many steps."""

import concurrent.futures
import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from schedulers import Philox, Plan, Run, StateError
from support import Kind

# make python-memory asks for a million.
STEPS = int(os.environ.get("SCHEDULERS_STEPS", "60000"))
BIG = (2, 3, 256, 256)


def stochastic(steps=10):
    return Plan.from_config({"_class_name": "DDPMScheduler", "clip_sample": True}, steps)


def multistep(steps=10):
    return Plan.from_sampler("dpm++2m", steps=steps)


def made(plan, seed, shape=(2, 3, 40)):
    x = Philox(seed).normal(shape)
    return plan.sample(x, lambda x, t: 0.1 * x, Philox(seed + 1))


def test_threads_share_a_plan_and_have_a_run_each():
    plan = stochastic()
    expected = [made(plan, seed) for seed in range(40)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(np.array_equal(a, b) for a, b in zip(pool.map(lambda seed: made(plan, seed), range(40)), expected))
        # A plan that nobody has used yet, and handles that come and go.
        fresh = Plan.from_json(plan.json())
        assert all(np.array_equal(a, b) for a, b in zip(pool.map(lambda seed: made(fresh, seed), range(40)), expected))


@pytest.mark.parametrize("in_place", [None, True])
def test_threads_that_share_a_run_are_told(in_place):
    plan, told, ended = multistep(200), [], []
    run, output = Run(plan, np.ones(BIG, np.float32), in_place=in_place), np.full(BIG, 0.1, np.float32)
    start = threading.Barrier(4)

    def advance():
        start.wait()
        while run.query is not None:
            try:
                run.advance(output)
            except StateError as error:
                told.append(str(error))
        ended.append(True)

    threads = [threading.Thread(target=advance) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 4 and run.count == 200 and told
    assert all("another thread" in text or "at its end" in text for text in told)
    expected = Run(plan, np.ones(BIG, np.float32))
    for _ in expected:
        expected.advance(output)
    assert np.array_equal(run.sample, expected.sample)


def in_child(pipe, run, plan):
    run.advance(0.1 * run.input, Philox(3))
    pipe.send((run.sample, made(plan, 5, BIG)))


def test_a_child_of_a_fork_goes_on():
    """As the workers of a data loader do: the threads of the parent are not there. In a process without JAX, whose own
    threads do not bear it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", "import test_threads; test_threads.fork_and_go_on()"]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr


def fork_and_go_on():
    plan, context = stochastic(), multiprocessing.get_context("fork")
    run = Run(plan, Philox(0).normal(BIG))
    run.advance(0.1 * run.input, Philox(2))
    mine, theirs = context.Pipe()
    child = context.Process(target=in_child, args=(theirs, run, plan))
    child.start()
    assert mine.poll(60), "the child hangs"
    sample, other = mine.recv()
    child.join(60)
    assert child.exitcode == 0
    run.advance(0.1 * run.input, Philox(3))
    assert np.array_equal(run.sample, sample) and np.array_equal(made(plan, 5, BIG), other)


def in_new_process(state):
    run, source = pickle.loads(state)
    for query in run:
        run.advance(0.1 * run.input, source)
    return run.sample


def test_a_run_goes_on_in_another_process_to_the_same_bits():
    run, source = Run(stochastic(), Philox(0).normal((2, 3, 4))), Philox(9)
    for _ in range(4):
        run.advance(0.1 * run.input, source)
    state = pickle.dumps((run, source))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        theirs = pool.apply(in_new_process, (state,))
    assert np.array_equal(theirs, in_new_process(state))
    for _ in run:
        run.advance(0.1 * run.input, source)
    assert np.array_equal(theirs, run.sample)


def resident():
    """The memory of this process in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def repeat(plan, x, output, in_place, steps):
    """Runs with everything that may hold on to memory: x̂0, changed samples, forks, and pickles."""
    source = Philox(1)
    for count in range(0, steps, len(plan)):
        run = Run(plan, x * 1, in_place=in_place)
        while run.query is not None:
            run.advance(output, source)
            if run.count % 50 == 0:
                assert run.denoised is not None
                run.sample = run.sample * 1
                run, source = run.fork(), source.fork()
        if count % 10000 < len(plan):
            pickle.loads(pickle.dumps((run, source)))


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is measured on Linux")
@pytest.mark.parametrize(
    "kind,in_place", [("numpy", None), ("numpy", True), ("numpy", False), ("torch", None), ("torch", False)]
)
@pytest.mark.parametrize("make", [stochastic, multistep])
def test_memory_does_not_grow(make, kind, in_place):
    kind, x = Kind(kind), np.random.default_rng(0).standard_normal((1, 4, 64)).astype(np.float32)
    arguments = (make(200), kind.array(x), kind.array(0.1 * x), in_place)
    repeat(*arguments, STEPS // 4)
    gc.collect()
    before = resident()
    repeat(*arguments, STEPS)
    gc.collect()
    # A leak of one sample of 1 KB in each run of 200 steps would be 300 KB in 60,000 steps.
    assert resident() - before < 250_000
