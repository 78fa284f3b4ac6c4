"""What NumPy draws with RandomState and with default_rng, in the form of torch_noise.py."""

import json

import numpy

from recipes.torch_noise import MILLION, SEEDS, summary
from tables import ziggurat_tables

RANGES = [(0, 1000), (-5, 7), (0, 2**28), (0, 2**32 - 1), (-(2**31), 2**31), (0, 2**32 + 1), (-(2**62), 2**62 + 3), (3, 4),
          (-(2**63), 2**63 - 1)]


def entry(make, seed, draws, draw, **description):
    generator = make(seed)
    values = [numpy.asarray(draw(generator, n)) for n in draws]
    values = [value.astype(numpy.float64) if value.dtype == numpy.float32 else value for value in values]
    return {**description, "seed": f"{seed:x}", "draws": draws, **summary(values)}


def numpy_noise():
    state, new = numpy.random.RandomState, numpy.random.default_rng
    file = {"state": {"normals": [], "uniforms": [], "integers": [], "permutations": []},
            "generator": {"normals": [], "uniforms": [], "integers": [], "permutations": []}}
    short, long = [9, 1, 16, 1000, 3000], [MILLION, 16]
    for seed, draws in [(seed, short) for seed in (0, 42, 1234, 2**32 - 1)] + [(1234, long)]:
        file["state"]["normals"].append(entry(state, seed, draws, lambda g, n: g.randn(n)))
    for seed, draws in [(seed, short) for seed in SEEDS] + [(1234, long)]:
        for dtype in ("float64", "float32"):
            file["generator"]["normals"].append(
                entry(new, seed, draws, lambda g, n: g.standard_normal(n, dtype=dtype), precision=dtype))
    file["state"]["uniforms"].append(entry(state, 5, [3, 1000], lambda g, n: g.random_sample(n)))
    for dtype in ("float64", "float32"):
        file["generator"]["uniforms"].append(entry(new, 5, [3, 1000], lambda g, n: g.random(n, dtype=dtype), precision=dtype))
    for low, high in RANGES:
        range_ = {"low": low, "high": high}
        file["state"]["integers"].append(entry(state, 77, [3, 500, 1], lambda g, n: g.randint(low, high, n, dtype="int64"), **range_))
        file["generator"]["integers"].append(entry(new, 77, [3, 500, 1], lambda g, n: g.integers(low, high, n), **range_))
    for name, make in (("state", state), ("generator", new)):
        for seed in (0, 99):
            file[name]["permutations"].append(entry(make, seed, [0, 1, 2, 10, 1797], lambda g, n: g.permutation(n)))
    # Everything draws from one stream, and what is left of a pair or a word outlives what is drawn between.
    old, g = state(11), new(11)
    file["state"]["mixed"] = [list(map(float, v)) for v in (
        old.randn(3), old.random_sample(2), old.randint(0, 10, 2), old.permutation(4), old.randn(2))]
    file["generator"]["mixed"] = [list(map(float, v)) for v in (
        g.standard_normal(3, dtype="float32"), g.random(2), g.integers(0, 10, 2), g.standard_normal(2), g.permutation(4),
        g.random(3, dtype="float32"))]
    file["tables"] = {name: checksum(table.tolist()) for name, table in ziggurat_tables.tables().items()}
    return json.dumps(file, indent=1) + "\n"


def checksum(words):
    digest = 0xCBF29CE484222325
    for word in words:
        digest = (digest ^ word) * 0x100000001B3 % 2**64
    return f"{digest:x}"


FILES = {"noise-numpy.json": numpy_noise}
