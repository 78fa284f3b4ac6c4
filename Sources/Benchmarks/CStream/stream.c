#include "stream.h"

void stream_triad(float *restrict a, const float *restrict b, const float *restrict c, float s, size_t count) {
  for (size_t i = 0; i < count; i++) a[i] = b[i] + s * c[i];
}
