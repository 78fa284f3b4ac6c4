// SA-Solver with the orders, the halved slopes and the noise of diffusers' class.

extension DiffusersConfiguration {
  /// The steps over a grid. `tau_func` is a function, which a file cannot hold: τ is diffusers' own, 1 at the timesteps from 200 to 800 and
  /// 0 at the others.
  func saSolverMoves(_ grid: SamplingGrid, fidelity: Fidelity) throws(ConfigurationError) -> [Move] {
    for name in ["predictor_order", "corrector_order"] {
      guard (1...4).contains(integer(name)) else { throw unsupported(name, remedy: "use 1, 2, 3 or 4") }
    }
    let estimate: Estimate = try choice("algorithm_type", ["data_prediction": .x0, "noise_prediction": .epsilon])
    if fidelity == .diffusers, estimate == .epsilon {
      guard !boolean("thresholding") else {
        throw unsupported("thresholding", remedy: "diffusers fails with it and algorithm_type noise_prediction")
      }
      guard try prediction() != .flow else {
        throw unsupported("prediction_type", remedy: "diffusers does not take it with algorithm_type noise_prediction")
      }
    }
    var solver = ExponentialPredictorCorrector(
      estimate: estimate, predictorOrder: integer("predictor_order"), correctorOrder: integer("corrector_order"),
      lowersFinalOrder: boolean("lower_order_final"),
      etas: grid.intervals.map { (200...800).contains($0.from.timestep) ? 1 : 0 },
      slopeIntegral: { exponent, moments in fidelity == .diffusers && estimate == .x0 ? exponent / 2 : moments[1] })
    if fidelity == .diffusers, roundsIntegrals { solver.integral = { float32Integral($0, $1, isCorrected: $2) } }
    return solver.moves(over: grid)
  }

  /// ∫ of the polynomial through the values in float32, where it is a sum of differences of integrals of λʲ: of order 4 little is left of
  /// their digits.
  private func float32Integral(
    _ step: ExponentialStep, _ values: [(form: LinearForm, level: NoiseLevel)], isCorrected: Bool
  ) -> LinearForm {
    let isData = step.estimate == .x0
    let (from, to) = (rounded(step.from), rounded(step.to))
    let (start, end, rate) = (from.lambda, to.lambda, 1 + Float(step.eta))
    let nodes = values.map { rounded($0.level).lambda }
    let integrals = nodes.indices.map { power in
      isData
        ? Self.growing(power, from: rate * start, to: rate * end) / Self.power(rate, power + 1)
        : Self.decaying(power, from: start, to: end)
    }
    var weights = nodes.indices.map { i in
      zip(Self.lagrange(nodes, i), integrals.reversed()).reduce(Float(0)) { $0 + $1.0 * $1.1 }
    }
    if isData, nodes.count == 2 {
      // The slope has the weight H/2.
      let (h, scale) = (end - start, Self.exp(rate * end))
      let slope = h * rate - 1 + Self.exp(rate * -h)
      let change =
        isCorrected
        ? scale * (h / 2 - slope / (rate * rate * h)) : scale * (h * h / 2 - slope / (rate * rate)) / (start - nodes[1])
      weights[0] += change
      weights[1] -= change
    }
    let scale = isData ? rate * to.noise * Self.exp(-Float(step.eta) * end) : -rate * to.signal
    return zip(weights, values).reduce(LinearForm()) { $0 + Double(scale * $1.0) * $1.1.form }
  }

  func rounded(_ level: NoiseLevel) -> (signal: Float, noise: Float, lambda: Float) {
    let isFlow = boolean("use_flow_sigmas")
    let sigma = Float(isFlow ? level.noise : level.sigma)
    let signal = isFlow ? 1 - sigma : 1 / root(sigma * sigma + 1)
    let noise = isFlow ? sigma : sigma * signal
    return (signal, noise, Float(Math.log(Double(signal))) - Float(Math.log(Double(noise))))
  }

  private static func exp(_ x: Float) -> Float { Float(Math.exp(Double(x))) }

  private static func power(_ x: Float, _ exponent: Int) -> Float { (0..<exponent).reduce(1) { product, _ in product * x } }

  /// ∫ eˣ·xʲ, from λ times its rate.
  private static func growing(_ power: Int, from start: Float, to end: Float) -> Float {
    func antiderivative(_ x: Float) -> Float {
      switch power {
      case 0: 1
      case 1: x - 1
      case 2: x * x - 2 * x + 2
      default: x * x * x - 3 * (x * x) + 6 * x - 6
      }
    }
    return exp(end) * (antiderivative(end) - antiderivative(start) * exp(-(end - start)))
  }

  /// ∫ e⁻ˣ·xʲ.
  private static func decaying(_ power: Int, from start: Float, to end: Float) -> Float {
    func antiderivative(_ x: Float) -> Float {
      switch power {
      case 0: 1
      case 1: x + 1
      case 2: x * x + 2 * x + 2
      default: x * x * x + 3 * (x * x) + 6 * x + 6
      }
    }
    return exp(-end) * (antiderivative(start) * exp(end - start) - antiderivative(end))
  }

  /// The coefficients of the Lagrange polynomial that is 1 at a node and 0 at the others, that of the highest power first.
  private static func lagrange(_ nodes: [Float], _ i: Int) -> [Float] {
    let others = nodes.indices.filter { $0 != i }.map { nodes[$0] }
    let denominator = others.dropFirst().reduce(others.isEmpty ? 1 : nodes[i] - others[0]) { $0 * (nodes[i] - $1) }
    switch others.count {
    case 0: return [1]
    case 1: return [1 / denominator, -others[0] / denominator]
    case 2: return [1 / denominator, (-others[0] - others[1]) / denominator, others[0] * others[1] / denominator]
    default:
      let (a, b, c) = (others[0], others[1], others[2])
      return [1 / denominator, (-a - b - c) / denominator, (a * b + a * c + b * c) / denominator, -a * b * c / denominator]
    }
  }
}
