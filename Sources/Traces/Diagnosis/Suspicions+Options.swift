import Schedulers
import SchedulersInterop
import SchedulersJSON

// Options that have another value than the configuration says. The configuration itself says what
// would follow.

extension Suspicions {
  func options() -> [Hypothesis] {
    switch trace.source {
    case .diffusers(let configuration, let arguments): options(configuration, arguments)
    case .guidedDiffusion(let configuration): options(configuration)
    case .kDiffusion(let configuration): options(configuration)
    case .plan: []
    }
  }

  /// A hypothesis about the source of the run.
  ///
  /// - Parameter other: the timesteps that were told, if not those of the plan.
  func suspicion(
    _ mistake: Mistake, _ text: String, _ source: TraceSource, fidelity: Fidelity? = nil, tells other: [Double]? = nil
  ) -> [Hypothesis] {
    guard source != trace.source || fidelity != nil else { return [] }
    // The network may have been told other timesteps too, or only the levels are others.
    let told = mistake == .spacing ? [nil, timesteps] : [other]
    return told.flatMap { timesteps in
      suspicion(
        mistake, text, timesteps: timesteps,
        try? trace.plan(of: source, fidelity: fidelity ?? self.fidelity, in: trace.torch))
    }
  }

  /// A hypothesis about options that a configuration has with other values.
  ///
  /// - Parameter text: what was done; that the values are these, not those, if it is nil.
  func options(
    _ mistake: Mistake, _ values: [String: DiffusersConfiguration.Value], of configuration: DiffusersConfiguration,
    _ arguments: RunArguments, text: String? = nil
  ) -> [Hypothesis] {
    guard values.keys.allSatisfy({ configuration[$0] != nil }),
      values.contains(where: { configuration[$0.key] != $0.value }),
      let other = configuration.with(values)
    else { return [] }
    let changed = values.filter { configuration[$0.key] != $0.value }.sorted { $0.key < $1.key }
    let said = changed.map { "\($0.key) is \($0.value.json), not \(configuration[$0.key]!.json)" }
    return suspicion(mistake, text ?? said.joined(separator: ", "), .diffusers(other, arguments))
  }

  /// The other of the two readings of the source.
  private func otherFidelity(corrected: String, own: String) -> [Hypothesis] {
    fidelity == .diffusers
      ? suspicion(.fidelity, corrected, trace.source, fidelity: .corrected)
      : suspicion(.fidelity, own, trace.source, fidelity: .diffusers)
  }

  private func options(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    typealias Value = DiffusersConfiguration.Value
    func options(_ mistake: Mistake, _ values: [String: Value]) -> [Hypothesis] {
      self.options(mistake, values, of: configuration, arguments)
    }
    func flipped(_ mistake: Mistake, _ name: String) -> [Hypothesis] {
      options(mistake, [name: .boolean(configuration[name] != true)])
    }
    func stepping(_ mistake: Mistake, _ text: String, _ edit: (inout RunArguments) -> Void) -> [Hypothesis] {
      var other = arguments
      edit(&other)
      return suspicion(mistake, text, .diffusers(configuration, other))
    }
    var found = ["leading", "trailing", "linspace"].flatMap { spacing in
      [0, 1].flatMap { options(.spacing, ["timestep_spacing": .string(spacing), "steps_offset": .integer($0)]) }
    }
    found += ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas"]
      .flatMap { flipped(.spacing, $0) }
    found += ["shift", "flow_shift"].flatMap { name in [1, 3].flatMap { options(.spacing, [name: .number($0)]) } }
    found += flipped(.spacing, "invert_sigmas")
    found += ["karras", "exponential"].flatMap { options(.spacing, ["sigma_schedule": .string($0)]) }
    found +=
      options(.spacing, ["interpolation_type": "log_linear"]) + options(.spacing, ["interpolation_type": "linear"])
    found += flipped(.finalAlpha, "set_alpha_to_one")
    found += ["zero", "sigma_min"].flatMap { options(.finalAlpha, ["final_sigmas_type": .string($0)]) }
    found += ["fixed_small", "fixed_large", "learned", "learned_range"].flatMap {
      options(.variance, ["variance_type": .string($0)])
    }
    found += [1, 2, 3].flatMap { options(.solverOrder, ["solver_order": .integer($0)]) }
    found += flipped(.solverOrder, "lower_order_final") + flipped(.solverOrder, "euler_at_final")
    found += [1, 2, 3, 4].flatMap { order in
      configuration.schedulerClass.takes.contains(.order)
        ? stepping(.solverOrder, "order is \(order), not \(arguments.order)") { $0.order = order } : []
    }
    found += ["midpoint", "heun", "bh1", "bh2"].flatMap { options(.slopeRule, ["solver_type": .string($0)]) }
    found += ["dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver"].flatMap {
      options(.slopeRule, ["algorithm_type": .string($0)])
    }
    found += flipped(.slopeRule, "predict_x0") + flipped(.slopeRule, "skip_prk_steps")
    found += flipped(.slopeRule, "stochastic_sampling")
    found += options(.slopeRule, ["disable_corrector": []])
    found += options(.slopeRule, ["disable_corrector": .list((0..<plan.steps.count).map { .integer($0) })])
    found += ["linear", "scaled_linear", "squaredcos_cap_v2"].flatMap {
      options(.schedule, ["beta_schedule": .string($0)])
    }
    found += flipped(.schedule, "rescale_betas_zero_snr") + otherBetas(configuration, arguments)
    found += [0.5, 1].flatMap { options(.schedule, ["sigma_data": .number($0)]) }
    let eta: Double = arguments.eta ?? configuration.schedulerClass.usualEta
    found += [0, 0.3, 0.5, 1, eta * eta, eta.squareRoot(), 1 - eta].flatMap { (other: Double) -> [Hypothesis] in
      stepping(.eta, "eta is \(brief(other, digits: 4)), not \(brief(eta, digits: 4))") { $0.eta = other }
    }
    found += stepping(
      .epsilonFromClipped,
      arguments.usesClippedModelOutput
        ? "epsilon is that of the model, not made again from the clipped x0"
        : "epsilon is made again from the clipped x0"
    ) { $0.usesClippedModelOutput.toggle() }
    found += DiffusersConfiguration.Class.allCases.flatMap { other in
      suspicion(
        .sampler, "the steps are those of \(other.rawValue)",
        .diffusers(configuration.converted(to: other).configuration, RunArguments()))
    }
    return found
      + otherFidelity(
        corrected: "the run follows the mathematics, where diffusers deviates", own: "the run does as diffusers does")
  }

  /// The ends of betas that classes have by default and released models in their files, with either
  /// schedule.
  private func otherBetas(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    [0.0001, 0.00085, nil].flatMap { start in
      [0.02, 0.012, nil].flatMap { end in
        ["linear", "scaled_linear", nil].flatMap { schedule -> [Hypothesis] in
          var values: [String: DiffusersConfiguration.Value] = [:]
          values["beta_start"] = start.map { .number($0) }
          values["beta_end"] = end.map { .number($0) }
          values["beta_schedule"] = schedule.map { .string($0) }
          return values.isEmpty ? [] : options(.schedule, values, of: configuration, arguments)
        }
      }
    }
  }

  private func options(_ configuration: KDiffusionConfiguration) -> [Hypothesis] {
    func edited(_ mistake: Mistake, _ text: String, _ edit: (inout KDiffusionConfiguration) -> Void) -> [Hypothesis] {
      var other = configuration
      edit(&other)
      return suspicion(mistake, text, .kDiffusion(other))
    }
    let method = try? KDiffusionConfiguration.method(named: configuration.sampler)
    var found: [Hypothesis] = []
    for process in KDiffusionConfiguration.Process.allCases {
      found += edited(.prediction, "the process is \(process.rawValue), not \(configuration.process.rawValue)") {
        $0.process = process
      }
    }
    for output in KDiffusionConfiguration.Output.allCases {
      found += edited(.prediction, "the output is \(output.rawValue), not \(configuration.output.rawValue)") {
        $0.output = output
      }
    }
    if let usual = method?.usualEta {
      let eta = configuration.eta ?? usual
      for other in [0, 0.3, 0.5, 1, eta * eta, eta.squareRoot()] {
        found += edited(.eta, "eta is \(brief(other, digits: 4)), not \(brief(eta, digits: 4))") { $0.eta = other }
      }
    }
    for order in 1...4 where method == .lms || method == .ipndm {
      found += edited(.solverOrder, "order is \(order), not \(configuration.order ?? 4)") { $0.order = order }
    }
    for other in KDiffusionConfiguration.Method.allCases where other != method {
      found += edited(.sampler, "the steps are those of \(other.rawValue)") { $0.sampler = other.rawValue }
    }
    return found
      + otherFidelity(
        corrected: "the run follows the mathematics, where k-diffusion deviates",
        own: "the run does as k-diffusion does")
  }

  private func options(_ configuration: GuidedDiffusionConfiguration) -> [Hypothesis] {
    func edited(_ mistake: Mistake, _ text: String, _ edit: (inout GuidedDiffusionConfiguration) -> Void)
      -> [Hypothesis]
    {
      var other = configuration
      edit(&other)
      return suspicion(mistake, text, .guidedDiffusion(other))
    }
    let count = plan.steps.count
    var found = ["linear", "cosine"].flatMap { name in
      edited(.schedule, "the noise schedule is \(name), not \(configuration.noiseSchedule)") { $0.noiseSchedule = name }
    }
    for respacing in [Respacing.sections([count]), .ddim(count)] {
      found += edited(.spacing, "the timesteps are spaced as by \(respacing.text.quoted)") {
        $0.timestepRespacing = respacing
      }
    }
    found += [0, 0.5, 1].flatMap { eta in edited(.eta, "eta is \(eta), not \(configuration.eta)") { $0.eta = eta } }
    found += edited(
      .reportedTimesteps, "the timesteps are \(configuration.rescaleTimesteps ? "not " : "")rescaled to 0 ... 1000"
    ) {
      $0.rescaleTimesteps.toggle()
    }
    found += GuidedDiffusionConfiguration.Method.allCases.flatMap { method in
      edited(.sampler, "the steps are those of \(method.rawValue)") {
        $0.sampler = method
        if method == .ddimReverseSample { $0.eta = 0 }
      }
    }
    if configuration.sampler == .ddimSample {
      let rule = DDIM(eta: configuration.eta, rederivesEpsilon: false)
      found += suspicion(
        .epsilonFromClipped, "epsilon is that of the model, not made again from the clipped x0",
        plan.edited { i, step in
          let points = [step.query, SamplingGrid.Point(timestep: -1, level: step.arrival)]
          return (try? SamplingGrid(points: points)).flatMap { try? rule.moves(over: $0) }.map {
            step.with(next: $0[0].next)
          }
        })
    }
    return found
      + otherFidelity(
        corrected: "a section of one timestep keeps its last, not its first",
        own: "the run does as guided-diffusion does")
  }
}

extension DiffusersConfiguration {
  /// This configuration with other values; nil where they are none of its class.
  func with(_ values: [String: Value]) -> DiffusersConfiguration? {
    try? DiffusersConfiguration(className, self.values.merging(values) { $1 })
  }
}
