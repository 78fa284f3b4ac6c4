import Schedulers

struct DPMSolverMultistepScheduler: LambdaClass {
  static let takes: Set<RunArguments.Key> = [.timesteps]

  var lambda: LambdaSolver
  private let multistep: Multistep

  init(_ o: inout OptionReader) {
    lambda = LambdaSolver(&o, canRescale: true, hasLu: true)
    multistep = Multistep(&o, lowersFinalOrder: lambda.lowersFinalOrder)
    lambda.ending = o.endsAtLeastNoise()
    lambda.readLeastLambda(&o)
    lambda.idlesOnChoices = false
    lambda.roundsTowardZero = lambda.table.formula.name == "squaredcos_cap_v2"
    lambda.readVariance(&o)
  }

  private func solver() throws -> ExponentialMultistep { try multistep.faithfulSolver(lambda, ending: lambda.ending) }

  func drawsAlways(_ run: Run) -> Bool { multistep.drawsAlways }
  func estimate() throws -> Estimate { try multistep.solver().estimate }

  func moves(_ grid: SamplingGrid) throws -> [Move] { try multistep.moves(grid, endsClean: !lambda.endsAtLeastNoise()) }

  func faithful(_ run: Run) throws -> Recipe {
    let solver = try solver()
    return try recipe(run) { grid in
      try multistep.faithfulMoves(grid, of: run, by: solver, endsClean: !lambda.endsAtLeastNoise(), lambda.levels(run))
    }
  }

  func roundings(_ run: Run) throws -> [[Rounding]] {
    try multistep.roundings(begun(run).grid(lambda.level), of: run, by: solver(), endsClean: !lambda.endsAtLeastNoise())
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try lambda.deviations(run, setting) + multistep.deviations(run.steps, endsClean: !lambda.endsAtLeastNoise())
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? {
    switch multistep.algorithm.name {
    case "sde-dpmsolver++": DPMSolverPlusPlus(order: 1, eta: 1)
    case "sde-dpmsolver": nil
    default: DPMSolverPlusPlus(order: 1)
    }
  }
}

/// `DPMSolverMultistepInverseScheduler`, from data to noise.
struct DPMSolverMultistepInverseScheduler: LambdaClass {
  var lambda: LambdaSolver
  private let multistep: Multistep

  init(_ o: inout OptionReader) {
    lambda = LambdaSolver(&o, shiftsDynamically: false)
    multistep = Multistep(&o, lowersFinalOrder: lambda.lowersFinalOrder)
    lambda.readLeastLambda(&o)
    lambda.ascends = true
    lambda.readVariance(&o)
  }

  private func solver(_ fidelity: Fidelity) throws -> ExponentialMultistep {
    let solver = try multistep.solver()
    let remedy = "use dpmsolver++ or dpmsolver; no noise is drawn on the way from data to noise"
    try require(solver.eta == 0, multistep.algorithm.given.refused(remedy))
    return try fidelity == .diffusers ? multistep.faithfulSolver(lambda, ending: nil) : solver
  }

  func estimate() throws -> Estimate { try multistep.solver().estimate }

  /// The steps from data to noise, the last of order 1 where no data are left.
  func moves(_ grid: SamplingGrid) throws -> [Move] {
    let (order, solver) = (try multistep.checkedOrder(), try solver(.corrected))
    let limits = multistep.orderLimits(grid.steps, endsClean: false)
    return DPMSolverPlusPlusInversion.moves(over: grid, by: solver) { $1.signal > 0 ? min(order, limits[$0]) : 1 }
  }

  func faithful(_ run: Run) throws -> Recipe {
    let solver = try solver(.diffusers)
    return try recipe(run) { grid in
      try multistep.faithfulMoves(grid, of: run, by: solver, endsClean: false, lambda.levels(run))
    }
  }

  func roundings(_ run: Run) throws -> [[Rounding]] {
    try multistep.roundings(begun(run).grid(lambda.level), of: run, by: solver(.diffusers), endsClean: false)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    _ = try solver(.diffusers)
    let count = setting.timesteps.count
    return try lambda.deviations(run, setting) + multistep.deviations(count, endsClean: false) + [
      lambda.usesFlow ? .notInverted : .dataForSample
    ] + (lambda.choices.isMade ? [count < run.steps ? .droppedTimesteps : .idleLastStep] : [])
  }
}

extension Deviation {
  public static let dataForSample = Deviation(
    "dataForSample",
    "Clean data are taken for a sample at the level of the first timestep, where there is noise already. Inversion "
      + "goes from clean data to that level first.", place: "DPM-Solver multistep inverse",
    effect:
      "With the default betas and N = 10 the datum 0.3 is read as 0.99995·x0 + 0.01·epsilon, and the first step goes "
      + "from there.")
  public static let notInverted = Deviation(
    "notInverted",
    "The sigmas of rectified flow fall where all others of the class rise: the run goes from noise to data, and ends "
      + "with an idle step.", place: "DPM-Solver multistep inverse, `use_flow_sigmas`",
    effect: "Data are taken for noise, and nothing is inverted.")
  public static let droppedTimesteps = Deviation(
    "droppedTimesteps",
    "Of equal timesteps the first is kept alone, but every sigma: steps use the sigmas of earlier steps than their "
      + "timesteps', and the run ends before its last sigmas.",
    place: "DPM-Solver multistep inverse, `use_karras_sigmas` with many steps",
    effect: "Karras with N = 100 has 95 steps, and ends at sigma 12.3 instead of 14.6.")
}
