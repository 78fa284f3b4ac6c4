/// Which sigma belongs to which timestep, between the points of a grid as well as at them: ln σ is linear in between, and held beyond the
/// ends.
///
/// Samplers that call the network between two points of a grid find these points here. The scale is that of the grid's schedule; for a grid
/// of points alone, it is theirs.
///
/// ```swift
/// let middle = grid.timestepScale.point(sigma: (a.level.sigma * b.level.sigma).squareRoot(), between: a, and: b)
/// ```
public struct TimestepScale: Hashable, Sendable {
  /// Timesteps and ln σ, both ascending.
  private let timesteps: [Double]
  private let logarithms: [Double]

  /// The scale of a schedule's whole timesteps, without those that have no signal.
  init(_ schedule: NoiseSchedule) {
    logarithms = Array(schedule.logSNR.map { -$0 / 2 }.prefix(while: \.isFinite))
    timesteps = logarithms.indices.map(Double.init)
  }

  /// The scale of points, noisiest first, without those that have no signal or no noise.
  init(_ points: [SamplingGrid.Point]) {
    let inner = points.reversed().filter { $0.level.noise > 0 && $0.level.signal > 0 }
    timesteps = inner.map(\.timestep)
    logarithms = inner.map { -$0.level.lambda }
  }

  /// The timestep that a network is told for a sigma above 0.
  public func timestep(sigma: Double) -> Double { Self.interpolate(Math.log(sigma), from: logarithms, to: timesteps) }

  /// The sigma of a timestep.
  ///
  /// - Accuracy: relative error within (4 + |ln σ|)·2⁻⁵² at whole timesteps of a schedule.
  public func sigma(timestep: Double) -> Double { Math.exp(Self.interpolate(timestep, from: timesteps, to: logarithms)) }

  /// The point with a given sigma on the way from one point to another: the level is on their path, and so is what the network is given.
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
    guard sigma.isFinite, a.level.signal > 0 else { return a }
    let level = NoiseLevel.between(a.level, b.level, sigma: sigma)
    let given = NoiseLevel.between(a.level.scaled(by: a.inputScale), b.level.scaled(by: b.inputScale), sigma: sigma)
    return SamplingGrid.Point(timestep: timestep, level: level, inputScale: given.signal / level.signal)
  }

  private static func interpolate(_ value: Double, from table: [Double], to other: [Double]) -> Double {
    guard let first = table.first, let last = table.last else { return other.first ?? 0 }
    if value <= first { return other[0] }
    if value >= last { return other[other.count - 1] }
    var (low, high) = (0, table.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if table[middle] <= value { low = middle } else { high = middle }
    }
    return other[low] + (value - table[low]) / (table[high] - table[low]) * (other[high] - other[low])
  }
}

extension NoiseLevel {
  /// The level with a given sigma on the path of two levels: the circle signal² + noise² = 1 if both lie on it, else the straight line
  /// through them, which the exploding process (signal = 1) and rectified flow (signal + noise = 1) follow.
  static func between(_ a: NoiseLevel, _ b: NoiseLevel, sigma: Double) -> NoiseLevel {
    if a.isVariancePreserving, b.isVariancePreserving { return .variancePreserving(sigma: sigma) }
    let signal =
      (a.signal * b.noise - a.noise * b.signal) / ((b.noise - a.noise) - sigma * (b.signal - a.signal))
    return NoiseLevel(signal: signal, noise: sigma * signal)
  }

  /// Whether signal² + noise² = 1, but for the rounding of both.
  private var isVariancePreserving: Bool { abs(signal * signal + noise * noise - 1) <= 0x1p-48 }
}
