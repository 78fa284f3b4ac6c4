#pragma once
// OpenBLAS for products and LAPACKE for eigenvalues: Debian's libopenblas-dev and liblapacke-dev, Homebrew's openblas.
#include <cblas.h>
#include <lapacke.h>
