"""Compares what two builds of the program in this folder print: `.ci/arm64`.

    python3 Tests/Arm64/compare.py RESULTS OTHERS NAME

Says what differs from those of the name, and fails, or says how much is equal.
"""

import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        # The first says which kernels they are of.
        lines = [line.rstrip("\n").split("/") for line in list(file)[1:]]
    return {name: (kind.split(), value) for kind, name, value in lines}


def place(bits):
    """Where a Double stands among all: neighbours are 1 apart."""
    return bits if bits < 1 << 63 else (1 << 63) - bits


def distance(ours, theirs):
    """The largest distance of two lists of Doubles in ulps; NaN is far from all numbers."""
    pairs = list(zip(ours.split(), theirs.split(), strict=True))
    return max(abs(place(int(a, 16)) - place(int(b, 16))) for a, b in pairs)


def main():
    ours, theirs, who = read(sys.argv[1]), read(sys.argv[2]), sys.argv[3]
    if ours.keys() != theirs.keys():
        sys.exit(f"arm64: only ARM or {who} has {', '.join(sorted(ours.keys() ^ theirs.keys()))}")
    unequal = [name for name in ours if ours[name] != theirs[name]]
    wrong, apart, unknown = [], [], []
    for name in unequal:
        (kind, *limit), value = ours[name]
        if kind == "within":
            ulps = distance(value, theirs[name][1])
            (apart if ulps <= int(limit[0]) else wrong).append(f"{name} by {ulps} ulps")
        elif kind == "follows" and any(function in unequal for function in limit[0].split(",")):
            unknown.append(name)
        else:
            wrong.append(name)
    if wrong:
        sys.exit(f"arm64: ARM differs from {who}: {'; '.join(wrong)}")
    print(f"arm64: {len(ours) - len(unequal)} of {len(ours)} results have the bits of {who}")
    if apart:
        print(f"arm64: no further apart than two C libraries may be: {', '.join(apart)}")
    if unknown:
        print(f"arm64: not compared, as the C libraries round another way: {', '.join(unknown)}")


main()
