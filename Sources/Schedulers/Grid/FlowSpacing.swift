/// How the calls of rectified flow lie on its path x = (1 − t)·x0 + t·epsilon, from t = 1 down.
///
/// ```swift
/// let grid = try SamplingGrid(flow: .stableDiffusion3, steps: 28)
/// let large = try SamplingGrid(
///   flow: .flux, steps: 28, mu: DynamicShift.flux.mu(tokens: 4096))
/// let plan = try Euler().plan(over: large, predicting: .flow)
/// ```
///
/// The times lie between 1 and `last` as `times` says, are then shifted, then stretched to end at
/// `terminal`, then laid anew between their ends by `respacing`. The run ends in clean data.
///
/// Source: [Esser et al. 2024](https://arxiv.org/abs/2403.03206); with these options and their
/// order, diffusers 0.42.1, `FlowMatchEulerDiscreteScheduler`.
public struct FlowSpacing: Hashable, Codable, Sendable {
  /// How N times lie between 1 and the last, before they are shifted.
  public enum Times: Hashable, Codable, Sendable {
    /// In equal steps.
    case equal
    /// In equal shares of a beta distribution; `TimestepSpacing.beta` without its rounding.
    case beta(alpha: Double = 0.6, beta: Double = 0.6)
    /// 1 − ⌊i·T/N⌋/T for i = 0 ..< N: `equal`, rounded up to the times of T timesteps; ComfyUI,
    /// <https://github.com/comfyanonymous/ComfyUI>, `simple_scheduler`.
    case simple(timesteps: Int = 1000)
    /// Equal steps down to 1 − `threshold` for the first half of the N, then steps that grow in
    /// equal measure: 1 − t is linear, then a parabola that ends in 1; Genmo 2024,
    /// <https://github.com/genmoai/mochi>, `linear_quadratic_schedule`.
    case linearQuadratic(threshold: Double = 0.025)
    /// The quantiles of 1, 1 − 1/N, ..., 1/N of a distribution whose ln(t/(1 − t)) is normal; the
    /// first is t with ln(t/(1 − t)) = 9. Ideogram 4's, as stable-diffusion.cpp has it,
    /// <https://github.com/leejet/stable-diffusion.cpp>, `LogitNormalScheduler`.
    case logitNormal(mean: Double = 0, deviation: Double = 1.75)

    /// Whether the last of the times follows from the kind, and none can be given.
    fileprivate var hasLast: Bool {
      switch self {
      case .equal, .beta: false
      case .simple, .linearQuadratic, .logitNormal: true
      }
    }
  }

  /// How the times lie before the shift.
  public var times: Times
  /// The shift towards noise.
  public var shift: FlowShift
  /// The time of the last call before the shift, of `equal` and `beta`; `nil` for 1/N, which makes
  /// all steps equal.
  public var last: Double?
  /// What the time of the last call becomes by stretching 1 − t of all; `nil` for no stretching.
  public var terminal: Double?
  /// How the times lie between the first and the last, if anew; it goes by t, not by sigma.
  public var respacing: SigmaSpacing?
  /// The factor from a time to what the network is told.
  public var timesteps: Double
  /// Whether the network is told 1 − t in the place of t: its time runs towards the data, and it
  /// predicts `.reverseFlow`, as Mochi's.
  public var isReversed: Bool

  /// Equal steps, without a shift unless given.
  public init(
    times: Times = .equal, shift: FlowShift = .fixed(1), last: Double? = nil, terminal: Double? = nil,
    respacing: SigmaSpacing? = nil, timesteps: Double = 1000, isReversed: Bool = false
  ) {
    (self.times, self.shift, self.last, self.terminal) = (times, shift, last, terminal)
    (self.respacing, self.timesteps, self.isReversed) = (respacing, timesteps, isReversed)
  }

  /// Stable Diffusion 3 and 3.5: shifted by 3, down to the first of 1000 timesteps.
  ///
  /// diffusers shifts the last time twice; that is `last: FlowShift.fixed(3).shifted(0.001)`.
  public static let stableDiffusion3 = FlowSpacing(shift: .fixed(3), last: 0.001)
  /// Flux.1-dev, which needs mu.
  public static let flux = FlowSpacing(shift: .dynamic(.flux))
  /// LTX-Video, which needs mu, and two steps or more.
  public static let ltxVideo = FlowSpacing(shift: .dynamic(.ltxVideo), terminal: 0.1)

  /// The levels of the calls, from times in the same form.
  ///
  /// A level holds t and 1 − t, each with its own digits; the shift and the stretching act on both.
  fileprivate func levels(_ times: [NoiseLevel.Exact], mu: Double?) throws(GridError) -> [NoiseLevel] {
    let factor = try shift.exactFactor(mu: mu)
    var levels = times.map { time in
      let sum = time.signal + factor * time.noise
      return NoiseLevel.Exact(signal: time.signal / sum, noise: factor * time.noise / sum)
    }
    if let terminal {
      guard terminal > 0, terminal < 1 else { throw .parameter("terminal", terminal, allowed: "above 0 and below 1") }
      let end = levels[levels.count - 1].signal
      guard end.high > 0 else {
        throw .parameter("terminal", terminal, allowed: "left out with one step, at t = 1, which cannot be stretched")
      }
      levels = levels.map { level in
        let signal = level.signal / end * DoubleDouble(sum: 1, -terminal)
        return NoiseLevel.Exact(signal: signal, noise: 1 - signal)
      }
    }
    if let respacing {
      try respacing.validate()
      levels = respacing.sigmas(count: levels.count, from: levels[0].noise, to: levels[levels.count - 1].noise)
        .map { NoiseLevel.Exact(signal: 1 - $0, noise: $0) }
    }
    return levels.map { NoiseLevel($0) }
  }

  fileprivate func point(at level: NoiseLevel) -> SamplingGrid.Point {
    let time = isReversed ? level.exact.signal : level.exact.noise
    return SamplingGrid.Point(timestep: (time * timesteps).rounded, level: level)
  }
}

extension FlowSpacing.Times {
  /// N times from 1 to the last, and what each leaves of 1.
  fileprivate func levels(steps: Int, last: DoubleDouble) throws(GridError) -> [NoiseLevel.Exact] {
    switch self {
    case .equal:
      let whole = Double(max(steps - 1, 1))
      return (0..<steps).map { i in
        let i = Double(i)
        return NoiseLevel.Exact(signal: i * (1 - last) / whole, noise: (whole - i + i * last) / whole)
      }
    case .beta(let alpha, let beta):
      let distribution = BetaDistribution(alpha: alpha, beta: beta)
      try distribution.validate()
      return distribution.exactlySpaced(steps).map { x, rest in
        NoiseLevel.Exact(signal: rest * (1 - last), noise: x + rest * last)
      }
    case .simple(let timesteps):
      guard timesteps >= steps else {
        throw .parameter("timesteps", Double(timesteps), allowed: "\(steps) or more, the number of steps")
      }
      return (0..<steps).map { i in
        let passed = i * timesteps / steps
        let (signal, noise) = (DoubleDouble(Double(passed)), DoubleDouble(Double(timesteps - passed)))
        return NoiseLevel.Exact(signal: signal / Double(timesteps), noise: noise / Double(timesteps))
      }
    case .linearQuadratic(let threshold):
      guard threshold > 0, threshold < 1 else {
        throw .parameter("threshold", threshold, allowed: "above 0 and below 1")
      }
      return (0..<steps).map { i in
        let signal = Self.linearQuadratic(i, of: steps, threshold: DoubleDouble(threshold))
        return NoiseLevel.Exact(signal: signal, noise: 1 - signal)
      }
    case .logitNormal(let mean, let deviation):
      guard mean.isFinite else { throw .parameter("mean", mean, allowed: "finite") }
      guard deviation > 0, deviation.isFinite else {
        throw .parameter("deviation", deviation, allowed: "above 0 and finite")
      }
      return (0..<steps).map { i in
        let quantile = i == 0 ? Double.infinity : -StandardNormal.quantile(Double(i) / Double(steps))
        let logit = min(max(mean + deviation * quantile, -7.5), 9)
        let ratio = DoubleDouble(-abs(logit)).exp()
        let (less, more) = (ratio / (1 + ratio), 1 / (1 + ratio))
        return logit < 0 ? NoiseLevel.Exact(signal: more, noise: less) : NoiseLevel.Exact(signal: less, noise: more)
      }
    }
  }

  /// 1 − t of step i: `threshold`·i/n over the first n = ⌊N/2⌋ steps, then the parabola that goes
  /// on with this slope and reaches 1 after N.
  private static func linearQuadratic(_ i: Int, of steps: Int, threshold: DoubleDouble) -> DoubleDouble {
    let (index, straight) = (Double(i), Double(steps / 2))
    guard i >= steps / 2 else { return threshold * index / straight }
    guard i > 0 else { return DoubleDouble(0) }
    let share = DoubleDouble(index - straight) / (Double(steps) - straight)
    // What a straight line would leave to be made up.
    let missing = 1 - threshold * Double(steps) / straight
    return threshold * index / straight + missing * share * share
  }
}

extension SamplingGrid {
  /// N times of rectified flow, then clean data.
  ///
  /// - `steps`: N, 1 or more.
  /// - `mu`: what the shift follows from, if it is dynamic.
  /// - Throws: `GridError` if mu is missing or out of place, or an option is out of its range.
  /// - Accuracy: t and 1 − t within 1 ulp each; of `logitNormal`, ln(t/(1 − t)) within 2⁻⁴⁶.
  public init(flow spacing: FlowSpacing, steps: Int, mu: Double? = nil) throws(GridError) {
    guard steps >= 1 else { throw .parameter("the number of steps", Double(steps), allowed: "1 or more") }
    if let last = spacing.last, spacing.times.hasLast {
      throw .parameter("last", last, allowed: "left out, as these times have a last of their own")
    }
    let last = spacing.last.map { DoubleDouble($0) } ?? 1 / DoubleDouble(Double(steps))
    guard last.high > 0, last.high < 1 || (steps == 1 && last.high == 1) else {
      throw .parameter("last", last.high, allowed: "above 0 and below 1")
    }
    try self.init(flow: spacing, levels: spacing.times.levels(steps: steps, last: last), mu: mu)
  }

  /// Given times of rectified flow, largest first, then clean data, for which a last 0 may stand.
  ///
  /// - `times`: above 0 and at most 1.
  /// - `mu`: what the shift follows from, if it is dynamic.
  /// - Throws: `GridError` if there are none, one is not below the one before it or out of its
  ///   range, mu is missing or out of place, or an option is out of its range.
  public init(flow spacing: FlowSpacing, times: [Double], mu: Double? = nil) throws(GridError) {
    let times = times.count > 1 && times.last == 0 ? Array(times.dropLast()) : times
    guard !times.isEmpty else { throw .parameter("the number of steps", 0, allowed: "1 or more") }
    for (i, time) in times.enumerated() where !(time > 0 && (i == 0 ? time <= 1 : time < times[i - 1])) {
      let most = i == 0 ? "at most 1" : "below the one before it, \(times[i - 1].plain)"
      throw .parameter("time", time, allowed: "above 0 and \(most); the last may be 0, for clean data at the end")
    }
    try self.init(
      flow: spacing, levels: times.map { NoiseLevel.Exact(signal: DoubleDouble(sum: 1, -$0), noise: DoubleDouble($0)) },
      mu: mu)
  }

  private init(flow spacing: FlowSpacing, levels times: [NoiseLevel.Exact], mu: Double?) throws(GridError) {
    guard spacing.timesteps > 0, spacing.timesteps.isFinite else {
      throw .parameter("timesteps", spacing.timesteps, allowed: "above 0 and finite")
    }
    let levels = try spacing.levels(times, mu: mu)
    try self.init(points: levels.map(spacing.point) + [.clean])
  }
}
