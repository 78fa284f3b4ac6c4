import Schedulers

/// `SCMScheduler`, that of SANA-Sprint: a consistency model on TrigFlow's path.
///
/// A sample is cos(t)·x0 + σ_data·sin(t)·z at the angle t, which the network is told. The pipeline
/// divides what it gives to the network by σ_data, and multiplies the answer; the output here is
/// what the scheduler is given.
///
/// Source: [Lu and Song 2024](https://arxiv.org/abs/2410.11081); [Chen et al.
/// 2025](https://arxiv.org/abs/2503.09641).
struct SCMScheduler: DiffusersClass {
  static let takes: Set<RunArguments.Key> = [.timesteps, .firstAngle, .secondAngle]
  static let holdingEnd: Set<RunArguments.Key> = [.timesteps]

  let trainingTimesteps: TrainingTimesteps
  private let prediction: NamedChoice<Void>
  private let data: Given<Double>

  init(_ o: inout OptionReader) {
    trainingTimesteps = TrainingTimesteps(&o)
    prediction = o.choice("prediction_type", "trigflow", ["trigflow": ()])
    data = o.number("sigma_data", 0.5)
  }

  func drawsAlways(_ run: Run) -> Bool { true }
  func sampler(_ run: Run) throws -> any Sampler { ConsistencyModel(leastSigma: 0) }

  func reading() throws -> any OutputReading {
    try prediction.get()
    return Reading(isRounded: false)
  }

  /// x̂0 = cos(t)·x − sin(t)·F.
  private struct Reading: OutputReading {
    /// Whether the two factors are float32.
    let isRounded: Bool
    var name: String { "TrigFlow's velocity" }

    func query(at point: SamplingGrid.Point) -> SamplingGrid.Point { point }
    func denoising(at query: SamplingGrid.Point, next: SamplingGrid.Point?) -> Readout? {
      let (cosine, sine) = (Math.cos(query.timestep), Math.sin(query.timestep))
      return isRounded
        ? Readout(sample: Double(Float(cosine)), output: -Double(Float(sine))) : Readout(sample: cosine, output: -sine)
    }
  }

  /// The angles of the calls, and the end. The first is a little beyond π/2, as the pipeline has
  /// it, and the second of two is its `intermediate_timesteps`.
  private func angles(_ run: Run, isRounded: Bool) throws -> [Double] {
    try check(run)
    let first = run.firstAngle ?? Self.largest
    if let given = run.timesteps ?? (run.steps == 2 ? [first, run.secondAngle ?? 1.3, 0] : nil) {
      return isRounded ? given.map { Double(Float($0)) } : given
    }
    return isRounded
      ? Torch.linspace(first, 0, run.steps + 1).map { Double($0) } : NumPy.linspace(first, 0, run.steps + 1)
  }

  private static let largest = 1.5708

  /// Throws where something that is given is no angle, or says what something else says already.
  private func check(_ run: Run) throws {
    func check(_ angle: Double, _ name: String) throws {
      let remedy = "it is an angle; it must be in 0 ... \(Self.largest)"
      try require(angle >= 0 && angle <= Self.largest, .argument(name, angle, remedy))
    }
    for (i, angle) in (run.timesteps ?? []).enumerated() { try check(angle, "timesteps[\(i)]") }
    for (key, angle) in [(RunArguments.Key.firstAngle, run.firstAngle), (.secondAngle, run.secondAngle)] {
      guard let angle else { continue }
      try check(angle, key.rawValue)
      try require(run.timesteps == nil, .argument(key.rawValue, angle, "leave it out, or the timesteps"))
      try require(
        key == .firstAngle || run.steps == 2, .argument(key.rawValue, angle, "leave it out, or make 2 steps"))
    }
  }

  func setting(_ run: Run) throws -> Setting { Setting(timesteps: try angles(run, isRounded: true).dropLast()) }

  private func level(_ angle: Double) throws -> NoiseLevel {
    NoiseLevel(signal: max(Math.cos(angle), 0), noise: try data.positive() * Math.sin(angle))
  }

  func grid(_ run: Run) throws -> SamplingGrid {
    SamplingGrid(unchecked: try angles(run, isRounded: false).map { .init(timestep: $0, level: try level($0)) })
  }

  func faithful(_ run: Run) throws -> Recipe {
    let (setting, scale) = (try begun(run), try data.positive())
    let angles = try angles(run, isRounded: true).dropFirst(run.first)
    try prediction.get()
    let moves = try zip(setting.timesteps, angles.dropFirst()).map { angle, next in
      let (signal, noise) = (Double(Float(Math.cos(next))), Double(Float(Math.sin(next))) * scale)
      return Move(
        at: .init(timestep: angle, level: try level(angle)), to: try level(next), estimate: .x0,
        next: signal * LinearForm.estimate() + noise * .noise)
    }
    return try recipe(moves, of: run, reading: Reading(isRounded: true))
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] { [.float32Tables] }
}
