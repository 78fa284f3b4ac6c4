#include <stddef.h>

/// a = b + s·c, the triad of McCalpin's STREAM: the rate at which this machine's memory can be read and written.
void stream_triad(float *restrict a, const float *restrict b, const float *restrict c, float s, size_t count);
