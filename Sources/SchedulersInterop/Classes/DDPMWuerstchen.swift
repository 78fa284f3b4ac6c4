import Schedulers

/// `DDPMWuerstchenScheduler`, that of Würstchen and Stable Cascade: DDPM's steps between any times
/// of a cosine process, whose ᾱ is held in 0.0001 ... 0.9999.
///
/// Source: [Pernias et al. 2023](https://arxiv.org/abs/2306.00637).
struct DDPMWuerstchenScheduler: DiffusersClass {
  static let takes: Set<RunArguments.Key> = [.timesteps]
  static let holdingEnd = takes
  static let looksForStart = false

  private let exponent: Given<Double>
  private let offset: Given<Double>

  init(_ o: inout OptionReader) { (exponent, offset) = (o.number("scaler", 1), o.number("s", 0.008)) }

  var trainingTimesteps: TrainingTimesteps { TrainingTimesteps(fixed: 1) }
  var allowsAnySteps: Bool { true }
  func reading() throws -> any OutputReading { Prediction.epsilon }
  func sampler(_ run: Run) throws -> any Sampler { DDPM() }
  func drawsAlways(_ run: Run) -> Bool { true }

  /// The times of the calls, and the end.
  private func times(_ run: Run) throws -> [Double] {
    try run.arguments.timesteps(of: 2, areWhole: false) ?? NumPy.linspace(1, 0, run.steps + 1)
  }

  /// The same in torch's float32.
  private func roundedTimes(_ run: Run) throws -> [Float] {
    run.timesteps == nil ? Torch.linspace(1, 0, run.steps + 1) : try times(run).map { Float($0) }
  }

  func setting(_ run: Run) throws -> Setting {
    Setting(timesteps: try roundedTimes(run).dropLast().map { Double($0) })
  }

  // The mathematics

  /// Where the process is at a time, before it is held.
  private func level(at time: Double) throws -> NoiseLevel {
    let offset = try checkedOffset()
    let warped = exponent.value > 1 ? 1 - Math.pow(1 - time, exponent.value) : Math.pow(time, exponent.value)
    let (start, way) = (offset / (1 + offset) * .pi / 2, warped / (1 + offset) * .pi / 2)
    // cos²b − cos²a = sin(a − b)·sin(a + b), which does not cancel.
    let scale = Math.cos(start)
    let noise = (Math.sin(way) * Math.sin(2 * start + way)).squareRoot() / scale
    return NoiseLevel(signal: max(Math.cos(start + way), 0) / scale, noise: noise)
  }

  private func checkedOffset() throws -> Double {
    _ = try exponent.positive()
    try require(offset.value >= 0 && offset.value <= 1, offset.refused("it must be in 0 ... 1"))
    return offset.value
  }

  func grid(_ run: Run) throws -> SamplingGrid {
    let held = (least: (1e-4).squareRoot(), most: (1 - 1e-4).squareRoot())
    let times = try times(run)
    let points = try times.enumerated().map { i, time in
      let level = try level(at: time)
      if time == 0, i == times.count - 1 { return SamplingGrid.Point.clean }
      let isHeld = level.signal < held.least || level.signal > held.most
      let (signal, noise) = level.signal < held.least ? (held.least, held.most) : (held.most, held.least)
      return .init(timestep: time, level: isHeld ? NoiseLevel(signal: signal, noise: noise) : level)
    }
    return SamplingGrid(unchecked: points)
  }

  // diffusers

  /// `_alpha_cumprod` in float32.
  private func alphaBar(_ time: Float) throws -> Float {
    let (offset, exponent) = (Float(try checkedOffset()), exponent.value)
    func power(_ x: Float) -> Float { exponent == 1 ? x : Float(Math.pow(Double(x), exponent)) }
    func square(_ angle: Float) -> Float {
      let cosine = Float(Math.cos(Double(angle * .pi * 0.5)))
      return cosine * cosine
    }
    let warped = exponent > 1 ? 1 - power(1 - time) : power(time)
    return min(max(square((warped + offset) / (1 + offset)) / square(offset / (1 + offset)), 0.0001), 0.9999)
  }

  func faithful(_ run: Run) throws -> Recipe {
    let told = try begun(run).timesteps
    let times = Array(try roundedTimes(run).dropFirst(run.first))
    let bars = try times.map(alphaBar)
    func level(_ bar: Float) -> NoiseLevel {
      NoiseLevel(signal: Double(run.root(bar)), noise: Double(run.root(1 - bar)))
    }
    let moves = try told.enumerated().map { i, time in
      let (bar, nextBar) = (bars[i], bars[i + 1])
      let alpha = bar / nextBar
      let drawn = run.root((1 - alpha) * (1 - nextBar) / (1 - bar))
      try require(
        drawn.isFinite, step: i, timestep: time,
        "ᾱ falls by a rounding, and diffusers takes the root of a negative number; use fewer steps")
      let kept = Double(run.root(1 / alpha))
      let noise = times[i + 1] == 0 ? 0 : Double(drawn)
      let mean = kept * (.sample - Double(1 - alpha) / Double(run.root(1 - bar)) * .output)
      return Move(
        at: .init(timestep: time, level: level(bar)), to: level(nextBar), estimate: .x0,
        next: mean + noise * LinearForm.noise)
    }
    return try recipe(moves, of: run)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    [.float32Tables] + (try times(run).last == 0 ? [.heldEnd] : [])
  }
}

extension Deviation {
  public static let heldEnd = Deviation(
    "heldEnd", "ᾱ is held at 0.9999 or below, at the end too: the last step leaves a hundredth of the noise.",
    place: "DDPM of Würstchen, where the last time is 0",
    effect: "With N = 10 a perfect network ends at 0.29988 instead of 0.3.")
}
