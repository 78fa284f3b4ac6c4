import Schedulers

/// `SASolverScheduler`, with the orders, the halved slopes and the noise of diffusers' class.
///
/// `tau_func` is a function, which a file cannot hold: τ is diffusers' own, 1 at timesteps 200 to
/// 800.
struct SASolverScheduler: LambdaClass {
  private typealias Value = ExponentialStep.Value

  var lambda: LambdaSolver
  private let predictorOrder: Given<Int>
  private let correctorOrder: Given<Int>
  private let algorithm: NamedChoice<Estimate>

  init(_ o: inout OptionReader) {
    lambda = LambdaSolver(&o, shiftsDynamically: false)
    (predictorOrder, correctorOrder) = (o.integer("predictor_order", 2), o.integer("corrector_order", 2))
    algorithm = o.choice("algorithm_type", "data_prediction", ["data_prediction": .x0, "noise_prediction": .epsilon])
    o.nothing("tau_func")
    lambda.readLeastLambda(&o)
    lambda.readVariance(&o)
  }

  private func solver(_ grid: SamplingGrid) throws -> ExponentialPredictorCorrector {
    for order in [predictorOrder, correctorOrder] { _ = try order.within(1...4, "use 1, 2, 3 or 4") }
    return ExponentialPredictorCorrector(
      estimate: try algorithm.get(), predictorOrder: predictorOrder.value, correctorOrder: correctorOrder.value,
      lowersFinalOrder: lambda.lowersFinalOrder.value,
      etas: grid.intervals.map { (200...800).contains($0.from.timestep) ? 1 : 0 })
  }

  func drawsAlways(_ run: Run) -> Bool { true }
  func estimate() throws -> Estimate { try algorithm.get() }
  func moves(_ grid: SamplingGrid) throws -> [Move] { try solver(grid).moves(over: grid) }

  func faithful(_ run: Run) throws -> Recipe {
    let (estimate, levels) = (try estimate(), lambda.levels(run))
    if estimate == .epsilon {
      let algorithm = "algorithm_type noise_prediction"
      try lambda.output.refuseThresholding(algorithm)
      try lambda.refuseFlow("with \(algorithm)")
    }
    return try recipe(run) { grid in
      let (solver, points) = (try solver(grid), SolverLevel.levels(of: grid.points))
      /// What the polynomial of a step adds to the estimate held, as seen `ago` evaluations after
      /// it.
      func change(_ i: Int, ago: Int, isCorrected: Bool) -> LinearForm {
        let step = solver.step(points, i)
        let values = Self.values(solver, points, step: i, ago: ago, isCorrected: isCorrected)
        let weights = Self.weights(step, values.map(\.level.level), isCorrected: isCorrected, levels, as: Float.self)
        return LinearForm.sum(weights.map { DoubleDouble(Double($0)) }, values.map { .estimate(ago: $0.ago) })
          - step.part(of: .estimate(ago: ago))
      }
      return (0..<grid.steps).map { i in
        var sample = LinearForm.sample
        if solver.corrects(step: i) {
          sample = .made + change(i - 1, ago: 1, isCorrected: true) - change(i - 1, ago: 1, isCorrected: false)
        }
        let next = solver.step(points, i).held(.estimate(), sample: sample) + change(i, ago: 0, isCorrected: false)
        return Move(at: grid.points[i], to: grid.points[i + 1].level, estimate: estimate, next: next)
      }
    }
  }

  func roundings(_ run: Run) throws -> [[Rounding]] {
    let (grid, levels) = (try begun(run).grid(lambda.level), lambda.levels(run))
    return try solver(grid).roundings(over: grid) { step, values, isCorrected in
      let weights = Self.weights(
        step, values.map(\.level.level), isCorrected: isCorrected, levels, as: UncertainNumber.self)
      // Torch's weights and ours are both within the bound.
      return zip(weights, values).map { Rounding(form: .estimate(ago: $1.ago), bound: 2 * $0.error) }
    }
  }

  /// The values that the polynomial of a step goes through, the next one first if it is known.
  private static func values(
    _ solver: ExponentialPredictorCorrector, _ points: [SolverLevel], step i: Int, ago: Int, isCorrected: Bool
  ) -> [Value] {
    let next: [Value] = isCorrected ? [(0, points[i + 1])] : []
    return next + solver.values(points, step: i, ago: ago, isCorrected: isCorrected)
  }

  /// ∫ of the polynomial through values at given levels, as weights of these: in float32 a sum of
  /// differences of integrals of λʲ, of which of order 4 little is left.
  private static func weights<Number: CoefficientArithmetic>(
    _ step: ExponentialStep, _ values: [NoiseLevel], isCorrected: Bool, _ levels: Float32Levels, as _: Number.Type
  ) -> [Number] {
    let isData = step.estimate == .x0
    let (from, to) = (levels.rounded(step.from), levels.rounded(step.to))
    let (start, end, rate) = (Number(from.lambda), Number(to.lambda), Number(1 + Float(step.eta)))
    let nodes = values.map { Number(levels.rounded($0).lambda) }
    let integrals = nodes.indices.map { power in
      isData
        ? growing(power, from: rate * start, to: rate * end)
          / (0...power).reduce(Number(1)) { product, _ in product * rate } : decaying(power, from: start, to: end)
    }
    var weights = nodes.indices.map { i in
      zip(lagrange(nodes, i), integrals.reversed()).reduce(Number(0)) { $0 + $1.0 * $1.1 }
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
      isData ? rate * Number(to.noise) * (-Number(Float(step.eta)) * end).exponential() : -rate * Number(to.signal)
    return weights.map { scale * $0 }
  }

  /// ∫ eˣ·xʲ, from λ times its rate.
  private static func growing<Number: CoefficientArithmetic>(_ j: Int, from start: Number, to end: Number) -> Number {
    func antiderivative(_ x: Number) -> Number {
      switch j {
      case 0: Number(1)
      case 1: x - Number(1)
      case 2: x * x - Number(2) * x + Number(2)
      default: x * x * x - Number(3) * (x * x) + Number(6) * x - Number(6)
      }
    }
    return end.exponential() * (antiderivative(end) - antiderivative(start) * (-(end - start)).exponential())
  }

  /// ∫ e⁻ˣ·xʲ.
  private static func decaying<Number: CoefficientArithmetic>(_ j: Int, from start: Number, to end: Number) -> Number {
    func antiderivative(_ x: Number) -> Number {
      switch j {
      case 0: Number(1)
      case 1: x + Number(1)
      case 2: x * x + Number(2) * x + Number(2)
      default: x * x * x + Number(3) * (x * x) + Number(6) * x + Number(6)
      }
    }
    return (-end).exponential() * (antiderivative(start) * (end - start).exponential() - antiderivative(end))
  }

  /// The coefficients, highest power first, of the polynomial that is 1 at a node and 0 at the
  /// others.
  private static func lagrange<Number: CoefficientArithmetic>(_ nodes: [Number], _ i: Int) -> [Number] {
    let (others, one) = (nodes.indices.filter { $0 != i }.map { nodes[$0] }, Number(1))
    guard let a = others.first else { return [one] }
    let d = others.dropFirst().reduce(nodes[i] - a) { $0 * (nodes[i] - $1) }
    guard others.count > 1 else { return [one / d, -a / d] }
    let b = others[1]
    guard others.count > 2 else { return [one / d, (-a - b) / d, a * b / d] }
    let c = others[2]
    return [one / d, (-a - b - c) / d, (a * b + a * c + b * c) / d, -a * b * c / d]
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    let predicts = predictorOrder.value > 1 && run.steps > (lambda.lowersFinalOrder.value ? 2 : 1)
    let corrects = correctorOrder.value > 1 && run.steps > 1
    return try lambda.deviations(run, setting)
      + (algorithm.name == "data_prediction" && (predicts || corrects) ? [.halvedSlope] : [])
  }
}

extension Deviation {
  public static let halvedSlope = Deviation(
    "halvedSlope",
    "The slope of a line through two values of x̂0 counts as if it had the weight H/2, with H = (1 + τ²)·h, not 1 − (1 "
      + "− e^(−H))/H. So does the authors' code; the paper's coefficients are the exact integrals.",
    place: "SA-Solver, `algorithm_type: data_prediction`, steps of order 2",
    effect: "With H = 1 the weight is 0.5 instead of 0.368.")
}
