#include <schedulers.h>

void network(const float *x, double timestep, float *output);
void sample(float *x, float *output, int64_t samples, int64_t size);

void sample(float *x, float *output, int64_t samples, int64_t size) {
  schedulers_plan *plan;
  schedulers_run *run;
  schedulers_query query;
  schedulers_error error;
DOCUMENT
}
