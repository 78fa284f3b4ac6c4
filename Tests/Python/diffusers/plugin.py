"""A plugin of pytest that puts this library's schedulers in the place of diffusers' own.

    python -m pytest -p plugin CHECKOUT/tests/schedulers

In every test module of diffusers the name of a class that has plans means the one that steps by them, with the
fidelity "diffusers". `expected.toml` names the tests that do not pass, each with its reason, and a test that is named
and passes fails. At the end it says how many steps were made by plans, and how many were left to the originals.
"""

import collections
import os
import pathlib
import sys

import diffusers  # before the checkout's own, which stands in the path of its tests
import pytest
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Sources/Python"))
os.environ.setdefault("SCHEDULERS_LIBRARY", str(ROOT / ".build/c/libschedulers.so"))

import schedulers.diffusers as ours  # noqa: E402

LIST = tomllib.loads(pathlib.Path(__file__).with_name("expected.toml").read_text())
EXPECTED = {test: group["reason"] for group in LIST.values() for test in group["tests"]}
# What has to pass of the tests of classes that have plans.
LEAST = 0.95
counts, ran, tested = collections.Counter(), set(), set()


def substitute(name):
    """The class of a name that steps by plans, as if it were diffusers'."""
    base = ours.class_for(name)

    def _take(self, *arguments, **more):
        counts["all"] += 1
        return base._take(self, *arguments, **more)

    def step(self, *arguments, **more):
        counts["left"] += 1
        return base._original.step(self, *arguments, **more)

    original = type(name, (base._original,), {"__module__": base.__module__, "step": step})
    return type(
        name, (base,), {"__module__": base.__module__, "fidelity": "diffusers", "_take": _take, "_original": original}
    )


SUBSTITUTES = {name: substitute(name) for name in ours.NAMES if hasattr(diffusers, name)}


def pytest_collection_modifyitems(items):
    for module in {item.module for item in items}:
        for name, mine in SUBSTITUTES.items():
            if hasattr(module, name):
                setattr(module, name, mine)
        for thing in vars(module).values():
            if isinstance(thing, type) and isinstance(vars(thing).get("scheduler_classes"), tuple):
                if any(one.__name__ in SUBSTITUTES for one in thing.scheduler_classes):
                    tested.update(item.nodeid.split("::")[0] for item in items if item.module is module)
                thing.scheduler_classes = tuple(SUBSTITUTES.get(one.__name__, one) for one in thing.scheduler_classes)
    for item in items:
        ran.add(known(item))
        if reason := EXPECTED.get(known(item)):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def known(item):
    """What a test is called in the list: file::Class::test."""
    return "::".join(part for part in (item.path.stem, item.cls and item.cls.__name__, item.originalname) if part)


def pytest_sessionfinish(session):
    is_whole = any(argument.rstrip("/").endswith("schedulers") for argument in session.config.args)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if is_whole and (set(EXPECTED) - ran or passing(reporter)[0] < LEAST):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    for name in sorted(set(EXPECTED) - ran):
        terminalreporter.write_line(f"expected.toml names {name}, which was not run")
    share, total = passing(terminalreporter)
    terminalreporter.write_line(f"of {total} tests of classes that have plans {share:.1%} pass; {LEAST:.0%} have to")
    made = counts["all"] - counts["left"]
    terminalreporter.write_line(
        f"{made} of {counts['all']} steps were made by plans, {counts['left']} by the originals"
    )


def passing(reporter):
    """The share of the tests of classes that have plans that pass, and how many there are."""
    reports = {kind: reporter.stats.get(kind, []) for kind in ("passed", "failed", "xfailed", "error")}
    counts = {
        kind: sum(report.nodeid.split("::")[0] in tested and report.when == "call" for report in found)
        for kind, found in reports.items()
    }
    total = sum(counts.values())
    return counts["passed"] / max(total, 1), total
