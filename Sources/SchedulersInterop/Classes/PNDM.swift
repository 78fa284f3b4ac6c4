import Schedulers

/// `PNDMScheduler`: ε or v combined as the network says it, in steps from t to t − ⌊T/N⌋.
struct PNDMScheduler: DiscreteClass {
  static let addsTimesteps = true

  let table: Betas
  private let skipsRungeKutta: Given<Bool>
  private let endsClean: Given<Bool>
  let output: Output
  let spacing: Spacing?

  init(_ o: inout OptionReader) {
    table = Betas(&o)
    (skipsRungeKutta, endsClean) = (o.boolean("skip_prk_steps", false), o.boolean("set_alpha_to_one", false))
    output = Output(&o, Output.epsilonOrV)
    spacing = Spacing(&o, "leading")
  }

  var endsAtLeastNoise: Bool { !endsClean.value }
  func sampler(_ run: Run) throws -> any Sampler { PNDM(skipsRungeKutta: skipsRungeKutta.value) }

  /// The second call asks at the second timestep again; of Runge and Kutta's steps each asks four
  /// times.
  func firstStep(ofCall call: Int, isFaithful: Bool) throws -> Int {
    // diffusers counts calls.
    if isFaithful { return call }
    if skipsRungeKutta.value { return call < 2 ? call : call - 1 }
    try require(
      call >= 12 || call.isMultiple(of: 4),
      .argument(
        RunArguments.Key.begin.rawValue, Double(call), "a step begins with every fourth call; use \(call / 4 * 4)"))
    return call < 12 ? call / 4 : call - 9
  }

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
    let calls = try (skipsRungeKutta.value ? multistepCalls : rungeKuttaCalls)(timesteps, discrete.stride, run)
    let end = endsClean.value ? 1 : discrete.tables.alphaBars[0]
    try require(
      !calls.isEmpty,
      .argument(RunArguments.Key.begin.rawValue, Double(run.firstCall), "it must be below the number of calls"))
    let bars = try calls.enumerated().map { i, call in
      try (told: discrete.alphaBar(call.told, step: i), from: discrete.alphaBar(call.from, step: i))
    }
    let moves = try calls.enumerated().map { i, call in
      let (from, to) = (bars[i].from, call.to >= 0 ? try discrete.alphaBar(call.to, step: i) : end)
      let sample = LinearForm.sample(ago: call.sampleAgo)
      var output = LinearForm()
      for (earlier, factor) in call.outputs {
        let told = discrete.level(bars[earlier].told)
        let epsilon = LinearForm.estimate(ago: i - earlier)
        // What the network said, from its noise: it is combined before it is converted.
        output = output + factor * (isV ? (epsilon - told.noise * .sample(ago: i - earlier)) / told.signal : epsilon)
      }
      if isV { output = Double(run.root(from)) * output + Double(run.root(1 - from)) * sample }
      let divisor = from * run.root(1 - to) + run.root(from * (1 - from) * to)
      try require(
        from > 0 && divisor > 0, step: i, timestep: call.told,
        "diffusers divides by the signal or the noise, and there is none")
      let next = Double(run.root(to / from)) * sample - Double((to - from) / divisor) * output
      return Move(at: discrete.point(call.told, bars[i].told), to: discrete.level(to), estimate: .epsilon, next: next)
    }
    return try recipe(moves, discrete, of: run)
  }

  /// Without Runge–Kutta: the first step is made twice. A late start makes its first step twice
  /// too, though its second call asks at the timestep after.
  private func multistepCalls(_ timesteps: [Double], _ stride: Double, _ run: Run) -> [Call] {
    let told = (timesteps.prefix(2) + timesteps.dropFirst()).dropFirst(run.firstCall)
    let first = told.prefix(1).map { Call(told: $0, from: $0, to: $0 - stride, outputs: [(0, 1)]) }
    let second = told.dropFirst().prefix(1).map {
      Call(told: $0, from: $0 + stride, to: $0, sampleAgo: 1, outputs: [(1, 0.5), (0, 0.5)])
    }
    return Self.continued(first + second, begun: [0], told.dropFirst(2), stride)
  }

  /// With Runge–Kutta for the first three steps, four calls each.
  private func rungeKuttaCalls(_ timesteps: [Double], _ stride: Double, _ run: Run) throws -> [Call] {
    let half = (stride / 2).rounded(.down)
    try require(
      timesteps.count >= 4,
      .steps(timesteps.count, "diffusers needs four for its Runge-Kutta steps; use \(skipsRungeKutta.name)"))
    var calls: [Call] = []
    for (from, to) in zip(timesteps.prefix(3), timesteps.dropFirst()) {
      let c = calls.count
      let mean = [(c, 1.0 / 6), (c + 1, 1.0 / 3), (c + 2, 1.0 / 3), (c + 3, 1.0 / 6)]
      calls += [
        Call(told: from, from: from, to: from - half, outputs: [(c, 1)]),
        Call(told: to + half, from: from, to: to + half, sampleAgo: 1, outputs: [(c + 1, 1)]),
        Call(told: to + half, from: from, to: to, sampleAgo: 2, outputs: [(c + 2, 1)]),
        Call(told: to, from: from, to: to, sampleAgo: 3, outputs: mean),
      ]
    }
    guard run.firstCall > 0 else { return Self.continued(calls, begun: [8, 4, 0], timesteps.dropFirst(3), stride) }
    // Late starts make the first three steps too, between the levels of the first timesteps.
    let told = (calls.map(\.told) + timesteps.dropFirst(3)).dropFirst(run.firstCall)
    let late = zip(told, calls).enumerated().map { c, pair in
      var call = pair.1
      (call.told, call.to) = (pair.0, c.isMultiple(of: 2) ? pair.0 - half : pair.0)
      return call
    }
    return Self.continued(late, begun: [8, 4, 0], told.dropFirst(12), stride)
  }

  /// Calls, and after them steps by the factors of Adams and Bashforth.
  ///
  /// - Parameter begun: the calls with which steps have begun, newest first.
  private static func continued(
    _ calls: [Call], begun: [Int], _ timesteps: ArraySlice<Double>, _ stride: Double
  ) -> [Call] {
    var (calls, begun) = (calls, begun)
    for timestep in timesteps {
      begun = [calls.count] + begun.prefix(3)
      let outputs = Array(zip(begun, IPNDM.factors[begun.count - 1].map(\.rounded)))
      calls.append(Call(told: timestep, from: timestep, to: timestep - stride, outputs: outputs))
    }
    return calls
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    let isOdd = try table.timesteps.count() / run.steps % 2 == 1
    return try timestepDeviations(run, setting.timesteps) + strideDeviations(run, setting.timesteps)
      + (!skipsRungeKutta.value && isOdd ? [.roundedMiddles] : [])
      + (run.steps > 1 && (try? prediction()) == .v ? [.lateConversion] : [])
      + (run.first > 0 ? [.repeatedLate] : [])
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { DDIM() }
}

extension Deviation {
  public static let repeatedLate = Deviation(
    "repeatedLate",
    "The class begins every run as if it were a whole one. With `skip_prk_steps` its first step is made, and at the "
      + "next call, which asks at the timestep after, made again from the same sample, so that the run is a step "
      + "short. Without, the first twelve calls are those of Runge and Kutta's steps, wherever they ask.",
    place: "PNDM, where the run begins late, as from a picture",
    effect:
      "With N = 10, `skip_prk_steps` and a start at timestep 500 a perfect network ends at 0.265 instead of 0.3.")
  public static let roundedMiddles = Deviation(
    "roundedMiddles",
    "The middle of a step of Runge and Kutta is ⌊⌊T/N⌋/2⌋ timesteps from its ends, whole ones, which for an odd ⌊T/N⌋ "
      + "is half of one off the middle; the authors take (t + t')/2.",
    place: "PNDM without `skip_prk_steps`, where ⌊T/N⌋ is odd",
    effect: "With N = 8 the first step, from 875 to 750, has its middle at 813 and at 812 instead of 812.5.")
  public static let lateConversion = Deviation(
    "lateConversion",
    "What the network says is combined over several steps first, and then converted from v to epsilon at the level of "
      + "this one, though each v belongs to a level of its own.", place: "PNDM, `prediction_type: v_prediction`",
    effect:
      "With N = 10 and `skip_prk_steps` a run with a perfect network, which should not leave its path, is 0.061 off at "
      + "timestep 200.")
}
