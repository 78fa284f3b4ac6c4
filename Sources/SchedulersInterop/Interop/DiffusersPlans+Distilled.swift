import Schedulers

// LCM and TCD, whose networks answer with the end of the ODE.

extension DiffusersConfiguration {
  func lcmMoves(_ setting: Setting, _ tables: Tables) throws(ConfigurationError) -> Moves {
    let scaling = Float(try timestepScaling())
    var moves: [Move] = []
    for (i, timestep) in setting.timesteps.enumerated() {
      let bar = try alphaBar(timestep, tables, step: i)
      try checkSignal(bar, timestep: timestep, step: i)
      let scaled = Float(timestep) * scaling
      let skip = 0.25 / (scaled * scaled + 0.25)
      let out = scaled / root(scaled * scaled + 0.25)
      let denoised = Double(out) * LinearForm.estimate() + Double(skip) * .sample
      let isLast = i + 1 == setting.timesteps.count
      let next = try isLast ? 1 : alphaBar(setting.timesteps[i + 1], tables, step: i)
      moves.append(
        Move(
          at: SamplingGrid.Point(timestep: timestep, level: level(bar)), to: level(next), estimate: .x0,
          next: isLast ? denoised : Double(root(next)) * denoised + Double(root(1 - next)) * .noise))
    }
    return Moves(moves: moves, start: unitLevel(try alphaBar(setting.timesteps[0], tables, step: 0)))
  }

  /// What LCM's timesteps are multiplied by.
  func timestepScaling() throws(ConfigurationError) -> Double {
    guard let scaling = number("timestep_scaling"), scaling > 0, scaling <= 1e9 else {
      throw unsupported("timestep_scaling", remedy: "it must be above 0 and at most 1e9")
    }
    return scaling
  }

  /// TCD: its last step goes to timestep 0.
  func tcdMoves(_ setting: Setting, _ tables: Tables, eta: Double) throws(ConfigurationError) -> Moves {
    guard eta >= 0, eta <= 1 else { throw named(PlanError.option("eta", eta, of: "TCD", allowed: "0 ... 1")) }
    var moves: [Move] = []
    for (i, timestep) in setting.timesteps.enumerated() {
      let bar = try alphaBar(timestep, tables, step: i)
      try check(bar, timestep: timestep, step: i)
      let isLast = i + 1 == setting.timesteps.count
      let previous = isLast ? 0 : setting.timesteps[i + 1]
      let lower = try alphaBar(Double((Float(1 - eta) * Float(previous)).rounded(.down)), tables, step: i)
      let next = try alphaBar(previous, tables, step: i)
      let from = level(bar)
      let epsilon = (LinearForm.sample - from.signal * .estimate()) / from.noise
      var form = Double(root(lower)) * .estimate() + Double(root(1 - lower)) * epsilon
      if eta > 0, !isLast { form = Double(root(next / lower)) * form + Double(root(1 - next / lower)) * .noise }
      let arrival = isLast ? lower : next
      moves.append(
        Move(at: SamplingGrid.Point(timestep: timestep, level: from), to: level(arrival), estimate: .x0, next: form))
    }
    return Moves(moves: moves, start: unitLevel(try alphaBar(setting.timesteps[0], tables, step: 0)))
  }
}
