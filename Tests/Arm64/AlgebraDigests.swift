import Schedulers

/// The functions of the C library, and by how many ulps two libraries may be apart: twice what
/// `Math` says of each.
func printMath() {
  func values(_ low: Double, _ high: Double, _ function: (Double, Double) -> Double) -> [Double] {
    var uniforms = Uniforms(seed: 1)
    return (0..<1000).map { _ in function(uniforms.next(low, high), uniforms.next(low, high)) }
  }
  within(2, "exp", values(-700, 700) { x, _ in Math.exp(x) })
  within(2, "log", values(0, 100) { x, _ in Math.log(x) })
  within(2, "log1p", values(-0.9, 2) { x, _ in Math.log1p(x) })
  within(2, "pow", values(0, 9) { Math.pow($0, $1) })
  within(4, "expm1", values(-2, 2) { x, _ in Math.expm1(x) })
  within(4, "tanh", values(-4, 4) { x, _ in Math.tanh(x) })
  within(2, "erf", values(-3, 3) { x, _ in Math.erf(x) })
  within(10, "erfc", values(-3, 20) { x, _ in Math.erfc(x) })
  within(2, "hypot", values(0, 9) { Math.hypot($0, $1) })
  within(2, "sin", values(-20, 20) { x, _ in Math.sin(x) })
  within(2, "cos", values(-20, 20) { x, _ in Math.cos(x) })
  within(2, "atan2", values(-1, 1) { Math.atan2($0, $1) })
}

/// The tables of a schedule. Those of logarithms take one of the C library.
func printTables() {
  let counts = [20, 1000]
  let schedules = BetaSchedule.all.flatMap { named in counts.map { try! NoiseSchedule(named, timesteps: $0) } }
  let all =
    schedules + schedules.map { try! $0.rescaledToZeroTerminalSNR() } + schedules.map { try! $0.dividingSNR(by: 3) }
  for table in NoiseSchedule.tables {
    if table.name.hasPrefix("log") || table.name == "posteriorLogVarianceClipped" {
      // Each is within 2 ulps of the truth.
      within(4, "table \(table.name)", all.flatMap(table.values))
    } else {
      same("table \(table.name)") { digest in for schedule in all { digest.add(table.values(schedule)) } }
    }
  }
}

/// The plans of every sampler of the catalog, on grids of every kind.
func printPlans() {
  let schedules = [BetaSchedule.scaledLinear(), .cosine()].map { try! NoiseSchedule($0, timesteps: 1000) }
  var grids: [SamplingGrid] = []
  for schedule in schedules {
    let times: [TimestepSpacing] = [
      .leading(offset: 1), .trailing, .linspace, .sgmUniform, .simple, .ddimUniform, .beta(),
    ]
    grids += times.map { try! SamplingGrid(schedule, steps: 20, spacing: $0) }
    let sigmas: [SigmaSpacing] = [.karras(), .exponential, .polyexponential(rho: 1.5), .linear, .klOptimal, .laplace()]
    grids += sigmas.map { try! SamplingGrid(schedule, steps: 20, spacing: $0) }
    grids += AlignYourSteps.allCases.map { try! SamplingGrid(schedule, steps: 20, alignedFor: $0) }
  }
  let flows: [(FlowSpacing, Double?)] = [(.stableDiffusion3, nil), (.flux, 1.1), (.ltxVideo, 1.1)]
  let straight = flows.map { try! SamplingGrid(flow: $0, steps: 20, mu: $1) }
  follows("exp,expm1,log,log1p,pow", "grids", (grids + straight).flatMap { $0.points.flatMap(numbers) })
  for entry in SamplerCatalog.all {
    var plans = straight.map { entry.plan($0, .flow) }
    for prediction in [.epsilon, .x0, .v] as [Prediction] { plans += grids.map { entry.plan($0, prediction) } }
    let all = plans.flatMap(numbers)
    // Its square is in a factor: twice the distance of `hypot`, and the rounding of three numbers,
    // where an ulp is half of one.
    if entry.name == "lcm" {
      within(14, "plan lcm", all)
    } else {
      follows("exp,expm1,log,log1p,pow", "plan \(entry.name)", all)
    }
  }
}

/// Divergences of normal distributions, and the probabilities of a pixel's levels.
func printLikelihoods() {
  var uniforms = Uniforms(seed: 1)
  let divergences = (0..<500).flatMap { _ -> [Double] in
    let kl = NormalKL(
      mean1: uniforms.next(-1, 1), logVariance1: uniforms.next(-8, 1), mean2: uniforms.next(-1, 1),
      logVariance2: uniforms.next(-8, 1))
    return [kl.value, kl.meanGradient, kl.logVarianceGradient]
  }
  follows("exp,expm1", "divergences", divergences)
  func probabilities(_ cdf: DiscretizedGaussian.CDF) -> [DiscretizedGaussian.LogProbability] {
    let gaussian = DiscretizedGaussian(cdf: cdf)
    return (0..<500).map { i in
      let x = Double(i % 256) / 127.5 - 1
      return gaussian.logProbability(
        of: x, mean: x + uniforms.next(-0.1, 0.1), logDeviation: uniforms.next(-7, 0))
    }
  }
  follows(
    "exp,log,tanh", "probabilities by tanh",
    probabilities(.tanh).flatMap { [$0.value, $0.meanGradient, $0.logDeviationGradient] })
  // Each is within 32·2⁻⁵³ of itself where it is far enough from 0.
  within(64, "probabilities", probabilities(.exact).map { $0.value }.filter { $0 < -0.5 })
}

#if !hasFeature(Embedded)
  extension SamplerCatalog.Entry {
    fileprivate func plan(_ grid: SamplingGrid, _ prediction: Prediction) -> SamplingPlan? {
      try? sampler.plan(over: grid, predicting: prediction)
    }
  }
#endif

private func numbers(_ point: SamplingGrid.Point) -> [Double] {
  [point.level.signal, point.level.noise, point.timestep, point.inputScale]
}

/// Every number of a plan; that there is none is a number too.
private func numbers(_ plan: SamplingPlan?) -> [Double] {
  guard let plan else { return [-1] }
  return plan.steps.flatMap { step -> [Double] in
    let next = step.next
    let variance: [Double] =
      switch step.variance {
      case nil, .output: []
      case .fixed(let logarithm): [logarithm]
      case .learned(let logarithm): [logarithm.offset, logarithm.slope]
      }
    return numbers(step.query) + [step.arrival.signal, step.arrival.noise]
      + [step.denoising.sample, step.denoising.output, step.keeping.sample, step.keeping.output]
      + next.samples + next.estimates + [next.made, next.predicted, next.output, next.noise] + variance
  }
}
