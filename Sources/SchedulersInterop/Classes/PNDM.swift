import Schedulers

/// `PNDMScheduler`: ε or v combined as the network says it, in steps from t to t − ⌊T/N⌋.
struct PNDMScheduler: DiscreteClass {
  static let names = ["PNDMScheduler"]
  static let ownDeviations: [Deviation] = [.roundedMiddles, .lateConversion]

  let table: Betas
  private let skipsRungeKutta: Given<Bool>
  private let endsClean: Given<Bool>
  let output: Output
  let spacing: Spacing?

  init(_ o: inout OptionReader) {
    table = Betas(&o)
    skipsRungeKutta = o.boolean("skip_prk_steps", false)
    endsClean = o.boolean("set_alpha_to_one", false)
    output = Output(&o, Output.epsilonOrV)
    spacing = Spacing(&o, "leading")
  }

  var endsAtLeastNoise: Bool { !endsClean.value }

  func sampler(_ run: Run) throws -> any Sampler { PNDM(skipsRungeKutta: skipsRungeKutta.value) }

  func timesteps(_ run: Run) throws -> [Double] { try faithful(run).moves.map(\.query.timestep) }

  /// One call of the network: the timestep that it is told, and the step that follows.
  private struct Call {
    var told: Double
    /// From where to where the step goes.
    var from: Double
    var to: Double
    /// How many calls ago the sample was made that it starts from.
    var sampleAgo = 0
    /// The calls whose outputs are combined, and their factors.
    var outputs: [(call: Int, factor: Double)]
  }

  func faithful(_ run: Run) throws -> Recipe {
    let (discrete, timesteps, isV) = (try Discrete(self, run), try setting(run).timesteps, try prediction() == .v)
    let stride = discrete.tables.betas.count / run.steps
    let calls =
      try skipsRungeKutta.value ? multistepCalls(timesteps, stride: stride) : rungeKuttaCalls(timesteps, stride: stride)
    let end = endsClean.value ? 1 : discrete.tables.alphaBars[0]
    let bars = try calls.enumerated().map { i, call in
      try (told: discrete.alphaBar(call.told, step: i), from: discrete.alphaBar(call.from, step: i))
    }
    var moves: [Move] = []
    for (i, call) in calls.enumerated() {
      let (from, to) = (bars[i].from, call.to >= 0 ? try discrete.alphaBar(call.to, step: i) : end)
      let sample = LinearForm.sample(ago: call.sampleAgo)
      var output = LinearForm()
      for (earlier, factor) in call.outputs {
        let told = discrete.level(bars[earlier].told)
        let epsilon = LinearForm.estimate(ago: i - earlier)
        // What the network said, made from what it says of the noise: it is combined before it is converted.
        output = output + factor * (isV ? (epsilon - told.noise * .sample(ago: i - earlier)) / told.signal : epsilon)
      }
      if isV { output = Double(run.root(from)) * output + Double(run.root(1 - from)) * sample }
      let divisor = from * run.root(1 - to) + run.root(from * (1 - from) * to)
      try require(
        from > 0 && divisor > 0,
        .notFinite(step: i, timestep: call.told, "diffusers divides by the signal or the noise, and there is none"))
      let next = Double(run.root(to / from)) * sample - Double((to - from) / divisor) * output
      moves.append(
        Move(
          at: SamplingGrid.Point(timestep: call.told, level: discrete.level(bars[i].told)), to: discrete.level(to),
          estimate: .epsilon, next: next))
    }
    return try recipe(moves, discrete)
  }

  /// Without Runge–Kutta: the first step is made twice.
  private func multistepCalls(_ timesteps: [Double], stride: Int) -> [Call] {
    let stride = Double(stride)
    guard timesteps.count > 1 else {
      return timesteps.map { Call(told: $0, from: $0, to: $0 - stride, outputs: [(0, 1)]) }
    }
    let second = Call(
      told: timesteps[1], from: timesteps[1] + stride, to: timesteps[1], sampleAgo: 1, outputs: [(1, 0.5), (0, 0.5)])
    var calls = [Call(told: timesteps[0], from: timesteps[0], to: timesteps[0] - stride, outputs: [(0, 1)]), second]
    var begun = [0]
    for timestep in timesteps.dropFirst() {
      begun.append(calls.count)
      calls.append(Call(told: timestep, from: timestep, to: timestep - stride, outputs: Self.combined(begun)))
    }
    return calls
  }

  /// With Runge–Kutta for the first three steps, four calls each.
  private func rungeKuttaCalls(_ timesteps: [Double], stride: Int) throws -> [Call] {
    let half = Double(stride / 2)
    try require(
      timesteps.count >= 4,
      .steps(timesteps.count, "diffusers needs four for its Runge-Kutta steps; use \(skipsRungeKutta.name)"))
    var calls: [Call] = []
    var begun: [Int] = []
    for (from, to) in zip(timesteps.prefix(3), timesteps.dropFirst()) {
      let c = calls.count
      begun.append(c)
      let mean = [(c, 1.0 / 6), (c + 1, 1.0 / 3), (c + 2, 1.0 / 3), (c + 3, 1.0 / 6)]
      calls += [
        Call(told: from, from: from, to: from - half, outputs: [(c, 1)]),
        Call(told: to + half, from: from, to: to + half, sampleAgo: 1, outputs: [(c + 1, 1)]),
        Call(told: to + half, from: from, to: to, sampleAgo: 2, outputs: [(c + 2, 1)]),
        Call(told: to, from: from, to: to, sampleAgo: 3, outputs: mean),
      ]
    }
    for timestep in timesteps.dropFirst(3) {
      begun.append(calls.count)
      calls.append(Call(told: timestep, from: timestep, to: timestep - Double(stride), outputs: Self.combined(begun)))
    }
    return calls
  }

  /// The factors of Adams and Bashforth for the last four of the calls with which steps began.
  private static func combined(_ calls: [Int]) -> [(Int, Double)] {
    Array(zip(calls.reversed(), IPNDM.factors[min(calls.count, 4) - 1]))
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    let isOdd = try table.timesteps.count() / run.steps % 2 == 1
    return try timestepDeviations(run, setting.timesteps) + strideDeviations(run, setting.timesteps)
      + (!skipsRungeKutta.value && isOdd ? [.roundedMiddles] : [])
      + (run.steps > 1 && (try? prediction()) == .v ? [.lateConversion] : [])
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { DDIM() }
}

extension Deviation {
  public static let roundedMiddles = Deviation(
    "roundedMiddles",
    what:
      "The middle of a step of Runge and Kutta is ⌊⌊T/N⌋/2⌋ timesteps from its ends, whole ones, which for an odd ⌊T/N⌋ is half of one off "
      + "the middle; the authors take (t + t')/2.", place: "PNDM without `skip_prk_steps`, where ⌊T/N⌋ is odd",
    effect: "With N = 8 the first step, from 875 to 750, has its middle at 813 and at 812 instead of 812.5.")
  public static let lateConversion = Deviation(
    "lateConversion",
    what:
      "What the network says is combined over several steps first, and then converted from v to epsilon at the level of this one, though "
      + "each v belongs to a level of its own.", place: "PNDM, `prediction_type: v_prediction`",
    effect:
      "With N = 10 and `skip_prk_steps` a run with a perfect network, which should not leave its path, is 0.061 off at timestep 200."
  )
}
