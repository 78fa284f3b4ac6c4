import Schedulers

/// `CogVideoXDDIMScheduler`: DDIM on a schedule whose signal-to-noise ratio is divided for the many
/// pixels of a video. The class does not look at `clip_sample`, which is on by default, and the
/// networks are made for x̂0 as it is; so neither reading clips.
///
/// Source: [Yang et al. 2024](https://arxiv.org/abs/2408.06072).
struct CogVideoXDDIMScheduler: DiscreteClass {
  static let takes: Set<RunArguments.Key> = [.eta, .usesClippedModelOutput]

  private(set) var table: Betas
  private let endsClean: Given<Bool>
  let output: Output
  let spacing: Spacing?
  let ignoredKeys: [String]

  init(_ o: inout OptionReader) {
    table = Betas(&o, start: 0.00085, end: 0.012, schedule: "scaled_linear", canRescale: true)
    table.snrDivisor = o.number("snr_shift_scale", 3)
    endsClean = o.boolean("set_alpha_to_one", true)
    output = Output(&o)
    spacing = Spacing(&o, "leading")
    let (clips, range) = (o.boolean("clip_sample", true), o.number("clip_sample_range", 1))
    _ = o.number("sample_max_value", 1)
    ignoredKeys = clips.value ? [clips.name, range.name] : []
  }

  var endsAtLeastNoise: Bool { !endsClean.value }
  func sampler(_ run: Run) throws -> any Sampler { DDIM(eta: run.eta ?? Self.usualEta) }

  func faithful(_ run: Run) throws -> Recipe {
    let tables = try DividedTables(table, in: run.torch)
    let discrete = try Discrete(self, run, tables: tables.float32)
    let (arithmetic, prediction) = (tables.arithmetic, try prediction())
    let moves = try begun(run).timesteps.enumerated().map { i, timestep in
      try require(
        discrete.alphaBar(timestep, step: i) > 0 || prediction != .epsilon, step: i, timestep: timestep,
        "there is no signal, and diffusers divides by it; use v_prediction or sample")
      _ = try discrete.divisor(timestep, step: i)
      let next = timestep - discrete.stride
      let bar = tables.alphaBar(timestep)
      let nextBar = next >= 0 ? tables.alphaBar(next) : endsClean.value ? 1 : tables.alphaBar(0)
      let kept = arithmetic.root(arithmetic((1 - nextBar) / arithmetic(1 - bar)))
      let taken = arithmetic(arithmetic.root(nextBar) - arithmetic(arithmetic.root(bar) * kept))
      return Move(
        at: .init(timestep: timestep, level: tables.level(bar)), to: tables.level(nextBar), estimate: .x0,
        next: kept * .sample + taken * .estimate())
    }
    return try recipe(moves, discrete, of: run)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try timestepDeviations(run, setting.timesteps) + strideDeviations(run, setting.timesteps)
      + ((run.eta ?? Self.usualEta) == 0 ? [] : [.unusedEta])
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? {
    DDIM(eta: fidelity == .corrected ? run.eta ?? Self.usualEta : 0)
  }
}

extension Deviation {
  public static let unusedEta = Deviation(
    "unusedEta", "The step takes eta and does not look at it: no noise is drawn.", place: "CogVideoX's DDIM",
    effect: "A run with eta 1, which is DDPM by the paper, is the deterministic one.")
}

/// The betas and the divided ᾱ of CogVideoX, which diffusers keeps in Double with `scaled_linear`,
/// and in float32 otherwise.
struct DividedTables {
  /// Arithmetic in one of the two.
  struct Arithmetic {
    let isWide: Bool
    let torch: TorchArithmetic

    func callAsFunction(_ x: Double) -> Double { isWide ? x : Double(Float(x)) }
    func root(_ x: Double) -> Double { isWide ? x.squareRoot() : Double(torch.root(Float(x))) }
  }

  let arithmetic: Arithmetic
  private let betas: [Double]
  private let alphaBars: [Double]

  init(_ table: Betas, in torch: TorchArithmetic) throws {
    var isWide = false
    if case .scaledLinear = try table.formula.get(), !table.trained.isGiven { isWide = true }
    arithmetic = Arithmetic(isWide: isWide, torch: torch)
    if isWide {
      let (start, end) = (Math.pow(table.start.value, 0.5), Math.pow(table.end.value, 0.5))
      betas = Torch.linspace(start, end, try table.timesteps.count(), as: Double.self).map { $0 * $0 }
      alphaBars = try Self.alphaBars(betas, of: table) { $0.squareRoot() }
    } else {
      let made = try table.float32Betas()
      betas = made.map { Double($0) }
      alphaBars = try Self.alphaBars(made, of: table, root: torch.root)
    }
  }

  /// ᾱ, divided and then rescaled, in the type of the betas.
  private static func alphaBars<Scalar: BinaryFloatingPoint>(
    _ betas: [Scalar], of table: Betas, root: (Scalar) -> Scalar
  ) throws -> [Double] {
    let divisor = try table.snrDivisor!.positive()
    let (factor, rest) = (Scalar(divisor), Scalar(1 - divisor))
    var product = 1.0
    let divided = try betas.enumerated().map { t, beta in
      guard beta >= 0, beta <= 1 else { throw table.refused(.beta(Double(beta), timestep: t)) }
      product *= Double(1 - beta)
      let bar = Scalar(product)
      return bar / (factor + rest * bar)
    }
    return (table.isRescaled ? Betas.rescaled(divided, root: root) : divided).map { Double($0) }
  }

  func alphaBar(_ timestep: Double) -> Double { alphaBars[Int(timestep) + (timestep < 0 ? alphaBars.count : 0)] }

  /// As that of `Discrete`.
  func level(_ alphaBar: Double) -> NoiseLevel {
    NoiseLevel(
      signal: max(arithmetic.root(alphaBar), 0x1p-100), noise: arithmetic.root(arithmetic(1 - alphaBar)))
  }

  /// The same in float32.
  var float32: DiffusersConfiguration.Tables {
    DiffusersConfiguration.Tables(
      betas: betas.map { Float($0) }, alphaBars: alphaBars.map { Float($0) }, torch: arithmetic.torch)
  }
}
