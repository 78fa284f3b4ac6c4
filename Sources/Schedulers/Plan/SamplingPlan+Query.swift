extension SamplingPlan {
  /// What the network is told at an evaluation of a run, and which of all it is.
  ///
  /// ```swift
  /// let image = plan.sample(from: xT) { x, query in
  ///   let isControlled = query.step < query.count * 8 / 10
  ///   return unet(
  ///     x, query.timestep, isControlled ? controlNet(x, query.timestep) : nil)
  /// }
  /// ```
  public struct Query: Hashable, Codable, Sendable {
    /// For a discrete process a whole number, unless sigmas are chosen.
    public let timestep: Double
    /// The level of the sample.
    public let level: NoiseLevel
    /// The network is given inputScale·sample.
    public let inputScale: Double
    /// Which evaluation this is, from 0 on. `Heun` and others make two for a step of the grid.
    public let step: Int
    /// How many evaluations the run makes.
    public let count: Int

    /// A question; without more, the only one of its run.
    public init(timestep: Double, level: NoiseLevel, inputScale: Double = 1, step: Int = 0, count: Int = 1) {
      (self.timestep, self.level, self.inputScale) = (timestep, level, inputScale)
      (self.step, self.count) = (step, count)
    }

    /// The question about a point; without more, the only one of its run.
    public init(_ point: SamplingGrid.Point, step: Int = 0, count: Int = 1) {
      self.init(
        timestep: point.timestep, level: point.level, inputScale: point.inputScale, step: step, count: count)
    }
  }

  /// The question of an evaluation; `nil` after the last.
  func query(_ step: Int) -> Query? {
    step < steps.count ? Query(steps[step].query, step: step, count: steps.count) : nil
  }
}
