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
    case points(timesteps: [Double], values: [DoubleDouble])
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
      values: inner.map { isStraight ? $0.level.exact.noise : -$0.level.exact.lambda })
    (self.direction, self.isStraight) = (direction, isStraight)
  }

  /// The timestep that a network is told for a sigma above 0.
  public func timestep(sigma: Double) -> Double {
    let value = isStraight ? sigma / (1 + sigma) : Math.log(sigma)
    switch table {
    case .points(let timesteps, let values):
      let timestep = Self.interpolate(
        DoubleDouble(value), count: values.count, from: { values[$0] }, to: { DoubleDouble(timesteps[$0]) })
      return direction * timestep.rounded
    case .schedule(let schedule, let count):
      return Self.interpolate(
        DoubleDouble(value), count: count, near: Self.near(sigma, in: schedule, count: count),
        from: { DoubleDouble(Math.log(schedule.sigma(at: $0))) }, to: { DoubleDouble(Double($0)) }
      ).rounded
    }
  }

  /// The last timestep of which sigma is not more than a given one, or one near it.
  private static func near(_ sigma: Double, in schedule: NoiseSchedule, count: Int) -> Int {
    // One over 1 + σ² is ᾱ but for a rounding, which leaves the search a step or none.
    let alphaBar = 1 / (1 + sigma * sigma)
    return partition(count) { schedule.products[$0].high >= alphaBar }
  }

  /// The sigma of a timestep.
  ///
  /// - Accuracy: within 1 ulp.
  public func sigma(timestep: Double) -> Double { exactSigma(timestep: DoubleDouble(timestep)).rounded }

  /// The sigma of a timestep before it is rounded.
  func exactSigma(timestep: DoubleDouble) -> DoubleDouble {
    switch table {
    case .points(let timesteps, let values):
      let value = Self.interpolate(
        timestep * direction, count: values.count, from: { DoubleDouble(timesteps[$0]) }, to: { values[$0] })
      return isStraight ? value / (1 - value) : value.exp()
    case .schedule(let schedule, let count):
      // A whole timestep of the schedule has its sigma in the table.
      if timestep.low == 0, let whole = Int(exactly: timestep.high), (0..<count).contains(whole) {
        return schedule.exactSigma(at: whole)
      }
      return Self.interpolate(
        timestep, count: count, from: { DoubleDouble(Double($0)) }, to: { schedule.exactSigma(at: $0).log() }
      ).exp()
    }
  }

  /// The timestep of a point, which is a Double for the network, before it was rounded.
  func exactTimestep(of point: SamplingGrid.Point) -> DoubleDouble {
    guard case .schedule(let schedule, let count) = table, point.timestep != point.timestep.rounded(),
      point.level.noise > 0
    else { return DoubleDouble(point.timestep) }
    let sigma = point.level.exact.sigma
    let exact = Self.interpolate(
      sigma.log(), count: count, near: Self.near(sigma.high, in: schedule, count: count),
      from: { schedule.exactSigma(at: $0).log() }, to: { DoubleDouble(Double($0)) })
    // Another timestep was chosen for the level.
    guard abs(exact.high - point.timestep) <= 0x1p-40 * point.timestep else { return DoubleDouble(point.timestep) }
    return exact
  }

  /// The point with a given sigma between two others: level and network input are on their path.
  public func point(sigma: Double, between a: SamplingGrid.Point, and b: SamplingGrid.Point) -> SamplingGrid.Point {
    point(sigma: DoubleDouble(sigma), between: a, and: b)
  }

  /// The same of a sigma that is known beyond a Double.
  func point(sigma: DoubleDouble, between a: SamplingGrid.Point, and b: SamplingGrid.Point) -> SamplingGrid.Point {
    Self.point(timestep: timestep(sigma: sigma.high), sigma: sigma, between: a, and: b)
  }

  /// The point with a given timestep on the way from one point to another.
  public func point(timestep: Double, between a: SamplingGrid.Point, and b: SamplingGrid.Point) -> SamplingGrid.Point {
    Self.point(timestep: timestep, sigma: exactSigma(timestep: DoubleDouble(timestep)), between: a, and: b)
  }

  /// The point whose timestep is halfway between those of two others.
  func middle(of a: SamplingGrid.Point, and b: SamplingGrid.Point) -> SamplingGrid.Point {
    let timestep = (exactTimestep(of: a) + exactTimestep(of: b)) * 0.5
    return Self.point(timestep: timestep.rounded, sigma: exactSigma(timestep: timestep), between: a, and: b)
  }

  private static func point(
    timestep: Double, sigma: DoubleDouble, between a: SamplingGrid.Point, and b: SamplingGrid.Point
  ) -> SamplingGrid.Point {
    // From a point without signal there is no way that has its middle somewhere.
    guard sigma.high.isFinite, a.level.signal > 0, let level = NoiseLevel.between(a.level, b.level, sigma: sigma)
    else { return a }
    let given = NoiseLevel.between(a.level.scaled(by: a.inputScale), b.level.scaled(by: b.inputScale), sigma: sigma)
    // The clean end, at which no network is asked, need not be on the path of what networks are
    // given.
    let inputScale = given.map { ($0.exact.signal / level.exact.signal).rounded } ?? a.inputScale
    return SamplingGrid.Point(timestep: timestep, level: level, inputScale: inputScale)
  }

  /// A value of one table as one of another, linear between neighbours and held at the ends.
  ///
  /// - Parameter near: an index from which the search begins, if one is known.
  private static func interpolate(
    _ value: DoubleDouble, count: Int, near: Int? = nil, from table: (Int) -> DoubleDouble,
    to other: (Int) -> DoubleDouble
  ) -> DoubleDouble {
    guard count > 1 else { return count > 0 ? other(0) : DoubleDouble(0) }
    var low = min(near ?? partition(count) { !(value < table($0)) }, count - 2)
    var (start, end) = (table(low), table(low + 1))
    while value < start {
      if low == 0 { return other(0) }
      low -= 1
      (start, end) = (table(low), start)
    }
    while !(value < end) {
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
    between(a, b, sigma: DoubleDouble(sigma))
  }

  static func between(_ a: NoiseLevel, _ b: NoiseLevel, sigma: DoubleDouble) -> NoiseLevel? {
    let isStraight = a.isStraight && b.isStraight
    let (a, b) = (a.exact, b.exact)
    // Without squares of σ and 1/signal, which may be larger than there are numbers.
    let ratio = a.signal / b.signal
    var share = (sigma - b.sigma) / (a.sigma - b.sigma)
    if !isStraight { share = share * ((sigma + b.sigma) / (a.sigma + b.sigma)) }
    let growth = isStraight ? share + (1 - share) * ratio : (share + (1 - share) * ratio * ratio).squareRoot()
    let signal = a.signal / growth
    let noise = sigma * signal
    guard isValid(signal: signal.high, noise: noise.high) else { return nil }
    return NoiseLevel(Exact(signal: signal, noise: noise))
  }

  /// Whether signal + noise = 1, but for the rounding of both, and neither is 0.
  var isStraight: Bool { abs(signal + noise - 1) <= 0x1p-48 }
}
