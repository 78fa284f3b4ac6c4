import Schedulers

/// What float32 leaves uncertain of a step: its result may be off by `bound` times what `form` is.
package struct Rounding: Hashable, Sendable {
  package var form: LinearForm
  package var bound: Double
}

/// Arithmetic in which a solver makes its coefficients: float32, or numbers that know its
/// roundings.
protocol CoefficientArithmetic {
  init(_ value: Float)
  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  static prefix func - (a: Self) -> Self
  func exponential() -> Self
}

extension Float: CoefficientArithmetic { func exponential() -> Float { Float(Math.exp(Double(self))) } }

/// A number, and how far one that float32 makes by the same operations may be from it.
///
/// Every operation carries the errors of its operands on and adds half a unit in the last place of
/// its own; torch's functions may be off by a whole one. This is running error analysis: [Wilkinson
/// 1986](https://doi.org/10.1090/S0002-9904-1971-12702-8); Higham 2002, Accuracy and Stability of
/// Numerical Algorithms, section 3.3.
struct UncertainNumber: CoefficientArithmetic {
  var value: Double
  var error: Double

  private static let unit = 0x1p-24

  init(_ value: Float) { (self.value, error) = (Double(value), 0) }

  private init(_ value: Double, carried: Double, units: Double = 1) {
    self.value = value
    error = carried + units * Self.unit * abs(value)
  }

  static func + (a: Self, b: Self) -> Self { Self(a.value + b.value, carried: a.error + b.error) }
  static func - (a: Self, b: Self) -> Self { a + -b }
  static func * (a: Self, b: Self) -> Self {
    Self(a.value * b.value, carried: abs(a.value) * b.error + abs(b.value) * a.error + a.error * b.error)
  }
  static func / (a: Self, b: Self) -> Self {
    let quotient = a.value / b.value
    return Self(quotient, carried: (a.error + abs(quotient) * b.error) / max(abs(b.value) - b.error, 0))
  }
  static prefix func - (a: Self) -> Self {
    var negated = a
    negated.value = -a.value
    return negated
  }

  func exponential() -> Self {
    let result = Math.exp(value)
    return Self(result, carried: result * Math.expm1(error), units: 2)
  }

  /// exp(x) − 1 by one function.
  func exponentialMinusOne() -> Self { Self(Math.expm1(value), carried: Math.exp(value) * Math.expm1(error), units: 2) }
}

/// The errors of the integrals with which diffusers weighs differences; they cancel in short steps.
enum SolverRoundings {
  /// Of (e^(−H) − 1)/H + 1 and (e^(−H) − 1 + H)/H² − ½, the weights of s and s² in DPM-Solver.
  static func moments(exponent: Double) -> [Double] {
    let h = UncertainNumber(Float(exponent))
    let change = (-h).exponential() - UncertainNumber(1)
    let (first, second) = (change / h + UncertainNumber(1), (change + h) / (h * h) - UncertainNumber(0.5))
    return [first.error, second.error]
  }

  /// Of UniPC's b₁, b₂, ..., times B(h), which weigh s, s², ... .
  ///
  /// - Parameter exponent: its hh, which is −H.
  static func uniPC(exponent: Double, isLinear: Bool, count: Int) -> [Double] {
    let hh = UncertainNumber(Float(exponent))
    let whole = isLinear ? hh : hh.exponentialMinusOne()
    var phi = hh.exponentialMinusOne() / hh - UncertainNumber(1)
    var factorial: Float = 1
    return (1...max(count, 1)).prefix(count).map { i in
      let b = phi * UncertainNumber(factorial) / whole
      factorial *= Float(i + 1)
      phi = phi / hh - UncertainNumber(1) / UncertainNumber(factorial)
      return b.error * abs(whole.value)
    }
  }

  /// What the elimination of an n × n system in float32 changes in its i-th equation, relative to
  /// the sum of its terms: 3n units, by as much as pivots may grow (Higham 2002, theorem 9.4).
  static func elimination(_ n: Int) -> Double { 3 * Double(n) * Double(1 << (n - 1)) * 0x1p-24 }
}

extension ExponentialStep {
  /// The place of a value on the way of lambda from 0 to 1.
  fileprivate func node(of value: Value) -> Double {
    (value.level.level.lambda - from.lambda) / (to.lambda - from.lambda)
  }

  /// The forms that multiply s, s², ... in the polynomial through values of E, the one held first.
  func powers(_ values: [Value]) -> [LinearForm] {
    let nodes = ShortList(values.map { DoubleDouble(node(of: $0)) })
    guard nodes.allSatisfy(\.high.isFinite) else { return [] }
    let differences = nodes.indices.map { k in
      let factors = Interpolation.factors(ShortList(nodes.indices.map { DoubleDouble($0 == k ? 1 : 0) }), at: nodes)
      return LinearForm.sum(factors, values.map { .estimate(ago: $0.ago) })
    }
    // Newton's form multiplied out, from the innermost difference on.
    var polynomial: [LinearForm] = []
    for (difference, node) in zip(differences, nodes).reversed() {
      var product = [LinearForm()] + polynomial
      for (k, factor) in polynomial.enumerated() { product[k] = product[k] - node * factor }
      product[0] = product[0] + difference
      polynomial = product
    }
    return Array(polynomial.dropFirst())
  }
}

extension ExponentialPredictorCorrector {
  /// What float32 leaves uncertain of each step, from what it does of the polynomial through given
  /// values: newest first, before them the next one where it is known.
  func roundings(
    over grid: SamplingGrid,
    of polynomial: (_ step: ExponentialStep, _ values: [ExponentialStep.Value], _ isCorrected: Bool) ->
      [Rounding]
  ) -> [[Rounding]] {
    let levels = SolverLevel.levels(of: grid.points)
    func part(_ i: Int, ago: Int, isCorrected: Bool) -> [Rounding] {
      let step = step(levels, i)
      guard step.to.noise > 0 else { return [] }
      let values = values(levels, step: i, ago: ago, isCorrected: isCorrected)
      return polynomial(step, (isCorrected ? [(0, levels[i + 1])] : []) + values, isCorrected)
    }
    return (0..<grid.steps).map { i in
      let own = part(i, ago: 0, isCorrected: false)
      guard corrects(step: i) else { return own }
      // What was predicted is taken out of the sample, and what is corrected put in.
      let factor = abs(step(levels, i).held(LinearForm(), sample: .sample).samples.first ?? 0)
      let before = part(i - 1, ago: 1, isCorrected: true) + part(i - 1, ago: 1, isCorrected: false)
      return own + before.map { Rounding(form: $0.form, bound: factor * $0.bound) }
    }
  }
}

/// Levels as diffusers' solvers have them in float32.
struct Float32Levels {
  /// What samples are, signal and noise of a sigma.
  enum Path { case variancePreserving, straight, exploding }

  let path: Path
  let torch: TorchArithmetic

  func rounded(_ level: NoiseLevel) -> (signal: Float, noise: Float, lambda: Float) {
    let sigma = Float(path == .straight ? level.noise : level.sigma)
    let signal: Float =
      switch path {
      case .exploding: 1
      case .straight: 1 - sigma
      case .variancePreserving: 1 / torch.root(sigma * sigma + 1)
      }
    let noise = path == .straight ? sigma : sigma * signal
    return (signal, noise, Float(Math.log(Double(signal))) - Float(Math.log(Double(noise))))
  }

  /// h, which diffusers takes from two logarithms in float32 and which may be 0 or negative there.
  func length(from: NoiseLevel, to: NoiseLevel) -> Float { rounded(to).lambda - rounded(from).lambda }

  func length(_ grid: SamplingGrid, step i: Int) -> Float {
    length(from: grid.points[i].level, to: grid.points[i + 1].level)
  }
}

extension SolverRoundings {
  /// What is uncertain of a step by the polynomial through the estimates of some points of a grid.
  ///
  /// - Parameters:
  ///   - points: those of the estimates, the one held first.
  ///   - i: the step that sees them.
  ///   - isSingle: whether it is one of single steps, which take twice the second difference.
  static func multistep(
    _ grid: SamplingGrid, from: Int, to: Int, _ solver: ExponentialMultistep, values points: [Int], seen i: Int,
    isSingle: Bool = false
  ) -> [Rounding] {
    let isMidpoint = solver.slopeRule == .midpoint
    func level(_ i: Int) -> SolverLevel { SolverLevel(grid.points[i].level) }
    var values = points.map { (ago: i - $0, level: level($0)) }
    // The midpoint rule has no integral that cancels, but for the line of single steps of order 3.
    if isMidpoint, values.count == 2 { return [] }
    if isMidpoint, isSingle, values.count == 3 { values.remove(at: 1) }
    guard values.count > 1 else { return [] }
    let step = ExponentialStep(estimate: solver.estimate, from: level(from), to: level(to), eta: solver.eta)
    let scale = solver.estimate == .x0 ? step.to.signal : (1 + solver.eta) * step.to.noise
    let errors = moments(exponent: step.exponent.rounded)
    return zip(step.powers(values), zip([1, isSingle ? 2.0 : 1], errors)).map {
      Rounding(form: $0, bound: scale * $1.0 * $1.1)
    }
  }

  /// What is uncertain of the polynomial of a step of UniPC, the value held first.
  static func uniPC(
    _ step: ExponentialStep, _ values: [ExponentialStep.Value], isLinear: Bool
  ) -> [Rounding] {
    let count = values.count - 1
    // A single weight is one half.
    guard count > 1 else { return [] }
    let scale = step.estimate == .x0 ? step.to.signal : step.to.noise
    let errors = uniPC(exponent: -step.exponent.rounded, isLinear: isLinear, count: count)
    let change = step.change(values).estimates
    let others = values.dropFirst().map { value in
      (node: abs(step.node(of: value)), factor: abs(change[value.ago]))
    }
    return zip(step.powers(values), errors).enumerated().map { i, power in
      let terms = others.reduce(0) { $0 + $1.factor * Math.pow($1.node, Double(i + 1)) }
      return Rounding(form: power.0, bound: scale * power.1 + elimination(count) * terms)
    }
  }
}
