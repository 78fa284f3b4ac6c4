/* Uses the library as a program in C99 does, and holds it to what its header says: that a step allocates nothing, that
 * threads change no bit, that a child of a fork goes on, and that all memory is given back, which valgrind sees. */
#include <math.h>
#include <schedulers.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static schedulers_error error;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, error.text);
  exit(1);
}

#define check(condition) \
  do {                   \
    if (!(condition)) {  \
      fail(#condition);  \
    }                    \
  } while (0)

/* Allocations are counted while this is set. The linker finds these before the C library's own. */
static int counts;
static long allocations;
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

#ifdef COUNT_ALLOCATIONS
void *malloc(size_t size) {
  allocations += counts;
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  allocations += counts;
  return __libc_calloc(count, size);
}
void *realloc(void *pointer, size_t size) {
  allocations += counts;
  return __libc_realloc(pointer, size);
}
#endif

/* A network of sorts. */
static void network(const float *input, double timestep, float *output, size_t count) {
  for (size_t i = 0; i < count; i++) output[i] = 0.25f * input[i] + (float)(timestep / 4000) * (float)(i % 7);
}

/* Makes samples by a request's plan; the sum of their bits is the answer. */
static uint64_t sample(const char *request, int64_t samples, int64_t size, int32_t threads, const char *source) {
  /* What is done once in a process may allocate: all is known after a run on several threads. */
  static int isKnown = 0;
  if (threads != 1) isKnown = 1;
  const size_t count = (size_t)(samples * size);
  float *x = malloc(count * sizeof *x), *input = malloc(count * sizeof *x), *output = malloc(count * sizeof *x);
  float *denoised = malloc(count * sizeof *x);
  schedulers_plan *plan;
  schedulers_plan_info info;
  schedulers_run *run;
  schedulers_noise *noise;
  schedulers_query query;
  check(schedulers_plan_create(request, &plan, &error) == SCHEDULERS_OK);
  check(schedulers_plan_describe(plan, &info, &error) == SCHEDULERS_OK);
  check(schedulers_noise_create(source, &noise, &error) == SCHEDULERS_OK);
  check(schedulers_noise_next(noise, SCHEDULERS_FLOAT32, samples, size, 0, 0, x, &error) == SCHEDULERS_OK);
  for (size_t i = 0; i < count; i++) x[i] *= (float)info.initial_scale;
  check(schedulers_run_create(plan, SCHEDULERS_FLOAT32, samples, size, &run, &error) == SCHEDULERS_OK);
  /* A run lives without the plan's handle. */
  schedulers_plan_destroy(plan);
  check(schedulers_run_set_threads(run, threads, &error) == SCHEDULERS_OK);
  for (;;) {
    check(schedulers_run_query(run, &query, &error) == SCHEDULERS_OK);
    if (query.is_done) break;
    check(schedulers_run_input(run, x, input, &error) == SCHEDULERS_OK);
    network(input, query.timestep, output, count);
    check(schedulers_run_check(run, output, &error) == SCHEDULERS_OK);
    counts = threads == 1 && isKnown;
    const int32_t status = schedulers_run_advance_drawing(run, x, output, noise, denoised, &error);
    counts = 0;
    check(status == SCHEDULERS_OK);
  }
  check(query.step == info.steps);
  check(schedulers_run_advance(run, x, output, NULL, NULL, &error) == SCHEDULERS_STATE);
  check(strstr(error.text, "at its end"));
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    sum = sum * 1099511628211u + bits;
    check(isfinite(x[i]));
  }
  schedulers_run_destroy(run);
  schedulers_noise_destroy(noise);
  free(x), free(input), free(output), free(denoised);
  return sum;
}

int main(int count, char **arguments) {
  const char *philox = "{\"source\": \"philox\", \"seed\": 1}";
  check(schedulers_abi_version() == SCHEDULERS_ABI_VERSION);

  static const char *const samplers[] = {"ddim", "ddpm", "dpm++2m", "dpm++2m-sde", "unipc", "heun", "plms", "lms"};
  for (size_t i = 0; i < sizeof samplers / sizeof *samplers; i++) {
    char request[200];
    snprintf(request, sizeof request, "{\"sampler\": \"%s\", \"steps\": 6, \"clipping\": \"static\"}", samplers[i]);
    const uint64_t several = sample(request, 2, 3000, 3, philox);
    check(several == sample(request, 2, 3000, 1, philox));
  }
  check(allocations == 0);
  sample("{\"sampler\": \"ddim\", \"clipping\": \"dynamic\", \"steps\": 3}", 2, 3000, 1, philox);
  sample("{\"configuration\": {\"_class_name\": \"DPMSolverMultistepScheduler\"}, \"steps\": 6}", 2, 300, 0,
         "{\"source\": \"torch-cpu\", \"seeds\": [4, 5]}");

  /* Enough numbers for threads, here and in the child of a fork, which has none of them. */
  const char *request = "{\"sampler\": \"ddpm\", \"steps\": 2}";
  const uint64_t large = sample(request, 3, 400000, 0, philox);
  check(large == sample(request, 3, 400000, 1, philox));
  int status = 0;
  if (count < 2 || strcmp(arguments[1], "alone") != 0) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      _exit(sample(request, 3, 400000, 0, philox) == large ? 0 : 1);
    }
    check(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }

  /* What is wrong is said, and nothing happens. */
  schedulers_plan *plan = NULL;
  check(schedulers_plan_create("{\"sampler\": \"dpm++2q\"}", &plan, &error) == SCHEDULERS_REQUEST && !plan);
  check(error.code == SCHEDULERS_REQUEST && strstr(error.text, "dpm++2q"));
  check(schedulers_plan_create("{", &plan, NULL) == SCHEDULERS_JSON);
  schedulers_run *run = (schedulers_run *)&status;
  check(schedulers_run_check(run, &status, &error) == SCHEDULERS_ARGUMENT);
  char *answer = NULL;
  check(schedulers_verify("/no/such/file", NULL, &answer, &error) == SCHEDULERS_FILE && !answer);

  char *json = NULL;
  check(schedulers_catalog(&json, &error) == SCHEDULERS_OK && strstr(json, "\"dpm++2m\""));
  schedulers_text_free(json);
  printf("C: schedulers %s, %d samplers\n", schedulers_version(), (int)(sizeof samplers / sizeof *samplers));
  return 0;
}
