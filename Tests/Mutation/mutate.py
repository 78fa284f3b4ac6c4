"""Judges the tests: makes small mistakes in the core and in SchedulersInterop, one at a time, and sees whether SchedulersTests notice.

    python3 Tests/Mutation/mutate.py                # go on where the last run stopped, then write Docs/Mutation.md
    python3 Tests/Mutation/mutate.py --fresh        # forget the last run
    python3 Tests/Mutation/mutate.py --survivors    # judge again, with the tests of now, what survived

Mistakes are made in a copy, .build/mutation/package, which holds the core and its tests alone; the working tree is only read. One
that does not compile is replaced by the next of its file. One that makes the tests run five times as long counts as noticed. The
sample is a function of the sources, the seed and the count. The verdicts on a file are kept until the file changes; after a change of
tests use --survivors. equivalent.json says why a survivor makes no difference that anybody could see.
"""

import argparse
import fcntl
import hashlib
import itertools
import json
import math
import pathlib
import random
import signal
import sys
import time

from mutations import mutations
from report import EQUIVALENT, REPORT, SURVIVED, report
from trial import PACKAGE, ROOT, STAGES, TIMED_OUT, WORK, build, copy_package, test

SOURCES = [ROOT / "Sources" / "Schedulers", ROOT / "Sources" / "SchedulersInterop"]
STATE = WORK / "state.json"
# Seconds that a stage may take: five times what it takes without a mutation, within these bounds.
SHORTEST, LONGEST = 90.0, 300.0
BAR = 0.95
KILLED, DOES_NOT_COMPILE = "killed", "does not compile"


class Stopped(Exception):
    """A run that ends early, with its state kept."""


def candidates(source, seed, name):
    """The mutations of a file in the order in which they are tried. Messages are not what the tests are about."""
    found = mutations(source)
    random.Random(f"{seed}/{name}").shuffle(found)
    return [mutation for mutation in found if mutation.kind != "message"]


def quotas(sizes, count):
    """How many mutations of each file to judge: by the root of their number, so that a sampler of thirty lines gets its share."""
    weights = {name: math.sqrt(size) for name, size in sizes.items() if size}
    total = sum(weights.values())
    shares = {name: count * weight / total for name, weight in weights.items()}
    result = {name: min(int(share), sizes[name]) for name, share in shares.items()}
    for name in sorted(shares, key=lambda name: int(shares[name]) - shares[name]):
        if sum(result.values()) < count and result[name] < sizes[name]:
            result[name] += 1
    return result


def key(mutation):
    return f"{mutation.start} {mutation.end} {mutation.replacement}"


def describe(name, source, mutation):
    """A record of a mutation: its place, and the lines it changes before and after, without their indentation."""
    first = source.rfind("\n", 0, mutation.start) + 1
    last = source.find("\n", max(mutation.end, mutation.start + 1))
    mutated = source[first : mutation.start] + mutation.replacement + source[mutation.end : last]

    def flat(text):
        return " ".join(line.strip() for line in text.splitlines() if not line.strip().startswith("//")).strip()

    return {
        "file": name,
        "line": source.count("\n", 0, mutation.start) + 1,
        "kind": mutation.kind,
        "before": flat(source[first:last]),
        "after": flat(mutated),
        "key": key(mutation),
        "mutation": mutation,
    }


class Run:
    def __init__(self, options):
        self.options = options
        self.sources = {
            str(path.relative_to(ROOT)): path.read_text()
            for folder in SOURCES
            for path in sorted(folder.rglob("*.swift"))
        }
        self.queues = {name: candidates(source, options.seed, name) for name, source in self.sources.items()}
        self.quotas = quotas({name: len(queue) for name, queue in self.queues.items()}, options.count)
        self.state = self.load()

    def load(self):
        """What earlier runs found out about files that are as they were then: verdicts by file and mutation."""
        files = {}
        if STATE.exists() and not self.options.fresh:
            files = json.loads(STATE.read_text())
        return {
            name: files[name]
            if name in files and files[name]["digest"] == digest
            else {"digest": digest, "verdicts": {}}
            for name, digest in ((n, hashlib.sha256(s.encode()).hexdigest()) for n, s in self.sources.items())
        }

    def save(self):
        partial = STATE.with_suffix(".partial")
        partial.write_text(json.dumps(self.state, indent=1))
        partial.replace(STATE)

    def verdict(self, name, mutation):
        return self.state[name]["verdicts"].get(key(mutation))

    def judged(self):
        """The records that count: of each file as many of those that compile as its quota asks for, in the order of its queue."""
        return [
            describe(name, self.sources[name], mutation) | {"verdict": self.verdict(name, mutation)}
            for name, quota in self.quotas.items()
            for mutation in itertools.islice(
                (m for m in self.queues[name] if self.verdict(name, m) not in (None, DOES_NOT_COMPILE)), quota
            )
        ]

    def work(self):
        """What is left to judge; what does not compile makes room for the next."""
        for name, quota in self.quotas.items():
            for mutation in self.queues[name]:
                if quota == 0:
                    break
                if self.verdict(name, mutation) is None:
                    yield describe(name, self.sources[name], mutation)
                quota -= self.verdict(name, mutation) != DOES_NOT_COMPILE

    def survivors(self):
        return [record for record in self.judged() if record["verdict"] == SURVIVED]

    def go(self):
        again = self.survivors() if self.options.survivors else []
        if not again and next(self.work(), None) is None:
            return
        limits = self.baseline()
        self.began, self.compiled = time.monotonic(), 0
        for k, record in enumerate(again):
            self.judge(record, limits, k, len(again))
        planned, before = sum(self.quotas.values()), len(self.judged())
        for record in self.work():
            self.judge(record, limits, before + self.compiled - len(again), planned)

    def baseline(self):
        """Builds the copy as it is, sees the tests pass, and allows a mutant five times as long."""
        say("building the copy, and testing it without a mutation")
        copy_package()
        status, output, _ = build()
        if status != 0:
            sys.exit(f"the copy does not build:\n{output}")
        limits = []
        for stage in range(len(STAGES)):
            began = time.monotonic()
            failure = test(stage, LONGEST)
            if failure:
                sys.exit(f"the tests fail without a mutation: {failure}")
            limits.append(min(LONGEST, max(SHORTEST, 5 * (time.monotonic() - began))))
        say("time limits: " + ", ".join(f"{limit:.0f} s" for limit in limits))
        return limits

    def judge(self, record, limits, done, planned):
        if time.monotonic() - self.began > 60 * self.options.minutes:
            raise Stopped(f"{self.options.minutes:.0f} minutes are over")
        name, mutation = record["file"], record["mutation"]
        source, path = self.sources[name], PACKAGE / name
        path.write_text(source[: mutation.start] + mutation.replacement + source[mutation.end :])
        try:
            verdict = self.outcome(limits)
        finally:
            path.write_text(source)
        self.state[name]["verdicts"][record["key"]] = verdict
        self.save()
        self.compiled += verdict != DOES_NOT_COMPILE
        rate = (time.monotonic() - self.began) / max(self.compiled, 1)
        say(
            f"[{done + 1}/{planned}] {verdict}: {pathlib.Path(name).name}:{record['line']} {record['after'][:70]} | "
            f"{rate:.1f} s each, {rate * (planned - done - 1) / 60:.0f} min left, {len(self.survivors())} survived"
        )

    @staticmethod
    def outcome(limits):
        if build(LONGEST)[0] != 0:
            return DOES_NOT_COMPILE
        for stage, limit in enumerate(limits):
            failure = test(stage, limit)
            if failure:
                return TIMED_OUT if failure == TIMED_OUT else KILLED
        return SURVIVED


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=320, help="mutations to judge, 120 or more")
    parser.add_argument("--minutes", type=float, default=150, help="stop after this time")
    parser.add_argument("--fresh", action="store_true", help="forget the last run")
    parser.add_argument("--survivors", action="store_true", help="judge again what survived")
    options = parser.parse_args()
    if options.count < 120:
        parser.error("--count must be 120 or more")
    WORK.mkdir(parents=True, exist_ok=True)
    lock = open(WORK / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit("another run is at work in the copy")
    # Said explicitly, since a shell starts what runs in the background with Ctrl-C ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    run = Run(options)
    try:
        run.go()
    except (KeyboardInterrupt, Stopped) as reason:
        say(f"stopped{f': {reason}' if str(reason) else ''}; run it again to go on")
        sys.exit(130)
    text, score, unexplained, weak = report(run, BAR)
    REPORT.write_text(text)
    for record in run.survivors():
        print(f"{record['file']}:{record['line']}: {record['kind']}: {record['before']} -> {record['after']}")
    print(f"killed {100 * score:.1f} %; wrote {REPORT.relative_to(ROOT)}")
    if unexplained:
        sys.exit(
            f"{unexplained} survivors are neither killed by a test nor explained in {EQUIVALENT.relative_to(ROOT)}"
        )
    if weak:
        sys.exit(f"below {100 * BAR:.0f} % in {', '.join(weak)}")


if __name__ == "__main__":
    main()
