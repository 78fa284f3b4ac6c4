/// Which sigma belongs to which timestep, at the points of a grid and between them, where ln σ is
/// linear, or on the straight path of rectified flow the noise. Both are held beyond the ends.
///
/// Samplers that call the network between two points of a grid find these points here. The scale is
/// that of the grid's schedule; for a grid of points alone, it is theirs.
///
/// ```swift
/// let sigma = (a.level.sigma * b.level.sigma).squareRoot()
/// let middle = grid.timestepScale.point(sigma: sigma, between: a, and: b)
/// ```
public struct TimestepScale: Hashable, Sendable {
  /// Timesteps times `direction` and what is linear in them, both ascending.
  private enum Table: Hashable, Sendable {
    case points(timesteps: [Double], values: [Double])
    /// The first timesteps of a schedule, whose logarithms are made where they are asked for.
    case schedule(NoiseSchedule, count: Int)
  }

  private let table: Table
  /// −1 where time runs towards the data.
  private let direction: Double
  private let isStraight: Bool

  /// The scale of a schedule's whole timesteps, without those that have no signal.
  package init(_ schedule: NoiseSchedule) {
    let last = schedule.products.lastIndex { $0.high > 0 }
    table = .schedule(schedule, count: last.map { $0 + 1 } ?? 0)
    (direction, isStraight) = (1, false)
  }

  /// The scale of points, noisiest first: those with noise and, off the straight path, signal.
  init(_ points: [SamplingGrid.Point]) {
    let noisy = points.reversed().filter { $0.level.noise > 0 }
    let isStraight = noisy.allSatisfy { $0.level.isStraight }
    let inner = isStraight ? noisy : noisy.filter { $0.level.signal > 0 }
    let direction = (inner.last?.timestep ?? 0) < (inner.first?.timestep ?? 0) ? -1.0 : 1
    table = .points(
      timesteps: inner.map { direction * $0.timestep },
      values: inner.map { isStraight ? $0.level.noise : -$0.level.lambda })
    (self.direction, self.isStraight) = (direction, isStraight)
  }

  /// The timestep that a network is told for a sigma above 0.
  public func timestep(sigma: Double) -> Double {
    let value = isStraight ? sigma / (1 + sigma) : Math.log(sigma)
    switch table {
    case .points(let timesteps, let values):
      return direction * Self.interpolate(value, count: values.count, from: { values[$0] }, to: { timesteps[$0] })
    case .schedule(let schedule, let count):
      // One over 1 + σ² is ᾱ but for a rounding, which leaves the search a step or none.
      let alphaBar = 1 / (1 + sigma * sigma)
      let near = Self.partition(count) { schedule.products[$0].high >= alphaBar }
      return Self.interpolate(
        value, count: count, near: near, from: { Math.log(schedule.sigma(at: $0)) }, to: { Double($0) })
    }
  }

  /// The sigma of a timestep.
  ///
  /// - Accuracy: relative error within (4 + |ln σ|)·2⁻⁵² at whole timesteps of a schedule.
  public func sigma(timestep: Double) -> Double {
    let value =
      switch table {
      case .points(let timesteps, let values):
        Self.interpolate(direction * timestep, count: values.count, from: { timesteps[$0] }, to: { values[$0] })
      case .schedule(let schedule, let count):
        Self.interpolate(timestep, count: count, from: { Double($0) }, to: { Math.log(schedule.sigma(at: $0)) })
      }
    return isStraight ? value / (1 - value) : Math.exp(value)
  }

  /// The point with a given sigma between two others: level and network input are on their path.
  public func point(sigma: Double, between a: SamplingGrid.Point, and b: SamplingGrid.Point) -> SamplingGrid.Point {
    Self.point(timestep: timestep(sigma: sigma), sigma: sigma, between: a, and: b)
  }

  /// The point with a given timestep on the way from one point to another.
  public func point(timestep: Double, between a: SamplingGrid.Point, and b: SamplingGrid.Point) -> SamplingGrid.Point {
    Self.point(timestep: timestep, sigma: sigma(timestep: timestep), between: a, and: b)
  }

  private static func point(
    timestep: Double, sigma: Double, between a: SamplingGrid.Point, and b: SamplingGrid.Point
  ) -> SamplingGrid.Point {
    // From a point without signal there is no way that has its middle somewhere.
    guard sigma.isFinite, a.level.signal > 0, let level = NoiseLevel.between(a.level, b.level, sigma: sigma),
      let given = NoiseLevel.between(a.level.scaled(by: a.inputScale), b.level.scaled(by: b.inputScale), sigma: sigma)
    else { return a }
    return SamplingGrid.Point(timestep: timestep, level: level, inputScale: given.signal / level.signal)
  }

  /// A value of one table as one of another, linear between neighbours and held at the ends.
  ///
  /// - Parameter near: an index from which the search begins, if one is known.
  private static func interpolate(
    _ value: Double, count: Int, near: Int? = nil, from table: (Int) -> Double, to other: (Int) -> Double
  ) -> Double {
    guard count > 1 else { return count > 0 ? other(0) : 0 }
    var low = min(near ?? partition(count) { table($0) <= value }, count - 2)
    var (start, end) = (table(low), table(low + 1))
    while start > value {
      if low == 0 { return other(0) }
      low -= 1
      (start, end) = (table(low), start)
    }
    while end <= value {
      low += 1
      if low == count - 1 { return other(low) }
      (start, end) = (end, table(low + 1))
    }
    return other(low) + (value - start) / (end - start) * (other(low + 1) - other(low))
  }

  /// The last index of which something holds that holds of none after it; the first if of none.
  private static func partition(_ count: Int, _ holds: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if holds(middle) { low = middle } else { high = middle }
    }
    return low
  }
}

extension NoiseLevel {
  /// The level with a given sigma on the path through two levels with signal: that on which
  /// 1/signal² is linear in σ², as on variance preserving and exploding paths and those that
  /// networks of Karras et al. 2022 are given, or 1/signal in σ, as on that of rectified flow.
  ///
  /// - Returns: `nil` where such a path does not have this sigma.
  package static func between(_ a: NoiseLevel, _ b: NoiseLevel, sigma: Double) -> NoiseLevel? {
    // Without squares of σ and 1/signal, which may be larger than there are numbers.
    let (isStraight, ratio) = (a.isStraight && b.isStraight, a.signal / b.signal)
    var share = (sigma - b.sigma) / (a.sigma - b.sigma)
    if !isStraight { share *= (sigma + b.sigma) / (a.sigma + b.sigma) }
    let growth = isStraight ? share + (1 - share) * ratio : (share + (1 - share) * ratio * ratio).squareRoot()
    let signal = a.signal / growth
    guard isValid(signal: signal, noise: sigma * signal) else { return nil }
    return NoiseLevel(signal: signal, noise: sigma * signal)
  }

  /// Whether signal + noise = 1, but for the rounding of both, and neither is 0.
  var isStraight: Bool { abs(signal + noise - 1) <= 0x1p-48 }
}
