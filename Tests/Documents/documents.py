"""Builds and runs what the documents show, and compares what it prints with what they say.

    documents.py [--write] [DOCUMENT...]

`--write` puts what is printed in the place of what they say, for an author to read. CONTRIBUTING.md says what a text
may ask for. A Swift document is one program, read from top to bottom; all of them are targets of one package in
.build/documents, which depends on this one by path. What a document stands on and does not show is in Before/: the same
name, with the ending of the language.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "Tests/Python"))
from documents import blocks, difference  # noqa: E402

BUILD = ROOT / ".build/documents"
PYTHON = os.environ.get("PYTHON") or str(ROOT / ".venv/bin/python")
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "Fixtures/README.md", "Docs/**/*.md", "Sources/*/*.docc/*.md"]
PRODUCTS = ["Schedulers", "SchedulersInterop", "SchedulersTraces", "SchedulersSafetensors"]
STANDS = HERE / "StandIns"
STAND_INS = sorted(folder.name for folder in (STANDS / "Sources").iterdir())

# Blocks that another check runs.
ELSEWHERE = {
    ("README.md", "python"): ".ci/python",
    ("Docs/Python.md", "python"): ".ci/python",
    ("Docs/C.md", "c"): ".ci/c",
}
WIDTH = 80

WRITES = "--write" in sys.argv
failures, counts, reasons, written = [], {}, {}, {}


def fail(text):
    failures.append(text)
    print(text, file=sys.stderr)


def count(what, number=1):
    counts[what] = counts.get(what, 0) + number


def before(document, ending):
    """What the document stands on in a language, or None."""
    path = HERE / "Before" / f"{pathlib.Path(document).with_suffix('').as_posix().replace('/', '-')}.{ending}"
    if not path.exists():
        path = HERE / "Before" / f"{pathlib.Path(document).stem}.{ending}"
    return path if path.exists() else None


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


# Swift


def located(path, line, text):
    return f'#sourceLocation(file: "{path}", line: {line})\n{text.rstrip()}\n#sourceLocation()\n'


NAME = re.compile(
    r"^(?:public |final |indirect )*(let|var|func|struct|class|actor|enum|protocol|typealias) (\([^)]*\)|`?\w+)"
)


def declared(text):
    """The names that a block declares at its margin, but functions, which may have several forms."""
    for line in text.splitlines():
        if match := NAME.match(line):
            if match[1] != "func":
                yield from (name for name in re.findall(r"\w+", match[2]) if name != "_")


def program(document, parts):
    """The source of a document's program. A block that declares a name again opens a scope, and hides the first."""
    imports, lines, names, depth = {}, [], set(), 0
    pieces = [(block.path, block.line, block.text, block.line) for block in parts]
    if path := before(document, "swift"):
        pieces.insert(0, (path.relative_to(ROOT), 1, path.read_text(), None))
    for path, line, text, marker in pieces:
        kept = []
        for i, code in enumerate(text.splitlines()):
            if code.startswith(("import ", "@testable import ")):
                imports.setdefault(code.split("//")[0].strip(), (path, line + i))
                code = ""
            kept.append(code)
        text, here = "\n".join(kept), list(declared(text))
        if names & set(here):
            lines.append("do {\n")
            depth, names = depth + 1, set()
        names |= set(here)
        if marker:
            lines.append(f'print("\\u{{1e}}{marker}")\n')
        lines.append(located(path, line, text))
    head = [located(path, line, code) for code, (path, line) in imports.items()]
    return "".join(head + lines) + "}\n" * depth


def target_name(document):
    return "Document" + re.sub(r"\W", "", pathlib.Path(document).with_suffix("").as_posix().title())


def write(path, text):
    """Leaves a file alone that has the text, so that nothing is built again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def swift(documents):
    """Builds the programs in one package, and runs them."""
    package = BUILD / "package"
    for document, parts in documents.items():
        write(package / f"Sources/{target_name(document)}/main.swift", program(document, parts))
    uses = [f'.product(name: "{name}", package: "schedulers")' for name in PRODUCTS]
    uses += [f'.product(name: "{name}", package: "StandIns")' for name in STAND_INS]
    targets = [f'.executableTarget(name: "{target_name(d)}", dependencies: uses)' for d in documents]
    write(
        package / "Package.swift",
        "// swift-tools-version: 6.2\nimport PackageDescription\n"
        f"let uses: [Target.Dependency] = [{', '.join(uses)}]\n"
        'let package = Package(\n  name: "documents", platforms: [.macOS(.v15)],\n'
        f'  dependencies: [.package(name: "schedulers", path: "{ROOT}"), .package(path: "{STANDS}")],\n'
        f"  targets: [{', '.join(targets)}])\n",
    )
    environment = {key: value for key, value in os.environ.items() if key != "SCHEDULERS_TOOL"}
    command = ["swift", "build", "--package-path", package, "--scratch-path", BUILD / "build"]
    made = run(command, env=environment, cwd=ROOT)
    problems = {}
    for line in (made.stdout + made.stderr).splitlines():
        match = re.match(r"(.*?):(\d+):\d+: (error|warning): (.*)", line)
        if match and "/Sources/Schedulers" not in match[1] and not unimportant(match[4]):
            problems[f"{match[1].removeprefix(f'{ROOT}/')}:{match[2]}: {match[3]}: {match[4]}"] = None
    for problem in problems:
        fail(problem)
    if made.returncode:
        if not problems:
            fail(made.stdout[-3000:] + made.stderr[-3000:])
        return
    programs = pathlib.Path(run([*command, "--show-bin-path"], env=environment).stdout.strip())
    for document, parts in documents.items():
        with tempfile.TemporaryDirectory() as folder:
            quiet = {**environment, "SWIFT_BACKTRACE": "enable=no"}
            command = [*LINES, programs / target_name(document)]
            made = run(command, cwd=prepared(document, folder), env=quiet)
        said = re.split("\x1e(\\d+)\n", made.stdout)
        printed = {int(line): text for line, text in zip(said[1::2], said[2::2])}
        if made.returncode:
            last, said = max(printed, default=parts[0].line), made.stderr.split("Current stack")[0].strip()
            fail(f"{document}:{last}: the program ends here with status {made.returncode}: {said}")
            continue
        compare(parts, printed)
        count("of Swift, built and run", len(parts))


# What a program has printed before it ends early is not lost.
LINES = ["stdbuf", "-oL"] if shutil.which("stdbuf") else []


def unimportant(warning):
    """What is named in an example need not be used."""
    return bool(re.search(r"never (used|mutated|read)|was never|is unused|result of .* unused", warning))


def compare(parts, printed):
    for block in parts:
        if block.printed is not None and WRITES:
            written.setdefault(block.path, []).append((block, printed.get(block.line, "")))
        elif block.printed is not None:
            count("outputs compared")
            if wrong := difference(block, printed.get(block.line, "")):
                fail(wrong)


def prepared(document, folder):
    """A folder with the files that a document speaks of."""
    if path := before(document, "sh"):
        made = run(["bash", "-euo", "pipefail", path], cwd=folder, env=tools())
        if made.returncode:
            fail(f"{path.relative_to(ROOT)}: {made.stderr.strip()}")
    return folder


# The shell


def tools():
    """An environment in which `scheduler` and `python` are those of this checkout."""
    folder = BUILD / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in (("scheduler", scheduler()), ("python", PYTHON), ("python3", PYTHON)):
        write(folder / name, f'#!/bin/sh\nexec "{path}" "$@"\n')
        (folder / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "ROOT": str(ROOT),
        "PYTHONPATH": f"{ROOT / 'Fixtures'}:{ROOT / 'Sources/Python'}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


_scheduler = []


def scheduler():
    if not _scheduler:
        options = {"cwd": ROOT, "env": {**os.environ, "SCHEDULERS_TOOL": "1"}}
        _scheduler.append(
            pathlib.Path(run(["swift", "build", "--show-bin-path"], **options).stdout.strip()) / "scheduler"
        )
    return _scheduler[0]


def transcript(block):
    """Commands after `$`, each with what it prints."""
    commands = re.split(r"^\$ ", block.text, flags=re.M)
    line = block.line + commands[0].count("\n")
    for part in commands[1:]:
        command, _, said = part.partition("\n")
        made = run(["bash", "-c", command], cwd=ROOT, env=tools())
        count("outputs compared")
        told = [row.rstrip() for row in (made.stdout + made.stderr).splitlines()]
        rows = said.rstrip("\n").splitlines()
        if told != rows:
            at = next((i for i, (a, b) in enumerate(zip(told, rows)) if a != b), min(len(told), len(rows)))
            row = rows[at] if at < len(rows) else "nothing more"
            got = told[at] if at < len(told) else "nothing more"
            fail(f"{block.path}:{line + 1 + at}: the text says\n    {row}\nand `{command}` prints\n    {got}")
        line += part.count("\n")
    count("of the shell, run")


_options = {}


def options():
    """The options of each command of the tool, by its own account."""
    if not _options:
        made = json.loads(run([scheduler(), "--experimental-dump-help"]).stdout)

        def walk(command, path):
            own = {
                ("-" if name["kind"] == "short" else "--") + name["name"]
                for argument in command.get("arguments", [])
                for name in argument.get("names", [])
            }
            _options[" ".join(path)] = own | {"--help", "-h", "--version"}
            for sub in command.get("subcommands", []):
                walk(sub, [*path, sub["commandName"]])

        walk(made["command"], ["scheduler"])
    return _options


def commands(block):
    """Commands that are shown without being run: the tool has them and their options, and make its targets."""
    checked = False
    for i, line in enumerate(block.text.splitlines()):
        line = re.split(r"\s#", line)[0]
        for command in re.split(r"&&|\||;", line):
            try:
                words = shlex.split(command)
            except ValueError:
                continue
            while words and (re.match(r"^\w+=", words[0])):
                words = words[1:]
            if words[:1] == ["make"]:
                checked = True
                for target in [word for word in words[1:] if "=" not in word]:
                    if not re.search(rf"^[^\t#]*\b{re.escape(target)}\b[^=]*:", (ROOT / "Makefile").read_text(), re.M):
                        fail(f"{block.path}:{block.line + i}: make has no target {target}")
            elif words[:1] == ["scheduler"]:
                checked = True
                name = words[0]
                while len(words) > 1 and f"{name} {words[1]}" in options():
                    name, words = f"{name} {words[1]}", words[1:]
                if name == "scheduler" and len(words) > 1 and not words[1].startswith("-") and words[1] != "help":
                    fail(f"{block.path}:{block.line + i}: scheduler has no command {words[1]}")
                for word in words[1:]:
                    option = word.split("=")[0]
                    if re.match(r"^--?[a-zA-Z]", option) and option not in options()[name]:
                        fail(f"{block.path}:{block.line + i}: {name} has no option {option}")
    return checked


# The rest


# Reads blocks as lines of JSON, runs them in one namespace, and answers with what they print.
SESSION = """
import contextlib, io, json, sys, traceback
names, answers = {"__name__": "__main__"}, sys.stdout
for line in sys.stdin:
    path, first, text = json.loads(line)
    said, wrong = io.StringIO(), ""
    with contextlib.redirect_stdout(said):
        try:
            exec(compile("\\n" * (first - 1) + text, path, "exec"), names)
        except BaseException as error:
            at = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
            where = (error.lineno if isinstance(error, SyntaxError) else at[-1] if at else first)
            wrong = f"{path}:{where}: {type(error).__name__}: {error}"
    print(json.dumps([said.getvalue(), wrong]), file=answers, flush=True)
"""


def other(document, parts):
    """The shell, Python, C and JavaScript of a document, from top to bottom in one folder."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**tools(), "DOCUMENT": str(ROOT / document)}
        prepared(document, folder)
        session = None
        for block in parts:
            if block.language == "sh":
                made = run(["bash", "-euo", "pipefail", "-c", block.text], cwd=folder, env=environment)
                if made.returncode and block.printed is None:
                    said = (made.stdout + made.stderr).strip()
                    fail(f"{document}:{block.line}: the shell ends with status {made.returncode}: {said}")
                compare([block], {block.line: made.stdout + made.stderr})
                count("of the shell, run")
            elif block.language == "python":
                if session is None:
                    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
                    session = subprocess.Popen([PYTHON, "-c", SESSION], cwd=folder, env=environment, **pipes)
                    if path := before(document, "py"):
                        if wrong := asked(session, path.relative_to(ROOT), 1, path.read_text())[1]:
                            fail(wrong)
                printed, wrong = asked(session, document, block.line, block.text)
                if wrong:
                    fail(wrong)
                else:
                    compare([block], {block.line: printed})
                count("of Python, run")
        if session:
            session.stdin.close()
            session.wait()
        for language in ("c", "js"):
            if chosen := [block for block in parts if block.language == language]:
                fragment(document, language, chosen, pathlib.Path(folder), environment)


def asked(session, path, line, text):
    session.stdin.write(json.dumps([str(path), line, text]) + "\n")
    session.stdin.flush()
    return json.loads(session.stdout.readline() or '["", "the session has ended"]')


def fragment(document, language, parts, folder, environment):
    """Lines of C or JavaScript, put in the place of the word DOCUMENT in the file that they stand in."""
    ending = {"c": "c", "js": "mjs"}[language]
    around = before(document, ending)
    text = around.read_text() if around else "DOCUMENT\n"
    body = "".join(
        (f'#line {block.line} "{ROOT / document}"\n' if language == "c" else "") + block.text for block in parts
    )
    name = "C" if language == "c" else "JavaScript"
    if language == "c":
        # A header is read outside of functions.
        text = "".join(f"{line}\n" for line in body.splitlines() if line.startswith("#include")) + text
        body = re.sub(r"^#include.*", "", body, flags=re.M)
    (folder / f"document.{ending}").write_text(text.replace("DOCUMENT\n", body, 1))
    if language == "c":
        where = ["-I", ROOT / "Sources/SchedulersC/include", "-I", ROOT / "Sources/C", "-I", folder]
        flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *where]
        runs = "int main" in text
        link = ["-o", folder / "document", "-lm"] if runs else ["-fsyntax-only"]
        made = run(["gcc", *flags, folder / "document.c", *link], env=environment)
        if made.returncode:
            return fail(f"{document}:{parts[0].line}: {made.stderr.strip().replace(f'{ROOT}/', '')}")
        if runs:
            made = run([folder / "document"], cwd=folder, env=environment)
    else:
        shutil.copy(ROOT / "Docs/Page/runtime.mjs", folder)
        made, runs = run(["node", folder / "document.mjs"], cwd=folder, env=environment), True
    if made.returncode:
        fail(f"{document}:{parts[0].line}: the {name} ends with status {made.returncode}: {made.stderr.strip()}")
    count(f"of {name}, {'built and run' if runs else 'compiled'}", len(parts))


def anchors(path):
    """The places in a document that a link can name, as GitHub names them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.S | re.M)
    for heading in re.findall(r"^#+ (.*)", text, re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def check_links(document):
    """Links between files of the repository lead somewhere."""
    text = (ROOT / document).read_text()
    plain = re.sub(r"^```.*?^```|`[^`\n]*`", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.S | re.M)
    for match in re.finditer(r"\]\(([^)\s]*)\)", plain):
        target, _, anchor = match[1].partition("#")
        if re.match(r"\w+:", target):
            continue
        path = (ROOT / document).parent / target if target else ROOT / document
        where = f"{document}:{plain[: match.start()].count(chr(10)) + 1}"
        if not path.exists() and not list((path.parent / "Resources").glob(f"{path.name}.*")):
            fail(f"{where}: there is no file {target}")
        elif anchor and path.suffix == ".md" and anchor not in anchors(path):
            fail(f"{where}: {target or document} has no heading #{anchor}")
        count("of links between files")


def columns(line):
    """A combining mark, such as the hat of x̂, takes no column."""
    return sum(not unicodedata.combining(character) for character in line)


def check_width(document):
    """DocC cuts code that is wider."""
    for block in blocks(ROOT / document):
        lines = [block.text] + ([block.printed] if block.printed else [])
        for first, text in zip((block.line, block.printed_line), lines):
            for i, line in enumerate(text.splitlines()):
                if columns(line) > WIDTH:
                    fail(f"{document}:{first + i}: the code has {columns(line)} columns, and DocC shows {WIDTH}")
    indented = re.finditer(r"(?<=\n\n)(?:    [^\n]*\n)+", (ROOT / document).read_text())
    for match in indented:
        for line in match[0].splitlines():
            if columns(line) - 4 > WIDTH:
                fail(f"{document}: the formula has {columns(line) - 4} columns, and DocC shows {WIDTH}: {line.strip()}")


def main(chosen):
    documents = [p.relative_to(ROOT).as_posix() for pattern in DOCUMENTS for p in sorted(ROOT.glob(pattern))]
    documents = [document for document in documents if not chosen or any(name in document for name in chosen)]
    if not documents:
        sys.exit(f"documents: there is none of the name {' '.join(chosen)}")
    programs = {}
    for document in documents:
        rest = []
        check_links(document)
        if ".docc/" in document:
            check_width(document)
        for block in blocks(ROOT / document):
            block.path = document
            language = block.language
            if block.reason or block.text.startswith("// Package.swift"):
                reason = block.reason or "part of a manifest"
                if reason.startswith("run by "):
                    count(reason)
                    continue
                reasons.setdefault(reason, []).append(f"{document}:{block.line}")
            elif holder := ELSEWHERE.get((document, language)):
                count(f"run by {holder}")
            elif language == "swift" and "swift-tools-version" in block.text:
                manifest(block)
            elif language == "swift":
                programs.setdefault(document, []).append(block)
            elif language in ("sh", "python", "c", "js"):
                rest.append(block)
            elif language == "json":
                try:
                    json.loads(block.text)
                    count("of JSON, read")
                except ValueError as error:
                    fail(f"{document}:{block.line}: {error}")
            elif language not in ("", "text"):
                fail(f"{document}:{block.line}: no check knows the language {language}")
            elif re.search(r"^\$ ", block.text, re.M):
                transcript(block)
            elif commands(block):
                count("of commands that exist")
            else:
                count("of text")
        if rest:
            other(document, rest)
    if programs:
        swift(programs)
    for document, outputs in written.items():
        lines = (ROOT / document).read_text().splitlines(keepends=True)
        for block, text in sorted(outputs, key=lambda pair: -pair[0].printed_line):
            first = block.printed_line - 1
            lines[first : first + block.printed.count("\n")] = [text]
        (ROOT / document).write_text("".join(lines))
        print(f"documents: wrote {len(outputs)} outputs of {document}; read them")
    for what in sorted(counts):
        print(f"documents: {counts[what]:4} {what if what.startswith(('outputs', 'of', 'run')) else what}")
    for reason, places in sorted(reasons.items()):
        print(f"documents: {len(places):4} not run: {reason} ({', '.join(places)})")
    if failures:
        sys.exit(f"documents: {len(failures)} wrong")


def manifest(block):
    """A whole manifest, with the place where this checkout is."""
    with tempfile.TemporaryDirectory() as folder:
        text = block.text.replace('path: "../schedulers"', f'name: "schedulers", path: "{ROOT}"')
        (pathlib.Path(folder) / "Package.swift").write_text(text)
        made = run(["swift", "package", "--package-path", folder, "describe"])
        if made.returncode and "error: " in made.stderr and "Source files for target" not in made.stderr:
            fail(f"{block.path}:{block.line}: {made.stderr.strip()}")
    count("of manifests, read")


main([name for name in sys.argv[1:] if name != "--write"])
