/// Times of rectified flow that make the steps of a few calls follow those of many, for a family of
/// models; ln t is linear between the numbers.
///
/// ```swift
/// let grid = try SamplingGrid(optimalStepsFor: .flux, steps: 10)
/// ```
///
/// Source: [Pei et al. 2025](https://arxiv.org/abs/2503.21774), with the numbers and the
/// interpolation of ComfyUI's `OptimalStepsScheduler`, <https://github.com/comfyanonymous/ComfyUI>.
public enum OptimalSteps: String, Hashable, Codable, Sendable, CaseIterable {
  /// Flux, for 10 steps.
  case flux
  /// Wan, for 20 steps.
  case wan
  /// Chroma, for 40 steps.
  case chroma

  /// The times that bound the steps, largest first. Runs go from the last but one to clean data.
  private var table: [Double] {
    switch self {
    case .flux: [0.9968, 0.9886, 0.9819, 0.975, 0.966, 0.9471, 0.9158, 0.8287, 0.5512, 0.2808, 0.001]
    case .wan:
      [
        1, 0.997, 0.995, 0.993, 0.991, 0.989, 0.987, 0.985, 0.98, 0.975, 0.973, 0.968, 0.96, 0.946, 0.927, 0.902, 0.864,
        0.776, 0.539, 0.208, 0.001,
      ]
    case .chroma:
      [
        0.992, 0.99, 0.988, 0.985, 0.982, 0.978, 0.973, 0.968, 0.961, 0.953, 0.943, 0.931, 0.917, 0.9, 0.881, 0.858,
        0.832, 0.802, 0.769, 0.731, 0.69, 0.646, 0.599, 0.55, 0.501, 0.451, 0.402, 0.355, 0.311, 0.27, 0.232, 0.199,
        0.169, 0.143, 0.12, 0.101, 0.084, 0.07, 0.058, 0.048, 0.001,
      ]
    }
  }

  /// The times before they are rounded.
  fileprivate func exactTimes(steps: Int) throws(GridError) -> [DoubleDouble] {
    guard steps >= 1 else { throw .parameter("the number of steps", Double(steps), allowed: "1 or more") }
    return LogarithmicTable(table).values(steps: steps)
  }
}

extension SamplingGrid {
  /// N times that were optimised for a family of models, then clean data.
  ///
  /// - `timesteps`: the factor from a time to what the network is told.
  /// - Throws: `GridError` if `steps` is below 1, or the factor is not above 0 and finite.
  /// - Accuracy: t and 1 − t within 1 ulp each.
  public init(optimalStepsFor family: OptimalSteps, steps: Int, timesteps: Double = 1000) throws(GridError) {
    guard timesteps > 0, timesteps.isFinite else {
      throw .parameter("timesteps", timesteps, allowed: "above 0 and finite")
    }
    let points = try family.exactTimes(steps: steps).map { time in
      Point(timestep: (time * timesteps).rounded, level: NoiseLevel(.init(signal: 1 - time, noise: time)))
    }
    try self.init(points: points + [.clean])
  }
}
