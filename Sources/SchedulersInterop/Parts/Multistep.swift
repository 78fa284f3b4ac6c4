import Schedulers

/// The options of DPM-Solver: `solver_order`, `algorithm_type`, `solver_type` and what lowers last
/// orders.
struct Multistep {
  /// What `algorithm_type` interpolates, and its share of fresh noise.
  typealias Algorithm = (estimate: Estimate, eta: Double)

  private let order: Given<Int>
  let algorithm: NamedChoice<Algorithm>
  private let slopes: NamedChoice<SlopeRule>
  private let lowersFinalOrder: Given<Bool>
  private let isEulerAtFinal: Bool
  /// Whether there is a step of order 3 for the SDE in x̂0.
  var hasThirdOrderOfSDE = true

  private static let algorithms: KeyValuePairs<String, Algorithm> = [
    "dpmsolver++": (.x0, 0), "dpmsolver": (.epsilon, 0), "sde-dpmsolver++": (.x0, 1), "sde-dpmsolver": (.epsilon, 1),
    // Each class takes the names of the others for its own default.
    "deis": (.x0, 0),
  ]

  /// - Parameters:
  ///   - absent: algorithms that the class does not have.
  ///   - fixed: the algorithm of a class without the option.
  init(
    _ o: inout OptionReader, without absent: Set<String> = [], fixed: String? = nil, lowersFinalOrder: Given<Bool>,
    hasEulerAtFinal: Bool = true
  ) {
    order = o.integer("solver_order", 2)
    let name = "algorithm_type"
    algorithm =
      fixed.map {
        NamedChoice(given: Given(value: $0, name: name, shown: .string($0)), choices: Array(Self.algorithms))
      }
      ?? o.choice(name, "dpmsolver++", Self.algorithms, without: absent)
    slopes = o.choice(
      "solver_type", "midpoint",
      ["midpoint": .midpoint, "heun": .exact, "logrho": .midpoint, "bh1": .midpoint, "bh2": .midpoint])
    self.lowersFinalOrder = lowersFinalOrder
    isEulerAtFinal = hasEulerAtFinal && o.boolean("euler_at_final", false).value
  }

  /// Whether diffusers draws noise at every call.
  var drawsAlways: Bool { ((try? algorithm.get())?.eta ?? 0) > 0 }

  func checkedOrder() throws -> Int { try order.within(1...3, "use 1, 2 or 3") }

  /// The method by its options, of order 3 at most.
  func solver() throws -> ExponentialMultistep {
    let (slopes, algorithm) = try (slopes.get(), algorithm.get())
    return ExponentialMultistep(order: 3, estimate: algorithm.estimate, slopeRule: slopes, eta: algorithm.eta)
  }

  /// The same, where diffusers runs it.
  ///
  /// - Parameters:
  ///   - lambda: the class's other options, if it solves in lambda on a table.
  ///   - ending: whether a run ends at the least noise; nil where it does not matter.
  func faithfulSolver(_ lambda: LambdaSolver?, ending: NamedChoice<Bool>?) throws -> ExponentialMultistep {
    let solver = try solver()
    if solver.estimate == .epsilon { try lambda?.refuseFlow("with this algorithm_type") }
    if let ending, try !ending.get(), algorithm.name?.hasSuffix("++") == false {
      throw ending.given.refused("diffusers takes sigma_min alone with this algorithm_type")
    }
    return solver
  }

  /// What the last steps have for their order at most.
  func orderLimits(_ steps: Int, endsClean: Bool) -> [Int] {
    let isShort = lowersFinalOrder.value && steps < 15
    let isLastFirst = endsClean || isEulerAtFinal || isShort
    return (0..<steps).map { $0 == steps - 1 && isLastFirst ? 1 : $0 == steps - 2 && isShort ? 2 : 3 }
  }

  private func orders(_ grid: SamplingGrid, of run: Run?, endsClean: Bool) throws -> [Int] {
    let (order, first) = (try checkedOrder(), run?.first ?? 0)
    let limits = orderLimits(first + grid.steps, endsClean: endsClean).dropFirst(first)
    return limits.enumerated().map { i, limit in
      grid.points[i + 1].level.noise > 0 ? min(order, limit, i + 1) : 1
    }
  }

  func moves(_ grid: SamplingGrid, endsClean: Bool) throws -> [Move] {
    let orders = try orders(grid, of: nil, endsClean: endsClean)
    return try solver().moves(grid.points) { orders[$0] }
  }

  func faithfulMoves(
    _ grid: SamplingGrid, of run: Run, by solver: ExponentialMultistep, endsClean: Bool, _ levels: Float32Levels
  ) throws -> [Move] {
    let (orders, points) = (try orders(grid, of: run, endsClean: endsClean), SolverLevel.levels(of: grid.points))
    for (i, order) in orders.enumerated() { try check(solver, grid, step: i, order: order, levels) }
    return orders.enumerated().map { i, order in
      let step = ExponentialStep(
        estimate: solver.estimate, from: points[i], to: points[i + 1], eta: solver.eta)
      let slope = step.slope(by: solver.slopeRule, order: order)
      let values = (0..<order).map { (ago: $0, level: points[i - $0]) }
      let change = step.change(values, slope: slope) { weights, moments in
        // The divided difference is half of the second derivative already, and with noise a half is
        // subtracted where it has to be added.
        if order == 3 { weights[2] -= moments[2] * 0.5 + (solver.estimate == .x0 && solver.eta > 0 ? 1 : 0) }
      }
      return Move(at: grid.points[i], to: step.to, estimate: solver.estimate, next: step.held(.estimate()) + change)
    }
  }

  /// Throws where diffusers has no formula, or divides by the length of a step that has none.
  private func check(
    _ solver: ExponentialMultistep, _ grid: SamplingGrid, step i: Int, order: Int, _ levels: Float32Levels
  ) throws {
    try require(
      order < 3 || solver.eta == 0 || (solver.estimate == .x0 && hasThirdOrderOfSDE),
      self.order.refused("diffusers has no third order of this algorithm; use 2"))
    let (h, timestep) = (levels.length(grid, step: i), grid.points[i].timestep)
    try require(
      h != 0 || order < (solver.slopeRule == .exact ? 2 : 3), step: i, timestep: timestep,
      "the step goes nowhere, and diffusers divides by its length; use lower_order_final")
    try require(
      h >= 0 || solver.eta == 0, step: i, timestep: timestep,
      "sigma rises by a rounding, and diffusers takes the root of a negative number; use final_sigmas_type zero")
  }

  /// What float32 leaves uncertain of each step.
  func roundings(
    _ grid: SamplingGrid, of run: Run, by solver: ExponentialMultistep, endsClean: Bool
  ) throws -> [[Rounding]] {
    try orders(grid, of: run, endsClean: endsClean).enumerated().map { i, order in
      SolverRoundings.multistep(grid, from: i, to: i + 1, solver, values: (0..<order).map { i - $0 }, seen: i)
    }
  }

  func deviations(_ steps: Int, endsClean: Bool) -> [Deviation] {
    let limits = orderLimits(steps, endsClean: endsClean)
    guard order.value == 3, limits.dropFirst(2).contains(3) else { return [] }
    guard let name = algorithm.name, name.hasPrefix("sde") else { return [.halvedCurvature] }
    return name == "sde-dpmsolver" || !hasThirdOrderOfSDE ? [.missingThirdOrder] : [.missignedCurvature]
  }
}

extension Deviation {
  public static let halvedCurvature = Deviation(
    "halvedCurvature", of: ["diffusers 0.42.1", "k-diffusion 0.1.1"],
    "Steps of order 3 take half of the second difference of the polynomial, as if the divided difference were the "
      + "second derivative, of which it is half already. So does the authors' code.",
    place: "DPM-Solver multistep, `solver_order: 3` with `algorithm_type: dpmsolver++` or `dpmsolver`; k-diffusion's "
      + "`sample_dpmpp_3m_sde`, which integrates slopes exactly",
    effect: "The error falls with order 2, not 3: every halving of the steps costs half of what order 3 gains.")
  public static let missignedCurvature = Deviation(
    "missignedCurvature",
    "Steps of order 3 take the second difference times (1 − e^(−2h) − 2h)/(2h)² − ½, where ½ has to be added, and all "
      + "of it doubled, as above. The factor goes to −1 with h, not to 0.",
    place:
      "DPM-Solver multistep, `solver_order: 3` with `algorithm_type: sde-dpmsolver++`; singlestep with `solver_type: "
      + "heun`, where the difference is not halved", effect: "With h = 0.1 the factor is −0.968 instead of 0.063.")
  public static let missingThirdOrder = Deviation(
    "missingThirdOrder", "There is no formula of order 3 for SDE-DPM-Solver, and no error that says so.",
    place: "DPM-Solver multistep, `solver_order: 3` with `algorithm_type: sde-dpmsolver`; EDM's with `sde-dpmsolver++`",
    effect: "UnboundLocalError at the third step. `.diffusers` refuses the configuration.")
}
