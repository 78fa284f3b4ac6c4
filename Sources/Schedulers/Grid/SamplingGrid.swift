/// The points of a process at which a run calls the network, noisiest first, and where it ends.
///
/// A grid of N steps has N + 1 points: N evaluations and the end, which for the grids made here is
/// clean data. Samplers go from point to point; how the points were chosen does not matter to them.
///
/// ```swift
/// let grid = try SamplingGrid(schedule, steps: 30, spacing: .trailing)
/// // image-to-image: the last 18 steps
/// let late = try grid.starting(strength: 0.6)
/// ```
public struct SamplingGrid: Hashable, Sendable {
  /// A timestep and its noise level.
  public struct Point: Hashable, Codable, Sendable {
    /// What the network is told: for a discrete process a whole number, unless sigmas are chosen.
    public let timestep: Double
    /// The level of the sample.
    public let level: NoiseLevel
    /// The network is given inputScale·sample: 1 for samples such as it was trained on.
    public let inputScale: Double

    /// A point. An end point that is never evaluated has timestep −1 by convention.
    public init(timestep: Double, level: NoiseLevel, inputScale: Double = 1) {
      (self.timestep, self.level, self.inputScale) = (timestep, level, inputScale)
    }

    /// The point for a sample x/signal, with a timestep; the network is given what it was.
    ///
    /// - Precondition: it has such a sample.
    package func exploding(timestep: Double) -> Point {
      let exploding = NoiseLevel(.init(signal: DoubleDouble(1), noise: level.exact.sigma))
      return Point(timestep: timestep, level: exploding, inputScale: level.signal * inputScale)
    }

    /// Whether noise/signal is a number; near pure noise it may pass what a Double can hold.
    package var hasExploding: Bool {
      let sigma = level.exact.sigma
      return sigma.high.isFinite && sigma.low.isFinite
    }

    /// The point with the factors of its level alone.
    var rounded: Point { Point(timestep: timestep, level: level.rounded, inputScale: inputScale) }

    /// Data without noise, where runs end.
    public static let clean = Point(timestep: -1, level: .clean)
  }

  /// The points, noisiest first. The last is where the run ends.
  public let points: [Point]
  /// The schedule of the points' process, if it is known: it says what lies between them.
  public let schedule: NoiseSchedule?

  /// The number of steps, one less than there are points.
  public var steps: Int { points.count - 1 }

  /// A grid of given points.
  ///
  /// - Parameters:
  ///   - points: noisiest first.
  ///   - schedule: whose process they belong to, for samplers that call the network between them.
  /// - Throws: `GridError` if there are none, their sigmas do not decrease strictly, a timestep is
  ///   not finite, or a scale is not above 0 and such that what the network is given is finite.
  public init(points: [Point], schedule: NoiseSchedule? = nil) throws(GridError) {
    guard !points.isEmpty else { throw .noPoints }
    for (i, point) in points.enumerated() {
      guard point.timestep.isFinite else { throw .timestep(point.timestep, index: i, allowed: "finite") }
      let (scale, level) = (point.inputScale, point.level)
      guard scale.isFinite, scale > 0, NoiseLevel.isValid(signal: scale * level.signal, noise: scale * level.noise)
      else { throw .inputScale(scale, index: i) }
      if i > 0, !(point.level.sigma < points[i - 1].level.sigma) {
        throw .sigma(point.level.sigma, index: i, previous: points[i - 1].level.sigma)
      }
    }
    (self.points, self.schedule) = (points, schedule)
  }

  /// A grid of points that need not descend, as other libraries make them.
  package init(unchecked points: [Point], schedule: NoiseSchedule? = nil) {
    (self.points, self.schedule) = (points, schedule)
  }

  /// The pairs of neighbouring points, in the order in which a run passes them.
  public var intervals: [(from: Point, to: Point)] { zip(points, points.dropFirst()).map { (from: $0, to: $1) } }

  /// Which sigma belongs to which timestep.
  ///
  /// - Complexity: O(N) for points alone; take it once for all points of a grid.
  public var timestepScale: TimestepScale { schedule.map { TimestepScale($0) } ?? TimestepScale(points) }

  /// The same points with samples x/signal = x0 + σ·epsilon; the network is given what it was.
  ///
  /// - Throws: `GridError` if the sigma of a point is infinite.
  public func exploding() throws(GridError) -> SamplingGrid {
    guard points.allSatisfy({ $0.hasExploding }) else {
      throw .parameter("the largest sigma", .infinity, allowed: "finite")
    }
    return try SamplingGrid(
      points: points.map { $0.exploding(timestep: $0.timestep) }, schedule: schedule)
  }
}

extension SamplingGrid {
  /// The last `count` steps, for a run that starts from a sample that already has less noise.
  ///
  /// - Throws: `GridError` if `count` is negative or larger than the grid.
  public func last(_ count: Int) throws(GridError) -> SamplingGrid {
    guard (0...steps).contains(count) else { throw .start("\(count) steps", allowed: "0 ... \(steps)") }
    return SamplingGrid(unchecked: Array(points.suffix(count + 1)), schedule: schedule)
  }

  /// The last strength·N steps, as image-to-image pipelines count them: 1 for the whole grid.
  ///
  /// A number that is not whole is rounded down; on the straight path of rectified flow, up.
  ///
  /// - Throws: `GridError` if `strength` is NaN or outside [0, 1].
  ///
  /// Source: `get_timesteps` of diffusers' pipelines: those of Stable Diffusion 3, Flux, Qwen-Image
  /// and Z-Image skip ⌊N − strength·N⌋ steps, the others make ⌊strength·N⌋.
  public func starting(strength: Double) throws(GridError) -> SamplingGrid {
    guard strength >= 0, strength <= 1 else { throw .start("strength \(strength)", allowed: "0 ... 1") }
    let made = Double(steps) * strength
    return try last(isStraight ? steps - Int(Double(steps) - made) : Int(made))
  }

  /// Whether the grid is one of rectified flow: of points alone, all on the straight path.
  private var isStraight: Bool { schedule == nil && points.allSatisfy { $0.level.isStraight } }

  /// The steps from the first point that has no more noise than `level`, by sigma.
  ///
  /// - Throws: `GridError` if even the end has more.
  public func starting(at level: NoiseLevel) throws(GridError) -> SamplingGrid {
    guard let first = points.firstIndex(where: { $0.level.sigma <= level.sigma }) else {
      throw .start("sigma \(level.sigma)", allowed: "\(points[steps].level.sigma) or more")
    }
    return try last(steps - first)
  }
}

extension SamplingGrid: Codable {
  private enum CodingKeys: CodingKey { case points, schedule }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    do {
      try self.init(
        points: container.decode([Point].self, forKey: .points),
        schedule: container.decodeIfPresent(NoiseSchedule.self, forKey: .schedule))
    } catch let error as GridError {
      throw container.error(.points, "\(error)")
    }
  }
}
