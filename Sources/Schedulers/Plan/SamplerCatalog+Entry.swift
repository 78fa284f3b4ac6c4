extension SamplerCatalog {
  /// A sampler, what is declared of it, and what its moves on small grids show.
  public struct Entry: Sendable {
    /// The name on the command line.
    public let name: String
    /// The name in the literature.
    public let title: String
    /// The sampler with its default options.
    public let sampler: any Sampler
    /// The order of convergence: the error falls as N^(−order). For stochastic samplers, this is
    /// the order of the variance of the result. It is 0 where the error stays.
    public let order: Int
    /// The paper or the code that defines it.
    public let source: String
    /// When to take it, in a few words of Markdown.
    public let use: String

    /// Whether it draws noise with its default options.
    public let isStochastic: Bool
    /// Whether it goes from data to noise.
    public let isInversion: Bool
    /// Whether it comes back to levels that it has left, as resampling does.
    public let revisitsLevels: Bool
    /// Whether it has no plan for a grid with a level without signal, as it divides by the signal.
    public let needsSignal: Bool
    /// Whether its steps follow from the timesteps of the points too, not from their levels alone.
    public let readsTimesteps: Bool
    /// Whether its steps follow from the path of the levels too. Of other samplers, the runs on two
    /// paths with the same sigmas are the same run, with samples scaled by the signal.
    public let followsPath: Bool
    /// How many earlier samples a run keeps.
    public let keptSamples: Int
    /// How many earlier estimates a run keeps.
    public let keptEstimates: Int

    /// An entry, of this catalog or of a longer one made with it.
    ///
    /// - Precondition: the sampler's options are in their ranges.
    public init(name: String, title: String, sampler: any Sampler, order: Int, source: String, use: String) {
      (self.name, self.title, self.sampler) = (name, title, sampler)
      (self.order, self.source, self.use) = (order, source, use)

      let grid = Self.probe(steps: 24)
      let start = sampler.start(of: grid)
      let moves = Self.moves(of: sampler, over: grid)
      isStochastic = moves.contains { $0.next.noise != 0 }
      isInversion = start.sigma < grid.points[0].level.sigma
      // Two calls in succession may ask at one point.
      let stays = zip(moves, moves.dropFirst()).count { $0.query == $1.query }
      revisitsLevels = moves.count - stays > Set(moves.map(\.query)).count
      needsSignal =
        (try? sampler.moves(over: Self.probe(steps: 24, from: .infinity)))?.allSatisfy { $0.next.isFinite } != true
      readsTimesteps = Self.moves(of: sampler, over: Self.timed(grid)).map(\.next) != moves.map(\.next)
      let exploding = Self.probe(steps: 24, level: { NoiseLevel(signal: 1, noise: $0) })
      let others = Self.moves(of: sampler, over: exploding)
      let pairs = zip(Self.unscaled(moves, from: start), Self.unscaled(others, from: sampler.start(of: exploding)))
      // The same factors are rounded otherwise on another path.
      followsPath = !pairs.allSatisfy { zip($0, $1).allSatisfy { abs($0 - $1) <= 1e-9 * max(1, abs($0)) } }
      keptSamples = moves.reduce(0) { max($0, $1.next.samples.count - 1) }
      keptEstimates = moves.reduce(0) { max($0, $1.next.estimates.count - 1) }
    }

    /// How often the network is called in `steps` steps, 1 or more, to clean data.
    public func evaluations(steps: Int) -> Int { Self.moves(of: sampler, over: Self.probe(steps: steps)).count }

    /// The largest number of steps with at most `evaluations` calls, which is 1 or more.
    public func steps(evaluations: Int) -> Int {
      // A step takes one call at least.
      var (steps, more) = (1, evaluations + 1)
      while more - steps > 1 {
        let middle = (steps + more) / 2
        if self.evaluations(steps: middle) <= evaluations { steps = middle } else { more = middle }
      }
      return steps
    }

    /// The calls for N steps to clean data, such as 2N − 1; "about" where they do not grow evenly.
    public var calls: String {
      func text(_ factor: Int) -> String { factor == 1 ? "N" : "\(factor)N" }
      let (few, next, many) = (evaluations(steps: 24), evaluations(steps: 25), evaluations(steps: 240))
      let (factor, rest) = (next - few, few - 24 * (next - few))
      guard many == 240 * factor + rest else { return "about \(text((many - evaluations(steps: 120)) / 120))" }
      return text(factor) + (rest == 0 ? "" : rest > 0 ? " + \(rest)" : " − \(-rest)")
    }
  }
}

extension SamplerCatalog.Entry {
  /// A grid: σ from 20 to 0.05 in equal steps of ln σ, then clean data; timesteps grow with σ.
  ///
  /// - Parameters:
  ///   - first: the first σ.
  ///   - level: the level of a σ, which says what path they are on.
  private static func probe(
    steps: Int, from first: Double = 20, level: (Double) -> NoiseLevel = { .variancePreserving(sigma: $0) }
  ) -> SamplingGrid {
    let points = (0...steps).map { i in
      let sigma = i == 0 ? first : i == steps ? 0 : 20 * Math.pow(0.0025, Double(i) / Double(steps))
      return SamplingGrid.Point(timestep: Double(steps - i), level: level(sigma))
    }
    return SamplingGrid(unchecked: points)
  }

  /// The same levels at the timesteps of a schedule.
  private static func timed(_ grid: SamplingGrid) -> SamplingGrid {
    let scale = TimestepScale(schedule)
    let points = grid.points.map { point in
      let timestep = point.level.noise > 0 ? scale.timestep(sigma: point.level.sigma) : 0
      return SamplingGrid.Point(timestep: timestep, level: point.level)
    }
    return SamplingGrid(unchecked: points, schedule: schedule)
  }

  private static let schedule = try! NoiseSchedule(.linear(), timesteps: 1000)

  private static func moves(of sampler: any Sampler, over grid: SamplingGrid) -> [SamplingPlan.Move] {
    do { return try sampler.moves(over: grid) } catch { stop("no entry for \(sampler): \(error)") }
  }

  /// The factors of each move for samples that are divided by their signal.
  private static func unscaled(_ moves: [SamplingPlan.Move], from start: NoiseLevel) -> [[Double]] {
    let signals = [start.signal] + moves.map(\.arrival.signal)
    return moves.enumerated().map { i, move in
      let samples = move.next.samples.enumerated().map { ago, factor in factor * signals[i - ago] }
      return (samples + move.next.estimates + [move.next.predicted, move.next.noise]).map { $0 / move.arrival.signal }
    }
  }
}
