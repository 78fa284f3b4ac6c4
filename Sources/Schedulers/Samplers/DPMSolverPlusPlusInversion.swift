/// `DPMSolverPlusPlus` run backwards: from data to the noise that it would turn into them.
///
/// The steps are those of `DPMSolverPlusPlus`, from each point of the grid to the noisier one
/// before it. At zero noise a network has nothing to say, so that the first evaluation is that of
/// `DDIMInversion`. Inversion is exact as the steps become small, not for a given number of them.
/// It cannot lead to a level without signal, which is infinitely far in lambda.
///
/// Source: [Lu et al. 2022](https://arxiv.org/abs/2211.01095), algorithm 2, as in diffusers 0.42.1,
/// `DPMSolverMultistepInverseScheduler`.
public struct DPMSolverPlusPlusInversion: Sampler {
  /// 1, 2 or 3.
  public var order: Int
  /// The rule of the steps of order 2.
  public var slopeRule: SlopeRule

  public init(order: Int = 2, slopeRule: SlopeRule = .midpoint) { (self.order, self.slopeRule) = (order, slopeRule) }

  public func start(of grid: SamplingGrid) -> NoiseLevel { DDIMInversion().start(of: grid) }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("order", Double(order), .closed(1...3))
    let multistep = ExponentialMultistep(order: order, estimate: .x0, slopeRule: slopeRule)
    return Self.moves(over: grid, by: multistep) { _, _ in order }
  }

  /// The steps of a method, each of at most the order that its number and its arrival give.
  package static func moves(
    over grid: SamplingGrid, by multistep: ExponentialMultistep, order: (Int, NoiseLevel) -> Int
  ) -> [Move] {
    let climb = Array(grid.points.reversed().drop { $0.level.noise == 0 })
    let first = DDIMInversion().moves(over: grid).prefix(grid.points.count - climb.count)
    // The estimate of that first evaluation has the level of the next, and says nothing more.
    return first
      + multistep.moves(climb) { order(first.count + $0, climb[$0 + 1].level) }
  }

  static let entry = SamplerCatalog.Entry(
    name: "dpm++2m-inversion", title: "DPM-Solver++ 2M inversion", sampler: DPMSolverPlusPlusInversion(), order: 2,
    source: "https://arxiv.org/abs/2211.01095", use: "as `ddim-inversion`, for samples of `dpm++2m`")
}
