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
/// Source: [Lu et al. 2022](https://arxiv.org/abs/2206.00927), equation 3.4;
/// <https://arxiv.org/abs/2211.01095>, proposition 4.1.
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
  /// e^(−eta·h).
  private let decay: DoubleDouble
  /// H, the exponent over the whole step.
  package let exponent: DoubleDouble
  /// What the sample has for its factor.
  private let sampleFactor: DoubleDouble
  /// What the integral has for its factor.
  package let scale: DoubleDouble
  /// What an E that is held has for its factor, scale·(1 − e^(−H)).
  package let heldFactor: DoubleDouble

  package init(estimate: SamplingPlan.Estimate, from: SolverLevel, to: SolverLevel, eta: Double = 0) {
    (self.estimate, self.from, self.to) = (estimate, from.level, to.level)
    (start, end, lambda, h) = (from.level.exact, to.level.exact, from.lambda, to.lambda - from.lambda)
    switch estimate {
    case .epsilon:
      // What is drawn is as large as the noise left; at clean data, where none is, it is 0.
      self.eta = to.level.noise > 0 ? eta : 0
      (exponent, decay) = (-h, DoubleDouble(1))
      sampleFactor = end.signal / start.signal
      let share = DoubleDouble(sum: 1, self.eta)
      (scale, heldFactor) = (share * end.noise, share * (end.noise - start.noise * sampleFactor))
    case .x0:
      self.eta = eta
      (exponent, scale) = (DoubleDouble(sum: 1, eta) * h, end.signal)
      let ratio = end.noise / start.noise
      decay = eta == 0 ? DoubleDouble(1) : eta == 1 ? ratio * start.signal / end.signal : (h * -eta).exp()
      sampleFactor = eta == 0 ? ratio : ratio * decay
      heldFactor = end.signal - start.signal * sampleFactor
    }
  }

  /// The step with E held at `value`, from `sample`: order 1.
  package func held(_ value: LinearForm, sample: LinearForm = .sample) -> LinearForm {
    let mean = (sampleFactor * sample).adding(heldFactor, of: value)
    guard eta > 0 else { return mean }
    // Other libraries' grids may rise by a rounding.
    let variance =
      switch estimate {
      case .epsilon: (start.sigma - end.sigma) * (start.sigma + end.sigma) * eta
      case .x0: 1 - decay * decay
      }
    let drawn = (estimate == .epsilon ? end.signal : end.noise) * max(variance, DoubleDouble(0)).squareRoot()
    return mean.adding(drawn, of: .noise)
  }

  /// What a rule makes of the integral of s, times `scale`, in a step of some order; `nil` for the
  /// exact one.
  package func slope(by rule: SlopeRule, order: Int) -> DoubleDouble? {
    rule == .midpoint && order == 2 ? heldFactor * 0.5 : nil
  }

  /// What E held at `value` adds to the step.
  package func part(of value: LinearForm) -> LinearForm {
    held(value, sample: LinearForm()) - held(LinearForm(), sample: LinearForm())
  }

  /// A form, and what a polynomial through values of E adds to the first of them, the one held.
  ///
  /// - Parameters:
  ///   - form: what it is added to.
  ///   - count: how many values there are, at most four.
  ///   - slope: what replaces the exact integral of s, times `scale`, where there are two.
  ///   - rule: what replaces the exact integrals of the parts of the polynomial.
  ///   - value: each of them; one at a level without signal is at infinity, and only the last may
  ///     be.
  func change(
    of form: consuming LinearForm = LinearForm(), through count: Int, slope: DoubleDouble? = nil,
    rule: (inout ShortList, ShortList) -> Void = { _, _ in }, _ value: (Int) -> Value
  ) -> LinearForm {
    // A step that goes nowhere has nothing to integrate over.
    guard count > 1, h.high != 0 else { return form }
    // The two ends by themselves, as h may be infinite.
    var nodes = ShortList(zeros: 1)
    for k in 1..<count {
      let at = value(k).level
      nodes.append(
        at.level == from ? DoubleDouble(0) : at.level == to ? DoubleDouble(1) : (at.lambda - lambda) / h)
    }
    // The first value is in the step already.
    var weights = ShortList(zeros: count)
    if let slope, count == 2 {
      weights[1] = slope
    } else {
      let moments = moments(count)
      var exact = Interpolation.weights(of: nodes, moments: moments)
      rule(&exact, moments)
      for k in 1..<count { weights[k] = scale * exact[k] }
    }
    return form.adding(Interpolation.factors(weights, at: nodes)) { value($0).ago }
  }

  package func change(
    _ values: [Value], slope: DoubleDouble? = nil, rule: (inout ShortList, ShortList) -> Void = { _, _ in }
  ) -> LinearForm { change(through: values.count, slope: slope, rule: rule) { values[$0] } }

  /// ∫₀¹ H·e^(−H(1−s))·sʲ ds for j = 0 ..< count, of which each is 1 − (j/H) of the one before.
  ///
  /// Where H is so small that this cancels, the last is the series H·Σ (−H)ⁿ·j!/(j+n+1)!, and those
  /// before it follow.
  ///
  /// - Accuracy: a relative error below 2⁻⁶⁴. The one before has an error of about 2⁻⁹⁸, which each
  ///   of them multiplies by j/H.
  func moments(_ count: Int) -> ShortList {
    var moments = ShortList(zeros: count)
    moments[0] = heldFactor / scale
    let size = abs(exponent.high)
    if size >= 1 || moments.indices.reduce(0x1p28, { product, _ in product * size }) > 1 {
      for j in 1..<count { moments[j] = 1 - moments[j - 1] * (Double(j) / exponent) }
    } else {
      moments[count - 1] = lastMoment(count - 1)
      for j in (2..<max(count, 2)).reversed() { moments[j - 1] = exponent * Self.reciprocals[j] * (1 - moments[j]) }
    }
    return moments
  }

  /// The moment of sʲ for |H| < 1: H/(j+1)·(1 − H/(j+2)·(1 − H/(j+3)·(1 − ...))).
  private func lastMoment(_ j: Int) -> DoubleDouble {
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
    for n in stride(from: shallow, to: 1, by: -1) { sum = 1 - exponent * Self.reciprocals[j + n] * sum }
    return exponent * Self.reciprocals[j + 1] * sum
  }

  /// 1/n.
  private static let reciprocals = [DoubleDouble(0)] + (1..<64).map { 1 / DoubleDouble(Double($0)) }
}

/// A level that a solver in lambda goes by, and its lambda, which takes longer to find than a step.
package struct SolverLevel: Sendable {
  package let level: NoiseLevel
  let lambda: DoubleDouble

  package init(_ level: NoiseLevel) { (self.level, lambda) = (level, level.exact.lambda) }

  /// Those of points, each once.
  package static func levels(of points: [SamplingGrid.Point]) -> [SolverLevel] { points.map { SolverLevel($0.level) } }
}

/// Polynomials through values, in Newton's form f₀ + f₀₁·(s − s₀) + f₀₁₂·(s − s₀)(s − s₁) + ...
package enum Interpolation {
  /// The integral of each product (s − s₀)···(s − s_(k−1)), from those of sʲ.
  package static func weights(of nodes: ShortList, moments: ShortList) -> ShortList {
    var (weights, integrals) = (ShortList(), moments)
    weights.append(moments[0])
    // One more factor (s − sₙ) at a time, in the integrals of all that is left of the powers.
    for n in 0..<nodes.count - 1 {
      for k in 0..<nodes.count - 1 - n { integrals[k] = integrals[k + 1] - nodes[n] * integrals[k] }
      weights.append(integrals[0])
    }
    return weights
  }

  /// The factor of each value in Σ weights[k]·f₀…ₖ, where f₀, f₀₁, f₀₁₂, ... are the divided
  /// differences; those with a node at infinity are 0.
  package static func factors(_ weights: ShortList, at nodes: ShortList) -> ShortList {
    let count = nodes.count
    var factors = ShortList()
    // Each difference hands its factor to the two that it is made of, the longest first. Those of
    // one order stand by the value that they begin with; at last they are the values.
    for order in (0..<count).reversed() {
      var shorter = ShortList(zeros: count - order)
      shorter[0] = weights[order]
      for j in factors.indices {
        let share = factors[j] / (nodes[j + order + 1] - nodes[j])
        shorter[j + 1] += share
        shorter[j] -= share
      }
      factors = shorter
    }
    return factors
  }
}
