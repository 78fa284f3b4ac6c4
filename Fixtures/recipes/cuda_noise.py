"""What torch draws on a CUDA device, by its formulas: no device took part.

Element i of a tensor is number i // threads % 4 of the four that thread i % threads makes in round i // threads // 4, from Philox
counter (offset/4 + round, thread). The four are two Box-Muller pairs, of which the arguments are rounded to float32 as cuRAND does, and
the rest is exact.
"""

import json

import mpmath
import numpy

from recipes.noise import philox_words

mpmath.mp.dps = 30

# The first row that emulators of torch on CUDA document, for `torch.manual_seed(0); torch.randn((3, 4), device="cuda")`:
# AUTOMATIC1111/stable-diffusion-webui, modules/rng_philox.py.
PUBLISHED = [-0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122, -0.32838709,
             -1.07454231, -0.36314407, -1.67105067, 2.26550497]


def element(i, threads, seed, offset):
    thread, number = i % threads, i // threads
    counter = offset // 4 + number // 4
    words = [int(w) for w in philox_words([counter & 0xFFFFFFFF, counter >> 32, thread, 0], seed)]
    x, y = words[number % 4 // 2 * 2:][:2]
    two_pi = numpy.float32(2 * numpy.pi)
    u = numpy.float32(numpy.float32(x) * numpy.float32(2.0**-32) + numpy.float32(2.0**-33))
    # One rounding, as the device's fused multiply-add has; the product of two float32 is exact in float64.
    angle = numpy.float32(float(numpy.float32(y)) * (float(two_pi) * 2.0**-32) + float(two_pi) * 2.0**-33)
    radius = mpmath.sqrt(-2 * mpmath.log(mpmath.mpf(float(u))))
    return float(radius * (mpmath.sin if number % 2 == 0 else mpmath.cos)(mpmath.mpf(float(angle))))


def cuda_noise():
    assert numpy.allclose([element(i, 256, 0, 0) for i in range(12)], PUBLISHED, rtol=0, atol=1e-6)
    cases = []
    for seed, multiprocessors, per, offset, draws in [
        (0, 108, 2048, 0, [12, 16384, 5]), (2**40 + 77, 40, 1024, 0, [40960, 40961, 200003, 3]), (42, 128, 1536, 2**34 - 4, [300, 7]),
    ]:
        samples, stand = [], offset
        for draw, count in enumerate(draws):
            threads = 256 * min(-(-count // 256), multiprocessors * (per // 256))
            positions = {0, count - 1, *(count * k // 13 for k in range(13)), *(min(threads * k, count - 1) for k in range(6))}
            samples += [[draw, i, element(i, threads, seed, stand)] for i in sorted(positions)]
            stand += 4 * -(-count // (4 * threads))
        cases.append({"seed": seed, "multiprocessors": multiprocessors, "threads": per, "offset": offset, "draws": draws,
                      "samples": samples, "end": stand})
    return json.dumps({"published": PUBLISHED, "cases": cases}, indent=1) + "\n"


FILES = {"noise-cuda.json": cuda_noise}
