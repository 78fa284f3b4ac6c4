"""Runs `scheduler verify` over the traces that make_traces.py made, and compares what it says with their manifest.

    judge_traces.py TOOL FOLDER

Prints what differs and a summary; exits with status 1 if a right trace is called wrong, a wrong one right or wrong elsewhere, or fewer
than five in six of the wrong ones are explained.
"""

import collections
import json
import pathlib
import subprocess
import sys


def main():
    tool, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    counts, unexplained = collections.Counter(), collections.Counter()
    largest = (0, "")
    for entry in json.loads((folder / "manifest.json").read_text()):
        run = subprocess.run([tool, "verify", "--json", folder / entry["file"]], capture_output=True, text=True)
        kind = "right" if entry["status"] == 0 else "wrong"
        counts[kind] += 1
        said = json.loads(run.stdout) if run.stdout else {}
        first = (said.get("first") or {}).get("step")
        if run.returncode != entry["status"] or first != entry.get("step"):
            print(f"{entry['file']}: status {run.returncode}, step {first}; expected {entry['status']}, {entry.get('step')}: {run.stderr.strip()}")
            continue
        counts[f"{kind}, as expected"] += 1
        if kind == "right":
            worst = said["worst"]
            largest = max(largest, (worst["difference"] / worst["allowed"] * said["judgement"]["tolerance"], entry["file"]))
            continue
        diagnosis = said["judgement"].get("diagnosis") or {}
        if diagnosis.get("mistake") in entry["mistakes"]:
            counts["wrong, explained"] += 1
        else:
            print(f"{entry['file']}: explained as {diagnosis.get('mistake')} ({diagnosis.get('text')}); expected {entry['mistakes']}")
    for name, count in sorted(counts.items()):
        print(f"{name}: {count}")
    print(f"largest deviation of a right trace: {largest[0]:.1e} in {largest[1]}")
    right = counts["right"] == counts["right, as expected"] and counts["wrong"] == counts["wrong, as expected"]
    sys.exit(0 if right and counts["wrong, explained"] * 6 >= counts["wrong"] * 5 else 1)


if __name__ == "__main__":
    main()
