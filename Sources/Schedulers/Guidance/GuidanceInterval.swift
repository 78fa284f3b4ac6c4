/// Where in a run guidance acts: everywhere, at some noise levels, or at some calls of the network.
///
/// Guidance harms at high noise and is of no use at low noise, so that an interval makes better
/// pictures with fewer calls: [Kynkäänniemi et al. 2024](https://arxiv.org/abs/2404.07724).
public struct GuidanceInterval: Hashable, Sendable {
  private enum Kind: Hashable {
    case always
    case sigmas(above: Double, through: Double)
    case steps(Range<Int>)
    case part(from: Double, to: Double)
  }

  private let kind: Kind

  /// The whole run.
  public static let always = GuidanceInterval(kind: .always)

  /// Where low < sigma ≤ high, as in the paper; `high` may be infinite.
  ///
  /// - Precondition: `low` is below `high`.
  public static func sigmas(above low: Double, through high: Double) -> GuidanceInterval {
    stop(unless: low < high, "no sigma is above \(low) and at most \(high); give the lower one first")
    return GuidanceInterval(kind: .sigmas(above: low, through: high))
  }

  /// At some calls of the network, the first of a run being 0.
  public static func steps(_ steps: Range<Int>) -> GuidanceInterval { GuidanceInterval(kind: .steps(steps)) }

  /// In a part of the run, as diffusers' guiders have it from `start` to `stop`: from the call
  /// int(start·count) on, and up to the one before int(end·count), of `count` calls.
  ///
  /// - Precondition: 0 ≤ start ≤ end ≤ 1.
  public static func part(from start: Double, to end: Double) -> GuidanceInterval {
    stop(
      unless: 0 <= start && start <= end && end <= 1,
      "guidance acts from \(start) to \(end) of a run; give two parts of 1, the smaller first")
    return GuidanceInterval(kind: .part(from: start, to: end))
  }

  /// Whether guidance acts at a query.
  public func contains(_ query: SamplingPlan.Query) -> Bool {
    switch kind {
    case .always: true
    case .sigmas(let low, let high): low < query.level.sigma && query.level.sigma <= high
    case .steps(let steps): steps.contains(query.step)
    case .part(let start, let end):
      (Int(start * Double(query.count))..<Int(end * Double(query.count))).contains(query.step)
    }
  }
}
