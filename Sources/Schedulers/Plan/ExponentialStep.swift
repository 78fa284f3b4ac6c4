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
  package typealias Value = (ago: Int, level: NoiseLevel)

  /// What is interpolated.
  package let estimate: SamplingPlan.Estimate
  package let from: NoiseLevel
  package let to: NoiseLevel
  /// The share of fresh noise.
  package let eta: Double
  /// The logarithm ln(signal/noise) of `from`.
  private let lambda: Double
  /// The length of the step; infinite from a level without signal, and to one without noise.
  private let h: Double

  package init(estimate: SamplingPlan.Estimate, from: NoiseLevel, to: NoiseLevel, eta: Double = 0) {
    (self.estimate, self.from, self.to, self.eta) = (estimate, from, to, eta)
    lambda = from.lambda
    h = to.lambda - lambda
  }

  /// H, the exponent over the whole step.
  package var exponent: Double { estimate == .x0 ? (1 + eta) * h : -h }

  /// The step with E held at `value`, from `sample`: order 1.
  package func held(_ value: LinearForm, sample: LinearForm = .sample) -> LinearForm {
    let ratio = to.noise / from.noise
    switch estimate {
    case .epsilon:
      // What is drawn is as large as the noise left; at clean data, where none is, it is 0.
      let eta = to.noise > 0 ? eta : 0
      let (run, variance) = (to.sigma - from.sigma, eta * (from.sigma - to.sigma) * (from.sigma + to.sigma))
      let mean = (sample / from.signal).adding((1 + eta) * run, of: value)
      return to.signal * mean.adding(max(variance, 0).squareRoot(), of: .noise)
    case .x0 where eta == 0: return (ratio * sample).adding(to.signal - from.signal * ratio, of: value)
    case .x0:
      let decay = Math.pow(ratio * from.signal / to.signal, eta)
      // Other libraries' grids may rise by a rounding.
      let drawn = to.noise * max(-Math.expm1(-2 * eta * h), 0).squareRoot()
      return (ratio * decay * sample).adding(-to.signal * Math.expm1(-exponent), of: value).adding(drawn, of: .noise)
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
  ///   - rule: what replaces the exact integrals of the parts of the polynomial.
  ///   - value: each of them; one at a level without signal is at infinity, and only the last may
  ///     be.
  func change(
    through count: Int, rule: (inout ShortList, ShortList) -> Void = { _, _ in }, _ value: (Int) -> Value
  ) -> LinearForm {
    // A step that goes nowhere has nothing to integrate over.
    guard count > 1, h != 0 else { return LinearForm() }
    // The two ends by themselves, as h may be infinite.
    var nodes = ShortList()
    for k in 0..<count {
      let level = value(k).level
      nodes.append(level == from ? 0 : level == to ? 1 : (level.lambda - lambda) / h)
    }
    let moments = Self.moments(count, exponent: exponent)
    var weights = Interpolation.weights(of: nodes, moments: moments)
    rule(&weights, moments)
    let scale = estimate == .x0 ? to.signal : (1 + eta) * to.noise
    // The first value is in the step already.
    for k in weights.indices { weights[k] = k == 0 ? 0 : scale * weights[k] }
    return .estimates(Interpolation.factors(weights, at: nodes)) { value($0).ago }
  }

  package func change(_ values: [Value], rule: (inout ShortList, ShortList) -> Void = { _, _ in }) -> LinearForm {
    change(through: values.count, rule: rule) { values[$0] }
  }

  /// ∫₀¹ H·e^(−H(1−s))·sʲ ds for j = 0 ..< count: 1 − e^(−H), then 1 − (j/H) of the one before;
  /// where that cancels, its series H·Σ (−H)ⁿ·j!/(j+n+1)!.
  ///
  /// - Accuracy: within 16 units for H of −1 ... 1; elsewhere a recurrence loses at most one digit
  ///   per step.
  package static func moments(_ count: Int, exponent: Double) -> ShortList {
    var moments = ShortList()
    moments.append(-Math.expm1(-exponent))
    guard abs(exponent) < 1 else {
      for j in 1..<max(count, 1) { moments.append(1 - Double(j) / exponent * moments[j - 1]) }
      return moments
    }
    for j in 1..<max(count, 1) {
      var (term, sum, next) = (exponent / Double(j + 1), 0.0, Double(j + 2))
      // What follows is less than the half of a term that makes no difference.
      while sum + term != sum {
        sum += term
        term *= -exponent / next
        next += 1
      }
      moments.append(sum)
    }
    return moments
  }
}

/// Polynomials through values, in Newton's form f₀ + f₀₁·(s − s₀) + f₀₁₂·(s − s₀)(s − s₁) + ...
package enum Interpolation {
  /// The integral of each product (s − s₀)···(s − s_(k−1)), from those of sʲ.
  package static func weights(of nodes: ShortList, moments: ShortList) -> ShortList {
    var (weights, product) = (ShortList(), ShortList(zeros: nodes.count))
    product[0] = 1
    for degree in nodes.indices {
      var weight = 0.0
      for k in 0..<degree + 1 { weight += product[k] * moments[k] }
      weights.append(weight)
      // The node at infinity is the last, whose product is of no use.
      guard degree + 1 < nodes.count else { break }
      var before = 0.0
      for k in 0..<degree + 2 { (before, product[k]) = (product[k], before - nodes[degree] * product[k]) }
    }
    return weights
  }

  /// The factor of each value in Σ weights[k]·f₀…ₖ, where f₀, f₀₁, f₀₁₂, ... are the divided
  /// differences; those with a node at infinity are 0.
  package static func factors(_ weights: ShortList, at nodes: ShortList) -> ShortList {
    let count = nodes.count
    var result = ShortList(zeros: count)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: count * count) { rows in
      // Row j is the difference that begins at value j, by its factors.
      rows.initialize(repeating: 0)
      for j in 0..<count { rows[j * count + j] = 1 }
      for k in 0..<count {
        for j in 0..<(k > 0 ? count - k : 0) {
          let width = nodes[j + k] - nodes[j]
          for i in j...j + k { rows[j * count + i] = (rows[(j + 1) * count + i] - rows[j * count + i]) / width }
        }
        for i in 0...k where rows[i] != 0 { result[i] += weights[k] * rows[i] }
      }
    }
    return result
  }
}
