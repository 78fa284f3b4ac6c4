/* schedulers.h: noise schedules, samplers and plans of diffusion models, from C99 and C++.
 *
 *   schedulers_error error;
 *   schedulers_plan *plan;
 *   schedulers_run *run;
 *   schedulers_query query;
 *   if (schedulers_plan_create("{\"sampler\": \"dpm++2m\", \"schedule\": \"scaled-linear\", \"steps\": 20}", &plan, &error))
 *     fprintf(stderr, "%s\n", error.text);
 *   schedulers_run_create(plan, SCHEDULERS_FLOAT32, 1, n, &run, &error);
 *   while (!schedulers_run_query(run, &query, &error) && !query.is_done) {
 *     schedulers_run_input(run, x, input, &error);
 *     network(input, query.timestep, output);
 *     schedulers_run_advance(run, x, output, query.needs_noise ? noise : NULL, NULL, &error);
 *   }
 *
 * Every function returns SCHEDULERS_OK, 0, or a status above it, and then says why in `error`, which may be NULL.
 * Sizes, numbers and handles are looked at before anything is read or written; nothing that is passed ends the
 * process, as long as memory is as large as the sizes say. Text is UTF-8 and ends in 0.
 *
 * Handles are made by a function _create or _copy and given back by the _destroy of the same name, which takes NULL
 * too. A handle that was given back, or is of another kind, is refused. Several threads may use the library at once,
 * and a plan or a schedule from all of them; a run or a noise source belongs to one thread at a time.
 *
 * Tensors are contiguous, the batch first: `samples` samples of `size` scalars each, of one of three types. They are
 * borrowed for the length of a call. Docs/C.md explains each function with a program. */
#ifndef SCHEDULERS_H
#define SCHEDULERS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What of this header a program was compiled with; compare it with schedulers_abi_version(). */
#define SCHEDULERS_ABI_VERSION 1

/* What a function returns. */
enum {
  SCHEDULERS_OK = 0,
  SCHEDULERS_ARGUMENT = 1,   /* a pointer, handle, size, index or type that does not fit */
  SCHEDULERS_JSON = 2,       /* text that is no JSON, or not of the form that is asked for */
  SCHEDULERS_REQUEST = 3,    /* a class, option, sampler, name or number that cannot be followed */
  SCHEDULERS_STATE = 4,      /* a run that is at its end, or a step that needs noise and gets none */
  SCHEDULERS_NOT_FINITE = 5, /* an output with NaN or an infinity */
  SCHEDULERS_FILE = 6,       /* a file that cannot be read or judged */
  SCHEDULERS_MEMORY = 7      /* more memory than there is */
};

/* The type of a tensor's scalars. Sums are made in float for float and half, in double for double. */
enum { SCHEDULERS_FLOAT32 = 0, SCHEDULERS_FLOAT64 = 1, SCHEDULERS_FLOAT16 = 2 };

/* Why a function failed: what it returned, and a line of text that names value, place and remedy. After success the
 * code is 0 and the text empty. */
typedef struct schedulers_error {
  int32_t code;
  char text[2044];
} schedulers_error;

typedef struct schedulers_plan schedulers_plan;
typedef struct schedulers_run schedulers_run;
typedef struct schedulers_noise schedulers_noise;
typedef struct schedulers_schedule schedulers_schedule;

/* ---- The library ---------------------------------------------------------------------------------------------- */

/* The version, such as "0.1.0". It is never NULL and not to be freed. */
const char *schedulers_version(void);

/* The SCHEDULERS_ABI_VERSION of the library that runs. */
int32_t schedulers_abi_version(void);

/* Gives back text that a function made; NULL is allowed. */
void schedulers_text_free(char *text);

/* What there is, as JSON: an object with the lists "samplers", "classes" (diffusers' classes, each with its options and
 * their defaults), "schedules", "spacings", "predictions", "presets", "noises", "tables" and "weightings". */
int32_t schedulers_catalog(char **json, schedulers_error *error);

/* ---- Plans ---------------------------------------------------------------------------------------------------- */

/* Makes the plan of a run from a request, a JSON object. It is one of four:
 *
 *   {"configuration": {scheduler_config.json}, "steps": 28, "fidelity": "corrected", "arguments": {"mu": 1.15}}
 *   {"preset": "flux.1-dev", "steps": 28, "fidelity": "corrected", "arguments": {}}
 *   {"sampler": "dpm++2m", "schedule": "scaled-linear", "spacing": "trailing", "steps": 20, "prediction": "epsilon"}
 *   {"format": "scheduler-plan/1", ...}: a plan itself
 *
 * "fidelity" is "corrected", the mathematics, which is the default, or "diffusers", what diffusers 0.42.1 does.
 * "arguments" are what a pipeline gives to set_timesteps and step, with diffusers' names: mu, image_seq_len,
 * timesteps, sigmas, strength, eta, first_step, last_step, begin_index, s_churn and the rest. "processor" may be "amd",
 * where torch's square root rounds otherwise, or "other". Docs/C.md lists the arguments, and what else a request with
 * a sampler may say. */
int32_t schedulers_plan_create(const char *request, schedulers_plan **plan, schedulers_error *error);
void schedulers_plan_destroy(schedulers_plan *plan);

/* The plan in the format scheduler-plan/1, which Docs/Plan.md describes. Free the text with schedulers_text_free. */
int32_t schedulers_plan_json(const schedulers_plan *plan, char **json, schedulers_error *error);

typedef struct schedulers_plan_info {
  int64_t steps;           /* how often the network is called */
  double initial_scale;    /* a run from noise starts from initial_scale times standard normal noise */
  double signal, noise;    /* the level of the first sample */
  int32_t learns_variance; /* whether an output has twice a sample's scalars: the prediction, then the variance */
  int32_t is_stochastic;   /* whether a step needs noise */
} schedulers_plan_info;

int32_t schedulers_plan_describe(const schedulers_plan *plan, schedulers_plan_info *info, schedulers_error *error);

/* What is asked of the network in one call of a run, and what is around it. */
typedef struct schedulers_query {
  int64_t step, steps;      /* which call it is, from 0 on, and how many there are */
  double timestep;          /* what the network is told */
  double next_timestep;     /* what it is told in the next call; NaN in the last */
  double input_scale;       /* the network is given input_scale times the sample */
  double signal, noise;     /* the level of the sample: x = signal x0 + noise epsilon */
  double next_signal, next_noise; /* the level of the sample that the step makes */
  int32_t needs_noise;      /* whether the step draws noise */
  int32_t draws_noise;      /* whether the configuration's own library takes noise from its generator here: it may
                             * where the step needs none, and who has that library's noise draws there too */
  int32_t is_done;          /* 1 at the end of a run; then only step and steps, which are equal, mean something */
} schedulers_query;

/* The queries of all steps; `count` is their number. */
int32_t schedulers_plan_queries(const schedulers_plan *plan, int64_t count, schedulers_query *queries,
                                schedulers_error *error);

/* ---- Runs ----------------------------------------------------------------------------------------------------- */

/* A run of a plan from its beginning, on `samples` samples of `size` scalars. It holds what the plan needs of earlier
 * steps, and allocates it here. The sample itself stays with the caller, who passes it to each call and may change it
 * between two. */
int32_t schedulers_run_create(const schedulers_plan *plan, int32_t type, int64_t samples, int64_t size,
                              schedulers_run **run, schedulers_error *error);

/* The same run at the same step, to be gone on with in another way. */
int32_t schedulers_run_copy(const schedulers_run *run, schedulers_run **copy, schedulers_error *error);
void schedulers_run_destroy(schedulers_run *run);

/* How many threads a step may use, 1 or more, or 0, the default, for as many as pay. The numbers are the same. */
int32_t schedulers_run_set_threads(schedulers_run *run, int32_t threads, schedulers_error *error);

/* What the network is to be asked now. */
int32_t schedulers_run_query(const schedulers_run *run, schedulers_query *query, schedulers_error *error);

/* Writes what the network is given, input_scale times the sample. `input` may be `sample`. */
int32_t schedulers_run_input(const schedulers_run *run, const void *sample, void *input, schedulers_error *error);

/* Takes the network's output and makes the next sample in place of the current one, in one pass over memory.
 *
 *   output    samples times size scalars, or twice the size each where the plan learns its variance
 *   noise     standard normal, as large as the sample; read only where needs_noise, and may be NULL elsewhere
 *   denoised  where the clipped prediction of x0 is written; NULL if it is not wanted
 *
 * Nothing is allocated, but what threads take. The four do not overlap. */
int32_t schedulers_run_advance(schedulers_run *run, void *sample, const void *output, const void *noise,
                               void *denoised, schedulers_error *error);

/* The same with the next sample in other memory, `next`; the sample stays as it is. */
int32_t schedulers_run_advance_to(schedulers_run *run, const void *sample, const void *output, const void *noise,
                                  void *next, void *denoised, schedulers_error *error);

/* The same with noise from a source, drawn only where it is needed. That of "philox" is made in the same pass. */
int32_t schedulers_run_advance_drawing(schedulers_run *run, void *sample, const void *output,
                                       schedulers_noise *source, void *denoised, schedulers_error *error);

/* SCHEDULERS_NOT_FINITE if an output holds NaN or an infinity; the text says where. */
int32_t schedulers_run_check(const schedulers_run *run, const void *output, schedulers_error *error);

/* Goes to a step, 0 <= step <= steps, that needs nothing of those before it: the first, and any of DDPM, DDIM or Euler.
 * SCHEDULERS_STATE for others. */
int32_t schedulers_run_seek(schedulers_run *run, int64_t step, schedulers_error *error);

/* What a run holds, to be kept with the sample and gone on with later, in another process too: how many bytes it is,
 * the bytes, and a run of the same plan, type and sizes brought to where it was. */
int32_t schedulers_run_state_size(const schedulers_run *run, size_t *bytes, schedulers_error *error);
int32_t schedulers_run_save(const schedulers_run *run, void *state, size_t bytes, schedulers_error *error);
int32_t schedulers_run_restore(schedulers_run *run, const void *state, size_t bytes, schedulers_error *error);

/* ---- Noise ---------------------------------------------------------------------------------------------------- */

/* A source of standard normal noise, from a request in JSON. "source" says whose noise the seed means:
 *
 *   "philox"        this library's: "seed", or "seeds": [0, 1, ...], one for each sample; "firstSample"
 *   "brownian"      a path over sigma, for SDE solvers: nearly the same picture for any number of steps; "firstSample"
 *   "torch-cpu"     torch.randn on the processor: "seed", or "seeds", a generator for each sample; "precision" is the
 *                   type that torch draws in, "float32" (the default), "float64", "float16" or "bfloat16", whatever
 *                   the type of the tensor
 *   "torch-cuda"    torch.randn on a GPU: "device" is "a100" (the default), "t4", "v100", "h100", "rtx3090", "rtx4090"
 *   "torch-sde"     torchsde's Brownian tree, as diffusers' DPM++ SDE draws: "sigmas": [smallest, largest] of the run
 *   "numpy"         numpy.random.default_rng: "precision" is "float64" (the default) or "float32"
 *   "numpy-legacy"  numpy.random.RandomState
 *   "jax", "mlx"    jax.random.normal and mx.random.normal with the keys that the seed gives one after another
 *
 * Seeds are 0 ... 2^64 - 1; of "numpy-legacy" and "jax" 0 ... 2^32 - 1. Docs/Noise.md says how exact each is. */
int32_t schedulers_noise_create(const char *request, schedulers_noise **noise, schedulers_error *error);
int32_t schedulers_noise_copy(const schedulers_noise *noise, schedulers_noise **copy, schedulers_error *error);
void schedulers_noise_destroy(schedulers_noise *noise);

/* A request for the same source as it is now, after what it has drawn. */
int32_t schedulers_noise_json(const schedulers_noise *noise, char **json, schedulers_error *error);

/* Draws the next noise of a source. `from` and `to` are the sigmas of the step that it is for; only a Brownian path
 * looks at them. */
int32_t schedulers_noise_next(schedulers_noise *noise, int32_t type, int64_t samples, int64_t size, double from,
                              double to, void *values, schedulers_error *error);

/* Noise by its address, of the "philox" source: draw `draw` of a seed, from sample `first` on. */
int32_t schedulers_normals(uint64_t seed, uint64_t draw, uint64_t first, int32_t type, int64_t samples, int64_t size,
                           void *values, schedulers_error *error);

/* ---- Training ------------------------------------------------------------------------------------------------- */

/* x = signal[n] x0 + noise[n] epsilon in each sample n. `x` may be `x0` or `epsilon`. */
int32_t schedulers_mix(int32_t type, int64_t samples, int64_t size, const double *signal, const double *noise,
                       const void *x0, const void *epsilon, void *x, schedulers_error *error);

/* What a network is trained to say of such a sample. The prediction is "epsilon", "x0", "v", "flow" or "reverseFlow". */
int32_t schedulers_target(const char *prediction, int32_t type, int64_t samples, int64_t size, const double *signal,
                          const double *noise, const void *x0, const void *epsilon, void *target,
                          schedulers_error *error);

/* The weights of the losses of `count` samples at given levels. A request is
 * {"weighting": "minSNR", "gamma": 5, "prediction": "epsilon"}; schedulers_catalog lists the weightings. The prediction
 * may be "edm" too, the network of Karras et al., with its "sigmaData". */
int32_t schedulers_weights(const char *request, int64_t count, const double *signal, const double *noise,
                           double *weights, schedulers_error *error);

/* A schedule, from a request in JSON: {"schedule": "scaled-linear", "timesteps": 1000, "zeroTerminalSNR": false},
 * {"betas": [...]}, {"alphaBars": [...]}, or {"configuration": {...}, "fidelity": "corrected"}. */
int32_t schedulers_schedule_create(const char *request, schedulers_schedule **schedule, schedulers_error *error);
void schedulers_schedule_destroy(schedulers_schedule *schedule);
int32_t schedulers_schedule_timesteps(const schedulers_schedule *schedule, int64_t *timesteps,
                                      schedulers_error *error);

/* A table of a schedule, such as "alphaBars"; schedulers_catalog lists them. `count` is the timesteps of the schedule,
 * and the number of values. Some are infinite where a schedule ends without signal. */
int32_t schedulers_schedule_table(const schedulers_schedule *schedule, const char *table, int64_t count,
                                  double *values, schedulers_error *error);

/* ---- Verify --------------------------------------------------------------------------------------------------- */

/* Judges the recording of a run, a file of the format scheduler-trace/1, as `scheduler verify --json` does. The status
 * is SCHEDULERS_OK whether the run is right or wrong: "agrees" in the answer says it, and "text" what is wrong, in the
 * lines that the tool prints. Options are a JSON object with
 * "tolerance" and "fidelity", or NULL. */
int32_t schedulers_verify(const char *path, const char *options, char **answer, schedulers_error *error);

#ifdef __cplusplus
}
#endif

#endif
