"""Runs the examples of documents, each from top to bottom: python documents.py FILE...

Where torch is not installed, the examples that need it are left out."""

import importlib.util
import pathlib
import re
import sys


def examples(path):
    """The blocks of Python in a document: their first lines in the file, and their code."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    for block in re.finditer(r"^```python\n(.*?)^```", text, re.S | re.M):
        yield text[: block.start(1)].count("\n"), block[1]


def run(path):
    """Runs them in one namespace, and returns how many there were."""
    names, count, has_torch = {"__name__": "__main__"}, 0, importlib.util.find_spec("torch")
    for line, code in examples(path):
        if not has_torch and re.search(r"\btorch\.|import torch", code):
            continue
        exec(compile("\n" * line + code, str(path), "exec"), names)
        count += 1
    return count


if __name__ == "__main__":
    for file in sys.argv[1:]:
        print(f"{file}: {run(file)} examples")
