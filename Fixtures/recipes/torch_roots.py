"""torch's square roots of float32.

`torch-roots.json` has for stretches of float32 `first` (bits), `stride` and `count` a checksum (FNV-1a with 64 bits over the 32-bit words)
of the roots, how many of them are not the nearest number, and samples: the first, the last and some between, as [position, bits]. The roots are MKL's, and those of a processor of AMD's; others make other files.
"""

import json

import numpy

# 1 ..< 4 in odd strides, a stretch about 1, and stretches far from it.
STRETCHES = [
    (0x3F800000, 257, 65281), (0x3F7F0000, 1, 20000), (0x30000000, 4099, 4000), (0x20000000, 4099, 4000), (0x48000000, 4099, 4000)]


def roots():
    import torch

    listed = []
    for first, stride, count in STRETCHES:
        x = (first + stride * numpy.arange(count, dtype=numpy.uint32)).astype(numpy.uint32).view(numpy.float32)
        made = torch.sqrt(torch.from_numpy(x)).numpy()
        digest = 0xCBF29CE484222325
        for word in made.view(numpy.uint32):
            digest = (digest ^ int(word)) * 0x100000001B3 % 2**64
        positions = sorted({0, count - 1, *range(0, count, count // 50)})
        listed.append({
            "first": first, "stride": stride, "count": count, "checksum": f"{digest:016x}",
            "notNearest": int((made != numpy.sqrt(x)).sum()),
            "samples": [[i, int(made.view(numpy.uint32)[i])] for i in positions]})
    return json.dumps(listed, indent=1) + "\n"


FILES = {"torch-roots.json": roots}
