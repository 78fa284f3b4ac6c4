/// Which N of a schedule's T timesteps a run visits.
///
/// Every spacing but `ddimUniform` gives exactly N different timesteps for every N in 1 ... T, in
/// exact integer arithmetic, with ties rounded to even where it rounds.
///
/// Source: [Lin et al. 2023](https://arxiv.org/abs/2305.08891), table 2, unless a case names
/// another.
public enum TimestepSpacing: Hashable, Codable, Sendable {
  /// i·⌊T/N⌋ + `offset` for i = N−1 ... 0: begins below T−1. `offset` 1 is Stable Diffusion's.
  case leading(offset: Int = 0)
  /// round(T − i·T/N) − 1 for i = 0 ..< N: begins at T−1, ends above 0.
  case trailing
  /// round(i·(T−1)/(N−1)) for i = N−1 ... 0: begins at T−1 and ends at 0; T−1 alone where N = 1.
  case linspace
  /// N of the timesteps that a network was distilled at, (j + 1)·⌊T/M⌋ − 1 for j = 0 ..< M, which
  /// `originalSteps` counts: those with j = M − 1 − ⌊i·M/N⌋ for i = 0 ..< N.
  /// [Luo et al. 2023](https://arxiv.org/abs/2310.04378), section 4.3; diffusers'
  /// `original_inference_steps`.
  case distilled(originalSteps: Int = 50)
  /// ⌊(T−1)·(N−i)/N⌋ for i = 0 ..< N: begins at T−1 and ends above 0, by equal steps the last of
  /// which leads to clean data; Stability AI's generative models,
  /// <https://github.com/Stability-AI/generative-models>, `LegacyDDPMDiscretization`.
  case sgmUniform
  /// T − 1 − ⌊i·T/N⌋ for i = 0 ..< N: as `trailing`, rounded up; ComfyUI,
  /// <https://github.com/comfyanonymous/ComfyUI>, `simple_scheduler`.
  case simple
  /// 1 + i·⌊T/N⌋ from the largest below T down to 1: N steps where N divides T, and otherwise so
  /// many as there are, N or more; ComfyUI, `ddim_scheduler`.
  case ddimUniform
  /// Equal shares of a beta distribution over the timesteps, each rounded, from T−1 to 0: with both
  /// parameters below 1 the steps are small at both ends of the process. Where two would fall on
  /// one timestep, the later takes the next free one. Parameters are in 0.1 ... 10. [Lee et al.
  /// 2024](https://arxiv.org/abs/2407.12173).
  case beta(alpha: Double = 0.6, beta: Double = 0.6)
  /// N + 1 timesteps of another spacing without the last, for N below T: the last step, to clean
  /// data, is as long as the others. Of `.linspace` and `.leading` they are those of diffusers
  /// 0.42.1 for DPM-Solver, UniPC, DEIS and SA-Solver.
  indirect case oneMore(TimestepSpacing)

  /// The name on the command line and in messages.
  public var name: String {
    switch self {
    case .leading: "leading"
    case .trailing: "trailing"
    case .linspace: "linspace"
    case .distilled: "distilled"
    case .sgmUniform: "sgm-uniform"
    case .simple: "simple"
    case .ddimUniform: "ddim-uniform"
    case .beta: "beta"
    case .oneMore(let base): "\(base.name)+1"
    }
  }

  /// Every spacing with its default parameters that has any number of steps.
  public static let all: [TimestepSpacing] = [.leading(), .trailing, .linspace, .sgmUniform, .simple, .beta()]

  /// The N timesteps, largest first.
  ///
  /// - Throws: `GridError` if `steps` is outside 1 ... T, a timestep would fall outside the
  ///   schedule, as with an offset at N = T, or a parameter is out of its range.
  package func timesteps(steps count: Int, of total: Int) throws(GridError) -> [Int] {
    guard count >= 1, count <= total else { throw .steps(count, timesteps: total) }
    switch self {
    case .leading(let offset):
      let last = (count - 1) * (total / count)
      guard offset >= 0, offset <= total - 1 - last else {
        throw .parameter(
          "offset", Double(offset), allowed: "in 0 ... \(total - 1 - last) with \(count) of \(total) timesteps")
      }
      return (0..<count).reversed().map { $0 * (total / count) + offset }
    case .trailing: return (0..<count).map { Self.roundedQuotient(total * (count - $0), count) - 1 }
    case .linspace:
      guard count > 1 else { return [total - 1] }
      return (0..<count).reversed().map { Self.roundedQuotient($0 * (total - 1), count - 1) }
    case .distilled(let originalSteps):
      guard originalSteps >= count, originalSteps <= total else {
        throw .parameter(
          "originalSteps", Double(originalSteps),
          allowed: "in \(count) ... \(total) with \(count) of \(total) timesteps")
      }
      return (0..<count).map { (originalSteps - $0 * originalSteps / count) * (total / originalSteps) - 1 }
    case .sgmUniform: return (0..<count).map { (total - 1) * (count - $0) / count }
    case .simple: return (0..<count).map { total - 1 - $0 * total / count }
    case .ddimUniform:
      guard total > 1 else { throw .steps(count, timesteps: 0) }
      return stride(from: 1, to: total, by: total / count).reversed()
    case .beta(let alpha, let beta):
      let distribution = BetaDistribution(alpha: alpha, beta: beta)
      try distribution.validate()
      return Self.distinct(distribution.spaced(count).map { Int((Double(total - 1) * $0.x).rounded(.toNearestOrEven)) })
    case .oneMore(let base):
      guard count < total else {
        throw .parameter(
          "the number of steps", Double(count), allowed: "below \(total), as one more of the timesteps is chosen")
      }
      return try base.timesteps(steps: count + 1, of: total).dropLast()
    }
  }

  /// Timesteps that do not rise, moved down where they repeat, and up where there is no room.
  private static func distinct(_ timesteps: [Int]) -> [Int] {
    var bound = Int.max
    return timesteps.enumerated().map { i, timestep in
      bound = min(bound - 1, max(timestep, timesteps.count - 1 - i))
      return bound
    }
  }

  /// The whole number nearest to a quotient of two that are not negative, ties to even.
  private static func roundedQuotient(_ dividend: Int, _ divisor: Int) -> Int {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    let isUp = 2 * remainder > divisor || (2 * remainder == divisor && !quotient.isMultiple(of: 2))
    return isUp ? quotient + 1 : quotient
  }
}

extension SamplingGrid {
  /// N of the schedule's timesteps, then clean data.
  ///
  /// - Throws: `GridError` if `steps` is outside 1 ... T, or a timestep outside the schedule.
  public init(_ schedule: NoiseSchedule, steps: Int, spacing: TimestepSpacing = .trailing) throws(GridError) {
    try self.init(schedule, timesteps: spacing.timesteps(steps: steps, of: schedule.timesteps))
  }

  /// Given timesteps of the schedule, largest first, then clean data.
  ///
  /// - Throws: `GridError` if there are none, or one is outside 0 ..< T or does not descend.
  public init(_ schedule: NoiseSchedule, timesteps: [Int]) throws(GridError) {
    guard !timesteps.isEmpty else { throw .steps(0, timesteps: schedule.timesteps) }
    var bound = schedule.timesteps
    for (i, t) in timesteps.enumerated() {
      guard t >= 0, t < bound else { throw .timestep(Double(t), index: i, allowed: "0 or more and below \(bound)") }
      bound = t
    }
    let points = timesteps.map { Point(timestep: Double($0), level: schedule[$0]) }
    try self.init(points: points + [.clean], schedule: schedule)
  }
}
