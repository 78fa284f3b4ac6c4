/* Runs a plan of plans.inc: its number, the batch and the size of a sample are the arguments; start, outputs and noise
 * come from the standard input; every sample goes to the standard output. */
#include "plans.inc"

#include <stdio.h>

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  const scheduler_plan *plan = plans[atoi(argv[1])];
  size_t batch = (size_t)atoi(argv[2]), size = (size_t)atoi(argv[3]), n = batch * size;
  size_t width = (plan->learns_variance ? 2 : 1) * n, count = n + plan->step_count * (width + n);
  scheduler_real *input = calloc(count, sizeof *input), *memory = malloc(scheduler_memory(plan, batch, size));
  scheduler_real *x = malloc(n * sizeof *x);
  if (!input || !memory || !x || !fread(input, sizeof *input, count, stdin)) return 1;
  memcpy(x, input, n * sizeof *x);
  scheduler_run run;
  const char *error = scheduler_begin(&run, plan, batch, size, x, memory);
  if (error) return fprintf(stderr, "%s\n", error), 2;
  const scheduler_real *outputs = input + n, *noises = outputs + plan->step_count * width;
  fwrite(x, sizeof *x, n, stdout);
  while (run.count < plan->step_count) {
    scheduler_advance(&run, outputs + run.count * width, noises + run.count * n);
    fwrite(x, sizeof *x, n, stdout);
  }
  return 0;
}
