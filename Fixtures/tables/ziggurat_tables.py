"""Writes Sources/SchedulersInterop/Noise/ZigguratTables.swift.

    .venv/bin/python Fixtures/tables/ziggurat_tables.py

The tables are read out of libnpyrandom.a, the static library that NumPy's wheels for x86-64 Linux hold. Two of them cannot be
computed: NumPy's constants are not the correctly rounded ones, and a difference in the last bit would change what is drawn. The others
follow from these two.
"""

import pathlib
import struct

import mpmath
import numpy

SWIFT = pathlib.Path(__file__).resolve().parent.parent.parent / "Sources/SchedulersInterop/Noise/ZigguratTables.swift"


def members(archive):
    """The files of an ar archive."""
    assert archive[:8] == b"!<arch>\n"
    at = 8
    while at < len(archive):
        size = int(archive[at + 48:at + 58])
        yield archive[at + 60:at + 60 + size]
        at += 60 + size + size % 2


def symbols(elf):
    """The bytes of each data symbol of a 64-bit little-endian ELF object."""
    at, = struct.unpack_from("<Q", elf, 40)
    size, count = struct.unpack_from("<HH", elf, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", elf, at + i * size) for i in range(count)]
    for kind, offset, length, link in ((s[1], s[4], s[5], s[6]) for s in sections):
        if kind != 2:
            continue
        names = sections[link][4]
        for entry in range(offset, offset + length, 24):
            name, info, _, section, value, extent = struct.unpack_from("<IBBHQQ", elf, entry)
            if info & 15 == 1 and section < count:
                start = sections[section][4] + value
                yield elf[names + name:elf.index(b"\0", names + name)].decode(), elf[start:start + extent]


ARCHIVE = pathlib.Path(numpy.__file__).parent / "random/lib/libnpyrandom.a"


def tables():
    found = {}
    for member in members(ARCHIVE.read_bytes()):
        if member[:4] == b"\x7fELF":
            found.update(symbols(member))
    return {
        name: numpy.frombuffer(found[name], dtype="<u8" if name.endswith("double") else "<u4")
        for name in ("ki_double", "wi_double", "fi_double", "ki_float", "wi_float", "fi_float")
    }


def half(x):
    return mpmath.exp(-x * x / 2)


def edges(r):
    """The right edges of the layers' rectangles from the last, at r, to the first, and the area of a layer."""
    area = r * half(r) + mpmath.sqrt(mpmath.pi / 2) * mpmath.erfc(r / mpmath.sqrt(2))
    made = [r]
    while len(made) < 255:
        made.append(mpmath.sqrt(-2 * mpmath.log(area / made[-1] + half(made[-1]))))
    return made, area


def check(tables):
    """The tables are those of the ziggurat of 256 layers of equal area under exp(-x^2/2), but for the errors in NumPy's last bits."""
    mpmath.mp.dps = 40

    def gap(r):
        made, area = edges(r)
        return area / made[-1] + half(made[-1]) - 1

    r = mpmath.findroot(gap, (3.654152885361, 3.654152885362), solver="secant")
    made, area = edges(r)
    widths = [area / half(r), *reversed(made)]
    for kind, scale, dtype in (("double", 2**52, "<f8"), ("float", 2**23, "<f4")):
        ki, wi, fi = tables[f"ki_{kind}"], tables[f"wi_{kind}"].view(dtype), tables[f"fi_{kind}"].view(dtype)
        assert len(ki) == len(wi) == len(fi) == 256 and ki[1] == 0 and fi[0] == 1
        unit = numpy.finfo(dtype).eps
        for i in range(256):
            inner = r if i == 0 else widths[i - 1] if i > 1 else 0
            assert abs(float(wi[i]) * scale / widths[i] - 1) < 64 * unit, (kind, i)
            assert abs(int(ki[i]) - inner / widths[i] * scale) < 64, (kind, i)
            assert i == 0 or abs(float(fi[i]) / half(widths[i]) - 1) < 64 * unit, (kind, i)
    # Where the last layer ends, and the reciprocal that the tail is drawn with: constants of NumPy's code and of NumPyGenerator.
    for form in ("<d", "<f"):
        for constant in (r, -1 / r):
            assert struct.pack(form, float(constant)) in ARCHIVE.read_bytes(), (form, constant)
    print(f"r = {mpmath.nstr(r, 29)}, 1/r = {mpmath.nstr(1 / r, 29)}")


def derived(tables):
    """The tables that follow from wi_double and fi_double, as the Swift file makes them."""
    wi = tables["wi_double"].view("<f8")
    layers = numpy.rint(wi[:-1] / wi[1:] * 2.0**52)
    layers[0] = 0
    ki = numpy.concatenate([[3.6541528853610087716 / wi[0]], layers]).astype("<u8")
    return {
        "ki_double": ki, "ki_float": ((ki + 2**28) >> 29).astype("<u4"),
        "wi_float": (wi * 2.0**29).astype("<f4").view("<u4"),
        "fi_float": tables["fi_double"].view("<f8").astype("<f4").view("<u4"),
    }


def words(table, first):
    """A table without the first byte that its entries share."""
    assert all(int(word) >> 56 == first for word in table)
    entries = [f"0x{int(word) & 2**56 - 1:014x}" for word in table]
    return "\n".join("    " + ", ".join(entries[i:i + 6]) + "," for i in range(0, 256, 6))


SOURCE = """\
// Written by Fixtures/tables/ziggurat_tables.py out of NumPy {version}. The numbers are NumPy's, from
// numpy/random/src/distributions/ziggurat_constants.h. Their licence stands in NOTICE.

/// The 256 layers of NumPy's ziggurat: `wi`, the width of a unit of magnitude; `fi`, the density at
/// the layer's edge; `ki`, below which a magnitude lies in its layer's rectangle.
enum ZigguratTables {{
  static let double = (ki: ki, wi: wi, fi: fi)
  static let float = (
    ki: ki.map {{ ($0 + 1 << 28) >> 29 }}, wi: wi.map {{ Float($0 * 0x1p29) }}, fi: fi.map {{ Float($0) }}
  )

  private static let ki =
    [UInt64(3.6541528853610087716 / wi[0]), 0]
    + zip(wi, wi.dropFirst()).dropFirst().map {{ UInt64(($0 / $1 * 0x1p52).rounded(.toNearestOrEven)) }}

  private static let wi = [
{wi}
  ].map {{ Double(bitPattern: 0x3c << 56 | $0) }}

  private static let fi = [
{fi}
  ].map {{ Double(bitPattern: 0x3f << 56 | $0) }}
}}
"""


def swift(tables):
    for name, table in derived(tables).items():
        assert (table == tables[name]).all(), name
    return SOURCE.format(
        version=numpy.__version__, wi=words(tables["wi_double"], 0x3c),
        fi=words(tables["fi_double"], 0x3f))


if __name__ == "__main__":
    made = tables()
    check(made)
    SWIFT.write_text(swift(made))
    print(f"wrote {SWIFT.name}")
