import Schedulers

// Churn as diffusers has it: the noise is added after the network was asked.

extension DiffusersConfiguration {
  /// Whether the class's `step` adds noise for `s_churn`.
  var hasChurn: Bool { [.eulerDiscrete, .edmEuler, .flowMatchHeunDiscrete].contains(schedulerClass) }

  /// A method with churn, where the arguments ask for it. The sigmas of rectified flow's arguments are its noise.
  func churned(_ base: some Sampler, _ arguments: StepArguments) -> any Sampler {
    guard arguments.churn > 0, arguments.churnMinimum <= arguments.churnMaximum else { return base }
    func sigma(_ bound: Double) -> Double {
      let sigma = family != .flow || bound <= 0 ? bound : bound < 1 ? bound / (1 - bound) : .infinity
      return min(sigma, .greatestFiniteMagnitude)
    }
    return Churn(
      base, amount: arguments.churn, range: sigma(arguments.churnMinimum)...sigma(arguments.churnMaximum),
      noise: arguments.churnNoise)
  }

  /// σ̂ = (1 + γ)·σ and the deviation of the noise that leads there, in float32.
  private func raised(_ sigma: Float, evaluations: Int, _ arguments: StepArguments) -> (sigma: Float, noise: Double) {
    let share = min(arguments.churn / Double(evaluations), 2.0.squareRoot() - 1)
    let (least, most) = (Float(arguments.churnMinimum), Float(arguments.churnMaximum))
    let gamma = least <= sigma && sigma <= most ? share : 0
    let raised = sigma * Float(gamma + 1)
    return (raised, gamma > 0 ? arguments.churnNoise * Double(root(raised * raised - sigma * sigma)) : 0)
  }

  /// Euler's steps from x̂ = x + s_noise·√(σ̂² − σ²)·z at σ̂, of a network that saw x at σ.
  func churnedMoves(
    _ grid: SamplingGrid, sigmas: [Float], _ arguments: StepArguments
  ) throws(ConfigurationError) -> [Move] {
    var moves: [Move] = []
    for (i, interval) in grid.intervals.enumerated() {
      let sigma = sigmas[i]
      // Every sigma but one counts; log-linear ones are one more than the steps.
      let (raised, noise) = raised(sigma, evaluations: sigmas.count - 1, arguments)
      let readout = try readout(sigma: Double(sigma), raised: Double(raised))
      let sample = LinearForm.sample + noise * .noise
      let denoised = readout.sample * sample + readout.output * .output
      let next = sample + Double((sigmas[i + 1] - raised) / raised) * (sample - denoised)
      moves.append(Move(at: interval.from, to: interval.to.level, estimate: .x0, next: next))
    }
    return moves
  }

  /// Heun's steps of a network of flow from the same x̂, each back from where it began. The noise that the second evaluation adds is subtracted
  /// again.
  func flowHeunMoves(_ grid: SamplingGrid, sigmas: [Float], _ arguments: StepArguments) -> [Move] {
    grid.intervals.enumerated().flatMap { i, interval -> [Move] in
      let (from, to, sigma) = (interval.from, interval.to, sigmas[i])
      let (raised, noise) = raised(sigma, evaluations: 2 * grid.steps - 1, arguments)
      let length = Double(sigmas[i + 1] - raised)
      let first = LinearForm.sample + noise * .noise + length * Double(sigma / raised) * .output
      let start = Move(at: from, to: to.level, estimate: .x0, next: first)
      guard to.level.noise > 0 else { return [start] }
      let slope = (LinearForm.sample(ago: 1) - .estimate(ago: 1)) / Double(raised)
      let second = LinearForm.made + length / 2 * (LinearForm.output - slope)
      return [start, Move(at: to, to: to.level, estimate: .x0, next: second)]
    }
  }

  /// x̂0 from x̂ and what the network said of x.
  private func readout(sigma: Double, raised: Double) throws(ConfigurationError) -> Readout {
    if schedulerClass == .edmEuler {
      let point = SamplingGrid.Point(timestep: 0, level: NoiseLevel(signal: 1, noise: raised))
      return try edmReading().denoising(at: point, next: nil) ?? Readout(sample: 1, output: 0)
    }
    switch try prediction() {
    case .x0: return Readout(sample: 0, output: 1)
    // That of sigma, not of the raised one.
    case .v: return Readout(sample: 1 / (sigma * sigma + 1), output: -sigma / (sigma * sigma + 1).squareRoot())
    default: return Readout(sample: 1, output: -raised)
    }
  }
}
