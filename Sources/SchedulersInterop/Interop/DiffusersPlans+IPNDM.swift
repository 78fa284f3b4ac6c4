import Schedulers

// iPNDM, whose network is told times between 0 and 1, and predicts v at the noise sin(πt/2).

extension DiffusersConfiguration {
  /// diffusers' timesteps, and its noises in the field of the sigmas, that of the end last.
  func ipndmSetting(steps: Int) throws(ConfigurationError) -> (setting: Setting, noises: [Float]) {
    let noises = try ipndmNoises(steps: steps)
    let timesteps = noises.dropLast().map { noise -> Double in
      let signal = root(1 - noise * noise)
      return Double(Float(Math.atan2(Double(noise), Double(signal))) / Float(Double.pi) * 2)
    }
    return (Setting(timesteps: timesteps), noises)
  }

  /// sin²(πs/2) for s from 1 down to 0, or what the file gives.
  private func ipndmNoises(steps: Int) throws(ConfigurationError) -> [Float] {
    guard case .list(let values) = self["trained_betas"], let given = Option.numbers(values) else {
      let line = Torch.linspace(1, 0, steps + 1).dropLast() + [0]
      return line.map { s in
        let sine = Float(Math.sin(Double(s * Float(Double.pi) / 2)))
        return sine * sine
      }
    }
    guard given.count == steps + 1 else {
      throw .option(
        "trained_betas", value: "of \(given.count) numbers", className: className,
        remedy: "diffusers makes \(given.count - 1) steps of them; ask for as many")
    }
    let noises = given.map { Float($0) }
    for (t, noise) in noises.enumerated() where !(noise > 0 || noise == 0 && t == steps) || noise > 1 {
      throw named(ScheduleError.beta(Double(noise), timestep: t))
    }
    return noises
  }

  /// The points of a run: diffusers' float32 noises and timesteps, or its own.
  func ipndmPoints(steps: Int, fidelity: Fidelity) throws(ConfigurationError) -> [SamplingGrid.Point] {
    let steps = try checked(steps: steps)
    let (setting, theirs) = try ipndmSetting(steps: steps)
    let isGiven = self["trained_betas"] != .null
    func level(_ i: Int) -> NoiseLevel {
      if fidelity == .diffusers {
        return NoiseLevel(signal: Double(root(1 - theirs[i] * theirs[i])), noise: Double(theirs[i]))
      }
      let sine = Math.sin(Double.pi / 2 * Double(steps - i) / Double(steps))
      let noise = isGiven ? Double(theirs[i]) : sine * sine
      return NoiseLevel(signal: ((1 - noise) * (1 + noise)).squareRoot(), noise: noise)
    }
    return (0...steps).map { i in
      let level = level(i)
      let own =
        fidelity == .corrected ? Math.atan2(level.noise, level.signal) / (Double.pi / 2) : setting.timesteps[min(i, steps - 1)]
      return SamplingGrid.Point(timestep: i == steps ? -1 : own, level: level)
    }
  }

  /// The steps. Where there is no signal diffusers takes 10⁻⁸ for it, and nothing is left of what the network says of the data.
  func ipndmMoves(steps: Int, fidelity: Fidelity) throws(ConfigurationError) -> Moves {
    let points = try ipndmPoints(steps: steps, fidelity: fidelity)
    return try naming {
      var moves = try IPNDM().moves(over: SamplingGrid(unchecked: points))
      if let start = points.first, start.level.signal == 0 {
        let (signal, noise) = (fidelity == .corrected ? points[1].level.signal : 0, points[1].level.noise)
        moves[0].next = signal * .predicted + noise * .estimate()
      }
      return Moves(moves: moves, start: points[0].level)
    }
  }
}
