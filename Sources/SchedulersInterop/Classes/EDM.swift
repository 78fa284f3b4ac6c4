import Schedulers

/// What EDM's classes share: networks wrapped by Karras' preconditioning, on sigmas that the file
/// gives.
struct EDM {
  let range: SigmaRange
  private let data: Given<Double>
  private let schedule: NamedChoice<Bool>
  let timesteps: TrainingTimesteps
  private let sign: NamedChoice<Double>
  let endsAtLeastNoise: NamedChoice<Bool>
  /// What the network is told of a sigma.
  private var conditioning = EDMPreconditioning.Conditioning.logarithm

  init(_ o: inout OptionReader) {
    self.init(&o, SigmaRange(&o), data: 0.5, schedule: "karras", prediction: "epsilon")
  }

  /// The options of a class whose network is one of v, told an angle, with their defaults.
  init(angle o: inout OptionReader, least: Double, most: Double) {
    self.init(&o, SigmaRange(&o, least, most), data: 1, schedule: "exponential", prediction: "v_prediction")
    conditioning = .angle
  }

  private init(_ o: inout OptionReader, _ range: SigmaRange, data: Double, schedule: String, prediction: String) {
    (self.range, self.data) = (range, o.number("sigma_data", data))
    self.schedule = o.choice("sigma_schedule", schedule, ["karras": true, "exponential": false])
    timesteps = TrainingTimesteps(&o)
    sign = o.choice("prediction_type", prediction, ["epsilon": 1, "v_prediction": -1])
    endsAtLeastNoise = o.endsAtLeastNoise()
  }

  /// EDM's preconditioning of a network or, for `v_prediction`, of its negative.
  struct Reading: OutputReading {
    let preconditioning: EDMPreconditioning
    let sign: Double
    var name: String { preconditioning.name }

    func query(at point: SamplingGrid.Point) -> SamplingGrid.Point { preconditioning.query(at: point) }
    func denoising(at query: SamplingGrid.Point, next: SamplingGrid.Point?) -> Readout? {
      preconditioning.denoising(at: query, next: next).map { Readout(sample: $0.sample, output: sign * $0.output) }
    }
  }

  func reading() throws -> Reading {
    let preconditioning = EDMPreconditioning(sigmaData: try data.positive(), conditioning: conditioning)
    return Reading(preconditioning: preconditioning, sign: try sign.get())
  }

  func endsClean() throws -> Bool { try !endsAtLeastNoise.get() }

  private func spacing() throws -> (spacing: SigmaSpacing, range: ClosedRange<Double>) {
    let (least, most, rho) = try range.checked()
    return (try schedule.get() ? .karras(rho: rho) : .exponential, least...most)
  }

  /// The sigmas by the mathematics, at the points that the preconditioning asks.
  ///
  /// - Parameter shares: how far of the way from the largest sigma each lies, if not in equal
  ///   steps.
  func grid(_ steps: Int, shares: [Double]? = nil) throws -> SamplingGrid {
    let ((spacing, range), edm) = (try spacing(), try reading().preconditioning)
    if let shares, case .karras(let rho) = spacing {
      let (start, end) = (Math.pow(range.upperBound, 1 / rho), Math.pow(range.lowerBound, 1 / rho))
      let points = shares.map { share in
        edm.query(
          at: .init(timestep: 0, level: NoiseLevel(signal: 1, noise: Math.pow(start + share * (end - start), rho))))
      }
      let least = edm.query(at: .init(timestep: 0, level: NoiseLevel(signal: 1, noise: range.lowerBound)))
      let isIdle = shares.last == 1
      return try SamplingGrid(points: points + [try endsClean() || isIdle ? .clean : least])
    }
    let grid = try SamplingGrid(edm: edm, steps: steps, spacing: spacing, range: range)
    // A run of more steps has been at the least sigma.
    guard try !endsClean(), steps == 1 else { return grid }
    let end = SamplingGrid.Point(timestep: 0, level: NoiseLevel(signal: 1, noise: range.lowerBound))
    return try SamplingGrid(points: [grid.points[0], edm.query(at: end)])
  }

  /// diffusers' sigmas, and ln(σ)/4 for timesteps.
  ///
  /// - Parameters:
  ///   - isWide: whether Karras' sigmas are made in Double; in float32 otherwise.
  ///   - shares: how far of the way each lies, as for `grid`; only sigmas made in Double have them.
  func setting(_ steps: Int, isWide: Bool, shares: [Double]? = nil) throws -> Setting {
    let (spacing, range) = try spacing()
    var sigmas: [Float]
    if case .karras(let rho) = spacing {
      let (start, end) = (Math.pow(range.upperBound, 1 / rho), Math.pow(range.lowerBound, 1 / rho))
      let ramp = Torch.linspace(0, 1, steps)
      sigmas = (0..<steps).map { i in
        guard isWide else { return Float(Math.pow(Double(Float(start) + ramp[i] * Float(end - start)), rho)) }
        let share = shares?[i] ?? (steps > 1 ? Double(i) / Double(steps - 1) : 0)
        return Float(Math.pow(start + share * (end - start), rho))
      }
    } else {
      let line = Torch.linspace(Math.log(range.lowerBound), Math.log(range.upperBound), steps)
      sigmas = line.reversed().map { Float(Math.exp(Double($0))) }
    }
    sigmas = try self.range.rounded(sigmas)
    let least = isWide ? sigmas[steps - 1] : Float(range.lowerBound)
    let setting = Setting(timesteps: [], sigmas: sigmas + [try endsClean() ? 0 : least])
    guard conditioning == .angle else { return setting.continuous }
    let angles = sigmas.map { Float(Math.atan2(Double($0), 1)) / Float.pi * 2 }
    return Setting(timesteps: angles.map(Double.init), sigmas: setting.sigmas)
  }

  /// diffusers' points, which are asked as the preconditioning says.
  static func grid(_ setting: Setting) -> SamplingGrid { setting.grid { NoiseLevel(signal: 1, noise: Double($0)) } }

  func deviations(_ steps: Int, _ setting: Setting) throws -> [Deviation] {
    let (startsAtEnd, isIdle) = (try !schedule.get() && steps == 1, try !endsClean() && setting.isIdleAtEnd)
    return [.float32Tables] + (startsAtEnd ? [.oneStepFromTheEnd] : []) + (isIdle ? [.idleLastStep] : [])
  }
}

/// The ends of the sigmas that a file gives, and the exponent of their spacing.
struct SigmaRange {
  let least: Given<Double>
  let most: Given<Double>
  private let rho: Given<Double>

  init(_ o: inout OptionReader, _ smallest: Double = 0.002, _ largest: Double = 80) {
    (least, most, rho) = (o.number("sigma_min", smallest), o.number("sigma_max", largest), o.number("rho", 7))
  }

  func checked() throws -> (least: Double, most: Double, rho: Double) {
    let (lowest, highest, rho) = (try least.positive(), try most.positive(), try rho.positive())
    guard lowest < highest else { throw least.refused("it must be below \(most.name), \(highest)") }
    return (lowest, highest, rho)
  }

  /// Sigmas in float32, if they are above 0 and finite there.
  func rounded(_ sigmas: [Float]) throws -> [Float] {
    try require(
      sigmas.allSatisfy { $0 > 0 && $0.isFinite },
      most.refused("in float32 the sigmas from sigma_min to it are 0 or infinite"))
    return sigmas
  }
}

protocol EDMClass: DiffusersClass { var edm: EDM { get } }

extension EDMClass {
  var allowsAnySteps: Bool { true }
  var trainingTimesteps: TrainingTimesteps { edm.timesteps }
  func reading() throws -> any OutputReading { try edm.reading() }
  func grid(_ run: Run) throws -> SamplingGrid { try edm.grid(run.steps, shares: run.arguments.flowSigmas()) }

  func recipe(_ run: Run, _ setting: Setting, moves: (SamplingGrid) throws -> [Move]) throws -> Recipe {
    try recipe(moves(EDM.grid(setting)), of: run, start: NoiseLevel(signal: 1, noise: edm.range.most.value))
  }
}

struct EDMEulerScheduler: EDMClass {
  static let takes = Churning.takes.union([.sigmas])

  let edm: EDM

  init(_ o: inout OptionReader) { edm = EDM(&o) }

  func sampler(_ run: Run) throws -> any Sampler { Churning.sampler(Euler(), run) }
  func setting(_ run: Run) throws -> Setting {
    try edm.setting(run.steps, isWide: true, shares: run.arguments.flowSigmas())
  }

  func faithful(_ run: Run) throws -> Recipe {
    let (setting, reading) = (try begun(run), try edm.reading())
    return try recipe(run, setting) { grid in
      guard run.churn > 0 else { return Euler().moves(over: grid) }
      return Churning(run: run).eulerMoves(grid, sigmas: setting.sigmas) { _, raised in
        let point = SamplingGrid.Point(timestep: 0, level: NoiseLevel(signal: 1, noise: raised))
        return reading.denoising(at: point, next: nil) ?? Readout(sample: 1, output: 0)
      }
    }
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try edm.deviations(run.steps, setting) + Churning(run: run).deviations(setting)
  }
}

/// DPM-Solver++ on sigmas that the file gives.
protocol EDMSolverClass: EDMClass {
  var multistep: Multistep { get }
  /// Whether its noise is that of a Brownian path, which has none for a step that goes nowhere.
  static var drawsFromPath: Bool { get }
}

struct EDMDPMSolverMultistepScheduler: EDMSolverClass {
  let edm: EDM
  private(set) var multistep: Multistep
  private let thresholding: Thresholding

  init(_ o: inout OptionReader) {
    edm = EDM(&o)
    thresholding = Thresholding(&o)
    multistep = Multistep(
      &o, without: ["dpmsolver", "sde-dpmsolver"], lowersFinalOrder: o.boolean("lower_order_final", true))
    multistep.hasThirdOrderOfSDE = false
  }

  func clipping() throws -> Clipping { try thresholding.clipping() }
}

extension EDMSolverClass {
  static var drawsFromPath: Bool { false }

  func sampler(_ run: Run) throws -> any Sampler {
    FixedMoves(moves: try multistep.moves(begunGrid(run), endsClean: edm.endsClean()))
  }

  func drawsAlways(_ run: Run) -> Bool { multistep.drawsAlways }
  func setting(_ run: Run) throws -> Setting { try edm.setting(run.steps, isWide: false) }

  private func solver() throws -> ExponentialMultistep {
    try multistep.faithfulSolver(nil, ending: edm.endsAtLeastNoise)
  }

  func faithful(_ run: Run) throws -> Recipe {
    let (setting, solver) = (try begun(run), try solver())
    let isNowhere = try Self.drawsFromPath && !edm.endsClean() && setting.isIdleAtEnd
    try require(
      !isNowhere, step: setting.timesteps.count - 1, timestep: setting.timesteps[setting.timesteps.count - 1],
      "the step goes nowhere, and diffusers divides by its length for the noise; use final_sigmas_type zero")
    return try recipe(run, setting) { grid in
      try multistep.faithfulMoves(
        grid, of: run, by: solver, endsClean: edm.endsClean(), Float32Levels(path: .exploding, torch: run.torch))
    }
  }

  func roundings(_ run: Run) throws -> [[Rounding]] {
    try multistep.roundings(EDM.grid(begun(run)), of: run, by: solver(), endsClean: edm.endsClean())
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try edm.deviations(run.steps, setting) + multistep.deviations(run.steps, endsClean: edm.endsClean())
  }
}
