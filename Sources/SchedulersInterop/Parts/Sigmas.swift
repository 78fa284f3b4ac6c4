import Schedulers

/// How sigmas are chosen that are not the timesteps': by at most one switch, between given ends.
struct SigmaChoices {
  enum Choice {
    case karras, exponential, beta, lu, flow

    /// This library's own spacing of sigmas; nil for what is none.
    var spacing: SigmaSpacing? {
      switch self {
      case .karras: .karras()
      case .exponential, .lu: .exponential
      case .beta, .flow: nil
      }
    }
  }

  private var switches: [(choice: Choice, given: Given<Bool>)] = []
  /// `sigma_min` and `sigma_max`, which a class that chooses sigmas reads even if they are no
  /// options.
  private var least = Given<Double?>(value: nil, name: "", shown: .null)
  private var most = Given<Double?>(value: nil, name: "", shown: .null)
  /// Whether Karras' spacing does not look for these ends.
  private var karrasIgnoresEnds = false
  /// Whether Karras' sigmas may be brought to rectified flow's path.
  var takesKarrasOnFlow = false

  /// No choices; the class looks for no ends.
  init() {}

  /// Those of a class, of which `use_lu_lambdas` and `use_flow_sigmas` come last.
  init(
    _ o: inout OptionReader, isOptional: Bool = false, declaresEnds: Bool = false, hasLu: Bool = false,
    hasFlow: Bool = false, karrasIgnoresEnds: Bool = false
  ) {
    for (choice, name) in [
      (Choice.karras, "use_karras_sigmas"), (.exponential, "use_exponential_sigmas"), (.beta, "use_beta_sigmas"),
    ] { switches.append((choice, o.boolean(name, false, isOptional: isOptional))) }
    let (least, most) = ("sigma_min", "sigma_max")
    self.least = declaresEnds ? o.number(least, orNull: nil) : o.undeclaredNumber(least)
    self.most = declaresEnds ? o.number(most, orNull: nil) : o.undeclaredNumber(most)
    if hasLu { switches.append((.lu, o.boolean("use_lu_lambdas", false))) }
    if hasFlow { switches.append((.flow, o.boolean("use_flow_sigmas", false))) }
    self.karrasIgnoresEnds = karrasIgnoresEnds
  }

  func contains(_ choice: Choice) -> Bool { switches.contains { $0.choice == choice && $0.given.value } }

  var isMade: Bool { switches.contains(where: \.given.value) }

  /// The choice, if one is made, and no other, between ends that are some.
  func choice() throws -> Choice? {
    var made = switches.filter(\.given.value)
    if takesKarrasOnFlow, made.map(\.choice) == [.karras, .flow] { made.removeLast() }
    guard made.count <= 1 else { throw made[1].given.refused("choose it or \(made[0].given.name), not both") }
    let (lowest, highest) = (try least.positive(), try most.positive())
    if let lowest, let highest, lowest > highest { throw least.refused("it must be below \(most.name), \(highest)") }
    return made.first?.choice
  }

  /// Throws where sigmas are chosen, and times are given too.
  func refuse(_ run: Run, _ key: RunArguments.Key) throws {
    guard let made = switches.first(where: \.given.value) else { return }
    throw Refusal.argument(
      "the number of \(key.rawValue)", Double(run.steps), "leave them out; \(made.given.name) chooses the times")
  }

  /// The ends that the file gives, for a choice.
  var ends: (least: Double?, most: Double?) {
    karrasIgnoresEnds && contains(.karras) ? (nil, nil) : (least.value, most.value)
  }

  /// diffusers' sigmas, in NumPy's arithmetic.
  ///
  /// - Parameter exponent: that of Karras' sigmas.
  static func sigmas(
    _ choice: Choice, count: Int, from largest: Double, to smallest: Double, exponent: Double
  ) -> [Double] {
    switch choice {
    case .karras:
      let (start, end) = (Math.pow(largest, 1 / exponent), Math.pow(smallest, 1 / exponent))
      return NumPy.linspace(0, 1, count).map { Math.pow(start + $0 * (end - start), exponent) }
    case .beta:
      let shares = BetaDistribution(alpha: 0.6, beta: 0.6).spaced(count)
      return shares.map { smallest + $0.x * (largest - smallest) }
    case .exponential, .lu, .flow: return NumPy.linspace(Math.log(largest), Math.log(smallest), count).map(Math.exp)
    }
  }

  /// `_sigma_to_t`: a fractional index, linear in ln σ, held at the ends.
  static func timestep(of sigma: Double, in logarithms: [Float]) -> Double {
    guard logarithms.count > 1 else { return 0 }
    let logarithm = Math.log(max(sigma, 1e-10))
    let low = min(logarithms.lastIndex { Double($0) <= logarithm } ?? 0, logarithms.count - 2)
    let distance = Double(logarithms[low] - logarithms[low + 1])
    let weight = min(max((Double(logarithms[low]) - logarithm) / distance, 0), 1)
    return (1 - weight) * Double(low) + weight * Double(low + 1)
  }

  /// The same of a sigma in float32, in whose arithmetic it is then.
  static func timestep(of sigma: Float, in logarithms: [Float]) -> Double {
    guard logarithms.count > 1 else { return 0 }
    let logarithm = NumPy.log(max(sigma, 1e-10))
    let low = min(logarithms.lastIndex { $0 <= logarithm } ?? 0, logarithms.count - 2)
    let weight = min(max((logarithms[low] - logarithm) / (logarithms[low] - logarithms[low + 1]), 0), 1)
    return Double(1 - weight) * Double(low) + Double(weight) * Double(low + 1)
  }

  /// The exact grid of a choice on a schedule: Karras' and exponential sigmas between the ends, or
  /// the timesteps of the beta distribution between theirs; nil where no choice is made.
  ///
  /// - Parameter count: how many timesteps a run may use; all of them if it is nil.
  func exactGrid(_ schedule: NoiseSchedule, steps: Int, of count: Int? = nil) throws -> SamplingGrid? {
    let (choice, ends, count) = (try choice(), ends, count ?? schedule.timesteps)
    if let spacing = choice?.spacing {
      let lowest = ends.least ?? schedule.sigma(at: 0)
      let highest = ends.most ?? schedule.sigma(at: schedule.timesteps - 1)
      guard lowest <= highest else { throw least.refused("it must be below the largest sigma, \(highest)") }
      return try SamplingGrid(schedule, steps: steps, spacing: spacing, range: lowest...highest)
    }
    guard choice == .beta else { return nil }
    let scale = TimestepScale(schedule)
    func timestep(_ sigma: Double) -> Int { Int(scale.timestep(sigma: sigma).rounded(.toNearestOrEven)) }
    let first = ends.least.map(timestep) ?? 0
    let room = min(ends.most.map(timestep) ?? count - 1, count - 1) - first + 1
    try require(
      room >= steps, .steps(steps, "between \(least.name) and \(most.name) are \(room) timesteps; widen them"))
    let timesteps = try TimestepSpacing.beta().timesteps(steps: steps, of: room)
    return try SamplingGrid(schedule, timesteps: timesteps.map { $0 + first })
  }

  /// Whether the beta distribution lies elsewhere than in its paper. Two steps are at the ends,
  /// which are whole timesteps unless the file gives others.
  func betaDeviates(_ steps: Int) -> Bool { contains(.beta) && (steps > 2 || ends.least != nil || ends.most != nil) }
}

/// Throws where a sigma that steps divide by is 0 or infinite.
func checkDivisors(_ sigmas: [Double], timesteps: [Double]) throws {
  guard let i = sigmas.firstIndex(where: { !(Float($0) > 0 && Float($0).isFinite) }) else { return }
  let remedy = "use betas that leave signal at the end and noise at the start"
  throw Refusal.notFinite(
    step: i, timestep: timesteps[min(i, timesteps.count - 1)],
    "diffusers divides by the sigma, which is \(Float(sigmas[i])); \(remedy)")
}

/// Throws where a class that looks for its place by the value of the first timestep finds it twice.
func checkStart(_ moves: [Move]) throws {
  let first = moves[0].query.timestep
  try require(
    !moves.dropFirst().contains { $0.query.timestep == first }, step: 0, timestep: first,
    "the first timestep occurs twice; diffusers starts at the second and has a step too few then. "
      + "Pipelines call set_begin_index: say begin_index true, or use other steps or spacing")
}

extension Setting {
  /// Throws unless every sigma is a number above 0, or the end's 0: not all betas make such.
  func check() throws {
    for (i, sigma) in sigmas.enumerated() {
      try require(
        (sigma > 0 || sigma == 0 && i >= timesteps.count) && sigma.isFinite, step: i,
        timestep: i < timesteps.count ? timesteps[i] : -1,
        "its sigma is \(sigma); the betas leave no signal or add no noise")
    }
  }
}

extension SamplingGrid {
  /// The same sigmas on the straight path of rectified flow, whose times are its noise.
  func onStraightLine(timesteps: Int) throws -> SamplingGrid {
    let points = points.dropLast().map { point in
      let level = NoiseLevel(signal: 1 / (1 + point.level.sigma), noise: point.level.sigma / (1 + point.level.sigma))
      return Point(timestep: level.noise * Double(timesteps), level: level)
    }
    return try SamplingGrid(points: points + [.clean])
  }
}

extension Deviation {
  public static let betaOverSigmas = Deviation(
    "betaOverSigmas",
    "The beta distribution lies over the sigmas. The paper (Lee et al. 2024, arXiv 2407.12173), ComfyUI, "
      + "stable-diffusion.cpp and A1111 lay it over the timesteps. On rectified flow it lies between the shifted "
      + "times, not before the shift.",
    place: "every class with `use_beta_sigmas`; on rectified flow, where the times are shifted",
    effect:
      "With Stable Diffusion's betas and N = 10 the network is told 999, 991.0, 972.6, ... instead of 999, 952, 854, "
      + "...")
}
