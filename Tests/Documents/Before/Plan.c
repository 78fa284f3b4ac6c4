#include <math.h>
#include <stddef.h>
#include <stdlib.h>

static void network(float *output, const float *x, double scale, double timestep) {
  (void)timestep;
  for (size_t i = 0; i < 4 * 64 * 64; i++) output[i] = (float)(0.1 * scale * x[i]);
}

static float *normals(void) { return NULL; }

static float x[4 * 64 * 64], output[4 * 64 * 64];

int main(void) {
DOCUMENT
  return error || !isfinite(x[0]);
}
