"""Known answers for the noise of a seed."""

import json
import struct

import mpmath
import numpy

mpmath.mp.dps = 50


def philox_words(counter, key):
    """Philox4x32-10, Salmon et al. 2011, on arrays of counters: four uint32 arrays."""
    mask = numpy.uint64(0xFFFFFFFF)
    c = [numpy.asarray(word, dtype=numpy.uint64) for word in counter]
    k = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        first, second = c[0] * numpy.uint64(0xD2511F53), c[2] * numpy.uint64(0xCD9E8D57)
        c = [
            (second >> numpy.uint64(32)) ^ c[1] ^ numpy.uint64(k[0]),
            second & mask,
            (first >> numpy.uint64(32)) ^ c[3] ^ numpy.uint64(k[1]),
            first & mask,
        ]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def exact_normals(a, b):
    """The Box-Muller pair of two words in 50-digit arithmetic, by the formula of Noise/BoxMuller.swift."""
    u = (mpmath.mpf(int(a) >> 1) + mpmath.mpf("0.5")) / 2**31
    t = (mpmath.mpf((int(b) & 0x3FFFFFFF) - 2**29) + mpmath.mpf("0.5")) / 2**30
    radius = mpmath.sqrt(-2 * mpmath.log(u))
    angle = mpmath.pi / 2 * ((int(b) >> 30) + t)
    return radius * mpmath.cos(angle), radius * mpmath.sin(angle)


def noise():
    """Known answers for GaussianNoise: exact normals at sampled addresses, rounded to float64."""
    # The first three come from the known-answer file of the Random123 library, kat_vectors, philox4x32 10.
    known = [
        ([0, 0, 0, 0], 0),
        ([0xFFFFFFFF] * 4, 0xFFFFFFFFFFFFFFFF),
        ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], 0x299F31D0A4093822),
    ]
    published = ["6627e8d5 e169c58d bc57ac4c 9b00dbd8", "408f276d 41c83b0e a20bc7c6 6d5451fd",
                 "d16cfe09 94fdcceb 5001e420 24126ea1"]
    vectors = []
    for (counter, key), expected in zip(known, published):
        words = " ".join(f"{int(word):08x}" for word in philox_words(counter, key))
        assert words == expected, (words, expected)
        vectors.append({"counter": counter, "key": f"{key:016x}", "words": words})
    normals = []
    for seed, sample, draw in [(0, 0, 0), (42, 0, 0), (42, 7, 0), (42, 0, 3), (2**64 - 1, 2**40 + 5, 999)]:
        for element in [0, 1, 2, 63, 64, 100, 128, 191, 192, 255, 256, 300, 1023, 4095, 786431, 2**34 - 1]:
            block, position = divmod(element, 256)
            plane, lane = divmod(position, 64)
            words = philox_words([block * 64 + lane, draw, sample & 0xFFFFFFFF, sample >> 32], seed)
            pair = exact_normals(words[plane // 2 * 2], words[plane // 2 * 2 + 1])
            normals.append(
                {"seed": f"{seed:016x}", "sample": sample, "draw": draw, "element": element,
                 "normal": float(pair[plane % 2])})
    return json.dumps({"philox": vectors, "normals": normals}, indent=1) + "\n"


def float32_normals():
    """The same numbers with every operation rounded to float32, which is what the library promises bit for bit: a checksum (FNV-1a,
    64 bits, over the little-endian floats) for several seeds, and the first values."""
    coefficients = {
        name: [numpy.float32(float.fromhex(c)) for c in text.split()]
        for name, text in {
            "logarithm": "0x1p+0 -0x1.fffffep-2 0x1.555796p-2 -0x1.00038cp-2 0x1.98b29p-3 -0x1.53846ep-3 0x1.32bcb8p-3 "
            "-0x1.243c02p-3 0x1.5d8646p-4",
            "sine": "0x1.1c5832p+1 -0x1.d3ba5cp-1 0x1.cda0f6p-4 -0x1.b1de6p-8 0x1.d53628p-13",
            "cosine": "0x1.6a09e6p+0 -0x1.bea5b6p+0 0x1.6f5a4ap-2 -0x1.e36a9ep-6 0x1.54c236p-10 -0x1.26d064p-15",
        }.items()
    }
    f32 = numpy.float32

    def polynomial(x, name):
        result = numpy.full_like(x, coefficients[name][-1])
        for c in coefficients[name][-2::-1]:
            result = result * x + c
        return result

    def pair(a, b):
        a, b = a.astype(numpy.uint32), b.astype(numpy.uint32)
        u = ((a >> 1).astype(numpy.int32).astype(f32) + f32(0.5)) * f32(2.0**-31)
        fraction, exponent = numpy.frexp(u)  # u = fraction·2^exponent, fraction in [0.5, 1)
        root = numpy.array(0x3F3504F3, dtype=numpy.uint32).view(f32)  # √½ rounded down
        mantissa = numpy.where(fraction < root, fraction * f32(2), fraction)
        exponent = numpy.where(fraction < root, exponent - 1, exponent)
        f = mantissa - f32(1)
        minus_log = (-exponent).astype(f32) * f32(float.fromhex("0x1.62e43p-1")) - f * polynomial(f, "logarithm")
        radius = numpy.sqrt(minus_log)
        t = (((b & 0x3FFFFFFF).astype(numpy.int64) - 2**29).astype(f32) + f32(0.5)) * f32(2.0**-30)
        sine, cosine = radius * (t * polynomial(t * t, "sine")), radius * polynomial(t * t, "cosine")
        quadrant = b >> 30
        x = numpy.choose(quadrant, [cosine, -sine, -cosine, sine])
        y = numpy.choose(quadrant, [sine, cosine, -sine, -cosine])
        return x, y

    def block_normals(seed, sample, draw, blocks):
        lanes = numpy.arange(blocks * 64)
        w = philox_words([lanes, draw, sample & 0xFFFFFFFF, sample >> 32], seed)
        planes = [*pair(w[0], w[1]), *pair(w[2], w[3])]
        return numpy.stack([plane.reshape(blocks, 64) for plane in planes], axis=1).reshape(-1)

    def checksum(values):
        digest = 0xCBF29CE484222325
        for byte in values.astype("<f4").tobytes():
            digest = (digest ^ byte) * 0x100000001B3 % 2**64
        return f"{digest:016x}"

    entries = []
    for seed, sample, draw in [(0, 0, 0), (42, 0, 0), (42, 7, 0), (42, 0, 3), (2**64 - 1, 2**40 + 5, 999)]:
        values = block_normals(seed, sample, draw, 40)
        assert values.dtype == f32
        entries.append(
            {"seed": f"{seed:016x}", "sample": sample, "draw": draw, "count": len(values),
             "first": [f"{struct.unpack('<I', struct.pack('<f', v))[0]:08x}" for v in values[:8]],
             "checksum": checksum(values)})
    return json.dumps(entries, indent=1) + "\n"


FILES = {"noise.json": noise, "noise-float32.json": float32_normals}
