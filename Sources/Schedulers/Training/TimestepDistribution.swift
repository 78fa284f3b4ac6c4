/// A fixed distribution over the timesteps of training.
///
/// Draws go by the inverse of the cumulative distribution. Each probability is met within 2⁻⁵².
public struct TimestepDistribution: TimestepSampler, Hashable {
  /// What a draw's loss is multiplied by.
  public enum Weighting: String, Hashable, Codable, Sendable {
    /// 1/(T·p_t): the objective's mean is that of uniform timesteps; only its variance changes.
    case unbiased
    /// 1: a timestep counts by how often it is drawn, which changes the objective.
    case none
  }

  /// p_t, the probability of each timestep; their sum is 1.
  public let probabilities: [Double]
  public let weighting: Weighting

  /// p_0 + ... + p_t.
  private let cumulative: [Double]

  /// A distribution in proportion to given numbers, one for each timestep.
  ///
  /// - Throws: `TimestepSamplingError` if there are no shares, one is negative, infinite or NaN, or
  ///   their sum is not a positive number; with unbiased weights also if the probability of a
  ///   timestep underflows, as its part of the objective would be lost.
  public init(proportionalTo shares: [Double], weighting: Weighting = .unbiased) throws(TimestepSamplingError) {
    guard !shares.isEmpty else { throw .timesteps(0) }
    for (t, share) in shares.enumerated() where !(share >= 0 && share.isFinite) { throw .share(share, timestep: t) }
    let sums = shares.reduce(into: [DoubleDouble]()) { sums, share in
      sums.append((sums.last ?? DoubleDouble(0)) + DoubleDouble(share))
    }
    let total = sums[sums.count - 1]
    guard total.high > 0, total.high.isFinite else { throw .total(shares.reduce(0, +)) }
    probabilities = shares.map { $0 / total.high }
    cumulative = sums.map { ($0 / total).rounded }
    self.weighting = weighting
    if let t = weights.firstIndex(of: .infinity) { throw .impossible(timestep: t) }
  }

  /// The weight of each timestep.
  public var weights: [Double] { probabilities.indices.map(weight(of:)) }

  public var distribution: TimestepDistribution { self }

  private func weight(of timestep: Int) -> Double {
    weighting == .none ? 1 : 1 / (Double(probabilities.count) * probabilities[timestep])
  }

  /// The first timestep at which the cumulative distribution is above u.
  func draw(at u: Double) -> TimestepDraw {
    var (low, high) = (0, cumulative.count)
    let u = min(u, 1.0.nextDown)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > u { high = middle } else { low = middle + 1 }
    }
    return TimestepDraw(timestep: low, weight: weight(of: low))
  }
}

extension TimestepDistribution {
  /// Every timestep as probable as the next: p_t = 1/T, weight 1. [Ho et al.
  /// 2020](https://arxiv.org/abs/2006.11239), algorithm 1.
  ///
  /// - Throws: `TimestepSamplingError` if T is less than 1.
  public static func uniform(timesteps: Int) throws(TimestepSamplingError) -> TimestepDistribution {
    guard timesteps >= 1 else { throw .timesteps(timesteps) }
    return try TimestepDistribution(proportionalTo: Array(repeating: 1, count: timesteps))
  }

  /// Logit-normal: timestep ⌊T·τ⌋ with ln(τ/(1 − τ)) ~ N(mean, deviation²); it prefers the middle.
  ///
  /// The paper weights draws by 1, which changes the objective; `.unbiased` keeps the uniform one.
  ///
  /// - `timesteps`: T, 1 or more; the last is the noisiest.
  /// - `mean`: above 0 prefers noise, below 0 data. diffusers' training scripts look ⌊T·τ⌋ up in a
  ///   table that begins with the noisiest timestep, so their `logit_mean` has the other sign.
  /// - `deviation`: above 0.
  /// - Throws: `TimestepSamplingError` if a parameter is out of its range, or the weights are to be
  ///   unbiased and the probability of a timestep underflows.
  /// - Accuracy: probabilities within 2⁻⁵⁰.
  ///
  /// Source: [Esser et al. 2024](https://arxiv.org/abs/2403.03206), section 3.1, logit-normal.
  public static func logitNormal(
    timesteps: Int, mean: Double = 0, deviation: Double = 1, weighting: Weighting = .none
  ) throws(TimestepSamplingError) -> TimestepDistribution {
    guard timesteps >= 1 else { throw .timesteps(timesteps) }
    // With σ = τ/(1 − τ), as on the flow path, the logit is ln σ.
    let law = try LogNormalSigma(mean: mean, deviation: deviation)
    let bounds = (0...timesteps).map { Math.log(Double($0) / Double(timesteps - $0)) }
    return try TimestepDistribution(proportionalTo: law.probabilities(between: bounds), weighting: weighting)
  }

  /// Log-normal: the timestep whose ln σ is nearest to a draw of ln σ ~ N(mean, deviation²).
  ///
  /// The paper weights its draws by 1 (beside λ(σ), which is `LossWeighting.edm`), which changes
  /// the objective; `.unbiased` keeps the uniform one.
  ///
  /// - `schedule`: gives the sigmas. A last timestep without signal is never drawn.
  /// - Throws: `TimestepSamplingError` if all draws would pass the ends of the schedule, or the
  ///   weights are to be unbiased and the probability of a timestep is 0.
  /// - Accuracy: probabilities within 2⁻⁵⁰.
  ///
  /// Source: [Karras et al. 2022](https://arxiv.org/abs/2206.00364), table 1, noise distribution.
  public static func logNormal(
    _ law: LogNormalSigma, over schedule: NoiseSchedule, weighting: Weighting = .none
  ) throws(TimestepSamplingError) -> TimestepDistribution {
    let logarithms = schedule.logSNR.map { -$0 / 2 }
    let middles = zip(logarithms, logarithms.dropFirst()).map { ($0 + $1) / 2 }
    let bounds = [-.infinity] + middles + [.infinity]
    return try TimestepDistribution(proportionalTo: law.probabilities(between: bounds), weighting: weighting)
  }
}
