"""Prints which lines of Sources/Schedulers and Sources/SchedulersInterop the tests run, per file and in total, and fails below the bar.

    python3 Tests/Mutation/coverage.py

Builds with counters into .build/coverage, so that the ordinary build stays as it is. The numbers are llvm-cov's, as Swift exports
them. Lines that end the process are not counted as run: exit tests end a child, whose counters are lost with it.
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "Sources"
FOLDERS = ("Schedulers", "SchedulersInterop")
COMMAND = ["swift", "test", "--package-path", str(ROOT), "--scratch-path", str(ROOT / ".build" / "coverage")]
BAR = 98.0


def missed(functions, filename):
    """The lines on which a region begins that was never run, whichever copy of a generic function one looks at."""
    most = {}
    for function in functions:
        for line, column, last, end, count, file, _, kind in function["regions"]:
            if kind == 0 and function["filenames"][file] == filename:
                region = (line, column, last, end)
                most[region] = max(count, most.get(region, 0))
    return sorted({line for (line, *_), count in most.items() if count == 0})


def main():
    tests = subprocess.run(
        [*COMMAND, "--enable-code-coverage", "--filter", "SchedulersTests"], stdout=subprocess.PIPE, text=True
    )
    if tests.returncode != 0:
        sys.exit(tests.stdout + "the tests fail")
    shown = subprocess.run([*COMMAND, "--show-codecov-path"], stdout=subprocess.PIPE, text=True, check=True)
    data = json.loads(pathlib.Path(shown.stdout.strip()).read_text())["data"][0]
    files = {
        pathlib.Path(file["filename"]).relative_to(SOURCES): file
        for file in data["files"]
        if any(pathlib.Path(file["filename"]).is_relative_to(SOURCES / folder) for folder in FOLDERS)
    }
    if not files:
        sys.exit(f"the export says nothing about {' and '.join(FOLDERS)}")
    covered = total = 0
    for path, file in sorted(files.items()):
        summary = file["summary"]["lines"]
        covered, total = covered + summary["covered"], total + summary["count"]
        lines = missed(data["functions"], file["filename"]) if summary["covered"] < summary["count"] else []
        where = "   not run: " + ", ".join(map(str, lines)) if lines else ""
        print(f"{summary['percent']:6.2f} %  {summary['covered']:4} of {summary['count']:4}  {path}{where}")
    percent = 100 * covered / total
    print(f"{percent:6.2f} %  {covered:4} of {total:4}  in total")
    if percent < BAR:
        sys.exit(f"below {BAR:.0f} %")


if __name__ == "__main__":
    main()
