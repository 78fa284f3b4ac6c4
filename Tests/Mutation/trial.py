"""The copy in which mistakes are made: the core and its tests as a package of their own, built again after each mistake."""

import collections
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / ".build" / "mutation"
PACKAGE = WORK / "package"
COPIED = [
    "Sources/Schedulers",
    "Sources/SchedulersInterop",
    "Sources/Safetensors",
    "Sources/Kernels",
    "Sources/KernelInterface",
    "Sources/KernelsBaseline",
    "Tests/SchedulersTests",
    "Fixtures",
    "Docs",
]
# Suites of more than four seconds wait until the others have found nothing, and those of more than forty until these have.
SLOW = (
    "OrderTests|LimitTests|CoefficientTests|LearnedVarianceTests|SigmaSpacingTests|ForeignOptionTests|TimestepSpacingTests|"
    "DiffusersConfigurationTests"
)
SLOWEST = "LawTests|SamplingPlanTests"
STAGES = [["--filter", "SchedulersTests", "--skip", f"{SLOW}|{SLOWEST}"], ["--filter", SLOW], ["--filter", SLOWEST]]
TIMED_OUT = "timed out"
ISSUE = re.compile(r"recorded an issue|unexpected signal|Fatal error")
MANIFEST = """\
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "schedulers",
  platforms: [.macOS(.v15)],
  targets: [
    .target(name: "Schedulers", dependencies: ["SchedulersKernels"]),
    .target(name: "SchedulersKernelInterface", path: "Sources/KernelInterface"),
    .target(
      name: "SchedulersKernelsBaseline", dependencies: ["SchedulersKernelInterface"], path: "Sources/KernelsBaseline",
      swiftSettings: [.unsafeFlags(["-Xcc", "-fno-math-errno", "-O"])]),
    .target(name: "SchedulersKernels", dependencies: ["SchedulersKernelInterface", "SchedulersKernelsBaseline"], path: "Sources/Kernels"),
    .target(name: "SchedulersInterop", dependencies: ["Schedulers", "SchedulersKernels", "SchedulersKernelInterface"]),
    .target(name: "SchedulersSafetensors", path: "Sources/Safetensors"),
    .target(
      name: "SchedulersFixtures", dependencies: ["SchedulersSafetensors"], path: "Fixtures", exclude: [EXCLUDED], resources: [.copy("Data")]),
    .testTarget(name: "SchedulersTests", dependencies: ["Schedulers", "SchedulersInterop", "SchedulersKernels", "SchedulersKernelInterface", "SchedulersKernelsBaseline", "SchedulersFixtures"]),
  ],
  swiftLanguageModes: [.v6]
)
"""


def copy_package():
    """Brings the copy up to date, and touches nothing that is, so that little is built again."""
    PACKAGE.mkdir(parents=True, exist_ok=True)
    names = sorted(path.name for path in (ROOT / "Fixtures").iterdir())
    excluded = (f'"{name}"' for name in names if not name.endswith(".swift") and name not in ("Data", "__pycache__"))
    wanted = {PACKAGE / "Package.swift": MANIFEST.replace("EXCLUDED", ", ".join(excluded)).encode()}
    for folder in COPIED:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                wanted[PACKAGE / path.relative_to(ROOT)] = path.read_bytes()
    for folder in COPIED:
        for path in (PACKAGE / folder).rglob("*"):
            if path.is_file() and path not in wanted:
                path.unlink()
    for path, content in wanted.items():
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def end(root):
    """Ends a process with all that it has started. Swift gives the tests a group of their own; ending one group is not enough."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in listing.splitlines()]
    ended = [root]
    for parent in ended:
        ended += [pid for pid, its_parent in parents if its_parent == parent]
    for pid in ended:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def run(command, limit, stop_at=None):
    """The status of a command (`TIMED_OUT` if it took longer than its limit), its output, and the line that made it stop early."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True
    )
    is_late = threading.Event()

    def end_late():
        is_late.set()
        end(process.pid)

    timer = threading.Timer(limit, end_late)
    timer.start()
    lines, found = collections.deque(maxlen=400), None
    try:
        for line in process.stdout:
            lines.append(line)
            if stop_at and stop_at.search(line):
                found = line.strip()
                break
    finally:
        if found or sys.exc_info()[0]:
            end(process.pid)
        timer.cancel()
        process.stdout.close()
        status = process.wait()
    return (TIMED_OUT if is_late.is_set() else status), "".join(lines), found


def build(limit=600.0):
    return run(["swift", "build", "--build-tests", "--package-path", str(PACKAGE)], limit)


def test(stage, limit):
    """Whether the suites of a stage pass; if not, what stopped them."""
    command = ["swift", "test", "--skip-build", "--package-path", str(PACKAGE), *STAGES[stage]]
    status, output, found = run(command, limit, ISSUE)
    if found:
        return found
    if status == TIMED_OUT:
        return TIMED_OUT
    if status == 0:
        if not re.search(r"Test run with [1-9]\d* tests? .*passed", output):
            sys.exit(f"no test was run:\n{output}")
        return None
    if "failed" in output:
        return "failed"
    sys.exit(f"the tests could not be run, status {status}:\n{output}")
