import Schedulers
import SchedulersFixtures
import Testing

/// Whole runs of diffusers, k-diffusion and guided-diffusion in float64: every sample and every x̂0
/// after every step, from the recorded outputs and noise. `Fixtures/recipes/trajectories.py` says
/// how they were made and what had to be put right there.
@Suite struct TrajectoryTests {
  private static let golden = Result { try Safetensors("trajectories.safetensors") }
  private static let guided = Result { try Safetensors("guided-trajectories.safetensors") }

  /// What a file calls a sampler, and what this library calls it.
  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let sampler: any Sampler
    var grid: String
    var predictions: [Prediction] = [.epsilon, .x0, .v]
    var clippings = ["none", "range", "dynamic"]
    var isGuided = false
    var testDescription: String { name }
    /// The samples of k-diffusion are x/signal.
    var isExploding: Bool { grid == "k-diffusion" }
  }

  static let clippings: [String: Clipping] = [
    "none": .none, "range": .range(-1...1), "dynamic": .dynamic(ratio: 0.9, maximum: 1.5),
    "dynamic1": .dynamic(ratio: 0.9),
  ]

  private static let ddpm = [("fixed_small", Variance.fixedSmall), ("fixed_large", .fixedLarge)]
  private static let ddim = [0.0, 0.5]
  static let references: [Reference] =
    ddpm.map { name, variance in
      Reference(
        name: "ddpm/\(name)", sampler: DDPM(variance: variance), grid: "ddpm",
        clippings: ["none", "range", "dynamic", "dynamic1"])
    }
    + ddim.flatMap { eta in
      [("direct", false), ("rederived", true)].map { name, rederives in
        Reference(name: "ddim/\(eta)/\(name)", sampler: DDIM(eta: eta, rederivesEpsilon: rederives), grid: "ddim")
      }
    }
    + ["leading", "linspace"].map {
      Reference(
        name: "dpm++2m/\($0)", sampler: DPMSolverPlusPlus(), grid: "dpm++2m/\($0)", clippings: ["none", "dynamic"])
    }
    + [("euler", Euler() as any Sampler), ("euler-ancestral", EulerAncestral()), ("heun", Heun())].map {
      Reference(name: $0, sampler: $1, grid: "k-diffusion", clippings: ["none", "range"])
    }

  static let guidedReferences: [Reference] = ["linear", "cosine"].flatMap { schedule in
    func reference(_ name: String, _ sampler: any Sampler) -> Reference {
      Reference(
        name: "\(schedule)/\(name)", sampler: sampler, grid: schedule, predictions: [.epsilon, .x0, .previous],
        clippings: ["none", "range"], isGuided: true)
    }
    return ddpm.map { reference($0, DDPM(variance: $1)) } + ddim.map { reference("ddim/\($0)", DDIM(eta: $0)) }
  }

  @Test(arguments: references + guidedReferences)
  func `every sample and x0 of a run is the reference's`(reference: Reference) throws {
    let file = try (reference.isGuided ? Self.guided : Self.golden).get()
    let schedule = try NoiseSchedule(betas: file.doubles(reference.isGuided ? "\(reference.grid).betas" : "betas"))
    let grid = try SamplingGrid(schedule, timesteps: file.integers("\(reference.grid).timesteps"))
    for prediction in reference.predictions {
      for clipping in reference.clippings {
        // There p_sample takes the network's mean as it is: clipping changes the reported x̂0 alone.
        let isReport = reference.sampler is DDPM && prediction == .previous && clipping != "none"
        let plan = try reference.sampler.plan(
          over: reference.isExploding ? grid.exploding() : grid, predicting: prediction,
          clipping: isReport ? .none : Self.clippings[clipping]!)
        let deltas = Self.deltas(plan, schedule: schedule, reference: reference)
        try compare(
          "\(reference.name)/\(prediction)/\(clipping)", in: file, plan: plan, isExploding: reference.isExploding,
          deltas: deltas, report: isReport ? Self.clippings[clipping]! : .none)
      }
    }
  }

  /// A network that predicts the previous sample, clipped: this library makes the step from the
  /// clipped x̂0, as it does for any other prediction; guided-diffusion's p_sample steps as if
  /// nothing were clipped.
  @Test(arguments: ["linear", "cosine"])
  func `clipping acts on the sample after a predicted mean, unlike in the reference`(schedule: String) throws {
    let file = try Self.guided.get()
    let noise = try NoiseSchedule(betas: file.doubles("\(schedule).betas"))
    let grid = try SamplingGrid(noise, timesteps: file.integers("\(schedule).timesteps"))
    let item = "\(schedule)/fixed_small/previous"
    let samples = try file.doubles("\(item)/range.samples")
    #expect(try samples == file.doubles("\(item)/none.samples"))

    func firstSample(_ prediction: Prediction, outputs: [Double]) throws -> [Double] {
      let count = try file.shape("start").reduce(1, *)
      var run = SamplingRun(
        try DDPM().plan(over: grid, predicting: prediction, clipping: .range(-1...1)), from: try file.doubles("start"))
      run.advance(output: Array(outputs.prefix(count)), noise: try Array(file.doubles("noise").prefix(count)))
      return run.sample
    }
    let own = try firstSample(.previous, outputs: file.doubles("outputs"))
    let fromClipped = try firstSample(.x0, outputs: file.doubles("\(item)/range.denoised"))
    // δ of the first step is below 1e-8 in both processes, and its terms add up to less than 100.
    #expect(zip(own, fromClipped).allSatisfy { abs($0 - $1) <= 1e-6 })
    #expect(zip(own, samples).contains { abs($0 - $1) > 0.01 })
  }

  /// The relative error of a coefficient, for each step: δ of `RunningBound`.
  ///
  /// The references' tables: each α is rounded once and each product once, so ᾱ has the relative
  /// error e = 2·(t + 1)·u. 1 − ᾱ, or 1/ᾱ − 1, is computed from the rounded ᾱ: f = e/(1 − ᾱ) + u.
  /// The β of a step from t to s is 1 − q with q = ᾱ_t/ᾱ_s, where the error of the product up to s
  /// cancels: g = (2·(t − s) + 4)·u·q/(1 − q) + u. guided-diffusion makes new products of 1 − β, so
  /// that each kept step adds u/q for the rounding of β and 3u for the other operations to e. A
  /// coefficient is a product or a quotient of at most two of each at either end. This library's
  /// has the cancellation that `Posterior` documents, 4u/(1 − (σ'/σ)²), twice at most. 32u stand
  /// for the other operations, and for the logarithm of a variance, up to about 12 in size, that
  /// guided-diffusion halves and takes the exponential of.
  ///
  /// k-diffusion is given sigmas, which are within 4u of this library's on both sides, and has that
  /// cancellation and operations alone. DPM-Solver divides steps of ln(signal/noise), each end of
  /// which has the absolute error (e + f)/2 and u for its size, by each other.
  private static func deltas(_ plan: SamplingPlan, schedule: NoiseSchedule, reference: Reference) -> [Double] {
    func common(_ step: SamplingPlan.Step) -> Double {
      let ratio = step.arrival.sigma / step.query.level.sigma
      // Heun's second evaluation is at its arrival; its step is the one before.
      return 8 * unit / (ratio < 1 ? 1 - ratio * ratio : 1) + 32 * unit
    }
    if reference.isExploding { return plan.steps.map(common) }

    let alphaBars = schedule.alphaBars
    var deltas: [Double] = []
    // From the cleanest step up, as products are made.
    var (s, alphaBar, tables, respacing, later) = (-1, 1.0, 0.0, 0.0, Double.infinity)
    for step in plan.steps.reversed() {
      let t = Int(step.query.timestep)
      let q = alphaBars[t] / alphaBar
      if reference.isGuided { respacing += 1 / q + 3 }
      let e = (Double(2 * (t + 1)) + respacing) * unit
      let own = e + e / (1 - alphaBars[t]) + unit
      let beta = (Double(2 * (t - s) + 4) * q / (1 - q) + 1) * unit
      var delta = 2 * (own + tables + beta) + common(step)
      if reference.sampler is DPMSolverPlusPlus {
        let h = step.arrival.noise == 0 ? .infinity : step.arrival.lambda - step.query.level.lambda
        delta *= 1 + 2 / h
        // The step after this one divides by this one's h.
        if let last = deltas.popLast() { deltas.append(last * (1 + (later.isFinite ? 2 / h : 0))) }
        later = h
      }
      deltas.append(delta)
      (s, alphaBar, tables) = (t, alphaBars[t], own)
    }
    return deltas.reversed()
  }

  /// Runs a plan and compares. `report` is what is done to x̂0 for the comparison only.
  private func compare(
    _ item: String, in file: Safetensors, plan: SamplingPlan, isExploding: Bool, deltas: [Double], report: Clipping
  ) throws {
    let shape = try file.shape("start")
    let count = shape.reduce(1, *)
    let (outputs, noises) = (try file.doubles("outputs"), try file.doubles("noise"))
    let (samples, predictions) = (try file.doubles("\(item).samples"), try file.doubles("\(item).denoised"))
    #expect(samples.count == plan.steps.count * count && predictions.count == samples.count, "\(item)")
    func call(_ k: Int, of array: [Double]) -> [Double] { Array(array[k * count..<(k + 1) * count]) }

    // The k-diffusion start is z·σ, with its own σ.
    let scale = isExploding ? try file.doubles("k-diffusion.sigmas")[0] : 1
    let start = try file.doubles("start").map { scale * $0 }
    var run = SamplingRun(plan, from: SampleBatch(shape: shape, scalars: start))
    var bound = RunningBound(count: count)
    var worst = (ratio: 1.0, text: "")
    for (k, step) in plan.steps.enumerated() {
      let (x, output, noise) = (run.sample.scalars, call(k, of: outputs), call(k, of: noises))
      run.advance(output: SampleBatch(shape: shape, scalars: output), noise: SampleBatch(shape: shape, scalars: noise))
      let denoised = try #require(run.denoised)
      bound.advance(
        step, clipping: plan.clipping, sampleSize: denoised.sampleSize, sample: x, output: output,
        denoised: denoised.scalars,
        noise: noise, delta: deltas[k])
      let pairs = [
        ("sample", run.sample.scalars, call(k, of: samples), bound.sample),
        ("x0", denoised.clipped(by: report).scalars, call(k, of: predictions), bound.denoised),
      ]
      for (name, values, expected, tolerances) in pairs {
        for i in 0..<count {
          // The comparison's own rounding: the last operation of each side.
          let tolerance = tolerances[i] + 2 * unit * abs(expected[i])
          let difference = abs(values[i] - expected[i])
          if !(difference <= tolerance * worst.ratio) {
            worst = (
              difference / tolerance,
              """
              \(item), step \(k), \(name)[\(i)]: \(values[i]) here, \(expected[i]) there, \
              off by \(difference), allowed \(tolerance)
              """
            )
          }
        }
        Comparisons.count(count)
      }
    }
    #expect(run.query == nil)
    #expect(worst.text.isEmpty, "\(worst.text)")
  }
}
