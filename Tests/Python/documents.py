"""Runs the examples of documents, each from top to bottom: python documents.py FILE...

Where torch is not installed, the examples that need it are left out. CONTRIBUTING.md has the marks of blocks."""

import contextlib
import dataclasses
import importlib.util
import io
import pathlib
import re
import sys


@dataclasses.dataclass
class Block:
    """A fenced block: where its code begins, its language, its text, why it is not run, and what it prints."""

    path: str
    line: int
    language: str
    text: str
    reason: str | None = None
    printed: str | None = None
    printed_line: int = 0


def blocks(path):
    """The fenced blocks of a document. A block `output` is what the one before prints."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    found = []
    for match in re.finditer(
        r"(?:^<!-- (?:not run: |(?=run by ))(.*?) -->\n)?^```([^\n]*)\n(.*?)^```$", text, re.S | re.M
    ):
        line = text[: match.start(3)].count("\n") + 1
        if match[2] == "output":
            if not found:
                raise SystemExit(f"{path}:{line}: the output belongs to no block")
            found[-1].printed, found[-1].printed_line = match[3], line
        else:
            found.append(Block(str(path), line, match[2].strip(), match[3], match[1]))
    return found


def difference(block, printed):
    """Where what a block prints is not what the text says: file, line, and what was expected."""
    if block.printed is None or printed == block.printed:
        return None
    said, made = block.printed.splitlines(), printed.splitlines()
    for i in range(max(len(said), len(made))):
        expected, got = (lines[i] if i < len(lines) else "nothing more" for lines in (said, made))
        if expected != got:
            where = f"{block.path}:{block.printed_line + i}"
            return f"{where}: the text says\n    {expected}\nand what is printed is\n    {got}"
    return f"{block.path}:{block.printed_line}: the text and what is printed end differently"


def run(path, names=None):
    """Runs the blocks of Python of a document in one namespace, and returns how many there were."""
    names, count = {"__name__": "__main__", **(names or {})}, 0
    has_torch = importlib.util.find_spec("torch")
    for block in blocks(path):
        if block.language != "python" or block.reason:
            continue
        if not has_torch and re.search(r"\btorch\.|import torch", block.text):
            continue
        printed = io.StringIO()
        with contextlib.nullcontext() if block.printed is None else contextlib.redirect_stdout(printed):
            exec(compile("\n" * (block.line - 1) + block.text, str(path), "exec"), names)
        if wrong := difference(block, printed.getvalue()):
            raise SystemExit(wrong)
        count += 1
    return count


if __name__ == "__main__":
    for file in sys.argv[1:]:
        print(f"{file}: {run(file)} examples")
