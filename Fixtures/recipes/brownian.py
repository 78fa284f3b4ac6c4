"""Increments of the Brownian paths of Noise/BrownianNoise.swift in 30-digit arithmetic.

The construction here is the other one, by conditional laws: given the path at both ends of an interval, its middle is normal about their
mean with a quarter of the interval's length for a variance. Times are sums of a few powers of 2, so that Doubles hold them.
"""

import json

import mpmath

from recipes.noise import exact_normals, philox_words

mpmath.mp.dps = 30
DEPTH = 20


def normal(seed, sample, element, node):
    """GaussianNoise's normal of the first draw, under the key of a node."""
    words = [int(w) for w in philox_words([node & 0xFFFFFFFF, node >> 32, 0, 0x42726F77], seed)]
    key = words[1] << 32 | words[0]
    block, position = divmod(element, 256)
    plane, lane = divmod(position, 64)
    words = [int(w) for w in philox_words([block * 64 + lane, 0, sample & 0xFFFFFFFF, sample >> 32], key)]
    return exact_normals(*words[plane // 2 * 2:plane // 2 * 2 + 2])[plane % 2]


def path(time, z):
    """W(time), where z gives the normal of a node."""
    low, w_low, high, octave = mpmath.mpf(0), mpmath.mpf(0), mpmath.mpf(2) ** -40, 0
    w_high = w_low + mpmath.sqrt(high - low) * z(octave << 48)
    while time > high:
        low, w_low, high, octave = high, w_high, 2 * high, octave + 1
        w_high = w_low + mpmath.sqrt(high - low) * z(octave << 48)
    number = 1
    for _ in range(DEPTH):
        middle, w = (low + high) / 2, (w_low + w_high) / 2 + mpmath.sqrt(high - low) / 2 * z(octave << 48 | number)
        if time == middle:
            return w
        if time < middle:
            high, w_high, number = middle, w, 2 * number
        else:
            low, w_low, number = middle, w, 2 * number + 1
    mean = w_low + (w_high - w_low) * (time - low) / (high - low)
    return mean + mpmath.sqrt((time - low) * (high - time) / (high - low)) * z(octave << 48 | number)


def brownian():
    increments = []
    for seed, sample, element, start, end in [
        (0, 0, 0, 0.0, 1.0), (0, 0, 0, 1.0, 0.0), (42, 0, 5, 14.625, 13.0), (42, 0, 5, 14.6146484375, 14.5), (42, 3, 300, 0.75, 0.03125),
        (2**64 - 1, 2**40 + 5, 255, 2.0**-50, 3.0), (7, 1, 64, 0.7, 0.7 + 2.0**-30), (7, 1, 64, 2.0**39 + 1, 80.0),
    ]:
        z = lambda node: normal(seed, sample, element, node)
        value = path(mpmath.mpf(end), z) - path(mpmath.mpf(start), z)
        increments.append({"seed": seed, "sample": sample, "element": element, "start": start, "end": end, "increment": float(value)})
    return json.dumps(increments, indent=1) + "\n"


FILES = {"noise-brownian.json": brownian}
