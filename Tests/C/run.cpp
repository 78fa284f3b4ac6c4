// Uses the library as a program in C++ does, with handles that give themselves back.
#include <schedulers.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

static void check(int32_t status, const schedulers_error &error) {
  if (status != SCHEDULERS_OK) throw std::runtime_error(error.text);
}

int main() try {
  schedulers_error error;
  schedulers_plan *made_plan;
  check(schedulers_plan_create(R"({"sampler": "dpm++2m", "schedule": "scaled-linear", "steps": 20})", &made_plan, &error),
        error);
  const std::unique_ptr<schedulers_plan, decltype(&schedulers_plan_destroy)> plan(made_plan, schedulers_plan_destroy);
  schedulers_run *made_run;
  std::vector<double> x{1, -1, 0.5}, output(x.size());
  check(schedulers_run_create(plan.get(), SCHEDULERS_FLOAT64, 1, static_cast<int64_t>(x.size()), &made_run, &error),
        error);
  const std::unique_ptr<schedulers_run, decltype(&schedulers_run_destroy)> run(made_run, schedulers_run_destroy);
  schedulers_query query;
  for (;;) {
    check(schedulers_run_query(run.get(), &query, &error), error);
    if (query.is_done) break;
    // The network that knows the datum, 0.25, of which every sample is a noisy one.
    for (size_t i = 0; i < x.size(); i++) output[i] = (x[i] - query.signal * 0.25) / query.noise;
    check(schedulers_run_advance(run.get(), x.data(), output.data(), nullptr, nullptr, &error), error);
  }
  for (const double value : x) {
    // The run ends in that datum, but for roundings of 20 steps.
    if (!(value > 0.25 - 1e-12 && value < 0.25 + 1e-12)) throw std::runtime_error("the run ends elsewhere");
  }
  std::printf("C++: %d steps end in the datum\n", static_cast<int>(query.steps));
} catch (const std::exception &failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
