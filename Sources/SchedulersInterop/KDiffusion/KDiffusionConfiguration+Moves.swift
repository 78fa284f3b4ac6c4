import Schedulers

extension KDiffusionConfiguration {
  /// What a run is made of.
  func recipe(fidelity: Fidelity, drawsWholeSteps: Bool) throws -> Recipe {
    let method = try method()
    let reading = KDiffusionReading(process: process, output: output)
    let isFlow = process == .flow
    let grid = grid(isFlow: isFlow)
    let isFaithful = fidelity == .diffusers
    var (base, over) = (sampler(method, fidelity: fidelity, drawsWholeSteps: drawsWholeSteps && isFaithful), grid)
    let isStraight = isFlow && isFaithful && hasStraightForm(method)
    if isStraight { over = self.grid(isFlow: false) }
    if isFlow { try checkFlow(method, isFaithful: isFaithful) }
    if let rule = sampler(method, churnedBy: fidelity) { base = rule }
    var moves = try base.moves(over: over)
    var start = base.start(of: over)
    if isFaithful, endsWithDenoised(method), grid.points[grid.steps].level.noise == 0 {
      let (i, level) = (moves.count - 1, over.points[grid.steps - 1].level)
      let next = Euler.step(from: level, to: .clean, denoised: .estimate())
      moves[i] = Move(at: moves[i].query, to: .clean, estimate: .x0, next: next)
    }
    if method.takesNoiseFactor { moves = moves.map { $0.with(noiseFactor: noiseFactor) } }
    if isStraight {
      moves = Self.straightened(moves)
      start = Self.level(start.noise, isFlow: true)
    }
    return Recipe(
      grid: grid, moves: moves, start: start, reading: reading, clipping: .none, learnsVariance: false)
  }

  /// The points of a run, which the network is told by their sigmas.
  private func grid(isFlow: Bool) -> SamplingGrid {
    SamplingGrid(
      unchecked: sigmas.map { SamplingGrid.Point(timestep: $0, level: Self.level($0, isFlow: isFlow)) })
  }

  /// The level of a sigma. Churn on rectified flow may lead beyond 1, where no signal is left.
  static func level(_ sigma: Double, isFlow: Bool) -> NoiseLevel {
    NoiseLevel(signal: isFlow ? max(1 - sigma, 0) : 1, noise: sigma)
  }

  /// The method on the levels of the run.
  func sampler(_ method: Method, fidelity: Fidelity, drawsWholeSteps: Bool = false) -> any Sampler {
    let eta = eta ?? method.usualEta ?? 0
    let isFaithful = fidelity == .diffusers
    let isStochasticFlow = process == .flow && isFaithful
    switch method {
    case .euler: return Euler()
    case .eulerAncestral: return isStochasticFlow ? EulerAncestralRF(eta: eta) : EulerAncestral(eta: eta)
    case .heun: return StraightHeun()
    case .dpm2: return KDPM2()
    case .dpm2Ancestral: return isStochasticFlow ? KDiffusionAncestral(.dpm2RF, eta: eta) : KDPM2(eta: eta)
    case .lms: return LMS(order: order ?? 4)
    case .dpmpp2sAncestral: return KDiffusionAncestral(isStochasticFlow ? .dpmpp2sRF : .dpmpp2s, eta: eta)
    case .dpmppSDE:
      var sampler = DPMSolverPlusPlusSDE(eta: eta, middle: middle)
      sampler.drawsWholeSteps = drawsWholeSteps
      return sampler
    case .dpmpp2m: return DPMSolverPlusPlus()
    case .dpmpp2mSDE, .dpmpp2mSDEHeun:
      let type = solverType ?? (method == .dpmpp2mSDE ? "midpoint" : "heun")
      return DPMSolverPlusPlus(eta: eta, slopeRule: type == "heun" ? .exact : .midpoint)
    case .dpmpp3mSDE: return DPMSolverPlusPlus(order: 3, eta: eta, slopeRule: .exact, matchesAuthorsCode: isFaithful)
    case .ddpm: return DDPM()
    case .ddim: return DDIM(eta: eta)
    case .lcm: return ConsistencyModel(leastSigma: 0)
    case .ipndm: return IPNDM(order: order ?? 4)
    case .resMultistep: return DPMSolverPlusPlus(slopeRule: .exact)
    case .gradientEstimation: return GradientEstimation()
    }
  }

  /// The method with churn, if it has some.
  private func sampler(_ method: Method, churnedBy fidelity: Fidelity) -> (any Sampler)? {
    guard method.takesChurn, churn > 0, churnMinimum <= churnMaximum else { return nil }
    let largest = Double.greatestFiniteMagnitude
    var range = min(max(churnMinimum, -largest), largest)...min(max(churnMaximum, -largest), largest)
    if process == .flow, fidelity == .corrected {
      // In noise over signal, as the core has it.
      func ratio(_ t: Double) -> Double { t < 0 ? t : t < 1 ? t / (1 - t) : largest }
      range = ratio(range.lowerBound)...ratio(range.upperBound)
    }
    func churned(_ base: some Sampler) -> any Sampler {
      Churn(base, amount: churn, range: range, noise: noiseFactor)
    }
    switch method {
    case .heun: return churned(StraightHeun())
    case .dpm2: return churned(KDPM2())
    default: return churned(Euler())
    }
  }

  /// Whether the programs step on rectified flow as if its samples were x0 + σ·epsilon. That is
  /// right where no noise is drawn, as (x − x̂0)/σ is the slope of both.
  private func hasStraightForm(_ method: Method) -> Bool {
    switch method {
    case .dpm2, .lms, .dpmpp2m, .ipndm, .resMultistep, .gradientEstimation: true
    case .euler, .heun: churn > 0
    default: false
    }
  }

  /// Whether the step to clean data is to x̂0, whatever the order of those before.
  private func endsWithDenoised(_ method: Method) -> Bool { method == .ipndm || method == .gradientEstimation }

  private func checkFlow(_ method: Method, isFaithful: Bool) throws {
    try require(
      method != .ddpm || !isFaithful,
      .option("process", value: "flow", "the programs' ddpm has no step on rectified flow; use eps or v"))
    try require(
      ![.dpmppSDE, .dpmpp2mSDE, .dpmpp2mSDEHeun, .dpmpp3mSDE].contains(method) || sigmas[0] < 1,
      .option(
        "sigmas[0]", value: sigmas[0].plain,
        "\(method.rawValue) starts below 1, where there is signal; give the sigma that the model was told"))
  }

  /// Moves over x0 + σ·epsilon as ones of samples on the straight line, whose x̂0 they share.
  private static func straightened(_ moves: [Move]) -> [Move] {
    moves.enumerated().map { i, move in
      let next = move.estimate == .x0 ? move.next : inX0(move.next, sigmas: { moves[i - $0].query.level.noise })
      let query = SamplingGrid.Point(timestep: 0, level: level(move.query.level.noise, isFlow: true))
      return Move(at: query, to: level(move.arrival.noise, isFlow: true), estimate: .x0, next: next)
    }
  }

  /// A form over (x − x̂0)/σ as one over x̂0.
  private static func inX0(_ form: LinearForm, sigmas: (_ ago: Int) -> Double) -> LinearForm {
    var result = form.made * LinearForm.made + form.noise * .noise
    for (ago, factor) in form.samples.enumerated() { result = result + factor * .sample(ago: ago) }
    for (ago, factor) in form.estimates.enumerated() where factor != 0 {
      result = result + factor / sigmas(ago) * (.sample(ago: ago) - .estimate(ago: ago))
    }
    return result
  }
}

extension Move {
  /// The move with another amount of noise.
  fileprivate func with(noiseFactor: Double) -> Move {
    Move(at: query, to: arrival, estimate: estimate, next: next.scalingNoise(by: noiseFactor))
  }
}

/// What the network of a run is told and given, and what its output says.
struct KDiffusionReading: OutputReading {
  let process: KDiffusionConfiguration.Process
  let output: KDiffusionConfiguration.Output

  var name: String { "\(process.rawValue) prediction" }

  func query(at point: SamplingGrid.Point) -> SamplingGrid.Point {
    let sigma = point.level.noise
    let scale = output == .model && process != .flow ? 1 / scale(sigma) : 1
    return SamplingGrid.Point(timestep: sigma, level: point.level, inputScale: scale)
  }

  func denoising(at query: SamplingGrid.Point, next: SamplingGrid.Point?) -> Readout? {
    let sigma = query.level.noise
    switch (output, process) {
    case (.denoised, _): return Readout(sample: 0, output: 1)
    case (.model, .eps), (.model, .flow): return Readout(sample: 1, output: -sigma)
    case (.model, .v):
      let scale = scale(sigma)
      return Readout(sample: 1 / scale / scale, output: -sigma / scale)
    }
  }

  /// √(σ² + 1), also where the square is too large.
  private func scale(_ sigma: Double) -> Double {
    sigma > 1 ? sigma * (1 + 1 / sigma / sigma).squareRoot() : (1 + sigma * sigma).squareRoot()
  }
}
