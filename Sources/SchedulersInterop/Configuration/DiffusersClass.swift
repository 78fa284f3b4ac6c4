import Schedulers

/// What a scheduler class of diffusers is: its options, the mathematics that it means, and what it
/// does. Each class, or pair of classes, is one file.
protocol DiffusersClass: SendableMetatype {
  /// `_class_name` in files, the class's own first; that is the name of the type.
  static var names: [String] { get }
  /// The arguments of a run that the class takes, beside the number of steps.
  static var takes: Set<RunArguments.Key> { get }
  /// The eta of a run that does not name one.
  static var usualEta: Double { get }
  /// Whether the noise of a trace is none that the corrected steps could have drawn.
  static var mixesNoise: Bool { get }
  /// Whether the network is asked twice in a step, by Heun's method.
  static var asksTwice: Bool { get }
  /// How often the network is asked in a step: `order` in diffusers.
  static var callsPerStep: Int { get }
  /// Whether the class looks for its place by the value of the first timestep.
  static var looksForStart: Bool { get }
  /// Which given times hold the end of the run.
  static var holdingEnd: Set<RunArguments.Key> { get }
  /// Whether ⌊N − N·strength⌋ steps are left out, not ⌊N·strength⌋ made.
  static var roundsStrengthUp: Bool { get }
  /// Whether the steps ask the network at other timesteps than those of the setting.
  static var addsTimesteps: Bool { get }

  init(_ o: inout OptionReader)

  /// How many timesteps the network was trained on.
  var trainingTimesteps: TrainingTimesteps { get }
  /// How the betas are made; `nil` for a class that has none.
  var betas: Betas? { get }
  /// Whether a run may have more steps than the network has timesteps.
  var allowsAnySteps: Bool { get }
  /// Keys that have no effect although they are options.
  var ignoredKeys: [String] { get }
  var takesMu: Bool { get }

  // The mathematics

  func grid(_ run: Run) throws -> SamplingGrid
  /// The method that the class means.
  func sampler(_ run: Run) throws -> any Sampler
  /// The same, where the grid on which it begins is made already.
  func sampler(_ run: Run, over grid: SamplingGrid) throws -> any Sampler
  /// What the network's output is.
  func reading() throws -> any OutputReading
  func clipping() throws -> Clipping
  /// What the noise of every step is multiplied by.
  func noiseFactor(_ run: Run) throws -> Double
  /// Whether the network's output has a second half, about the variance.
  var learnsVariance: Bool { get }
  /// A run by the mathematics.
  func corrected(_ run: Run) throws -> Recipe
  /// The step of the grid with which a run begins whose first call has a number in diffusers.
  func firstStep(ofCall call: Int, isFaithful: Bool) throws -> Int

  // diffusers

  /// What `set_timesteps` makes, without what lies between two points.
  func setting(_ run: Run) throws -> Setting
  /// A run as diffusers makes it.
  func faithful(_ run: Run) throws -> Recipe
  /// Whether diffusers draws noise at every call, also where the step adds none of it.
  func drawsAlways(_ run: Run) -> Bool
  /// The timesteps, in the order in which the network is told them.
  func timesteps(_ run: Run) throws -> [Double]
  /// Where the two differ, for a setting that diffusers makes.
  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation]
  /// What float32 leaves uncertain of each step, beside the roundings of its few operations;
  /// nothing for classes whose coefficients do not cancel.
  func roundings(_ run: Run) throws -> [[Rounding]]
  /// A method whose step between any two levels is the class's own, if there is one.
  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)?
}

extension DiffusersClass {
  static var names: [String] { ["\(Self.self)"] }
  static var takes: Set<RunArguments.Key> { [] }
  static var usualEta: Double { 0 }
  static var mixesNoise: Bool { false }
  static var asksTwice: Bool { false }
  static var callsPerStep: Int { 1 }
  static var looksForStart: Bool { true }
  static var holdingEnd: Set<RunArguments.Key> { [] }
  static var roundsStrengthUp: Bool { false }
  static var addsTimesteps: Bool { false }

  var betas: Betas? { nil }
  var allowsAnySteps: Bool { false }
  var ignoredKeys: [String] { [] }
  var takesMu: Bool { false }
  var learnsVariance: Bool { false }

  func clipping() throws -> Clipping { .none }
  func sampler(_ run: Run, over grid: SamplingGrid) throws -> any Sampler { try sampler(run) }
  func noiseFactor(_ run: Run) throws -> Double { 1 }
  func drawsAlways(_ run: Run) -> Bool { false }
  func timesteps(_ run: Run) throws -> [Double] {
    try Self.addsTimesteps ? faithful(run).moves.map(\.query.timestep) : begun(run).timesteps
  }
  func roundings(_ run: Run) throws -> [[Rounding]] { [] }
  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { nil }

  func firstStep(ofCall call: Int, isFaithful: Bool) throws -> Int {
    let calls = Self.callsPerStep
    try require(
      call.isMultiple(of: calls),
      .argument(
        RunArguments.Key.begin.rawValue, Double(call), "a step begins with every second call; use \(call - 1)"))
    return call / calls
  }

  /// A run of so many steps with arguments that the class takes.
  ///
  /// - Parameter isFaithful: whether calls are counted as diffusers makes them.
  func run(_ steps: Int?, _ arguments: RunArguments, isFaithful: Bool) throws -> Run {
    let steps = try checked(arguments.count(steps, holdingEnd: Self.holdingEnd))
    var run = Run(steps: steps, arguments: arguments)
    let begin = arguments.begin ?? 0
    (run.firstCall, run.first) = (begin, try firstStep(ofCall: begin, isFaithful: isFaithful))
    if let strength = arguments.strength, !Self.takes.contains(.strength) {
      let made = Double(steps) * strength
      run.first = Self.roundsStrengthUp ? Int(Double(steps) - made) : steps - Int(made)
      try require(
        run.first < steps,
        .argument(
          RunArguments.Key.strength.rawValue, strength, "it makes no step of \(steps); use \(1 / Double(steps)) or more"
        ))
      run.firstCall = run.first * Self.callsPerStep
      if isFaithful { run.first = try firstStep(ofCall: run.firstCall, isFaithful: true) }
    }
    return run
  }

  /// What is left of the setting where a run begins.
  func begun(_ run: Run) throws -> Setting {
    let setting = try setting(run)
    try checkBegin(run, of: setting.timesteps.count)
    return setting.dropFirst(run.first)
  }

  /// What is left of the grid where a run begins.
  func begunGrid(_ run: Run) throws -> SamplingGrid {
    let grid = try grid(run)
    try checkBegin(run, of: grid.steps)
    return run.first == 0
      ? grid : SamplingGrid(unchecked: Array(grid.points.dropFirst(run.first)), schedule: grid.schedule)
  }

  /// Throws where a run would begin after its last step.
  func checkBegin(_ run: Run, of steps: Int) throws {
    try require(
      run.first < steps,
      .argument(
        RunArguments.Key.begin.rawValue, Double(run.firstCall),
        "it must be below the number of calls; the run has \(steps) steps"))
  }

  func corrected(_ run: Run) throws -> Recipe {
    let grid = try begunGrid(run)
    let (sampler, factor) = (try sampler(run, over: grid), try noiseFactor(run))
    var recipe = try Recipe(
      sampler, over: grid, reading: reading(), clipping: clipping(), learnsVariance: learnsVariance)
    if factor != 1 {
      recipe.moves = recipe.moves.map { move in
        var move = move
        move.next = move.next.scalingNoise(by: factor)
        return move
      }
    }
    return recipe
  }

  /// A run of diffusers' steps, at the points where they ask and the one where the last ends.
  ///
  /// - Parameters:
  ///   - start: the level of the first sample of a whole run, if not that of the first point.
  ///   - reading: what the network's output is, if not what it is by the mathematics.
  func recipe(
    _ moves: [Move], of run: Run, start: NoiseLevel? = nil, over grid: SamplingGrid? = nil,
    reading: (any OutputReading)? = nil
  ) throws -> Recipe {
    if Self.looksForStart, !run.setsBeginIndex { try checkStart(moves) }
    let end = SamplingGrid.Point(timestep: -1, level: moves[moves.count - 1].arrival)
    return Recipe(
      grid: grid ?? SamplingGrid(unchecked: moves.map(\.query) + [end]), moves: moves,
      start: run.first == 0 ? start ?? moves[0].query.level : moves[0].query.level,
      reading: try reading ?? self.reading(), clipping: try clipping(),
      learnsVariance: learnsVariance)
  }

  /// The number of steps, if there can be a run of it.
  func checked(_ steps: Int) throws -> Int {
    let total = try trainingTimesteps.count()
    let most = allowsAnySteps ? TrainingTimesteps.largest : total
    try require(
      steps >= 1 && steps <= most,
      .steps(
        steps,
        "the number of steps must be in 1 ... \(most)" + (allowsAnySteps ? "" : ", the timesteps of the schedule")))
    return steps
  }

  /// Whether diffusers' step is NaN somewhere.
  func isNotFinite(_ run: Run) -> Bool {
    do { _ = try faithful(run) } catch Refusal.notFinite { return true } catch {}
    return false
  }
}

/// A run: the number of steps, what a pipeline gives besides, and diffusers' arithmetic.
@dynamicMemberLookup struct Run {
  /// How many steps a whole run has.
  let steps: Int
  var arguments = RunArguments()
  var torch = TorchArithmetic()
  /// The step with which the run begins, and its number among diffusers' calls.
  var first = 0
  var firstCall = 0

  /// Which of the calls that a run would make from its beginning to the end are made.
  func made(of calls: Int) throws -> Range<Int> {
    guard let end = arguments.end else { return 0..<calls }
    let most = firstCall + calls
    try require(
      end > firstCall && end <= most,
      .argument(RunArguments.Key.end.rawValue, Double(end), "it must be in \(firstCall + 1) ... \(most)"))
    return 0..<end - firstCall
  }

  var hasGivenTimes: Bool { arguments.hasGivenTimes }

  subscript<Value>(dynamicMember path: KeyPath<RunArguments, Value>) -> Value { arguments[keyPath: path] }

  func root(_ x: Float) -> Float { torch.root(x) }
}

protocol TableClass: DiffusersClass { var table: Betas { get } }

extension TableClass {
  var betas: Betas? { table }
  var trainingTimesteps: TrainingTimesteps { table.timesteps }
}

/// What diffusers' `set_timesteps` makes.
struct Setting: Hashable {
  var timesteps: [Double]
  /// For the classes that work with sigmas, that of each timestep and of the end.
  var sigmas: [Float] = []

  func dropFirst(_ steps: Int) -> Setting {
    Setting(timesteps: Array(timesteps.dropFirst(steps)), sigmas: Array(sigmas.dropFirst(steps)))
  }

  /// The points of the run, and the end, whose levels follow from the sigmas.
  func grid(_ level: (Float) -> NoiseLevel) -> SamplingGrid {
    SamplingGrid(
      unchecked: zip(timesteps + [-1], sigmas).map { timestep, sigma in
        SamplingGrid.Point(timestep: timestep, level: level(sigma))
      })
  }
}

/// What a plan is made of.
struct Recipe {
  /// The points at which the network is called, noisiest first, and the end.
  let grid: SamplingGrid
  var moves: [Move]
  /// The level of the first sample.
  var start: NoiseLevel
  var reading: any OutputReading
  var clipping: Clipping
  var learnsVariance: Bool

  func plan() throws(PlanError) -> SamplingPlan {
    try FixedMoves(moves: moves, start: start).plan(
      over: grid, predicting: reading, clipping: clipping, learnsVariance: learnsVariance)
  }
}

extension Recipe {
  /// A method over a grid.
  init(
    _ sampler: some Sampler, over grid: SamplingGrid, reading: any OutputReading, clipping: Clipping,
    learnsVariance: Bool
  ) throws {
    self.init(
      grid: grid, moves: try sampler.moves(over: grid), start: sampler.start(of: grid), reading: reading,
      clipping: clipping, learnsVariance: learnsVariance)
  }
}

/// A method whose steps are known already.
struct FixedMoves: Sampler {
  var moves: [Move]
  /// Where they start from; from the first point of the grid if it is nil.
  var start: NoiseLevel?

  func moves(over grid: SamplingGrid) -> [Move] { moves }
  func start(of grid: SamplingGrid) -> NoiseLevel { start ?? grid.points[0].level }
}
