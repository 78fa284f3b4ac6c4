"""Makes the files of Fixtures/Data, and the digits of Sources/DigitsModel/Resources.

    python3 -m venv .venv && .venv/bin/pip install -r Fixtures/requirements.txt
    .venv/bin/python Fixtures/regenerate.py            # write the files
    .venv/bin/python Fixtures/regenerate.py --check    # make them again in memory, compare byte for byte, exit 1 on a difference
    .venv/bin/python Fixtures/regenerate.py --only NAME
    .venv/bin/python Fixtures/regenerate.py --guided-diffusion PATH    # also what needs a checkout of guided-diffusion at 22e0df8
    .venv/bin/python Fixtures/regenerate.py --diffusers PATH           # also what needs one of diffusers at 58eb52c, for its tests
    .venv/bin/python Fixtures/regenerate.py --comfyui PATH             # also what needs one of ComfyUI at a125cd8
    .venv/bin/python Fixtures/regenerate.py --forge PATH               # also what needs one of stable-diffusion-webui-forge at dfdcbab
    .venv/bin/python Fixtures/regenerate.py --jax PYTHON               # also what needs an interpreter with jax 0.10.2
    .venv/bin/python Fixtures/regenerate.py --mlx PYTHON               # also what needs one with mlx 0.32.4

Every file is a function of the pinned requirements, those checkouts, that jax and that mlx. What makes a file is in recipes/.
"""

import argparse
import hashlib
import importlib
import json
import os
import pathlib
import pkgutil
import re
import struct
import sys

# torch's bits depend on the instruction set: the files are those of its AVX2 path.
os.environ["ATEN_CPU_CAPABILITY"] = "avx2"

# Before a recipe runs a scheduler in float64 by another name of it: this looks the types up once.
import safetensors.torch

import recipes

FOLDER = pathlib.Path(__file__).parent
DATA = FOLDER / "Data"
RESOURCES = FOLDER.parent / "Sources/DigitsModel/Resources"
README = FOLDER / "README.md"
RECIPES = [importlib.import_module(f"recipes.{module.name}") for module in pkgutil.iter_modules(recipes.__path__)]
FILES = {name: make for recipe in RECIPES for name, make in getattr(recipe, "FILES", {}).items()}
# What needs more than the requirements, by the option that names it, and what that is.
EXTRA = {
    "guided-diffusion": "a checkout of guided-diffusion", "diffusers": "a checkout of diffusers", "comfyui": "a checkout of ComfyUI",
    "forge": "a checkout of stable-diffusion-webui-forge", "jax": "an interpreter with jax 0.10.2",
    "mlx": "one with mlx 0.32.4"}
CHECKOUTS = ("guided-diffusion", "diffusers", "comfyui", "forge")
KINDS = {
    "GUIDED": "guided-diffusion", "DIFFUSERS": "diffusers", "OF_COMFYUI": "comfyui", "OF_FORGE": "forge", "JAX": "jax", "MLX": "mlx"}
NEEDS = {name: (KINDS[kind], make) for recipe in RECIPES for kind in KINDS for name, make in getattr(recipe, kind, {}).items()}
# Where a file lies, if not in Data: beside what needs it.
PLACES = {name: FOLDER.parent / recipe.FOLDER for recipe in RECIPES if hasattr(recipe, "FOLDER") for name in recipe.FILES}
# What is about the last bits that torch has on AMD's processors.
OF_AMD = ["torch-roots.json", "root-traces.safetensors", "diffusers-limits.json"]


def write(path, made):
    """To a temporary name, then renamed: a run that is stopped leaves no half of a file."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(made)
    partial.replace(path)
    print(f"wrote {path.name}: {len(made)} bytes")


def check(path, made):
    """What is wrong with a committed file, or nothing."""
    if not path.exists():
        return f"{path.name}: missing; run regenerate.py without --check"
    committed = path.read_bytes()
    if committed == made:
        return print(f"checked {path.name}: {len(made)} bytes")
    if not is_amd() and agree(committed, made):
        return print(f"checked {path.name}: other last bits than committed, as this processor is not AMD's; the numbers agree")
    at = next((i for i, (a, b) in enumerate(zip(committed, made)) if a != b), min(len(committed), len(made)))
    return f"{path.name}: differs from byte {at} on: {committed[at:at + 40]!r} is committed, {made[at:at + 40]!r} is made"


def is_amd():
    """torch's roots and powers are MKL's, whose last bits are other ones on other makers' processors: the files are those of AMD's."""
    information = pathlib.Path("/proc/cpuinfo")
    return information.exists() and "AuthenticAMD" in information.read_text()


def agree(committed, made):
    """Whether two safetensors files hold the same tensors, whole numbers equal and others but for their last bits."""
    import torch
    from safetensors.torch import load

    try:
        committed, made = load(committed), load(made)
    except Exception:
        return False
    bounds = {torch.float16: 1e-2, torch.bfloat16: 8e-2, torch.float32: 1e-4}

    def are_close(a, b):
        if a.shape != b.shape or a.dtype != b.dtype or not a.is_floating_point():
            return a.shape == b.shape and torch.equal(a, b)
        wide = a.double()
        largest = wide.abs().nan_to_num(0, 0, 0).amax() if wide.numel() else 0
        bound = bounds.get(a.dtype, 1e-9) * max(1, float(largest))
        return torch.allclose(wide, b.double(), rtol=0, atol=bound, equal_nan=True)

    return committed.keys() == made.keys() and all(are_close(committed[name], made[name]) for name in committed)


def fnv(data):
    """FNV-1a with 64 bits over the length and the little-endian 64-bit words, the last filled up with zeros."""
    digest = (0xCBF29CE484222325 ^ len(data)) * 0x100000001B3 % 2**64
    for (word,) in struct.iter_unpack("<Q", data + bytes(-len(data) % 8)):
        digest = (digest ^ word) * 0x100000001B3 % 2**64
    return f"{digest:x}"


def checksums(folder):
    """checksums.json, by which a file that has been edited is noticed."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".csv", ".json", ".safetensors"))
    listed = {path.name: fnv(path.read_bytes()) for path in files if path.name != "checksums.json"}
    return (json.dumps(listed, indent=1) + "\n").encode()


def with_checksums(readme):
    """The text of README.md with the checksum of each data file in the last column of its row."""

    def row(match):
        path = next((path for path in (DATA / match["name"], RESOURCES / match["name"]) if path.exists()), None)
        if path is None:
            return match[0]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return f"{match['row']}| `{digest[:16]}…` |"

    return re.sub(r"^(?P<row>\| `(?P<name>[\w.-]+\.\w+)` .*)\|[^|]*\|$", row, readme, flags=re.MULTILINE)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed files and write nothing")
    parser.add_argument("--only", choices=sorted({**FILES, **NEEDS}), help="this file alone")
    for option, what in EXTRA.items():
        parser.add_argument(f"--{option}", metavar="PATH" if option in CHECKOUTS else "PYTHON", help=what)
    arguments = parser.parse_args()
    wrong = []
    for name, make in {**{name: (None, make) for name, make in FILES.items()}, **NEEDS}.items():
        if arguments.only not in (None, name):
            continue
        option, make = make
        needed = option and getattr(arguments, option.replace("-", "_"))
        if option and not needed:
            print(f"kept {name} as committed; it was not checked: that takes --{option}, {EXTRA[option]}")
            continue
        if arguments.check and name in OF_AMD and not is_amd():
            print(f"kept {name} as committed; it was not checked: that takes an AMD processor")
            continue
        made = make(needed) if option else make()
        made = made if isinstance(made, bytes) else made.encode()
        wrong.append((check if arguments.check else write)(PLACES.get(name, DATA) / name, made))

    for folder in (DATA, RESOURCES):
        wrong.append((check if arguments.check else write)(folder / "checksums.json", checksums(folder)))
    readme = README.read_text()
    if not arguments.check:
        README.write_text(with_checksums(readme))
    elif with_checksums(readme) != readme:
        wrong.append("README.md: the checksums are not those of the files; run regenerate.py without --check")
    if any(wrong):
        sys.exit("\n".join(filter(None, wrong)))


if __name__ == "__main__":
    main()
