import Benchmark
import Schedulers

/// This library against its own past:
/// `swift package --package-path Sources/Benchmarks benchmark baseline compare`.
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    // No counts of allocations: their run-time hooks crash with Swift 6.3,
    // https://github.com/ordo-one/benchmark/issues/349.
    metrics: [.wallClock, .instructions], scalingFactor: .kilo, maxDuration: .seconds(1))
  let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)
  let grid = try! SamplingGrid(schedule, steps: 1000, spacing: TimestepSpacing.trailing)
  let output = SampleBatch<Float>(shape: [1, 4, 128, 128], scalars: (0..<65536).map { Float($0 % 17) / 8 - 1 })

  let samplers: [(String, any Sampler, Clipping)] = [
    ("DDIM", DDIM(), .none), ("DDIM, clipped", DDIM(), .range(-1...1)), ("DDIM, dynamic threshold", DDIM(), .dynamic()),
    ("DDPM", DDPM(), .range(-1...1)), ("DPM-Solver++ 2M", DPMSolverPlusPlus(), .none), ("Heun", Heun(), .none),
  ]
  for (name, sampler, clipping) in samplers {
    Benchmark("step of 65,536: \(name)") { benchmark in
      let plan = try! sampler.plan(over: grid, predicting: .epsilon, clipping: clipping)
      var noise = GaussianNoise(seed: 1)
      var run = SamplingRun(plan, from: SampleBatch<Float>(zeros: output.shape))
      (run.keepsDenoised, run.threads) = (false, 1)
      // Two steps fill the history.
      for _ in 0..<2 { run.advance(output: output, using: &noise) }
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations {
        if run.query == nil {
          run = SamplingRun(plan, from: run.sample)
          (run.keepsDenoised, run.threads) = (false, 1)
        }
        run.advance(output: output, using: &noise)
      }
    }
  }
  Benchmark("65,536 normals") { benchmark in
    var noise = GaussianNoise(seed: 1)
    var buffer = SampleBatch<Float>(zeros: output.shape)
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { noise.fill(&buffer, threads: 1) }
  }
  Benchmark("plan of 50 steps") { benchmark in
    let grid = try! SamplingGrid(schedule, steps: 50, spacing: TimestepSpacing.trailing)
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { blackHole(try! DDIM().plan(over: grid, predicting: .epsilon)) }
  }
  Benchmark("schedule of 1,000 timesteps") { benchmark in
    for _ in benchmark.scaledIterations { blackHole(try! NoiseSchedule(.linear(), timesteps: 1000)) }
  }
}
