/// APG, adaptive projected guidance: it leaves out what guidance adds along the conditional output,
/// which makes pictures garish, bounds the size of the rest, and remembers earlier steps. In each
/// sample,
///
///     S = F_c − F_u + momentum·S_before
///     D = S·min(1, limit/‖S‖)
///     F = F_c + (scale − 1)·(D − (1 − parallel)·⟨D, F_c⟩/‖F_c‖²·F_c)
///
/// The paper applies it to x̂0, which `Prediction.convert` makes of other outputs; diffusers guides
/// those as they are.
///
/// Source: [Sadat et al. 2025](https://arxiv.org/abs/2410.02416), with η for `parallel`, r for
/// `limit`, and β for the momentum.
public struct ProjectedGuide: Guide {
  /// Which output the change is added to.
  public enum Origin: Hashable, Sendable {
    /// F_c + (scale − 1)·change, as in the paper.
    case conditional
    /// F_u + scale·change, as diffusers 0.42.1 has it unless `use_original_formulation` is set: the
    /// same where nothing is shortened, projected or remembered.
    case unconditional
  }

  /// How far to go: 1 is the conditional output.
  public var scale: Double
  /// The part of the change along the conditional output that is kept; 1 keeps all.
  public var parallel: Double
  /// The longest change, as the root of the sum of its squares over a sample.
  public var limit: Double
  public var origin: Origin
  public var interval: GuidanceInterval

  /// - Precondition: `limit` is above 0.
  public init(
    scale: Double, parallel: Double = 0, limit: Double = .infinity, from origin: Origin = .conditional,
    in interval: GuidanceInterval = .always
  ) {
    stop(unless: limit > 0, "the limit of a change must be above 0, and infinite for none; got \(limit)")
    (self.scale, self.parallel, self.limit, self.origin, self.interval) = (scale, parallel, limit, origin, interval)
  }

  public var isNeutral: Bool { scale == 1 }

  public func callAsFunction<Tensor: InnerProductSpace>(
    _ conditional: Tensor, _ unconditional: Tensor, at query: SamplingPlan.Query
  ) -> Tensor {
    var none = GuidanceMomentum<Tensor>(0)
    return self(conditional, unconditional, momentum: &none, at: query)
  }

  /// - `momentum`: what is remembered of earlier steps; one for each run.
  public func callAsFunction<Tensor: InnerProductSpace>(
    _ conditional: Tensor, _ unconditional: Tensor, momentum: inout GuidanceMomentum<Tensor>,
    at query: SamplingPlan.Query
  ) -> Tensor {
    guard acts(on: [conditional, unconditional], at: query) else { return conditional }
    let change = momentum.adding(.combination([(1, conditional), (-1, unconditional)]))
    let (base, factor) = origin == .conditional ? (conditional, scale - 1) : (unconditional, scale)
    let factors = change.norms.map { factor * min(1, limit / $0) }
    let shares = Tensor.shares(of: change, along: conditional)
    let removed = zip(factors, shares).map { (parallel - 1) * $0 * $1 }
    return .combination(bySample: [(factors.map { _ in 1 }, base), (factors, change), (removed, conditional)])
  }
}

/// What `ProjectedGuide` remembers of the earlier steps of a run: the sum S of their changes.
public struct GuidanceMomentum<Tensor: LinearSpace> {
  /// How much of the sum goes into the next; the paper's are negative.
  public let factor: Double
  /// The sum so far; nil before the first step.
  public private(set) var sum: Tensor?

  public init(_ factor: Double) { self.factor = factor }

  fileprivate mutating func adding(_ change: Tensor) -> Tensor {
    let sum = sum.map { .sum([(1, change), (factor, $0)]) } ?? change
    self.sum = sum
    return sum
  }
}

extension GuidanceMomentum: Sendable where Tensor: Sendable {}
extension GuidanceMomentum: Codable where Tensor: Codable {}
