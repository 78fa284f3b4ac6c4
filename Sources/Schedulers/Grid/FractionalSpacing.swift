/// N timesteps in equal steps, which need not be whole; ln σ is linear between whole ones.
///
/// Source: ComfyUI, <https://github.com/comfyanonymous/ComfyUI>, `normal_scheduler`.
public enum FractionalSpacing: String, Hashable, Codable, Sendable, CaseIterable {
  /// (T−1)·(N−1−i)/(N−1) for i = 0 ..< N: from T−1 to 0; T−1 alone where N = 1.
  case normal
  /// (T−1)·(N−i)/N for i = 0 ..< N: the last step, to clean data, is as long as the others.
  case fractionalSGMUniform

  /// The name on the command line and in messages.
  public var name: String { self == .normal ? "normal" : "sgm-uniform-fractional" }

  /// How far timestep i is from T − 1 on the way to 0, as a quotient of whole numbers.
  fileprivate func share(_ i: Int, of count: Int) -> (Int, Int) {
    (i, self == .normal ? max(count - 1, 1) : count)
  }
}

extension SamplingGrid {
  /// N timesteps of the schedule between whole ones, then clean data.
  ///
  /// - Throws: `GridError` if `steps` is outside 1 ... T.
  /// - Accuracy: timesteps are the nearest Doubles; their sigmas are within 2 ulps.
  public init(_ schedule: NoiseSchedule, steps: Int, spacing: FractionalSpacing) throws(GridError) {
    guard steps >= 1, steps <= schedule.timesteps else { throw .steps(steps, timesteps: schedule.timesteps) }
    let scale = TimestepScale(schedule)
    let points = (0..<steps).map { i in
      let (passed, whole) = spacing.share(i, of: steps)
      let rest = (schedule.timesteps - 1) * (whole - passed)
      let timestep = DoubleDouble(Double(rest)) / Double(whole)
      guard !rest.isMultiple(of: whole) else {
        return Point(timestep: timestep.high, level: schedule[rest / whole])
      }
      let level = NoiseLevel.variancePreserving(sigma: scale.exactSigma(timestep: timestep))
      return Point(timestep: timestep.rounded, level: level)
    }
    try self.init(points: points + [.clean], schedule: schedule)
  }
}
