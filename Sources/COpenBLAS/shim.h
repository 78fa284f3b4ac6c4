#pragma once
// OpenBLAS for products and LAPACKE for eigenvalues: Debian's libopenblas-dev and liblapacke-dev, Homebrew's openblas.
#include <cblas.h>
#include <lapacke.h>

// Square roots that may not set errno, and so can be vectorised, which Swift's own cannot.
static inline float plain_sqrtf(float x) { return __builtin_elementwise_sqrt(x); }
static inline double plain_sqrt(double x) { return __builtin_elementwise_sqrt(x); }
