"""Docs/Mutation.md."""

import json
import pathlib

from trial import ROOT, TIMED_OUT

REPORT = ROOT / "Docs" / "Mutation.md"
EQUIVALENT = pathlib.Path(__file__).resolve().parent / "equivalent.json"
SURVIVED = "survived"
UNEXPLAINED = "**unexplained**"


def report(run, bar):
    """The text of Docs/Mutation.md, the score, how many survivors nobody has explained, and the folders below the bar."""
    judged, survivors = run.judged(), run.survivors()
    reasons = {(e["file"], e["before"], e["after"]): e["why"] for e in json.loads(EQUIVALENT.read_text())}
    killed = len(judged) - len(survivors)
    late = sum(record["verdict"] == TIMED_OUT for record in judged)
    score = killed / len(judged)
    why = [reasons.get((r["file"], r["before"], r["after"]), UNEXPLAINED) for r in survivors]
    explained = sum(reason != UNEXPLAINED for reason in why)

    def code(text):
        return "`" + text.replace("|", "\\|") + "`" if text else "nothing"

    def rows(key):
        names = sorted({key(r) for r in judged})
        for name in names:
            those = [r for r in judged if key(r) == name]
            yield f"| {name} | {len(those)} | {sum(r['verdict'] != SURVIVED for r in those)} |"

    lines = [
        "# Mutation testing",
        "",
        "What the tests are worth: small mistakes are made in `Sources/Schedulers` and `Sources/SchedulersInterop`, one at a time, and",
        f"`SchedulersTests` should fail. In each folder at least {100 * bar:.0f} % have to be found of those that make a difference.",
        "Written by",
        "",
        "```",
        "make mutate",
        "```",
        "",
        f"which is `python3 Tests/Mutation/mutate.py` with the seed {run.options.seed}; its opening says how mistakes are chosen and",
        "judged, and how to go on with a run that was stopped.",
        "",
        "| | |",
        "|---|---|",
        f"| possible mutations | {sum(map(len, run.queues.values()))} |",
        f"| judged, all of which compile | {len(judged)} |",
        f"| killed | {killed}, of which {late} by the time limit |",
        f"| survived | {len(survivors)}, of which {explained} are explained below |",
        f"| score | {100 * score:.1f} % |",
        f"| score without those explained | {100 * killed / max(len(judged) - explained, 1):.1f} % |",
        "",
        "## Survivors",
        "",
    ]
    if survivors:
        lines += ["| place | before | after | why no test fails |", "|---|---|---|---|"]
        lines += [
            f"| `{pathlib.Path(r['file']).name}:{r['line']}` | {code(r['before'])} | {code(r['after'])} | {reason} |"
            for r, reason in zip(survivors, why)
        ]
    else:
        lines += ["None."]
    lines += ["", "## By kind", "", "| kind | judged | killed |", "|---|---|---|", *rows(lambda r: r["kind"])]
    lines += ["", "## By folder", "", "| folder | judged | killed |", "|---|---|---|", *rows(folder)]
    lines += [
        "",
        "## By file",
        "",
        "| file | judged | killed |",
        "|---|---|---|",
        *rows(lambda r: str(pathlib.Path(r["file"]).relative_to("Sources"))),
    ]
    equal = [r for r, reason in zip(survivors, why) if reason != UNEXPLAINED]
    weak = []
    for name in sorted({folder(r) for r in judged}):
        those = [r for r in judged if folder(r) == name and r not in equal]
        if sum(r["verdict"] != SURVIVED for r in those) < bar * len(those):
            weak.append(name)
    return "\n".join(lines) + "\n", score, len(survivors) - explained, weak


def folder(record):
    """The folder of a record's file, as `Schedulers/Grid`."""
    return str(pathlib.Path(record["file"]).relative_to("Sources").parent)
