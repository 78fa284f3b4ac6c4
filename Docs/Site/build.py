"""Makes the documentation of the modules that programs use: `make docs`; with --site a static site of it: `make site`.

    build.py [--site] [--base PATH]

The pages leave out what the compiler writes itself, such as `!=` and `init(from:)` of a `Codable` type: without them
the first member of a type is one that somebody has written. A warning is an error. The site has the page of lessons in
it, and is served under PATH, / if it is not given.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ["Schedulers", "SchedulersInterop"]
WIDTH = 80
DOCS, SITE = ROOT / ".build/docs", ROOT / ".build/site"


def run(*command):
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"docs: {' '.join(str(part) for part in command[:3])} failed\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def graphs(module, binaries, target):
    """The symbols of a module as DocC reads them, but those that stand in no file."""
    folder = DOCS / "graphs" / module
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    include = ["-I", binaries / "Modules", "-I", binaries]
    run(
        "swift-symbolgraph-extract",
        "-module-name",
        module,
        "-target",
        target,
        *include,
        "-output-dir",
        folder,
        "-minimum-access-level",
        "public",
        "-skip-synthesized-members",
    )
    for path in folder.glob("*.json"):
        graph = json.loads(path.read_text())
        graph["symbols"] = [symbol for symbol in graph["symbols"] if "location" in symbol]
        known = {symbol["identifier"]["precise"] for symbol in graph["symbols"]}
        relations = graph["relationships"]
        graph["relationships"] = [relation for relation in relations if relation["source"] in known]
        path.write_text(json.dumps(graph))
    return folder


def archive(module, symbols, base, earlier):
    """A module's pages. Those of `earlier` modules can be linked to."""
    output = DOCS / f"{module}.doccarchive"
    shutil.rmtree(output, ignore_errors=True)
    options = ["--transform-for-static-hosting", "--hosting-base-path", base] if base else []
    for other in earlier:
        options += ["--dependency", other]
    run(
        "docc",
        "convert",
        f"Sources/{module}/{module}.docc",
        "--additional-symbol-graph-dir",
        symbols,
        "--output-path",
        output,
        "--fallback-display-name",
        module,
        "--fallback-bundle-identifier",
        module,
        "--enable-experimental-external-link-support",
        "--warnings-as-errors",
        *options,
    )
    return output


def nodes(content):
    """Every node of a page, however deep."""
    if isinstance(content, dict):
        yield content
    for value in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from nodes(value)


def check(output):
    """What DocC does not warn of: addresses that are no links, code that is cut, cases without a word."""
    wrong = []
    for path in sorted(output.glob("data/documentation/**/*.json")):
        page = json.loads(path.read_text())
        name = path.relative_to(output / "data/documentation").with_suffix("")
        for node in nodes([page.get("abstract"), page.get("primaryContentSections")]):
            if node.get("type") == "text" and "://" in node["text"]:
                wrong.append(f"{name}: an address is no link: {node['text'].strip()}")
            for line in node["code"] if node.get("type") == "codeListing" else ():
                if sum(not unicodedata.combining(character) for character in line) > WIDTH:
                    wrong.append(f"{name}: a page shows {WIDTH} columns of code, and cuts: {line}")
        if page["metadata"].get("symbolKind") == "case" and not page.get("abstract"):
            wrong.append(f"{name}: the case has no documentation")
    if wrong:
        sys.exit("\n".join(f"docs: {text}" for text in wrong))


def site(archives):
    """The archives in one, the page of lessons, and a front page with its picture."""
    shutil.rmtree(SITE, ignore_errors=True)
    run("docc", "merge", *archives, "--output-path", SITE, "--synthesized-landing-page-name", "Schedulers")
    (SITE / "lessons").mkdir()
    shutil.copy(ROOT / "Docs/Page/index.html", SITE / "lessons")
    for name in ("page.png", "error.svg"):
        shutil.copy(ROOT / "Docs/Images" / name, SITE / "images")
    shutil.copy(ROOT / "Docs/Site/index.html", SITE / "index.html")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--site", action="store_true")
    options.add_argument("--base", default="/")
    chosen = options.parse_args()
    for module in MODULES:
        run("swift", "build", "--target", module)
    binaries = pathlib.Path(run("swift", "build", "--show-bin-path"))
    target = json.loads(run("swiftc", "-print-target-info"))["target"]["unversionedTriple"]
    archives = []
    for module in MODULES:
        base = chosen.base if chosen.site else None
        archives.append(archive(module, graphs(module, binaries, target), base, archives))
    for output in archives:
        check(output)
    if chosen.site:
        site(archives)
        folder = os.path.relpath(SITE)
        print(f"site: {folder}; look at it: python3 -m http.server --directory {folder}, then http://localhost:8000/")
    else:
        print(
            "docs: no warning. Look at the pages by `make site`, or while you write them:\n"
            "  SCHEDULERS_TOOL=1 swift package --disable-sandbox preview-documentation --target Schedulers\n"
            "  then http://localhost:8080/documentation/schedulers"
        )


main()
