import Schedulers

struct UniPCMultistepScheduler: LambdaClass {
  static let takes: Set<RunArguments.Key> = [.sigmas]

  var lambda: LambdaSolver
  private let order: Given<Int>
  private let predictsX0: Given<Bool>
  private let type: NamedChoice<UniPC.Step>
  private let uncorrected: Given<[Int]>

  init(_ o: inout OptionReader) {
    lambda = LambdaSolver(&o, canRescale: true, hasTerminal: true, declaresEnds: true)
    lambda.choices.takesKarrasOnFlow = true
    (order, predictsX0) = (o.integer("solver_order", 2), o.boolean("predict_x0", true))
    type = o.choice("solver_type", "bh2", ["bh2": .bh2, "bh1": .bh1, "midpoint": .bh2, "heun": .bh2, "logrho": .bh2])
    uncorrected = o.integers("disable_corrector")
    o.nothing("solver_p")
    lambda.ending = o.endsAtLeastNoise()
    lambda.shifting.needsMu = true
  }

  /// - Parameter run: the run in whose numbers the steps are counted; the grid's own if it is nil.
  private func solver(_ run: Run? = nil) throws -> UniPC {
    let order = try order.within(1...3, "use 1, 2 or 3")
    return UniPC(
      order: order, step: try type.get(), estimate: try estimate(),
      uncorrectedSteps: Set(uncorrected.value.map { $0 - (run?.first ?? 0) }),
      lowersFinalOrder: lambda.lowersFinalOrder.value)
  }

  /// The solver in lambda, unless options need the sigmas of rectified flow.
  private func checked(_ run: Run) throws -> LambdaSolver {
    try require(
      run.sigmas == nil || lambda.usesFlow,
      .argument("the number of sigmas", Double(run.steps), "leave them out; they need use_flow_sigmas"))
    guard !lambda.usesFlow else { return lambda }
    let remedy = "leave it out; it needs use_flow_sigmas"
    if let terminal = lambda.shifting.terminal, terminal.value != nil { throw terminal.refused(remedy) }
    if let isDynamic = lambda.shifting.isDynamic, isDynamic.value { throw isDynamic.refused(remedy) }
    return lambda
  }

  /// Without a dynamic shift mu has no effect.
  var takesMu: Bool { true }
  func estimate() throws -> Estimate { predictsX0.value ? .x0 : .epsilon }
  func clipping() throws -> Clipping { predictsX0.value ? try lambda.output.clipping() : .none }
  func grid(_ run: Run) throws -> SamplingGrid { try checked(run).grid(run) }
  func moves(_ grid: SamplingGrid) throws -> [Move] { try solver().moves(over: grid) }

  func setting(_ run: Run) throws -> Setting {
    try checked(run).setting(run) {
      let shifting = lambda.shifting
      let shift = try shifting.factor(mu: run.mu)
      let times =
        try run.arguments.flowSigmas()
        ?? NumPy.linspace(1, 1 / Double(try table.timesteps.count()), run.steps + 1).dropLast()
      var sigmas = try shifting.stretched(shifting.shifted(Array(times), by: shift))
      // So that the logarithm of the signal is finite.
      if abs(sigmas[0] - 1) < 1e-6 { sigmas[0] -= 1e-6 }
      return sigmas
    }
  }

  func faithful(_ run: Run) throws -> Recipe {
    let (solver, levels) = (try solver(run), lambda.levels(run))
    return try recipe(run) { grid in
      try check(solver, grid, levels)
      if !predictsX0.value { try lambda.refuseFlow("without predict_x0") }
      var moves = try solver.moves(over: grid)
      // diffusers corrects the sample as it was made, whoever has replaced it since.
      for i in moves.indices where i > 0 && !solver.uncorrectedSteps.contains(i - 1) {
        moves[i].next = moves[i].next.fromMade()
      }
      return moves
    }
  }

  /// Where a step to clean data or to where it is already is not finite.
  private func check(_ solver: UniPC, _ grid: SamplingGrid, _ levels: Float32Levels) throws {
    let (last, timestep) = (grid.steps - 1, grid.points[grid.steps - 1].timestep)
    let order = solver.lowersFinalOrder ? 1 : min(solver.order, grid.steps)
    if grid.points[last + 1].level.noise == 0 {
      try require(
        order == 1 && solver.estimate == .x0 && solver.step == .bh2, step: last, timestep: timestep,
        "it ends at clean data, which diffusers reaches with lower_order_final, predict_x0 and bh2 alone")
    } else {
      try require(
        order < 3 || levels.length(grid, step: last) != 0, step: last, timestep: timestep,
        "the step goes nowhere, and diffusers divides by its length; use lower_order_final")
    }
  }

  func roundings(_ run: Run) throws -> [[Rounding]] {
    let (grid, uniPC) = (try begun(run).grid(lambda.level), try solver(run))
    return uniPC.solver.roundings(over: grid) { step, values, isCorrected in
      // The one held first.
      let ordered = isCorrected ? [values[1], values[0]] + values.dropFirst(2) : values
      return SolverRoundings.uniPC(step, ordered, isLinear: uniPC.step == .bh1)
    }
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try lambda.deviations(run, setting) + (isNotFinite(run) ? [.infiniteLastStep] : [])
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { DPMSolverPlusPlus(order: 1) }
}

extension Deviation {
  public static let infiniteLastStep = Deviation(
    "infiniteLastStep",
    "The step to clean data has h = ∞. UniPC divides by it in steps of order above 1, multiplies 0 by it with bh1, and "
      + "0 by e^∞ where it predicts epsilon.",
    place:
      "UniPC, `final_sigmas_type: zero` with `lower_order_final: false`, with `solver_type: bh1`, or with `predict_x0: "
      + "false`", effect: "The result is NaN. `.diffusers` refuses the configuration.")
}
