/// A step whose linear part is solved in lambda = ln(signal/noise), with a polynomial for E.
///
/// DPM-Solver, DPM-Solver++, DEIS, UniPC and SA-Solver share it. They differ in the values of E
/// that the polynomial goes through, and their papers in how they write its integral.
///
///     x' = (noise'/noise)·e^(−eta·h)·x + signal'·∫₀¹ H·e^(−H(1−s))·x̂0(s) ds
///        + noise'·√(1 − e^(−2·eta·h))·z,    H = (1 + eta)·h
///     x' = (signal'/signal)·x + (1 + eta)·noise'·∫₀¹ H·e^(−H(1−s))·ε̂(s) ds
///        + noise'·√(eta·(e^(2h) − 1))·z,    H = −h
///
/// with h = lambda' − lambda and s = (λ − lambda)/h on the way from 0 to 1. The polynomial stands
/// in Newton's form, whose first value is E at s = 0: `held` is the step with that value alone, and
/// `change` adds the integral of the rest. The papers' φ-functions are in the moments ∫₀¹
/// H·e^(−H(1−s))·sʲ ds = H·j!·φⱼ₊₁(−H).
///
/// Source: Lu et al. 2022, https://arxiv.org/abs/2206.00927, equation 3.4;
/// https://arxiv.org/abs/2211.01095, proposition 4.1.
package struct ExponentialStep {
  /// An estimate: how many evaluations ago it was made, and at which level.
  package typealias Value = (ago: Int, level: SolverLevel)

  /// What is interpolated.
  package let estimate: SamplingPlan.Estimate
  package let from: NoiseLevel
  package let to: NoiseLevel
  /// The share of fresh noise.
  package let eta: Double
  /// The factors of both levels.
  private let start, end: NoiseLevel.Exact
  /// The logarithm ln(signal/noise) of `from`.
  private let lambda: DoubleDouble
  /// The length of the step; infinite from a level without signal, and to one without noise.
  private let h: DoubleDouble

  package init(estimate: SamplingPlan.Estimate, from: SolverLevel, to: SolverLevel, eta: Double = 0) {
    (self.estimate, self.from, self.to, self.eta) = (estimate, from.level, to.level, eta)
    (start, end, lambda, h) = (from.level.exact, to.level.exact, from.lambda, to.lambda - from.lambda)
  }

  /// H, the exponent over the whole step.
  package var exponent: DoubleDouble { estimate == .x0 ? (1 + DoubleDouble(eta)) * h : -h }

  /// σ'/σ, which is e^(−h).
  private var sigmaRatio: DoubleDouble { (end.noise * start.signal) / (start.noise * end.signal) }

  /// ∫₀¹ H·e^(−H(1−s)) ds = 1 − e^(−H).
  package var whole: DoubleDouble {
    switch estimate {
    case .epsilon: 1 - 1 / sigmaRatio
    case .x0: 1 - sigmaRatio * decay
    }
  }

  /// e^(−eta·h).
  private var decay: DoubleDouble {
    eta == 0 ? DoubleDouble(1) : eta == 1 ? sigmaRatio : (h * -eta).exp()
  }

  /// The step with E held at `value`, from `sample`: order 1.
  package func held(_ value: LinearForm, sample: LinearForm = .sample) -> LinearForm {
    let ratio = end.noise / start.noise
    switch estimate {
    case .epsilon:
      // What is drawn is as large as the noise left; at clean data, where none is, it is 0.
      let (run, eta) = (end.sigma - start.sigma, to.noise > 0 ? eta : 0)
      let mean = (end.signal / start.signal * sample).adding(end.signal * (1 + DoubleDouble(eta)) * run, of: value)
      guard eta > 0 else { return mean }
      let variance = -run * (end.sigma + start.sigma) * eta
      return mean.adding(end.signal * max(variance, DoubleDouble(0)).squareRoot(), of: .noise)
    case .x0 where eta == 0: return (ratio * sample).adding(end.signal - start.signal * ratio, of: value)
    case .x0:
      // Other libraries' grids may rise by a rounding.
      let drawn = end.noise * max(1 - decay * decay, DoubleDouble(0)).squareRoot()
      return (ratio * decay * sample).adding(end.signal * whole, of: value).adding(drawn, of: .noise)
    }
  }

  /// What E held at `value` adds to the step.
  package func part(of value: LinearForm) -> LinearForm {
    held(value, sample: LinearForm()) - held(LinearForm(), sample: LinearForm())
  }

  /// What a polynomial through values of E adds to the first of them, which is the one held.
  ///
  /// - Parameters:
  ///   - count: how many values there are, at most four.
  ///   - slope: what replaces the exact integral of s where there are two.
  ///   - rule: what replaces the exact integrals of the parts of the polynomial.
  ///   - value: each of them; one at a level without signal is at infinity, and only the last may
  ///     be.
  func change(
    through count: Int, slope: DoubleDouble? = nil, rule: (inout ShortList, ShortList) -> Void = { _, _ in },
    _ value: (Int) -> Value
  ) -> LinearForm {
    // A step that goes nowhere has nothing to integrate over.
    guard count > 1, h.high != 0 else { return LinearForm() }
    // The two ends by themselves, as h may be infinite.
    var nodes = ShortList()
    for k in 0..<count {
      let at = value(k).level
      nodes.append(
        at.level == from ? DoubleDouble(0) : at.level == to ? DoubleDouble(1) : (at.lambda - lambda) / h)
    }
    var weights = ShortList(zeros: count)
    if let slope, count == 2 {
      weights[1] = slope
    } else {
      let moments = Self.moments(count, exponent: exponent)
      weights = Interpolation.weights(of: nodes, moments: moments)
      rule(&weights, moments)
    }
    let scale = estimate == .x0 ? end.signal : (1 + DoubleDouble(eta)) * end.noise
    // The first value is in the step already.
    for k in weights.indices { weights[k] = k == 0 ? DoubleDouble(0) : scale * weights[k] }
    return .estimates(Interpolation.factors(weights, at: nodes)) { value($0).ago }
  }

  package func change(
    _ values: [Value], slope: DoubleDouble? = nil, rule: (inout ShortList, ShortList) -> Void = { _, _ in }
  ) -> LinearForm { change(through: values.count, slope: slope, rule: rule) { values[$0] } }

  /// ∫₀¹ H·e^(−H(1−s))·sʲ ds for j = 0 ..< count, of which each is 1 − (j/H) of the one before.
  ///
  /// Where that cancels, the last is the series H·Σ (−H)ⁿ·j!/(j+n+1)!, and those before follow.
  ///
  /// - Accuracy: a relative error below 2⁻⁸⁰.
  package static func moments(_ count: Int, exponent: DoubleDouble) -> ShortList {
    var moments = ShortList(zeros: max(count, 1))
    if count < 2 || abs(exponent.high) >= 1 {
      moments[0] = 1 - (-exponent).exp()
      for j in moments.indices.dropFirst() { moments[j] = 1 - moments[j - 1] * (Double(j) / exponent) }
    } else {
      moments[count - 1] = lastMoment(count - 1, exponent: exponent)
      for j in (1..<count).reversed() { moments[j - 1] = exponent * reciprocals[j] * (1 - moments[j]) }
    }
    return moments
  }

  /// The moment of sʲ for |H| < 1: H/(j+1)·(1 − H/(j+2)·(1 − H/(j+3)·(1 − ...))).
  private static func lastMoment(_ j: Int, exponent: DoubleDouble) -> DoubleDouble {
    // As far as makes a difference, and so far that Doubles are enough beyond.
    var (depth, least, shallow) = (1, 1.0, 1)
    while least > 0x1p-90 {
      depth += 1
      least *= abs(exponent.high) / Double(j + depth)
      if least > 0x1p-36 { shallow = depth }
    }
    var inner = 1.0
    for n in stride(from: depth, to: shallow, by: -1) { inner = 1 - exponent.high / Double(j + n) * inner }
    var sum = DoubleDouble(inner)
    for n in stride(from: shallow, to: 1, by: -1) { sum = 1 - exponent * reciprocals[j + n] * sum }
    return exponent * reciprocals[j + 1] * sum
  }

  /// 1/n.
  private static let reciprocals = [DoubleDouble(0)] + (1..<64).map { 1 / DoubleDouble(Double($0)) }
}

/// A level that a solver in lambda goes by, and its lambda, which takes longer to find than a step.
package struct SolverLevel: Sendable {
  package let level: NoiseLevel
  let lambda: DoubleDouble

  package init(_ level: NoiseLevel) { (self.level, lambda) = (level, level.exact.lambda) }
}

extension SamplingGrid {
  /// The levels of the points, for a solver in lambda.
  package var solverLevels: [SolverLevel] { points.map { SolverLevel($0.level) } }
}

/// Polynomials through values, in Newton's form f₀ + f₀₁·(s − s₀) + f₀₁₂·(s − s₀)(s − s₁) + ...
package enum Interpolation {
  /// The integral of each product (s − s₀)···(s − s_(k−1)), from those of sʲ.
  package static func weights(of nodes: ShortList, moments: ShortList) -> ShortList {
    var (weights, product) = (ShortList(), ShortList(zeros: nodes.count))
    product[0] = DoubleDouble(1)
    for degree in nodes.indices {
      var weight = DoubleDouble(0)
      for k in 0..<degree + 1 { weight += product[k] * moments[k] }
      weights.append(weight)
      // The node at infinity is the last, whose product is of no use.
      guard degree + 1 < nodes.count else { break }
      var before = DoubleDouble(0)
      for k in 0..<degree + 2 { (before, product[k]) = (product[k], before - nodes[degree] * product[k]) }
    }
    return weights
  }

  /// The factor of each value in Σ weights[k]·f₀…ₖ, where f₀, f₀₁, f₀₁₂, ... are the divided
  /// differences; those with a node at infinity are 0.
  package static func factors(_ weights: ShortList, at nodes: ShortList) -> ShortList {
    let count = nodes.count
    var result = ShortList(zeros: count)
    withUnsafeTemporaryAllocation(of: DoubleDouble.self, capacity: count * count) { rows in
      // Row j is the difference that begins at value j, by its factors.
      rows.initialize(repeating: DoubleDouble(0))
      for j in 0..<count { rows[j * count + j] = DoubleDouble(1) }
      for k in 0..<count {
        for j in 0..<(k > 0 ? count - k : 0) {
          let width = nodes[j + k] - nodes[j]
          for i in j...j + k { rows[j * count + i] = (rows[(j + 1) * count + i] - rows[j * count + i]) / width }
        }
        for i in 0...k where rows[i].high != 0 { result[i] += weights[k] * rows[i] }
      }
    }
    return result
  }
}
