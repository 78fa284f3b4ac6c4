"""Copies the core's tables, grids, samplers, plans and likelihoods so that Embedded Swift compiles them: `.ci/arm64`.

    python3 Tests/Arm64/embedded.py FOLDER

Embedded Swift has no Codable, no key paths, no names of types at run time and no values of protocol type. No
arithmetic is touched: what is coded is left out, a key path becomes a closure, and an error names no type.
"""

import pathlib
import re
import sys

SOURCES = pathlib.Path("Sources/Schedulers")
FOLDERS = ["Process", "Output", "Grid", "Plan", "Samplers"]
FILES = ["Math.swift", "Version.swift", "Sampling/Stop.swift"] + [
    f"Likelihood/{name}.swift"
    for name in ["DiscretizedGaussian", "DiscretizedGaussian+Tanh", "GaussianBin", "NormalKL", "StandardNormal"]
]
# Tensors, lists of samplers as values of protocol type, and files of nothing but coding.
LEFT_OUT = re.compile(r"(ReverseProcess|Prediction\+Tensors|SamplerCatalog\+Entry|.*\+Codable)\.swift")
CODING = re.compile(
    r"\s*(public |private )?(func encode\(to|init\(from decoder|enum CodingKeys|extension KeyedDecodingContainer)"
)


def without_coding(lines):
    """The lines of a file without the declarations that code; each ends at a brace that stands as far in."""
    end = None
    for line in lines:
        if end is None and CODING.match(line):
            end = line[: len(line) - len(line.lstrip())] + "}"
            if line.endswith("}"):
                end = None
        elif end is None:
            yield line
        elif line == end:
            end = None


def translated(text):
    text = "\n".join(without_coding(text.splitlines())) + "\n"
    text = re.sub(r"extension \w+: Codable where Base: Codable \{\}\n", "", text)
    # Generic code takes a prediction too.
    text = re.sub(r"  public func plan\(\n.*predicting prediction: Prediction(.|\n)*?\n  \}\n", "", text)
    text = re.sub(r"(, Codable\b|\bCodable, |: Codable(?= \{))", "", text)
    text = re.sub(
        r"(?<=\()\\(\.[\w.]+)(?=\))|(?<=\(while: )\\(\.[\w.]+)(?=\))", lambda m: f"{{ $0{m[1] or m[2]} }}", text
    )
    return text.replace("Self.self", '"sampler"').replace("Any.Type", "String")


def main():
    folder = pathlib.Path(sys.argv[1])
    paths = [SOURCES / name for name in FILES]
    paths += [path for name in FOLDERS for path in sorted((SOURCES / name).glob("*.swift"))]
    for path in paths:
        if not LEFT_OUT.fullmatch(path.name):
            (folder / path.name).write_text(translated(path.read_text(encoding="utf-8")), encoding="utf-8")


main()
