/* Runs plans of the format scheduler-plan/1, as Docs/Plan.md shows. C99, without -ffast-math; it allocates nothing. */
#ifndef SCHEDULER_PLAN_H
#define SCHEDULER_PLAN_H
#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifndef SCHEDULER_REAL
#define SCHEDULER_REAL float /* the type of samples */
#endif
typedef SCHEDULER_REAL scheduler_real;
enum { SCHEDULER_NONE, SCHEDULER_RANGE, SCHEDULER_DYNAMIC, SCHEDULER_FIXED = 0, SCHEDULER_LEARNED, SCHEDULER_OUTPUT };
typedef struct {
  double timestep, input_scale, denoised[2], estimate[2]; /* x0 over x and F; E over x and x0 */
  size_t sample_count, estimate_count;
  const double *samples, *estimates; /* newest first */
  double made, unclipped, output, noise, offset, slope;
  int variance; /* SCHEDULER_FIXED where there is none, too */
} scheduler_step;
typedef struct {
  const char *format;
  double initial_scale, limits[2]; /* of the range lower and upper; dynamic: ratio and maximum */
  int clipping, learns_variance;
  size_t kept, step_count; /* kept: the most samples or estimates of a step, and at least 1 */
  const scheduler_step *steps;
} scheduler_plan;
typedef struct {
  const scheduler_plan *plan;
  size_t batch, size, count; /* count: the steps made */
  scheduler_real *x, *made, *samples, *estimates, *sorted; /* x may be edited between steps */
} scheduler_run;
static inline size_t scheduler_memory(const scheduler_plan *plan, size_t batch, size_t size) { /* the bytes of a run */
  return ((2 * plan->kept + 1) * batch * size + size) * sizeof(scheduler_real);
}
static inline const char *scheduler_begin(scheduler_run *run, const scheduler_plan *plan, size_t batch, size_t size,
                                          scheduler_real *x, void *memory) { /* NULL, or what is wrong */
  if (!plan->format || strcmp(plan->format, "scheduler-plan/1"))
    return "the plan is in another format than scheduler-plan/1; make it again";
  double sum = plan->initial_scale + plan->limits[0] + plan->limits[1];
  for (size_t i = 0; i < plan->step_count; i++) {
    const scheduler_step *s = plan->steps + i;
    const size_t most = s->sample_count > s->estimate_count ? s->sample_count : s->estimate_count;
    if (most > i + 1) return "a step of the plan reaches back before the run; make a new plan instead of cutting one";
    if (most > plan->kept || plan->kept < 1 || (s->variance != SCHEDULER_FIXED && !plan->learns_variance))
      return "a step of the plan needs more than the plan says of it; make it again";
    sum += 0 * (s->timestep + s->input_scale + s->denoised[0] + s->denoised[1] + s->estimate[0] + s->estimate[1]);
    sum += 0 * (s->made + s->unclipped + s->output + s->noise + s->offset + s->slope);
    for (size_t k = 0; k < most; k++)
      sum += 0 * ((k < s->sample_count ? s->samples[k] : 0) + (k < s->estimate_count ? s->estimates[k] : 0));
  }
  if (!isfinite(sum)) return "a number of the plan is not finite; make the plan again";
  const size_t n = batch * size, kept = plan->kept * n;
  scheduler_real *m = memcpy(memory, x, n * sizeof *x);
  *run = (scheduler_run){plan, batch, size, 0, x, m, m + n, m + n + kept, m + n + 2 * kept};
  return NULL;
}
static int scheduler_order(const void *a, const void *b) {
  const scheduler_real x = *(const scheduler_real *)a, y = *(const scheduler_real *)b;
  return (x > y) - (x < y);
}
/* Makes the next sample from a network's output (for each sample F, then what it says of the variance) and noise. */
static inline void scheduler_advance(scheduler_run *run, const scheduler_real *F, const scheduler_real *noise) {
  typedef scheduler_real real;
  const scheduler_plan *plan = run->plan;
  const scheduler_step *s = plan->steps + run->count;
  const size_t size = run->size, n = run->batch * size, kept = plan->kept, now = run->count % kept * n;
  const int clips = plan->clipping != SCHEDULER_NONE;
  const double p = s->denoised[0], q = s->denoised[1], f = s->estimate[0], g = s->estimate[1];
  const double x0 = s->sample_count ? s->samples[0] : 0, e = s->estimate_count ? s->estimates[0] : 0;
  for (size_t b = 0; b < run->batch; b++, F += (plan->learns_variance ? 2 : 1) * size) {
    real *x = run->x + b * size, *made = run->made + b * size, *m = run->sorted, nan = 0;
    double low = plan->limits[0], high = plan->limits[1], t = 1, at = low * (double)(size - 1), rest = at - floor(at);
    if (plan->clipping == SCHEDULER_DYNAMIC) { /* t is the quantile of |x0|, brought between 1 and the maximum */
      for (size_t i = 0; i < size; nan += isnan(m[i]) ? m[i] : 0, i++)
        m[i] = (real)fabs((real)p * x[i] + (real)q * F[i]);
      qsort(m, size, sizeof *m, scheduler_order);
      t = rest == 0 ? m[(size_t)at] : m[(size_t)at] + rest * ((double)m[(size_t)at + 1] - m[(size_t)at]);
      t = nan + fmin(fmax(t, 1), high), low = -t, high = t;
    }
    /* x' and E over x and v, which is F, or x0 where that is clipped, and fa for F beside it; all are rounded once. */
    const real a = (real)(x0 + e * (clips ? f : f + g * p) + s->unclipped * p), ea = (real)(clips ? f : f + g * p);
    const real c = (real)(clips ? e * g / t : e * (g * q) + s->unclipped * q + s->output), h = (real)high;
    const real ec = (real)(clips ? g / t : g * q), l = (real)low, fa = (real)(clips ? s->output + s->unclipped * q : 0);
    for (size_t i = 0; i < size; i++) {
      real v = clips ? (real)p * x[i] + (real)q * F[i] : F[i], *kx = run->samples + b * size + i;
      real z = s->noise != 0 ? noise[b * size + i] : 0, *ke = run->estimates + b * size + i;
      if (clips) v = h < v ? h : v < l ? l : v;
      real sum = a * x[i] + c * v;
      for (size_t k = 1; k < s->estimate_count; k++) sum += (real)s->estimates[k] * ke[(run->count - k) % kept * n];
      for (size_t k = 1; k < s->sample_count; k++) sum += (real)s->samples[k] * kx[(run->count - k) % kept * n];
      if (s->made != 0) sum += (real)s->made * made[i];
      if (fa != 0) sum += fa * F[i];
      if (s->variance == SCHEDULER_LEARNED) z = (real)(exp(s->offset / 2 + s->slope / 2 * F[size + i]) * z);
      if (s->variance == SCHEDULER_OUTPUT) z = (real)(sqrt(F[size + i]) * z);
      if (s->noise != 0) sum += (real)s->noise * z;
      kx[now] = x[i], ke[now] = ea * x[i] + ec * v, x[i] = made[i] = sum;
    }
  }
  run->count++;
}
#endif
