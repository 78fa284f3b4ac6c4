import Schedulers
import SchedulersInterop

/// The process that a run goes through, as far as mistakes speak of it.
struct Process: Sendable {
  /// The sampler's rule between any two levels; nil where a step needs more.
  var rule: (any Sampler)?
  /// What the network predicts.
  var prediction: Prediction?
  /// The training timestep of each evaluation; nil where it is not a whole number.
  var indices: [Int?]
  /// T/N in whole numbers.
  var stride: Int
  /// The levels of all training timesteps.
  private var schedule: NoiseSchedule?
  /// Whether samples are x0 + σ·epsilon.
  private var isExploding: Bool

  init(_ source: TraceSource, plan: SamplingPlan, steps: Int, fidelity: Fidelity) {
    isExploding = plan.steps[0].query.inputScale != 1
    indices = plan.steps.map { Int(exactly: $0.query.timestep) }
    switch source {
    case .guidedDiffusion(let configuration):
      schedule = try? configuration.schedule()
      prediction = configuration.prediction
      let kept = (try? configuration.process(fidelity: fidelity))?.original ?? []
      switch configuration.sampler {
      case .pSample: rule = DDPM(variance: configuration.variance)
      case .ddimSample: rule = DDIM(eta: configuration.eta)
      case .ddimReverseSample: rule = nil
      }
      indices = configuration.sampler == .ddimReverseSample ? kept : kept.reversed()
    case .kDiffusion, .plan:
      // Of no table: the one's network is told sigmas, and the other does not say.
      prediction = Prediction.allCases.first { plan.predicts($0) }
    case .diffusers(let configuration, let arguments):
      schedule = (try? configuration.schedule(fidelity: fidelity)) ?? (try? configuration.schedule())
      prediction = Prediction.allCases.first { plan.predicts($0) }
      rule = configuration.rule(with: arguments, fidelity: fidelity)
    }
    stride = (schedule?.timesteps ?? 0) / max(steps, 1)
  }

  /// The level of a training timestep; nil where there is none.
  func level(_ timestep: Int) -> NoiseLevel? {
    guard let schedule, (0..<schedule.timesteps).contains(timestep) else { return nil }
    let level = schedule[timestep]
    guard isExploding else { return level }
    return level.signal > 0 ? NoiseLevel(signal: 1, noise: level.sigma) : nil
  }

  /// The ends of the table of sigmas.
  var sigmas: (least: Double, most: Double)? {
    guard let schedule, let most = schedule.sigmas.last, most.isFinite else { return nil }
    return (schedule.sigmas[0], most)
  }

  /// β of a training timestep.
  func beta(_ timestep: Int) -> Double? {
    guard let schedule, (0..<schedule.timesteps).contains(timestep) else { return nil }
    return schedule.betas[timestep]
  }
}

extension SamplingPlan {
  /// Whether its steps read x̂0 as from a network of a kind.
  func predicts(_ prediction: Prediction) -> Bool {
    steps.allSatisfy { step in
      guard let readout = prediction.denoising(at: step.query, next: nil) else { return false }
      func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-4 * max(abs(a), abs(b)) }
      return isClose(readout.sample, step.denoising.sample) && isClose(readout.output, step.denoising.output)
    }
  }

  /// The plan with other steps, or other clipping; nil where the numbers do not exist.
  func edited(clipping: Clipping? = nil, _ edit: (Int, Step) -> Step? = { $1 }) -> SamplingPlan? {
    let steps = steps.enumerated().map { edit($0, $1) ?? $1 }
    return try? SamplingPlan(
      steps: steps, start: start, clipping: clipping ?? self.clipping, learnsVariance: learnsVariance)
  }
}

extension SamplingPlan.Step {
  /// The step with some of its parts replaced.
  func with(denoising: SamplingPlan.Readout? = nil, next: LinearForm? = nil, variance: StepVariance? = nil) -> Self {
    Self(
      query: query, arrival: arrival, denoising: denoising ?? self.denoising, keeping: keeping, next: next ?? self.next,
      variance: variance ?? self.variance)
  }

  /// The step's line with another factor of the noise.
  func with(noise factor: Double, variance: StepVariance? = nil) -> Self {
    with(next: next + (factor - next.noise) * .noise, variance: variance ?? .fixed(logarithm: 0))
  }
}
