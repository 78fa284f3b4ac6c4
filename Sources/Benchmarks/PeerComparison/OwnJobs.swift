import CStream
import DigitsModel
import Foundation
import Schedulers
import SchedulersInterop

/// The jobs of this library, by the names that the comparisons use. Each goes through what a user
/// would call.
struct OwnJobs {
  let shape: [Int]
  /// nil for as many as pay.
  let threads: Int?

  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)
  private static let grid = try! SamplingGrid(schedule, steps: 1000, spacing: TimestepSpacing.trailing)

  /// A job, ready to be repeated.
  func make(_ name: String) -> () -> Void {
    switch name {
    case "ddim": return step(DDIM(), .range(-1...1))
    case "ddim-unclipped": return step(DDIM(), .none)
    case "ddpm": return step(DDPM(), .range(-1...1))
    case "dpm++2m": return step(DPMSolverPlusPlus(), .none)
    case "dynamic": return step(DDIM(), .dynamic())
    case "normals":
      var (noise, buffer) = (GaussianNoise(seed: 1), SampleBatch<Float>(zeros: shape))
      return { noise.fill(&buffer, threads: threads) }
    case "torch-noise":
      var (noise, buffer) = (TorchNoise(seed: 1), SampleBatch<Float>(zeros: shape))
      return { noise.fill(&buffer) }
    case "numpy-generator":
      var noise = NumPyGenerator(seed: 1, precision: .float32)
      let like = SampleBatch<Float>(zeros: shape)
      return { keep(noise.next(like: like)) }
    case "numpy-random-state":
      var noise = NumPyRandomState(seed: 1)
      let like = SampleBatch<Double>(zeros: shape)
      return { keep(noise.next(like: like)) }
    case "brownian-20", "brownian-200":
      let x = SampleBatch<Float>(zeros: shape)
      let steps = name == "brownian-20" ? 20 : 200
      let grid = try! SamplingGrid(Self.schedule, steps: steps + 1, spacing: SigmaSpacing.karras())
      let sigmas = grid.points.dropLast().map { $0.level.sigma }
      let noise = BrownianNoise(seed: 1)
      return {
        for (start, end) in zip(sigmas, sigmas.dropFirst()) {
          keep(noise.next(like: x, from: start, to: end, threads: threads))
        }
      }
    case "mix":
      let (x0, epsilon) = (tensor(), tensor())
      let timesteps = (0..<shape[0]).map { $0 * 61 % 1000 }
      return { keep(Self.schedule.mix(x0, with: epsilon, at: timesteps)) }
    case "mix-lent":
      let (x0, epsilon) = (tensor(), tensor())
      let timesteps = (0..<shape[0]).map { $0 * 61 % 1000 }
      var sample = SampleBatch<Float>(zeros: shape)
      return { Self.schedule.mix(x0, with: epsilon, at: timesteps, into: &sample, threads: threads) }
    case "diffuse":
      let x0 = tensor()
      let timesteps = (0..<shape[0]).map { $0 * 61 % 1000 }
      var (batch, noise) = (DiffusedBatch(like: x0), GaussianNoise(seed: 1))
      return {
        Self.schedule.diffuse(x0, at: timesteps, predicting: .v, using: &noise, into: &batch, threads: threads)
      }
    case "mse", "mse-new", "mse-mixed", "hybrid", "bound", "bound-fixed", "distribution", "distribution-new", "bpd",
      "bpd-digits":
      return ReverseJobs(shape: name == "bpd-digits" ? [64, 1, 8, 8] : shape, threads: threads).make(name)
    case "schedule": return { keep(try! NoiseSchedule(.linear(), timesteps: 1000)) }
    case "plan of 50 steps: DDIM": return plan(DDIM())
    case "plan of 50 steps: DDPM": return plan(DDPM())
    case "plan of 50 steps: DPM-Solver++ 2M": return plan(DPMSolverPlusPlus())
    case "plan of 50 steps: DPM-Solver++ 3M": return plan(DPMSolverPlusPlus(order: 3))
    case "plan of 50 steps: UniPC": return plan(UniPC())
    case "plan of 50 steps: SA-Solver": return plan(SASolver())
    case "plan of 1,000 steps: DPM-Solver++ 2M": return plan(DPMSolverPlusPlus(), steps: 1000)
    case "plan of 1,000 steps: UniPC": return plan(UniPC(), steps: 1000)
    case "scheduler_config.json: read": return { keep(Self.configuration()) }
    case "scheduler_config.json: read, and 25 steps planned":
      return { keep(try! Self.configuration().plan(steps: 25)) }
    case "snr":
      let timesteps = (0..<4096).map { $0 % 1000 }
      return { keep(LossWeighting.minSNR(gamma: 5).weights(over: Self.schedule, for: .epsilon)[timesteps]) }
    case "snr-table":
      let weights = LossWeighting.minSNR(gamma: 5).weights(over: Self.schedule, for: .epsilon)
      let timesteps = (0..<4096).map { $0 % 1000 }
      return { keep(weights[timesteps]) }
    case "training":
      // As `scheduler train` does: a product of this size takes longer on two, but two halves of a
      // batch do not.
      NetworkThreads.use(1)
      var job = try! TrainingJob(threads: threads ?? 2)
      return { try! job.step() }
    case "triad":
      let count = shape.reduce(1, *)
      // Plain memory, which lives as long as the process: nothing but the loop is to be measured.
      let arrays = (0..<3).map { _ in UnsafeMutablePointer<Float>.allocate(capacity: count) }
      for (k, array) in arrays.enumerated() { array.initialize(repeating: Float(k), count: count) }
      let (a, b, c) = (arrays[0], arrays[1], arrays[2])
      return { stream_triad(a, b, c, 0.5, count) }
    default: preconditionFailure("there is no job \(name)")
    }
  }

  /// That of a DPM-Solver with Karras' sigmas, which has the longest way to its grid.
  private static func configuration() -> DiffusersConfiguration {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return try! decoder.decode(DiffusersConfiguration.self, from: file)
  }

  private static let file = Data(
    """
    {
      "_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.42.1", "algorithm_type": "dpmsolver++",
      "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
      "prediction_type": "epsilon", "solver_order": 2, "steps_offset": 1, "timestep_spacing": "leading",
      "trained_betas": null, "use_karras_sigmas": true
    }
    """.utf8)

  private func plan(_ sampler: any Sampler, steps: Int = 50) -> () -> Void {
    let grid = try! SamplingGrid(Self.schedule, steps: steps, spacing: TimestepSpacing.trailing)
    return { keep(try! sampler.plan(over: grid, predicting: .epsilon)) }
  }

  private func tensor() -> SampleBatch<Float> {
    var noise = GaussianNoise(seed: 7)
    return noise.next(like: SampleBatch<Float>(zeros: shape))
  }

  /// A step of a run, from a network that has its output ready; when the run is at its end, it
  /// starts again.
  private func step(_ sampler: any Sampler, _ clipping: Clipping) -> () -> Void {
    let plan = try! sampler.plan(over: Self.grid, predicting: .epsilon, clipping: clipping)
    var noise = GaussianNoise(seed: 1)
    let output = tensor()
    var run = SamplingRun(plan, from: tensor())
    (run.keepsDenoised, run.threads) = (false, threads)
    return {
      if run.evaluations == plan.steps.count - 1 {
        run = SamplingRun(plan, from: run.sample)
        (run.keepsDenoised, run.threads) = (false, threads)
      }
      run.advance(output: output, using: &noise)
    }
  }
}

/// Makes the compiler believe that a value is used.
@inline(never) private func keep<Value>(_ value: Value) {}
