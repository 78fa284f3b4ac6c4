"""Runs plans in every language that has a runtime, and compares each with what Swift makes: compare.py TOOL [--write]

Every sampler of the catalog and every class of configuration, clipped and not, is planned by the tool, held to
Docs/plan.schema.json, run by the tool with an exact model in Double and in Float, and run by the runtimes on the same
start, outputs and noise. The largest differences are the table of Docs/Plan.md, which --write writes."""

import concurrent.futures
import itertools
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import jsonschema
import numpy as np

try:
    import torch
except ImportError:
    torch = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Sources/Python"))
from schedulers import plan as runtime  # noqa: E402

TOOL = pathlib.Path(sys.argv[1]).resolve()
STEPS, SHAPE = 6, (2, 2, 3, 4)
# In Double, of 1 or the largest number of the run: a run is a few hundred operations of 1.1e-16 each, and the
# largest coefficients are about 100.
ALLOWED = 1e-12
JAVASCRIPT = ROOT / "Docs/Page/runtime.mjs"


def fail(text):
    sys.exit(f"runtimes: {text}")


def tool(*arguments, refused=False):
    run = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)
    if run.returncode == 2 and refused:
        return None
    if run.returncode:
        fail(f"scheduler {' '.join(map(str, arguments))}: {run.stderr.strip()}")
    return run.stdout


# The runs: a name and the options of `scheduler plan`.

CLIPS = ([], ["--clip", "static"], ["--clip", "dynamic", "--prediction", "v"], ["--spacing", "flow"])
OPTIONS = (
    {},
    {"clip_sample": True},
    {"thresholding": True, "sample_max_value": 1.5, "dynamic_thresholding_ratio": 0.9},
    {"variance_type": "learned"},
    {"variance_type": "learned_range"},
)
OTHERS = (
    {"_class_name": "GaussianDiffusion", "learn_sigma": True, "timestep_respacing": "6", "sampler": "p_sample"},
    {"_class_name": "GaussianDiffusion", "timestep_respacing": "6", "sampler": "ddim_sample", "eta": 0.5},
    {"_class_name": "GaussianDiffusion", "timestep_respacing": "6", "sampler": "ddim_reverse_sample"},
    {"_class_name": "KDiffusion", "sampler": "dpmpp_2m_sde", "sigmas": [14.6, 5, 1, 0.3, 0]},
    {"_class_name": "KDiffusion", "sampler": "dpmpp_sde", "sigmas": [14.6, 5, 1, 0.3, 0], "output": "model"},
)


def samplers():
    names = [line.split()[0] for line in tool("list").splitlines()[1:]]
    for name, clip in itertools.product(names, CLIPS):
        # What divides by the signal has no plan where rectified flow starts.
        yield name, ["--sampler", name, "--steps", STEPS, *clip], clip == CLIPS[-1]


def configurations(folder):
    options = json.loads((ROOT / "Fixtures/Data/diffusers-options.json").read_text())
    files = [
        {"_class_name": name, **option}
        for name, option in itertools.product(options, OPTIONS)
        if set(option) <= {known["name"] for known in options[name]}
    ]
    for i, (file, fidelity) in enumerate(itertools.product([*files, *OTHERS], ("diffusers", "corrected"))):
        path = folder / f"configuration{i}.json"
        path.write_text(json.dumps(file))
        steps = [] if file in OTHERS else ["--steps", STEPS]
        # Not every class takes each value of an option that several have.
        yield file["_class_name"], ["--config", path, *steps, "--fidelity", fidelity], len(file) > 1


class Case:
    """A plan in a folder of its own, with what Swift makes of it."""

    def __init__(self, name, folder, arguments):
        self.name, self.folder, self.arguments = name, folder, arguments
        folder.mkdir()
        (folder / "plan.inc").write_text(tool("plan", *arguments, "--format", "c"))
        for precision in ("float64", "float32"):
            shape = ",".join(map(str, SHAPE))
            options = ["--model", "mixture", "--shape", shape, "--precision", precision, "--format", "npy"]
            tool("run", "--plan", f"{folder}.json", *options, "--output", folder / precision)
        self.plan = json.loads((folder / "float64/plan.json").read_text())

    def array(self, precision, name):
        return np.load(self.folder / precision / f"{name}.npy")

    def inputs(self, precision):
        """Start, outputs and noise, one after another, for languages that read bare numbers."""
        names = [self.array(precision, name) for name in ("samples", "model_outputs", "noises")]
        return np.concatenate([names[0][0].ravel(), names[1].ravel(), names[2].ravel()])

    def python(self, xp=np):
        start, outputs, noises = (xp.asarray(self.array("float64", n)) for n in ("samples", "model_outputs", "noises"))
        run, samples = runtime.Run(self.plan, start[0], xp), [start[0]]
        for output, noise in zip(outputs, noises):
            run.advance(output, noise)
            samples.append(run.sample)
        return np.stack([np.asarray(sample) for sample in samples])

    def document(self, code):
        """The last sample by the lines of Docs/Plan.md."""
        start, outputs, noises = (self.array("float64", n) for n in ("samples", "model_outputs", "noises"))
        numbers, channels = iter([start[0] / self.plan["initialScale"], *noises]), SHAPE[1]
        answers = iter(outputs)

        def network(x, timestep):
            output = next(answers)
            return output[:, :channels], output[:, channels:]

        names = {"plan": self.plan, "noise": lambda: next(numbers), "network": network, "numpy": np, "math": math}
        exec(code, names)
        return names["x"]

    def difference(self, samples, precision="float64"):
        own = self.array(precision, "samples").astype(float)
        if samples.shape == SHAPE:
            own = own[-1]
        if samples.size != own.size:
            fail(f"{self.name}, {self.arguments}: {samples.size} numbers where Swift makes {own.size}")
        found = np.abs(samples.astype(float).ravel() - own.ravel()).max()
        return float("inf") if math.isnan(found) else found / max(1, np.abs(own).max())

    @property
    def is_plain(self):
        """Whether Swift's loops and the header add up the same terms in the same order: at most one of earlier steps.
        A learned variance takes another exponential, and what others replace is added apart."""
        steps = [step["next"] for step in self.plan["steps"]]
        return (
            not any(len(n["estimates"]) > 2 or len(n["samples"]) > 1 or n["made"] for n in steps)
            and not self.plan["learnsVariance"]
        )

    def bound(self):
        """How far two runs in Float may be apart, relative to 1 or the largest number: both round every coefficient and
        every term, and what comes of that passes through the coefficients of later steps. Where x0 is clipped, no
        more than the width of the limits is left of it; elsewhere the first two lines are folded into the third."""
        unit, outputs, own = 2.0**-24, self.array("float64", "model_outputs"), self.array("float64", "samples")
        clipping, errors, estimates = self.plan["clipping"], [0.0], []
        limit = {"none": None, "range": max(abs(clipping.get("lower", 0)), abs(clipping.get("upper", 0))), "dynamic": 1}
        limit = limit[clipping["kind"]]
        for i, step in enumerate(self.plan["steps"]):
            n, kept, read = step["next"], step["estimate"], step["denoised"]
            x, f = np.abs(own[i]).max(), np.abs(outputs[i]).max()

            def over(a, b):
                """The size of a*x + b*v and its error, with v the output or the clipped x0."""
                size0, error0 = f, 0.0
                if limit is not None:
                    size0 = abs(read["sample"]) * x + abs(read["output"]) * f
                    error0 = min(abs(read["sample"]) * errors[-1] + 4 * unit * size0, 2 * limit)
                    size0 = min(size0, limit)
                return abs(a) * x + abs(b) * size0, abs(a) * errors[-1] + abs(b) * error0

            newest = n["estimates"][0] if n["estimates"] else 0
            if limit is None:
                now = over(step["folded"]["sample"], step["folded"]["output"])
                estimates.append(
                    over(kept["sample"] + kept["denoised"] * read["sample"], kept["denoised"] * read["output"])
                )
            else:
                unclipped = (
                    over(n["denoised"] * read["sample"], 0),
                    abs(n["denoised"] * read["output"] + n["output"]) * f,
                )
                now = over((n["samples"] or [0])[0] + n["made"] + newest * kept["sample"], newest * kept["denoised"])
                now = now[0] + unclipped[0][0] + unclipped[1], now[1] + unclipped[0][1]
                estimates.append(over(kept["sample"], kept["denoised"]))
            terms = [now, (6 * abs(n["noise"]) * self.deviation(step), 0)]
            terms += [
                (abs(c) * np.abs(own[i - k]).max(), abs(c) * errors[-1 - k]) for k, c in enumerate(n["samples"]) if k
            ]
            terms += [
                (abs(c) * estimates[-1 - k][0], abs(c) * estimates[-1 - k][1])
                for k, c in enumerate(n["estimates"])
                if k
            ]
            terms += [(2 * abs(n["made"]) * x, 2 * abs(n["made"]) * errors[-1])]
            # A coefficient, its product and the sum are rounded: three roundings a term, and one for each sum before.
            errors.append(sum(e for _, e in terms) + (len(terms) + 6) * unit * sum(s for s, _ in terms))
            estimates[-1] = (estimates[-1][0], estimates[-1][1] + 6 * unit * estimates[-1][0])
        return 2 * max(errors) / max(1, np.abs(own).max())

    @staticmethod
    def deviation(step):
        """The largest root of a learned variance, where the network says at most 1."""
        variance = step["variance"] or {}
        return math.exp((variance["offset"] + abs(variance["slope"])) / 2) if variance.get("kind") == "learned" else 1


def c_program(cases, folder, real):
    """One program with all plans."""
    lines = []
    for i, case in enumerate(cases):
        lines += [f"#define plan plan{i}", f"#define plan_steps plan_steps{i}", f'#include "{case.folder}/plan.inc"']
        lines += ["#undef plan", "#undef plan_steps"]
    lines += [f"static const scheduler_plan *plans[] = {{{', '.join(f'&plan{i}' for i in range(len(cases)))}}};"]
    (folder / "plans.inc").write_text("\n".join(lines) + "\n")
    program = folder / f"run-{real}"
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2", "-ffp-contract=off"]
    include = [f"-I{ROOT / 'Sources/C'}", f"-I{folder}", f"-DSCHEDULER_REAL={real}"]
    subprocess.run(["cc", *flags, *include, ROOT / "Tests/Runtimes/run.c", "-o", program, "-lm"], check=True)
    return program


def c_samples(program, i, case, precision):
    numbers = case.inputs(precision)
    count = np.prod(SHAPE)
    arguments = [program, str(i), str(SHAPE[0]), str(count // SHAPE[0])]
    run = subprocess.run(arguments, input=numbers.tobytes(), capture_output=True)
    if run.returncode:
        fail(f"{case.name}, {case.arguments}: C: {run.stderr.decode().strip()}")
    return np.frombuffer(run.stdout, dtype=numbers.dtype)


def javascript(cases):
    """The samples of every case, by one process."""
    for case in cases:
        (case.folder / "inputs.f64").write_bytes(case.inputs("float64").tobytes())
    arguments = [
        "node",
        ROOT / "Tests/Runtimes/run.mjs",
        str(JAVASCRIPT),
        str(SHAPE[0]),
        str(np.prod(SHAPE) // SHAPE[0]),
    ]
    subprocess.run(arguments, input="\n".join(str(c.folder) for c in cases), text=True, check=True)
    return [np.fromfile(c.folder / "javascript.f64") for c in cases]


def refusals(case, folder, schema):
    """What each runtime says to a plan that cannot be run: one line. The schema refuses what a schema can."""
    text = json.dumps(case.plan)
    first = json.dumps(case.plan["steps"][0]["next"]["estimates"])
    damaged = {
        "format": text.replace("scheduler-plan/1", "scheduler-plan/2"),
        "reach": text.replace(f'"estimates": {first}', '"estimates": [1, 1]', 1),
        "NaN": text.replace(f'"estimates": {first}', '"estimates": [NaN]', 1),
        "text": text.replace(f'"estimates": {first}', '"estimates": ["1"]', 1),
        "missing": text.replace('"inputScale"', '"input"', 1),
    }
    for name, plan in damaged.items():
        path = folder / f"{name}.json"
        path.write_text(plan)
        if plan == text:
            fail(f"nothing is damaged in {name}")
        # Python reads NaN, which JSON does not have, as a number.
        if name not in ("reach", "NaN") and schema.is_valid(json.loads(plan)):
            fail(f"the schema takes a plan with another {name}")
        try:
            runtime.read(path)
            fail(f"Python runs a plan with another {name}")
        except runtime.PlanError as error:
            said = [str(error)]
        if JAVASCRIPT.exists():
            node = subprocess.run(
                ["node", ROOT / "Tests/Runtimes/run.mjs", JAVASCRIPT, "--check", path], capture_output=True, text=True
            )
            said.append(node.stderr.rstrip("\n") if node.returncode == 2 else "")
        for line in said:
            if not line or "\n" in line:
                fail(f"a plan with another {name} is refused with {line!r}")
    source = (case.folder / "plan.inc").read_text()
    for old, new, says in (
        ("scheduler-plan/1", "scheduler-plan/2", "another format"),
        (".estimate_count = 1", ".estimate_count = 2", "reaches"),
        (".input_scale = 1.0", ".input_scale = INFINITY", "finite"),
        (".kept = ", ".kept = 0 * ", "more than"),
    ):
        damaged = Case.__new__(Case)
        damaged.folder = folder / "damaged"
        damaged.folder.mkdir(exist_ok=True)
        (damaged.folder / "plan.inc").write_text(source.replace(old, new, 1))
        program = c_program([damaged], damaged.folder, "float")
        run = subprocess.run([program, "0", "1", "1"], input=bytes(4096), capture_output=True, text=False)
        if run.returncode != 2 or says not in run.stderr.decode() or run.stderr.count(b"\n") != 1:
            fail(f"C answers to {new} with {run.returncode}, {run.stderr!r}")


def table(worst, counts):
    def number(x):
        # Up to 1, 2 or 5, so that last bits which change leave the table as it is.
        if x == 0:
            return "0"
        exponent = math.floor(math.log10(x))
        digit = next(d for d in (1, 2, 5, 10) if x <= d * 10**exponent * (1 + 1e-9))
        return f"{digit}e{exponent}" if digit < 10 else f"1e{exponent + 1}"

    lines = ["| runtime | numbers | samplers | classes of configuration |", "|---|---|---|---|"]
    for name, numbers in (("Python", "Double"), ("JavaScript", "Double"), ("C", "double"), ("C", "float")):
        errors = worst.get((name, numbers))
        if errors:
            lines.append(f"| {name} | {numbers} | {number(errors['samplers'])} | {number(errors['classes'])} |")
    rest = counts["samplers"] + counts["classes"] - counts["plain"]
    lines += [
        "",
        f"{counts['samplers']} plans of {counts['names']} samplers and {counts['classes']} of {counts['kinds']} "
        f"classes; in float, {counts['plain']} of them have Swift's bits, and {rest} are within what their roundings explain.",
    ]
    return "\n".join(lines)


def main():
    work = pathlib.Path(tempfile.mkdtemp())
    try:
        compare(work)
    finally:
        shutil.rmtree(work)


def compare(work):
    schema = jsonschema.Draft202012Validator(json.loads((ROOT / "Docs/plan.schema.json").read_text()))
    schema.check_schema(schema.schema)

    def case(kind, i, name, arguments, may_refuse):
        text = tool("plan", *arguments, "--format", "json", refused=may_refuse)
        if text is None:
            return None
        for error in schema.iter_errors(json.loads(text)):
            fail(f"{name}, {arguments}: {error.json_path} {error.message}")
        (work / f"{kind}{i}.json").write_text(text)
        return Case(name, work / f"{kind}{i}", arguments)

    cases = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for kind, made in (("samplers", samplers()), ("classes", configurations(work))):
            jobs = [pool.submit(case, kind, i, *one) for i, one in enumerate(made)]
            cases[kind] = [found for job in jobs if (found := job.result())]
    everything = [(kind, case) for kind in cases for case in cases[kind]]
    plain = [case for _, case in everything]
    for lacking, has in (
        ("clipping to a range", lambda p: p["clipping"]["kind"] == "range"),
        ("a threshold", lambda p: p["clipping"]["kind"] == "dynamic"),
        (
            "a learned logarithm",
            lambda p: any((s["variance"] or {}).get("kind") == "learned" and s["next"]["noise"] for s in p["steps"]),
        ),
        (
            "a learned variance",
            lambda p: any((s["variance"] or {}).get("kind") == "output" and s["next"]["noise"] for s in p["steps"]),
        ),
        ("a sample as it was made", lambda p: any(s["next"]["made"] for s in p["steps"])),
        ("the unclipped x0", lambda p: any(s["next"]["denoised"] for s in p["steps"])),
        ("the output itself", lambda p: any(s["next"]["output"] for s in p["steps"])),
        ("an earlier sample", lambda p: any(len(s["next"]["samples"]) > 1 for s in p["steps"])),
    ):
        if not any(has(case.plan) for case in plain):
            fail(f"no plan has {lacking}")

    worst = {}

    def note(runtime_name, numbers, kind, case, error, allowed):
        if not error <= allowed:
            fail(
                f"{case.name}, {case.arguments}: {runtime_name} in {numbers} is {error:.2g} off, allowed {allowed:.2g}"
            )
        errors = worst.setdefault((runtime_name, numbers), {"samplers": 0, "classes": 0})
        errors[kind] = max(errors[kind], error)

    # The ten lines come before the functions that they call.
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "Docs/Plan.md").read_text(), re.S | re.M)[1:]
    if len(blocks) != 3 or len(blocks[0].splitlines()) != 10:
        fail("Docs/Plan.md has another runtime than its ten lines and two functions")
    code = compile("\n".join(blocks[1:] + blocks[:1]), "Docs/Plan.md", "exec")
    for name, is_there in (("Docs/Page/runtime.mjs", JAVASCRIPT.exists()), ("torch", torch)):
        if not is_there:
            print(f"runtimes: {name} is not there, and not compared", file=sys.stderr)
    scripts = javascript(plain) if JAVASCRIPT.exists() else [None] * len(plain)
    programs = {real: c_program(plain, work, real) for real in ("double", "float")}
    for i, ((kind, case), script) in enumerate(zip(everything, scripts)):
        note("Python", "Double", kind, case, case.difference(case.python()), ALLOWED)
        if torch:
            note("Python with torch", "Double", kind, case, case.difference(case.python(torch)), ALLOWED)
        note("Docs/Plan.md", "Double", kind, case, case.difference(case.document(code)), ALLOWED)
        if script is not None:
            note("JavaScript", "Double", kind, case, case.difference(script), ALLOWED)
        note("C", "double", kind, case, case.difference(c_samples(programs["double"], i, case, "float64")), ALLOWED)
        error = case.difference(c_samples(programs["float"], i, case, "float32"), "float32")
        if "--bounds" in sys.argv and not case.is_plain:
            print(f"{error / case.bound():.2g} of {case.bound():.1e} {case.name} {case.arguments}")
        note("C", "float", kind, case, error, 0 if case.is_plain else case.bound())
    refusals(next(c for c in cases["samplers"] if c.name == "dpm++2m"), work, schema)

    counts = {"names": len({c.name for c in cases["samplers"]}), "kinds": len({c.name for c in cases["classes"]})}
    counts |= {kind: len(cases[kind]) for kind in cases}
    counts["plain"] = sum(case.is_plain for case in plain)
    check_table(table(worst, counts))


def check_table(new):
    path, pattern = ROOT / "Docs/Plan.md", re.compile(r"(<!-- runtimes -->\n).*?(\n<!-- -->)", re.S)
    page = path.read_text()
    if "--write" in sys.argv:
        path.write_text(pattern.sub(lambda m: m[1] + new + m[2], page))
        return print(new)
    old = pattern.search(page)[0]

    def rows(text):
        return {tuple(r.split(" | ")[:2]): r.split(" | ")[2:] for r in text.splitlines() if r.startswith("| ")}

    for key, numbers in rows(new).items():
        if key[0] == "| runtime":
            continue
        stated = rows(old).get(key)
        if stated is None or any(float(a.strip(" |")) > float(b.strip(" |")) for a, b in zip(numbers, stated)):
            fail(f"{' '.join(key)} is {numbers}, and Docs/Plan.md says {stated}; run .ci/runtimes --write")
    if new.splitlines()[-1] not in old:
        fail("Docs/Plan.md counts other plans; run .ci/runtimes --write")
    print(new)


main()
