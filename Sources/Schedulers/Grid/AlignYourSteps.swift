/// Sigmas that were optimised for a family of models; ln σ is linear between them.
///
/// ```swift
/// let grid = try SamplingGrid(schedule, steps: 12, alignedFor: .stableDiffusion)
/// ```
///
/// Source: [Sabour et al. 2024](https://arxiv.org/abs/2404.14507), appendix, with the interpolation
/// of their <https://research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html>. The tables of
/// 32 are those of <https://github.com/lllyasviel/stable-diffusion-webui-forge>, `ays_32_sigmas`.
public enum AlignYourSteps: String, Hashable, Codable, Sendable, CaseIterable {
  /// Stable Diffusion 1.5.
  case stableDiffusion
  /// Stable Diffusion XL.
  case stableDiffusionXL
  /// Stable Video Diffusion, whose sigmas are beyond those of a discrete schedule.
  case stableVideoDiffusion
  /// Stable Diffusion 1.5, with the last of the eleven sigmas as a call: for 11 steps.
  case stableDiffusion11
  /// Stable Diffusion XL, for 11 steps.
  case stableDiffusionXL11
  /// Stable Diffusion 1.5, for 32 steps.
  case stableDiffusion32
  /// Stable Diffusion XL, for 32 steps.
  case stableDiffusionXL32

  /// Whether the last sigma is a call, and not the end of the last step, for which clean data are
  /// put.
  private var callsLast: Bool {
    switch self {
    case .stableDiffusion, .stableDiffusionXL, .stableVideoDiffusion: false
    case .stableDiffusion11, .stableDiffusionXL11, .stableDiffusion32, .stableDiffusionXL32: true
    }
  }

  /// The sigmas, largest first.
  private var table: [Double] {
    switch self {
    case .stableDiffusion, .stableDiffusion11:
      [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029]
    case .stableDiffusionXL, .stableDiffusionXL11:
      [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029]
    case .stableVideoDiffusion: [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002]
    case .stableDiffusion32:
      [
        14.615, 11.23951352, 8.64363081, 6.64729424, 5.57250862, 4.71648546, 3.99196065, 3.5195609, 3.13490466,
        2.79228788, 2.48773628, 2.21663865, 1.97508351, 1.7793172, 1.61475335, 1.46540953, 1.314849, 1.16642497,
        1.03475547, 0.91573744, 0.80748169, 0.71202361, 0.621739, 0.53065202, 0.4529096, 0.37491455, 0.27461819,
        0.2011529, 0.14105873, 0.06682881, 0.03166121, 0.015,
      ]
    case .stableDiffusionXL32:
      [
        14.615, 11.1491618, 8.50522127, 6.48827151, 5.43707402, 4.60398619, 3.89854704, 3.27407457, 2.74396527,
        2.29968659, 1.95448514, 1.67108715, 1.42878152, 1.23181009, 1.06789649, 0.92579443, 0.80290886, 0.69660121,
        0.60436903, 0.52852552, 0.46773344, 0.41393379, 0.36258186, 0.31008517, 0.26518925, 0.22326461, 0.17653877,
        0.13959192, 0.10587381, 0.05519369, 0.02877334, 0.015,
      ]
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
    return LogarithmicTable(table).values(steps: steps, withLast: callsLast)
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
