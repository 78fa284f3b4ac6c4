/// A discrete forward process: T timesteps, each with the noise level its samples have.
///
/// q(x_t | x_0) = N(√ᾱ_t·x_0, (1 − ᾱ_t)·I) with ᾱ_t = Π_{i ≤ t} (1 − β_i). Timesteps are 0 ... T−1.
///
/// ```swift
/// let schedule = try NoiseSchedule(.cosine(), timesteps: 1000)
/// let level = schedule[500]  // √ᾱ and √(1−ᾱ)
/// let snr = schedule.snr  // one of the tables, an array of 1000 Doubles
/// ```
///
/// The tables (`alphaBars`, `posteriorVariance`, ...) are computed when asked for, in double-double
/// arithmetic from the stored betas. Each access costs O(T): keep what you need. They lose digits
/// where ᾱ falls below 2⁻⁹⁰⁰, far beyond what any named schedule reaches with T up to 10,000.
///
/// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), equations 2 and 4.
public struct NoiseSchedule: Hashable, Sendable {
  /// β_t, the variance of the noise that step t adds; in (0, 1].
  public let betas: [Double]

  /// ᾱ_t with about 32 digits.
  let products: [DoubleDouble]

  /// The number of timesteps, T.
  public var timesteps: Int { betas.count }

  /// A named schedule.
  ///
  /// - `timesteps`: T, 1 or more.
  /// - Throws: `ScheduleError` if T is below 1, a parameter is out of range, or a beta passes 1.
  /// - Accuracy: each beta is within 1 ulp of its definition.
  public init(_ schedule: BetaSchedule, timesteps: Int) throws(ScheduleError) {
    guard timesteps >= 1 else { throw .timesteps(timesteps, atLeast: 1) }
    try schedule.validate()
    try self.init(betas: schedule.betas(timesteps: timesteps))
  }

  /// A schedule from given betas.
  ///
  /// - Throws: `ScheduleError` if there are none, or one is NaN or outside (0, 1].
  public init(betas: [Double]) throws(ScheduleError) {
    guard !betas.isEmpty else { throw .timesteps(0, atLeast: 1) }
    for (t, beta) in betas.enumerated() where !(beta > 0 && beta <= 1) { throw .beta(beta, timestep: t) }
    var product = DoubleDouble(1)
    self.betas = betas
    self.products = betas.map { beta in
      product = product * DoubleDouble(sum: 1, -beta)
      return product
    }
  }

  /// A schedule from given ᾱ_t, which are kept exactly, and betas β_t = 1 − ᾱ_t/ᾱ_{t−1}.
  ///
  /// - Throws: `ScheduleError` if there are none, one is outside [0, 1), or they do not decrease.
  public init(alphaBars: [Double]) throws(ScheduleError) { try self.init(products: alphaBars.map { DoubleDouble($0) }) }

  /// The first timesteps alone.
  package func prefix(_ count: Int) throws(ScheduleError) -> NoiseSchedule {
    try NoiseSchedule(products: Array(products.prefix(count)))
  }

  init(products: [DoubleDouble]) throws(ScheduleError) {
    guard !products.isEmpty else { throw .timesteps(0, atLeast: 1) }
    var previous = DoubleDouble(1)
    var betas: [Double] = []
    for (t, product) in products.enumerated() {
      guard product.high >= 0, (product - previous).high < 0 else {
        throw .alphaBar(product.high, timestep: t, previous: previous.high)
      }
      betas.append(((previous - product) / previous).rounded)
      previous = product
    }
    (self.betas, self.products) = (betas, products)
  }

  /// The noise level of timestep t: signal √ᾱ_t, noise √(1−ᾱ_t).
  ///
  /// - Precondition: t is in 0 ..< T.
  /// - Accuracy: both within 1 ulp.
  public subscript(timestep: Int) -> NoiseLevel {
    stop(
      unless: betas.indices.contains(timestep), "timestep \(timestep) is outside the schedule's 0 ... \(timesteps - 1)")
    let product = products[timestep]
    return NoiseLevel(NoiseLevel.Exact(signal: product.squareRoot(), noise: (1 - product).squareRoot()))
  }
}

extension NoiseSchedule {
  /// The schedule shifted and stretched so that its last step has no signal; ᾱ_0 is kept.
  ///
  /// √ᾱ_t ← (√ᾱ_t − √ᾱ_{T−1})·√ᾱ_0/(√ᾱ_0 − √ᾱ_{T−1}). At the last timestep only predictions that
  /// say something about the data there (x0, v, flow) can be sampled from.
  ///
  /// - Throws: `ScheduleError` if T is 1, where the first and the last step are one.
  /// - Accuracy: the new betas are within 1 ulp of their definition on the old ones.
  ///
  /// Source: [Lin et al. 2023](https://arxiv.org/abs/2305.08891), algorithm 1.
  public func rescaledToZeroTerminalSNR() throws(ScheduleError) -> NoiseSchedule {
    guard timesteps >= 2 else { throw .timesteps(timesteps, atLeast: 2) }
    let roots = products.map { $0.squareRoot() }
    let (first, last) = (roots[0], roots[timesteps - 1])
    let scale = first / (first - last)
    var rescaled = roots.map { root in
      let value = (root - last) * scale
      return value * value
    }
    rescaled[0] = products[0]
    rescaled[timesteps - 1] = DoubleDouble(0)
    return try NoiseSchedule(betas: NoiseSchedule(products: rescaled).betas)
  }

  /// The schedule with its signal-to-noise ratio divided by a factor at every timestep, as larger
  /// pictures need it: ᾱ_t ← ᾱ_t/(ᾱ_t + factor·(1 − ᾱ_t)).
  ///
  /// - `factor`: above 0; 3 for CogVideoX-2B, whose `scheduler_config.json` says so.
  /// - Throws: `ScheduleError` if the factor is not above 0 or not finite.
  /// - Accuracy: every table within the bounds of any other schedule's.
  ///
  /// Source: [Hoogeboom et al. 2023](https://arxiv.org/abs/2301.11093), where the factor is (d/64)²
  /// for pictures of d×d; in this form diffusers 0.42.1, `snr_shift_scale`.
  public func dividingSNR(by factor: Double) throws(ScheduleError) -> NoiseSchedule {
    guard factor > 0, factor.isFinite else {
      throw .parameter("the divisor of the SNR", factor, schedule: "divided", range: "above 0 and finite")
    }
    return try NoiseSchedule(products: products.map { $0 / ($0 + (1 - $0) * factor) })
  }
}
