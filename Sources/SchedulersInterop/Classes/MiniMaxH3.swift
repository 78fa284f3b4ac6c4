import Schedulers

/// `MiniMaxH3Scheduler`: Euler's steps on rectified flow whose network predicts the way to the data
/// and is told 1 − t. The end is one of the N times, so that a run makes N − 1 calls.
///
/// Source: the class of diffusers 0.42.1.
struct MiniMaxH3Scheduler: DiffusersClass {
  static let takes: Set<RunArguments.Key> = [.sigmas]
  static let holdingEnd = takes

  private let shifting: FlowShifting

  init(_ o: inout OptionReader) { shifting = FlowShifting(&o, "shift", 12, isDynamic: false) }

  var trainingTimesteps: TrainingTimesteps { TrainingTimesteps(fixed: 1) }
  var allowsAnySteps: Bool { true }
  func reading() throws -> any OutputReading { Prediction.reverseFlow }
  func sampler(_ run: Run) throws -> any Sampler { Euler() }

  /// Given sigmas, with the end.
  private func given(_ run: Run) throws -> [Double]? {
    guard let sigmas = try run.arguments.flowSigmas() else { return nil }
    for (i, sigma) in sigmas.enumerated() {
      let isLast = i == sigmas.count - 1
      try require(
        isLast ? sigma == 0 : sigma > sigmas[i + 1],
        .argument("sigmas[\(i)]", sigma, isLast ? "the last must be 0" : "it must be above the next"))
    }
    return sigmas
  }

  private func checkSteps(_ run: Run) throws {
    try require(run.steps > 1, .steps(run.steps, "the end is one of them; make 2 or more"))
  }

  func setting(_ run: Run) throws -> Setting {
    var sigmas = try given(run)?.map { Float($0) } ?? []
    if sigmas.isEmpty {
      try checkSteps(run)
      let line: [Float] = Torch.linspace(1, 0, run.steps)
      let shifted = shifting.shifted(line, by: try shifting.factor(mu: nil))
      // Roundings of a large shift.
      try require(shifted.allSatisfy { (0...1).contains($0) }, shifting.shift.refused("lower it; sigmas leave 0 ... 1"))
      // Equal ones are one.
      sigmas = shifted.enumerated().filter { i, sigma in i == 0 || sigma != shifted[i - 1] }.map(\.element)
    }
    return Setting(timesteps: sigmas.dropLast().map { Double(1 - $0) }, sigmas: sigmas)
  }

  func grid(_ run: Run) throws -> SamplingGrid {
    var spacing = FlowSpacing(timesteps: 1, isReversed: true)
    if let given = try given(run) { return try SamplingGrid(flow: spacing, times: given) }
    try checkSteps(run)
    spacing.shift = .fixed(try shifting.factor(mu: nil))
    return try SamplingGrid(flow: spacing, steps: run.steps - 1)
  }

  func faithful(_ run: Run) throws -> Recipe {
    let setting = try begun(run)
    let moves = setting.timesteps.enumerated().map { i, time in
      let (sigma, next) = (setting.sigmas[i], setting.sigmas[i + 1])
      let ratio = next / sigma
      func level(_ sigma: Float) -> NoiseLevel { NoiseLevel(signal: Double(1 - sigma), noise: Double(sigma)) }
      // The sigma of x̂0 is made of the time that the network is told.
      let denoised = LinearForm.sample + Double(1 - Float(time)) * .output
      return Move(
        at: .init(timestep: time, level: level(sigma)), to: level(next), estimate: .x0,
        next: Double(ratio) * .sample + Double(1 - ratio) * denoised)
    }
    return try recipe(moves, of: run)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] { [.float32Tables] }
  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { Euler() }
}
