/// Sigmas that were optimised for ten steps of a family of models; ln σ is linear between them.
///
/// ```swift
/// let grid = try SamplingGrid(schedule, steps: 12, alignedFor: .stableDiffusion)
/// ```
///
/// Source: [Sabour et al. 2024](https://arxiv.org/abs/2404.14507), appendix, with the interpolation
/// of their <https://research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html>.
public enum AlignYourSteps: String, Hashable, Codable, Sendable, CaseIterable {
  /// Stable Diffusion 1.5.
  case stableDiffusion
  /// Stable Diffusion XL.
  case stableDiffusionXL
  /// Stable Video Diffusion, whose sigmas are beyond those of a discrete schedule.
  case stableVideoDiffusion

  /// The eleven sigmas that bound ten steps, largest first. Runs go from the tenth to clean data.
  private var table: [Double] {
    switch self {
    case .stableDiffusion: [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029]
    case .stableDiffusionXL: [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029]
    case .stableVideoDiffusion: [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002]
    }
  }

  /// The sigmas at which the network is called, largest first.
  ///
  /// - Parameter steps: N, 1 or more.
  /// - Throws: `GridError.parameter` for another N.
  /// - Accuracy: within 1 ulp.
  public func sigmas(steps: Int) throws(GridError) -> [Double] { try exactSigmas(steps: steps).map(\.rounded) }

  /// The same before they are rounded.
  fileprivate func exactSigmas(steps: Int) throws(GridError) -> [DoubleDouble] {
    guard steps >= 1 else { throw .parameter("the number of steps", Double(steps), allowed: "1 or more") }
    let table = table
    return (0..<steps).map { i in
      // The position 10·i/N in whole numbers, so that a step of the table is the table's number.
      let (low, remainder) = (i * (table.count - 1)).quotientAndRemainder(dividingBy: steps)
      let (start, end) = (DoubleDouble(table[low]), remainder > 0 ? DoubleDouble(table[low + 1]) : DoubleDouble(1))
      guard remainder > 0 else { return start }
      let share = DoubleDouble(Double(remainder)) / Double(steps)
      return ((1 - share) * start.log() + share * end.log()).exp()
    }
  }
}

extension SamplingGrid {
  /// N sigmas optimised for a family of models, on the variance-preserving path, then clean data.
  ///
  /// - Throws: `GridError` if `steps` is outside 1 ... T.
  public init(_ schedule: NoiseSchedule, steps: Int, alignedFor family: AlignYourSteps) throws(GridError) {
    guard steps >= 1, steps <= schedule.timesteps else { throw .steps(steps, timesteps: schedule.timesteps) }
    try self.init(schedule, exact: family.exactSigmas(steps: steps))
  }
}
