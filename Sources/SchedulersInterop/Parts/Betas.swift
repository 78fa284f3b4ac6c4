import Schedulers

/// How many timesteps a network was trained on.
struct TrainingTimesteps {
  /// There may be at most so many, so that a file cannot ask for more time and memory than there
  /// is.
  static let largest = 10_000

  let given: Given<Int>

  init(_ o: inout OptionReader, _ standard: Int = 1000) { given = o.integer("num_train_timesteps", standard) }

  /// Those of a class without the option, whose network is told times and not their numbers.
  init(fixed count: Int) { given = Given(value: count, name: "num_train_timesteps", shown: .integer(count)) }

  func count() throws -> Int { try given.within(1...Self.largest, "it must be in 1 ... \(Self.largest)") }
}

/// The betas of a class that has a table of them: the schedule that they mean, and diffusers'
/// float32.
struct Betas {
  /// What `beta_schedule` names.
  enum Formula {
    case linear, scaledLinear, sigmoid
    case alphaBar(AlphaBarFormula)
  }

  let timesteps: TrainingTimesteps
  let start: Given<Double>
  let end: Given<Double>
  let formula: NamedChoice<Formula>
  let trained: Given<[Double]?>
  /// Whether they are rescaled so that no signal is left at the end.
  let isRescaled: Bool
  /// Whether the last ᾱ is 2⁻²⁴ then, so that its sigma is finite.
  let keepsSignal: Bool
  /// What the signal-to-noise ratio is divided by, in a class that does so.
  var snrDivisor: Given<Double>?

  /// - Parameter formulas: those of the class beside the usual ones.
  init(
    _ o: inout OptionReader, start: Double = 1e-4, end: Double = 0.02, schedule: String = "linear",
    more formulas: KeyValuePairs<String, Formula> = [:], canRescale: Bool = false, keepsSignal: Bool = false
  ) {
    timesteps = TrainingTimesteps(&o)
    (self.start, self.end) = (o.number("beta_start", start), o.number("beta_end", end))
    formula = o.choice(
      "beta_schedule", schedule,
      ["linear": .linear, "scaled_linear": .scaledLinear, "squaredcos_cap_v2": .alphaBar(.cosine)], formulas)
    trained = o.trainedBetas()
    isRescaled = canRescale && o.boolean("rescale_betas_zero_snr", false).value
    self.keepsSignal = keepsSignal
  }

  /// Those of the cosine schedule alone.
  init(cosine o: inout OptionReader, _ timesteps: TrainingTimesteps) {
    self.timesteps = timesteps
    formula = o.choice("beta_schedule", "squaredcos_cap_v2", ["squaredcos_cap_v2": .alphaBar(.cosine)])
    let name = formula.given.name
    func unused<Value>(_ value: Value) -> Given<Value> { Given(value: value, name: name, shown: .null) }
    (start, end, trained) = (unused(0), unused(0), unused(nil))
    (isRescaled, keepsSignal) = (false, false)
  }

  /// The schedule that the network was trained with.
  func schedule() throws -> NoiseSchedule {
    let count = try timesteps.count()
    return try naming {
      var named: NoiseSchedule
      if let betas = try trained.numbers(for: timesteps) {
        named = try NoiseSchedule(betas: betas)
      } else {
        let (start, end) = (start.value, end.value)
        named =
          switch try formula.get() {
          case .linear: try NoiseSchedule(.linear(start: start, end: end), timesteps: count)
          case .scaledLinear: try NoiseSchedule(.scaledLinear(start: start, end: end), timesteps: count)
          case .sigmoid: try NoiseSchedule(.sigmoid(start: start, end: end), timesteps: count)
          case .alphaBar(.cosine): try NoiseSchedule(.cosine(), timesteps: count)
          case .alphaBar(let formula): try NoiseSchedule(betas: formula.betas(timesteps: count))
          }
      }
      if let snrDivisor { named = try named.dividingSNR(by: snrDivisor.positive()) }
      return isRescaled ? try named.rescaledToZeroTerminalSNR() : named
    }
  }

  /// diffusers' tables, if their ᾱ stay in [0, 1].
  func tables(in torch: TorchArithmetic) throws -> DiffusersConfiguration.Tables {
    if snrDivisor != nil { return try DividedTables(self, in: torch).float32 }
    var betas = try float32Betas()
    for (t, beta) in betas.enumerated() where !(beta >= 0 && beta <= 1) {
      throw refused(.beta(Double(beta), timestep: t))
    }
    if isRescaled { betas = rescaled(betas, in: torch) }
    var alphaBars = Torch.cumulativeProduct(betas.map { 1 - $0 })
    if isRescaled, keepsSignal { alphaBars[alphaBars.count - 1] = 0x1p-24 }
    // Rescaled, a table may have 0/0 where nothing is left before its end; a run may pass that by.
    for (t, value) in alphaBars.enumerated() where !(value >= 0 && value <= 1) && !(isRescaled && value.isNaN) {
      throw refused(.alphaBar(Double(value), timestep: t, previous: t > 0 ? Double(alphaBars[t - 1]) : 1))
    }
    return DiffusersConfiguration.Tables(betas: betas, alphaBars: alphaBars, torch: torch)
  }

  func float32Betas() throws -> [Float] {
    let count = try timesteps.count()
    if let betas = try trained.numbers(for: timesteps) { return betas.map { Float($0) } }
    let (start, end) = (start.value, end.value)
    switch try formula.get() {
    case .linear: return Torch.linspace(start, end, count)
    case .scaledLinear: return Torch.linspace(Math.pow(start, 0.5), Math.pow(end, 0.5), count).map { $0 * $0 }
    case .sigmoid:
      let (range, start) = (Float(end - start), Float(start))
      return Torch.sigmoid(Torch.linspace(-6, 6, count)).map { $0 * range + start }
    case .alphaBar(let formula): return formula.betas(timesteps: count).map { Float($0) }
    }
  }

  /// `rescale_zero_terminal_snr` of ᾱ, in the type that they are in.
  static func rescaled<Scalar: BinaryFloatingPoint>(_ alphaBars: [Scalar], root: (Scalar) -> Scalar) -> [Scalar] {
    let roots = alphaBars.map(root)
    let (first, last) = (roots[0], roots[roots.count - 1])
    let scale = first / (first - last)
    return roots.map { ($0 - last) * scale }.map { $0 * $0 }
  }

  /// The same of betas in float32.
  private func rescaled(_ betas: [Float], in torch: TorchArithmetic) -> [Float] {
    let alphaBars = Self.rescaled(Torch.cumulativeProduct(betas.map { 1 - $0 }), root: torch.root)
    return alphaBars.indices.map { 1 - ($0 == 0 ? alphaBars[0] : alphaBars[$0] / alphaBars[$0 - 1]) }
  }

  /// What a body makes; an error of its schedule names the options.
  func naming<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as ScheduleError { throw refused(error) }
  }

  func refused(_ error: ScheduleError) -> Refusal {
    .schedule(error, option: trained.isGiven ? trained.name : "\(start.name) and \(end.name)")
  }
}

/// Betas that the file gives itself.
extension Given<[Double]?> {
  var isGiven: Bool { value != nil }

  /// The numbers, if there are some and as many as the schedule has timesteps.
  func numbers(for timesteps: TrainingTimesteps) throws -> [Double]? {
    let count = try timesteps.count()
    guard let betas = value, betas.count != count else { return value }
    throw refused(betas.count, "give as many as \(timesteps.given.name), \(count)")
  }

  func refused(_ count: Int, _ remedy: String) -> Refusal { .option(name, value: "of \(count) numbers", remedy) }
}

extension OptionReader { mutating func trainedBetas() -> Given<[Double]?> { numbers("trained_betas") } }

/// `betas_for_alpha_bar`: β = min(1 − ᾱ((t+1)/T)/ᾱ(t/T), 0.999) in Double, as Python computes it.
enum AlphaBarFormula {
  case cosine, exponential, laplace

  func betas(timesteps count: Int) -> [Double] {
    (0..<count).map { i in
      min(1 - value(at: Double(i + 1) / Double(count)) / value(at: Double(i) / Double(count)), 0.999)
    }
  }

  private func value(at time: Double) -> Double {
    switch self {
    case .cosine:
      let cosine = Math.cos((time + 0.008) / 1.008 * Double.pi / 2)
      return cosine * cosine
    case .exponential: return Math.exp(time * -12)
    case .laplace:
      let distance = 0.5 - time
      let sign = distance < 0 ? -1.0 : 1.0
      let snr = Math.exp(-0.5 * sign * Math.log(1 - 2 * abs(distance) + 1e-6))
      return (snr / (1 + snr)).squareRoot()
    }
  }
}

extension DiffusersConfiguration {
  /// The tables that diffusers makes in its constructor.
  public struct Tables: Hashable, Sendable {
    /// `betas`.
    public let betas: [Float]
    /// `alphas_cumprod`.
    public let alphaBars: [Float]
    /// ((1 − ᾱ)/ᾱ)^½, the sigmas of the training timesteps.
    public var sigmas: [Float] { alphaBars.map { torch.root((1 - $0) / $0) } }

    let torch: TorchArithmetic
  }
}

extension Deviation {
  public static let float32Tables = Deviation(
    "float32Tables",
    "betas, alphas_cumprod and sigmas are float32. 1 − ᾱ and 1 − ᾱ_t/ᾱ_s cancel, and what is left has few digits at "
      + "small t.", place: "every class",
    effect:
      "With the default betas ᾱ is off by up to 3.6e-7 of itself, and the variance of DDPM's step at t = 4 by 3.9e-4.")
  public static let infiniteX0 = Deviation(
    "infiniteX0",
    "Where there is no signal, epsilon says nothing about x0. x̂0 = (x − epsilon)/0 is infinite, and clipping turns it "
      + "into ±1 by the sign of the network's last error.",
    place: "DDPM, DDIM and DDIM inverse, `rescale_betas_zero_snr` with epsilon prediction",
    effect: "A number without meaning with `clip_sample`, NaN without. `.corrected` refuses both.")
  public static let almostZeroSNR = Deviation(
    "almostZeroSNR",
    "After rescaling to zero terminal SNR, 2⁻²⁴ is put for the last ᾱ, which is 0, so that sigma is finite.",
    place:
      "Euler, Euler ancestral, DPM-Solver multistep and UniPC, `rescale_betas_zero_snr`, where the run begins at the "
      + "last timestep", effect: "The first sigma is 4096 instead of infinite.")
}
