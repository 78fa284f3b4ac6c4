/// SEEDS and other exponential Runge–Kutta methods in x̂0: two or three calls a step, on the
/// reverse SDE or, with eta 0, on the ODE.
///
///     xₖ = noiseₖ/noise·e^(−eta·cₖ·h)·x
///        + signalₖ·∫₀¹ Hₖ·e^(−Hₖ(1−s))·Pₖ(s) ds + noiseₖ·zₖ
///     x' = the same at c = 1,    H = (1 + eta)·h,    h = lambda' − lambda
///
/// | method | c | P of the second call | P of the step |
/// |---|---|---|---|
/// | SEEDS-2 | ½ | x̂0 | the line through x̂0 and x̂0₁, by the midpoint rule |
/// | RES 2S | ½ | x̂0 | the same line, exactly |
/// | exponential Heun | 1 | x̂0 | the same line, exactly |
/// | SEEDS-3 | ⅓, ⅔ | x̂0 | the line through x̂0 and x̂0₂, where x₂ has that through x̂0 and x̂0₁ |
///
/// The noises zₖ are those of one path: each call adds that of its own part of the step. A step to
/// clean data or from a level without signal has one call.
///
/// Source: [Gonzalez et al. 2023](https://arxiv.org/abs/2305.14267), algorithms 2 and 3, in x̂0 as
/// ComfyUI's `sample_seeds_2` and `sample_seeds_3`; Zhang et al. 2023,
/// <https://arxiv.org/abs/2308.02157>, table 2, for RES; Hochbruck and Ostermann 2005,
/// <https://doi.org/10.1137/040611434>, equation 5.3 with c₂ = 1, for Heun.
public struct SEEDS: EtaSampler {
  /// How the points between are chosen and weighted.
  public enum Method: String, Hashable, Codable, Sendable, CaseIterable {
    /// SEEDS-2: two calls, the second in the middle, by the midpoint rule.
    case seeds2
    /// SEEDS-3: three calls, at the start and after each third.
    case seeds3
    /// RES 2S: two calls, the second in the middle, by the exact rule.
    case res2
    /// Exponential Heun: two calls, the second at the end.
    case heun
  }

  public var method: Method
  public var eta: Double

  /// One of the methods; `eta` 1 is the reverse SDE, and 0 the ODE.
  public init(_ method: Method = .seeds2, eta: Double = 1) { (self.method, self.eta) = (method, eta) }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try validateEta()
    let scale = grid.timestepScale
    return grid.intervals.flatMap { from, to -> [Move] in
      guard to.level.noise > 0, from.level.signal > 0 else {
        return ExponentialStages(estimate: .x0, points: [from], end: to.level, eta: eta).moves([.held])
      }
      let (start, end) = (from.level.exact.sigma, to.level.exact.sigma)
      func point(_ part: Double, of whole: Double) -> SamplingGrid.Point {
        let sigma = start * (end / start).power(DoubleDouble(part) / whole)
        return scale.point(sigma: sigma, between: from, and: to)
      }
      let (inner, stages): ([SamplingGrid.Point], [ExponentialStages.Stage]) =
        switch method {
        case .seeds2: ([point(1, of: 2)], [.held, .line(to: 1, .midpoint)])
        case .res2: ([point(1, of: 2)], [.held, .line(to: 1, .exact)])
        case .heun: ([to], [.held, .line(to: 1, .exact)])
        case .seeds3: ([point(1, of: 3), point(2, of: 3)], [.held, .line(to: 1, .exact), .line(to: 2, .exact)])
        }
      return ExponentialStages(estimate: .x0, points: [from] + inner, end: to.level, eta: eta).moves(stages)
    }
  }

  static let entries: [SamplerCatalog.Entry] = [
    .init(
      name: "seeds-2", title: "SEEDS-2", sampler: SEEDS(), order: 2, source: "https://arxiv.org/abs/2305.14267",
      use: "as `dpm++sde`, where both stages solve the SDE"),
    .init(
      name: "seeds-3", title: "SEEDS-3", sampler: SEEDS(.seeds3), order: 2, source: "https://arxiv.org/abs/2305.14267",
      use: "the same with three calls a step"),
    .init(
      name: "res-2s", title: "RES 2S", sampler: SEEDS(.res2, eta: 0), order: 2,
      source: "https://arxiv.org/abs/2308.02157", use: "as `dpm++2s`, where its line is integrated exactly"),
    .init(
      name: "exp-heun", title: "Exponential Heun", sampler: SEEDS(.heun, eta: 0), order: 2,
      source: "https://doi.org/10.1137/040611434",
      use: "as `heun`, from pure noise too; ComfyUI's `exp_heun_2_x0`"),
    .init(
      name: "exp-heun-sde", title: "Exponential Heun on the SDE", sampler: SEEDS(.heun), order: 2,
      source: "https://github.com/comfyanonymous/ComfyUI", use: "the same, where noise is wanted"),
  ]
}
