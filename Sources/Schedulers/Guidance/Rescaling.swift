extension InnerProductSpace {
  /// A guided output whose standard deviation, in each sample, is brought back towards that of the
  /// conditional output. A large scale makes it too large, and pictures too bright.
  ///
  ///     F·(1 − part + part·deviation(F_conditional)/deviation(F))
  ///
  /// - Parameters:
  ///   - conditional: the conditional output.
  ///   - part: how much of the change in size is taken back, 0 ... 1; usually 0.7 where the first
  ///     level has no signal.
  ///
  /// Source: [Lin et al. 2023](https://arxiv.org/abs/2305.08891), equations 15 and 16, φ = part.
  public func rescaled(like conditional: Self, by part: Double) -> Self {
    stop(unless: part >= 0 && part <= 1, "the part of a rescaling must be in 0 ... 1; got \(part)")
    if part == 0 { return self }
    let factors = zip(conditional.standardDeviations, standardDeviations).map { goal, deviation in
      deviation > 0 ? 1 - part + part * (goal / deviation) : 1
    }
    return .combination(bySample: [(factors, self)])
  }
}
