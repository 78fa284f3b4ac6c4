/// Consistency models: the network says where the ODE ends from any level, at σ_min, and fresh
/// noise leads from there to each next level.
///
///     x' = signal'·x̂0 + √(noise'² − (signal'·σ_min)²)·z
///
/// x̂0 is the consistency function of the sample, which `ConsistencyFunction` reads. With a network
/// that is not distilled, the error does not fall with the number of steps.
///
/// Source: [Song et al. 2023](https://arxiv.org/abs/2303.01469), algorithm 1.
public struct ConsistencyModel: Sampler {
  /// The least sigma of the process, ε in the paper: 0 or more.
  public var leastSigma: Double

  /// The sampler of a model with this least sigma, that of the paper by default.
  public init(leastSigma: Double = 0.002) { self.leastSigma = leastSigma }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("leastSigma", leastSigma, .notNegative)
    return grid.intervals.map { from, to in
      let end = to.level.exact
      let least = end.signal * leastSigma
      let drawn = max(DoubleDouble(0), (end.noise - least) * (end.noise + least)).squareRoot()
      return Move(at: from, to: to.level, estimate: .x0, next: end.signal * LinearForm.estimate() + drawn * .noise)
    }
  }

  static let entry = SamplerCatalog.Entry(
    name: "consistency", title: "Consistency model", sampler: ConsistencyModel(), order: 0,
    source: "https://arxiv.org/abs/2303.01469",
    use: "with a consistency model, in 1 to 4 calls; with `leastSigma: 0` and a distilled network of rectified flow")
}
