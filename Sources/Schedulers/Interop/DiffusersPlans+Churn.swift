// Churn as diffusers' Euler methods have it: the noise is added after the network was asked.

extension DiffusersConfiguration {
  /// Whether the class's `step` adds noise for `s_churn`.
  var hasChurn: Bool { schedulerClass == .eulerDiscrete || schedulerClass == .edmEuler }

  /// Euler's method, with churn where the arguments ask for it.
  func correctedEuler(_ arguments: StepArguments) -> any Sampler {
    guard arguments.churn > 0, arguments.churnMinimum <= arguments.churnMaximum else { return Euler() }
    let most = min(arguments.churnMaximum, .greatestFiniteMagnitude)
    return Churn(
      Euler(), amount: arguments.churn, range: min(arguments.churnMinimum, most)...most, noise: arguments.churnNoise)
  }

  /// The steps from x̂ = x + s_noise·√(σ̂² − σ²)·z at σ̂ = (1 + γ)·σ, in float32, of a network that saw x at σ.
  func churnedMoves(
    _ grid: SamplingGrid, sigmas: [Float], _ arguments: StepArguments
  ) throws(ConfigurationError) -> [Move] {
    let share = min(arguments.churn / Double(sigmas.count - 1), 2.0.squareRoot() - 1)
    let (least, most) = (Float(arguments.churnMinimum), Float(arguments.churnMaximum))
    var moves: [Move] = []
    for (i, interval) in grid.intervals.enumerated() {
      let (sigma, gamma) = (sigmas[i], least <= sigmas[i] && sigmas[i] <= most ? share : 0)
      let raised = sigma * Float(gamma + 1)
      let noise = gamma > 0 ? arguments.churnNoise * Double(root(raised * raised - sigma * sigma)) : 0
      let readout = try readout(sigma: Double(sigma), raised: Double(raised))
      let sample = LinearForm.sample + noise * .noise
      let denoised = readout.sample * sample + readout.output * .output
      let next = sample + Double((sigmas[i + 1] - raised) / raised) * (sample - denoised)
      moves.append(Move(at: interval.from, to: interval.to.level, estimate: .x0, next: next))
    }
    return moves
  }

  /// x̂0 from x̂ and what the network said of x.
  private func readout(sigma: Double, raised: Double) throws(ConfigurationError) -> Readout {
    if schedulerClass == .edmEuler {
      return try preconditioning().denoising(at: NoiseLevel(signal: 1, noise: raised)) ?? Readout(sample: 1, output: 0)
    }
    switch try prediction() {
    case .x0: return Readout(sample: 0, output: 1)
    // That of sigma, not of the raised one.
    case .v: return Readout(sample: 1 / (sigma * sigma + 1), output: -sigma / (sigma * sigma + 1).squareRoot())
    default: return Readout(sample: 1, output: -raised)
    }
  }
}
