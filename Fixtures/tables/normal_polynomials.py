"""The polynomial coefficients of Sources/KernelsBaseline/BoxMuller.swift.

    python3 Fixtures/tables/normal_polynomials.py

Each is the Chebyshev interpolant of its function in 60-digit arithmetic, with coefficients rounded to float32. The last column is the
largest error of the rounded polynomial over its interval, evaluated exactly.
"""

import mpmath
import numpy

mpmath.mp.dps = 60


def chebyshev_fit(function, low, high, degree):
    """Monomial coefficients, constant first, of the interpolant at the Chebyshev nodes of [low, high]."""
    low, high = mpmath.mpf(low), mpmath.mpf(high)
    nodes = [
        (low + high) / 2 + (high - low) / 2 * mpmath.cos(mpmath.pi * (2 * k + 1) / (2 * degree + 2))
        for k in range(degree + 1)
    ]
    matrix = mpmath.matrix(degree + 1, degree + 1)
    for i, node in enumerate(nodes):
        for j in range(degree + 1):
            matrix[i, j] = node**j
    return list(mpmath.lu_solve(matrix, mpmath.matrix([function(node) for node in nodes])))


def logarithm(f):
    """ln(1 + f)/f"""
    return mpmath.log1p(f) / f if f else mpmath.mpf(1)


def sine(s):
    """√2·sin(π/2·t)/t over s = t²"""
    t = mpmath.sqrt(s)
    return mpmath.sqrt(2) * (mpmath.sin(mpmath.pi / 2 * t) / t if t else mpmath.pi / 2)


def cosine(s):
    """√2·cos(π/2·t) over s = t²"""
    return mpmath.sqrt(2) * mpmath.cos(mpmath.pi / 2 * mpmath.sqrt(s))


for name, function, low, high, degree in [
    ("logarithm", logarithm, mpmath.sqrt(0.5) - 1, mpmath.sqrt(2) - 1, 8),
    ("sine", sine, 0, 0.25, 4),
    ("cosine", cosine, 0, 0.25, 5),
]:
    rounded = [numpy.float32(float(c)) for c in chebyshev_fit(function, low, high, degree)]
    points = [low + (high - low) * mpmath.mpf(k) / 2000 for k in range(2001)]
    error = max(abs(mpmath.polyval([mpmath.mpf(float(c)) for c in rounded[::-1]], p) - function(p)) for p in points)
    print(f"{name}: {function.__doc__} on [{mpmath.nstr(low, 6)}, {mpmath.nstr(high, 6)}], error {mpmath.nstr(error, 3)}")
    for coefficient in rounded:
        print("   ", float(coefficient).hex())
