import Schedulers

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
    return saSolver(grid, fidelity: fidelity, estimate: estimate).moves(over: grid)
  }

  private func saSolver(_ grid: SamplingGrid, fidelity: Fidelity, estimate: Estimate) -> ExponentialPredictorCorrector {
    var solver = ExponentialPredictorCorrector(
      estimate: estimate, predictorOrder: integer("predictor_order"), correctorOrder: integer("corrector_order"),
      lowersFinalOrder: boolean("lower_order_final"), predicted: fidelity == .diffusers ? .made : .sample,
      etas: grid.intervals.map { (200...800).contains($0.from.timestep) ? 1 : 0 },
      slopeIntegral: { exponent, moments in fidelity == .diffusers && estimate == .x0 ? exponent / 2 : moments[1] })
    guard fidelity == .diffusers else { return solver }
    solver.integral = { step, values, isCorrected in
      zip(saWeights(step, values.map(\.level), isCorrected: isCorrected, as: Float.self), values).reduce(LinearForm()) {
        $0 + Double($1.0) * $1.1.form
      }
    }
    return solver
  }

  /// What float32 leaves uncertain of each step.
  func saRoundings(_ grid: SamplingGrid) -> [[Rounding]] {
    let solver = saSolver(
      grid, fidelity: .diffusers, estimate: string("algorithm_type") == "noise_prediction" ? .epsilon : .x0)
    return solver.roundings(over: grid) { step, values, isCorrected in
      let weights = saWeights(step, values.map(\.level), isCorrected: isCorrected, as: UncertainNumber.self)
      // Torch's weights and ours are both within the bound.
      return zip(weights, values).map { Rounding(form: $1.form, bound: 2 * $0.error) }
    }
  }

  /// ∫ of the polynomial through values at given levels, as weights of these: in float32 a sum of differences of integrals of λʲ, of which of
  /// order 4 little is left.
  private func saWeights<Number: CoefficientArithmetic>(
    _ step: ExponentialStep, _ levels: [NoiseLevel], isCorrected: Bool, as _: Number.Type
  ) -> [Number] {
    let isData = step.estimate == .x0
    let (from, to) = (rounded(step.from), rounded(step.to))
    let (start, end, rate) = (Number(from.lambda), Number(to.lambda), Number(1 + Float(step.eta)))
    let nodes = levels.map { Number(rounded($0).lambda) }
    let integrals = nodes.indices.map { power in
      isData
        ? Self.growing(power, from: rate * start, to: rate * end) / Self.power(rate, power + 1)
        : Self.decaying(power, from: start, to: end)
    }
    var weights = nodes.indices.map { i in
      zip(Self.lagrange(nodes, i), integrals.reversed()).reduce(Number(0)) { $0 + $1.0 * $1.1 }
    }
    if isData, nodes.count == 2 {
      // The slope has the weight H/2.
      let (h, scale) = (end - start, (rate * end).exponential())
      let slope = h * rate - Number(1) + (rate * -h).exponential()
      let change =
        isCorrected
        ? scale * (h / Number(2) - slope / (rate * rate * h))
        : scale * (h * h / Number(2) - slope / (rate * rate)) / (start - nodes[1])
      weights[0] = weights[0] + change
      weights[1] = weights[1] - change
    }
    let scale =
      isData
      ? rate * Number(to.noise) * (-Number(Float(step.eta)) * end).exponential() : -rate * Number(to.signal)
    return weights.map { scale * $0 }
  }

  func rounded(_ level: NoiseLevel) -> (signal: Float, noise: Float, lambda: Float) {
    let isFlow = boolean("use_flow_sigmas")
    let sigma = Float(isFlow ? level.noise : level.sigma)
    // The samples of EDM are x0 + σ·epsilon.
    let signal: Float = family == .edm ? 1 : isFlow ? 1 - sigma : 1 / root(sigma * sigma + 1)
    let noise = isFlow ? sigma : sigma * signal
    return (signal, noise, Float(Math.log(Double(signal))) - Float(Math.log(Double(noise))))
  }

  private static func power<Number: CoefficientArithmetic>(_ x: Number, _ exponent: Int) -> Number {
    (0..<exponent).reduce(Number(1)) { product, _ in product * x }
  }

  /// ∫ eˣ·xʲ, from λ times its rate.
  private static func growing<Number: CoefficientArithmetic>(_ power: Int, from start: Number, to end: Number) -> Number {
    func antiderivative(_ x: Number) -> Number {
      switch power {
      case 0: Number(1)
      case 1: x - Number(1)
      case 2: x * x - Number(2) * x + Number(2)
      default: x * x * x - Number(3) * (x * x) + Number(6) * x - Number(6)
      }
    }
    return end.exponential() * (antiderivative(end) - antiderivative(start) * (-(end - start)).exponential())
  }

  /// ∫ e⁻ˣ·xʲ.
  private static func decaying<Number: CoefficientArithmetic>(_ power: Int, from start: Number, to end: Number) -> Number {
    func antiderivative(_ x: Number) -> Number {
      switch power {
      case 0: Number(1)
      case 1: x + Number(1)
      case 2: x * x + Number(2) * x + Number(2)
      default: x * x * x + Number(3) * (x * x) + Number(6) * x + Number(6)
      }
    }
    return (-end).exponential() * (antiderivative(start) * (end - start).exponential() - antiderivative(end))
  }

  /// The coefficients of the Lagrange polynomial that is 1 at a node and 0 at the others, that of the highest power first.
  private static func lagrange<Number: CoefficientArithmetic>(_ nodes: [Number], _ i: Int) -> [Number] {
    let others = nodes.indices.filter { $0 != i }.map { nodes[$0] }
    let one = Number(1)
    guard let first = others.first else { return [one] }
    let denominator = others.dropFirst().reduce(nodes[i] - first) { $0 * (nodes[i] - $1) }
    switch others.count {
    case 1: return [one / denominator, -first / denominator]
    case 2: return [one / denominator, (-first - others[1]) / denominator, first * others[1] / denominator]
    default:
      let (a, b, c) = (first, others[1], others[2])
      return [one / denominator, (-a - b - c) / denominator, (a * b + a * c + b * c) / denominator, -a * b * c / denominator]
    }
  }
}
