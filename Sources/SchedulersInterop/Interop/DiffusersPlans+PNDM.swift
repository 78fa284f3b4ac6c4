import Schedulers

// PNDM as diffusers steps it: ε or v combined as the network says it, in steps from t to t − ⌊T/N⌋.

extension DiffusersConfiguration {
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

  func pndmMoves(_ setting: Setting, _ tables: Tables, steps: Int) throws(ConfigurationError) -> Moves {
    let calls =
      try boolean("skip_prk_steps")
      ? multistepCalls(setting, tables, steps: steps) : rungeKuttaCalls(setting, tables, steps: steps)
    let end = try endsAtLeastNoise() ? tables.alphaBars[0] : 1
    let isV = try prediction() == .v
    let bars = try calls.enumerated().map { i, call throws(ConfigurationError) in
      try (told: alphaBar(call.told, tables, step: i), from: alphaBar(call.from, tables, step: i))
    }
    var moves: [Move] = []
    for (i, call) in calls.enumerated() {
      let (from, to) = (bars[i].from, call.to >= 0 ? try alphaBar(call.to, tables, step: i) : end)
      let sample = LinearForm.sample(ago: call.sampleAgo)
      var output = LinearForm()
      for (earlier, factor) in call.outputs {
        let told = level(bars[earlier].told)
        let epsilon = LinearForm.estimate(ago: i - earlier)
        // What the network said, made from what it says of the noise: it is combined before it is converted.
        output = output + factor * (isV ? (epsilon - told.noise * .sample(ago: i - earlier)) / told.signal : epsilon)
      }
      if isV { output = Double(root(from)) * output + Double(root(1 - from)) * sample }
      let divisor = from * root(1 - to) + root(from * (1 - from) * to)
      guard from > 0, divisor > 0 else {
        throw .notFinite(
          step: i, timestep: call.told, className: className,
          reason: "diffusers divides by the signal or the noise, and there is none")
      }
      let next = Double(root(to / from)) * sample - Double((to - from) / divisor) * output
      moves.append(
        Move(
          at: SamplingGrid.Point(timestep: call.told, level: level(bars[i].told)), to: level(to), estimate: .epsilon, next: next
        ))
    }
    return Moves(moves: moves, start: unitLevel(bars[0].told))
  }

  /// Without Runge–Kutta: the first step is made twice.
  private func multistepCalls(_ setting: Setting, _ tables: Tables, steps: Int) -> [Call] {
    let stride = Double(tables.betas.count / steps)
    let timesteps = setting.timesteps
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
  private func rungeKuttaCalls(_ setting: Setting, _ tables: Tables, steps: Int) throws(ConfigurationError) -> [Call] {
    let stride = tables.betas.count / steps
    let half = Double(stride / 2)
    let timesteps = setting.timesteps
    guard timesteps.count >= 4 else {
      throw .steps(steps, className: className, reason: "diffusers needs four for its Runge-Kutta steps; use skip_prk_steps")
    }
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
}
