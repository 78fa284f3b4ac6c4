import Schedulers

// EDM: networks wrapped by Karras' preconditioning, on sigmas that the file gives.

extension DiffusersConfiguration {
  /// How the network is wrapped.
  func preconditioning() throws(ConfigurationError) -> EDMPreconditioning {
    guard let data = number("sigma_data"), data > 0, data.isFinite else {
      throw unsupported("sigma_data", remedy: "it must be above 0 and finite")
    }
    return EDMPreconditioning(sigmaData: data)
  }

  /// The same, with c_out negative for networks of `v_prediction`.
  func edmReading() throws(ConfigurationError) -> SignedEDM {
    SignedEDM(
      preconditioning: try preconditioning(), sign: try choice("prediction_type", ["epsilon": 1, "v_prediction": -1]))
  }

  /// EDM's preconditioning of a network or of its negative.
  struct SignedEDM: OutputReading {
    var preconditioning: EDMPreconditioning
    var sign: Double

    var name: String { preconditioning.name }
    func query(at point: SamplingGrid.Point) -> SamplingPlan.Query { preconditioning.query(at: point) }
    func denoising(at query: SamplingPlan.Query, next: SamplingPlan.Query?) -> Readout? {
      preconditioning.denoising(at: query, next: next).map { Readout(sample: $0.sample, output: sign * $0.output) }
    }
  }

  private func edmSpacing() throws(ConfigurationError) -> (spacing: SigmaSpacing, range: ClosedRange<Double>) {
    for name in ["sigma_min", "sigma_max", "rho"] {
      guard let value = number(name), value > 0, value.isFinite else {
        throw unsupported(name, remedy: "it must be above 0 and finite")
      }
    }
    let (least, most) = (number("sigma_min")!, number("sigma_max")!)
    guard least < most else { throw unsupported("sigma_min", remedy: "it must be below sigma_max, \(most)") }
    return (try choice("sigma_schedule", ["karras": .karras(rho: number("rho")!), "exponential": .exponential]), least...most)
  }

  /// diffusers' sigmas, and ln(σ)/4 for timesteps. Those of Euler are made in Double, the others in float32.
  func edmSetting(steps: Int) throws(ConfigurationError) -> Setting {
    let (spacing, range) = try edmSpacing()
    var sigmas: [Float]
    switch spacing {
    case .karras(let rho):
      let (start, end) = (Math.pow(range.upperBound, 1 / rho), Math.pow(range.lowerBound, 1 / rho))
      let isWide = schedulerClass == .edmEuler
      sigmas = (0..<steps).map { i in
        let share = steps > 1 ? Double(i) / Double(steps - 1) : 0
        return Float(
          Math.pow(isWide ? start + share * (end - start) : Double(Float(start) + Float(share) * Float(end - start)), rho))
      }
    default:
      let line = Torch.linspace(Math.log(range.lowerBound), Math.log(range.upperBound), steps)
      sigmas = line.reversed().map { Float(Math.exp(Double($0))) }
    }
    guard sigmas.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw unsupported("sigma_max", remedy: "in float32 the sigmas from sigma_min to it are 0 or infinite")
    }
    let timesteps = sigmas.map { Double(0.25 * Float(Math.log(Double($0)))) }
    let least = schedulerClass == .edmEuler ? sigmas[steps - 1] : Float(range.lowerBound)
    return Setting(timesteps: timesteps, sigmas: sigmas + [try endsAtLeastNoise() ? least : 0])
  }

  func edmMoves(_ setting: Setting, _ arguments: StepArguments) throws(ConfigurationError) -> Moves {
    let grid = edmSolverGrid(setting)
    let moves =
      schedulerClass != .edmEuler
      ? try solverMoves(grid, fidelity: .diffusers)
      : arguments.churn > 0
        ? try churnedMoves(grid, sigmas: setting.sigmas, arguments) : Euler().moves(over: grid)
    return Moves(moves: moves, start: NoiseLevel(signal: 1, noise: number("sigma_max")!))
  }

  /// diffusers' points, which are asked as the preconditioning says.
  func edmSolverGrid(_ setting: Setting) -> SamplingGrid {
    SamplingGrid(
      unchecked: zip(setting.timesteps + [-1], setting.sigmas).map { timestep, sigma in
        SamplingGrid.Point(timestep: timestep, level: NoiseLevel(signal: 1, noise: Double(sigma)))
      })
  }

  /// The sigmas in Double.
  func edmGrid(steps: Int) throws(ConfigurationError) -> SamplingGrid {
    let (spacing, range) = try edmSpacing()
    let edm = try preconditioning()
    return try naming {
      let grid = try SamplingGrid(edm: edm, steps: steps, spacing: spacing, range: range)
      // A run of more steps has been at the least sigma.
      guard try endsAtLeastNoise(), steps == 1 else { return grid }
      return try SamplingGrid(points: [
        grid.points[0],
        edm.query(
          at: SamplingGrid.Point(timestep: 0, level: NoiseLevel(signal: 1, noise: range.lowerBound))),
      ])
    }
  }
}
