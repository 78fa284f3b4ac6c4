import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// Every deviation, as diffusers shows it and as the mathematics has it.
/// `Fixtures/recipes/configurations.py` ran diffusers.
@Suite struct DeviationTests {
  /// What diffusers did with a configuration on one number, whose datum is 0.3.
  struct Run: Decodable {
    let config: DiffusersConfiguration
    let steps: Int
    let arguments: RunArguments
    let timesteps: [Double]
    let sigmas: [Double]?
    let error: String?
    let samples: [Double]?
    let outputs: [Double]?
    let noises: [Double]?
    /// What the network gives for a variance, where it does.
    let variance: Double?

    func plan(_ fidelity: Fidelity) throws -> SamplingPlan {
      try config.plan(steps: steps, fidelity: fidelity, with: arguments)
    }
    func timesteps(_ fidelity: Fidelity) throws -> [Double] {
      try config.timesteps(steps: steps, fidelity: fidelity, with: arguments)
    }
  }

  static func runs() throws -> [String: Run] {
    try DiffusersConfiguration.decoder.decode([String: Run].self, from: Fixtures.data("diffusers-deviations.json"))
  }

  static func run(_ deviation: Deviation) throws -> Run { try #require(runs()[deviation.name]) }

  /// Where a plan ends from a sample, with a network that knows the datum, 0.3, behind every sample
  /// at the level of the query.
  private static func end(of plan: SamplingPlan, from start: Double, _ prediction: Prediction = .epsilon) -> Double {
    plan.sample(from: Real(start)) { x, query in
      let level = query.level.scaled(by: query.inputScale)
      let epsilon = (x.value - level.signal * 0.3) / level.noise
      return Real(prediction == .v ? level.signal * epsilon - level.noise * 0.3 : epsilon)
    }.value
  }

  @Test func `every deviation of diffusers is recorded, met by its configuration, and reproduced or refused`() throws {
    let runs = try Self.runs()
    let named = Deviation.all.filter { !$0.name.hasPrefix("guided") }
    #expect(runs.keys.sorted() == named.map(\.name).sorted())
    for deviation in named {
      let run = try #require(runs[deviation.name])
      let label = Comment(rawValue: deviation.name)
      #expect(run.config.deviations(steps: run.steps, with: run.arguments).contains(deviation), label)
      let timesteps = try run.timesteps(.diffusers)
      if run.timesteps.count == timesteps.count {
        // IPNDM's go through torch's own sine and arc tangent, each up to an ulp off; beta's
        // through SciPy's quantiles of sigma.
        let ulps: Float = run.config.schedulerClass == .ipndm || deviation == .betaOverSigmas ? 4 : 0
        #expect(zip(timesteps, run.timesteps).allSatisfy { abs(Float($0) - Float($1)) <= ulps * Float($1).ulp }, label)
      }
      guard run.error == nil else {
        #expect(throws: ConfigurationError.self, label) { try run.plan(.diffusers) }
        continue
      }
      let samples = try #require(run.samples)
      guard samples.count == timesteps.count + 1 else { continue }
      var sampling = SamplingRun(try run.plan(.diffusers), from: [samples[0]])
      for i in timesteps.indices {
        sampling.sample = [samples[i]]
        sampling.advance(output: [run.outputs![i]] + (run.variance.map { [$0] } ?? []), noise: [run.noises![i]])
        // The roundings of diffusers' float32, as for the steps of `DiffusersGoldenTests`.
        let scale = max(1, abs(samples[i]), abs(samples[i + 1]), abs(run.outputs![i]))
        #expect(abs(sampling.sample[0] - samples[i + 1]) <= 1e-5 * scale, label)
      }
      Comparisons.count(samples.count)
    }
  }

  @Test func `float32Tables: betas have the digits of float32`() throws {
    let configuration = try Self.run(.float32Tables).config
    let golden = try Safetensors("diffusers-tables.safetensors")
    let tables = try configuration.tables()
    #expect(tables.betas == (try golden.floats("ddpm/linear/1000/plain.betas")))
    #expect(tables.alphaBars == (try golden.floats("ddpm/linear/1000/plain.alphas_cumprod")))
    let exact = try configuration.schedule().alphaBars
    let worst = zip(tables.alphaBars, exact).map { abs(Double($0) / $1 - 1) }.reduce(0, max)
    #expect(worst > 3.5e-7 && worst < 3.7e-7)
    #expect(try configuration.schedule(fidelity: .diffusers).alphaBars == tables.alphaBars.map(Double.init))
    let variances = try Fidelity.allCases.map { fidelity in
      let step = try #require(
        configuration.plan(steps: 1000, fidelity: fidelity).steps.first { $0.query.timestep == 4 })
      return step.next.noise * step.next.noise
    }
    let ratio = abs(variances[1] / variances[0] - 1)
    #expect(ratio > 3.8e-4 && ratio < 4e-4)
  }

  @Test func `trailingMinusOne: one timestep too many, at the noisiest level`() throws {
    let run = try Self.run(.trailingMinusOne)
    #expect(try run.timesteps(.diffusers).count == 104 && run.timesteps(.diffusers).last == -1)
    #expect(try run.timesteps(.corrected).count == 103)
    #expect(try #require(run.samples?.last) < -140)
    #expect(isClose(Self.end(of: try run.plan(.corrected), from: 1), 0.3, relative: 1e-9))
    for steps in [60, 61, 62, 103, 120, 121, 122, 123] {
      let isListed = DiffusersTimestepTests.withMinusOne.contains(steps)
      #expect(run.config.deviations(steps: steps).contains(.trailingMinusOne) == isListed)
    }
  }

  @Test func `missedTies: halves are rounded to odd numbers`() throws {
    let run = try Self.run(.missedTies)
    let (theirs, own) = (try run.timesteps(.diffusers), try run.timesteps(.corrected))
    let exact = (0..<48).map { (1000 * Double(48 - $0) / 48).rounded(.toNearestOrEven) - 1 }
    #expect(own == exact && zip(theirs, own).allSatisfy { abs($0 - $1) <= 1 } && theirs != own)
  }

  @Test func `oneStepFromTheEnd: a run of one step begins where there is no noise`() throws {
    let run = try Self.run(.oneStepFromTheEnd)
    #expect(try run.timesteps(.diffusers) == [0] && run.timesteps(.corrected) == [999])
    let edm = try DiffusersConfiguration(.edmDPMSolverMultistep, ["sigma_schedule": "exponential"])
    #expect(
      edm.deviations(steps: 1).contains(.oneStepFromTheEnd) && !edm.deviations(steps: 2).contains(.oneStepFromTheEnd))
    #expect(isClose(try edm.grid(steps: 1).points[0].level.sigma, 80, relative: 1e-12))
    #expect(isClose(try edm.grid(steps: 1, fidelity: .diffusers).points[0].level.sigma, 0.002, relative: 1e-6))
  }

  @Test func `fractionalTimesteps: timesteps between whole ones`() throws {
    let run = try Self.run(.fractionalTimesteps)
    #expect(try run.timesteps(.diffusers)[1] == 832.5 && run.timesteps(.corrected)[1] == 832)
  }

  @Test func `timestepPastTheEnd: an offset leads out of the schedule`() throws {
    let run = try Self.run(.timestepPastTheEnd)
    #expect(try run.timesteps(.diffusers)[0] == 1000)
    let ddim = run.config.converted(to: .ddim).configuration
    #expect(throws: ConfigurationError.self) { try ddim.plan(steps: 1000, fidelity: .diffusers) }
    for configuration in [run.config, ddim] {
      #expect(throws: ConfigurationError.self) { try configuration.plan(steps: 1000) }
    }
  }

  @Test func `stridedPrevious: a step does not lead to the next timestep`() throws {
    let run = try Self.run(.stridedPrevious)
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    let bars = try run.config.tables().alphaBars
    for (step, arrival) in zip(theirs.steps, [749, 416, 83]) {
      #expect(isClose(step.arrival.signal, Double(bars[arrival]).squareRoot(), relative: 0x1p-23))
    }
    #expect(zip(own.steps, own.steps.dropFirst()).allSatisfy { $0.arrival == $1.query.level })
    #expect(!run.config.converted(to: .ddpm).configuration.deviations(steps: 4).contains(.stridedPrevious))
    #expect(
      try DiffusersConfiguration(.pndm, ["timestep_spacing": "linspace"]).deviations(steps: 4).contains(
        .stridedPrevious))
  }

  @Test func `roundedMiddles: the middle of a step of Runge and Kutta is half a timestep off`() throws {
    let run = try Self.run(.roundedMiddles)
    #expect(Array(run.timesteps.prefix(4)) == [875, 812, 812, 750])
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    let bars = try run.config.tables().alphaBars
    #expect(isClose(theirs.steps[0].arrival.signal, Double(bars[813]).squareRoot(), relative: 0x1p-23))
    #expect(own.steps[0].query.timestep == 875 && own.steps[1...2].allSatisfy { $0.query.timestep == 812.5 })
    #expect(own.steps[0].arrival == own.steps[1].query.level)
    #expect(!run.config.deviations(steps: 10).contains(.roundedMiddles))
    #expect(try !DiffusersConfiguration(.pndm, ["skip_prk_steps": true]).deviations(steps: 8).contains(.roundedMiddles))
  }

  @Test func `stridedInverse: the network is told the level that the step makes`() throws {
    let run = try Self.run(.stridedInverse)
    let theirs = try run.plan(.diffusers)
    #expect(theirs.steps.allSatisfy { $0.query.timestep != 0 || $0.query.level == .clean })
    #expect(zip(theirs.steps, theirs.steps.dropFirst()).allSatisfy { $0.arrival == $1.query.level })
    // In mathematics a datum goes to signal·0.3 + noise·epsilon with the epsilon that the first
    // evaluation sees.
    let own = try run.plan(.corrected)
    let level = try #require(own.steps.last).arrival
    let first = try #require(own.steps.first).query.level
    let epsilon = 0.3 * (1 - first.signal) / first.noise
    #expect(isClose(Self.end(of: own, from: 0.3), level.signal * 0.3 + level.noise * epsilon, relative: 1e-9))
  }

  @Test func `lastStepIsNoisy: noise is added to clean data`() throws {
    let run = try Self.run(.lastStepIsNoisy)
    #expect(try run.plan(.diffusers).steps[9].next.noise > 0.3 && run.plan(.corrected).steps[9].next.noise == 0)
    let small = try DiffusersConfiguration(.ddpm, ["steps_offset": 1])
    #expect(isClose(try small.plan(steps: 10, fidelity: .diffusers).steps[9].next.noise, 1e-10, relative: 1e-6))
    #expect(try !DiffusersConfiguration(.ddpm).deviations(steps: 10).contains(.lastStepIsNoisy))
  }

  @Test(arguments: [
    (Deviation.logarithmForVariance, "NaN"), (.ancestralNotANumber, "NaN"),
    (.duplicateStart, "IndexError"), (.missingThirdOrder, "UnboundLocalError"), (.infiniteLastStep, "NaN"),
    (.leastSigmaNotANumber, "NaN"),
  ])
  func `logarithmForVariance, ... infiniteLastStep, leastSigmaNotANumber: diffusers fails, mathematics does not`(
    deviation: Deviation, error: String
  ) throws {
    let run = try Self.run(deviation)
    #expect(run.error == error)
    #expect(throws: ConfigurationError.self) { try run.plan(.diffusers) }
    let plan = try run.plan(.corrected)
    #expect(plan.steps.count == run.steps)
  }

  @Test func `learnedRoot: what the network gives is the variance, not its logarithm`() throws {
    let run = try Self.run(.learnedRoot)
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    #expect(theirs.learnsVariance && own.learnsVariance)
    #expect(theirs.steps.allSatisfy { $0.variance == .output })
    #expect(own.steps.allSatisfy { $0.variance == .learned(LogVariance(offset: 0, slope: 1)) })
    func deviation(_ plan: SamplingPlan, _ said: Double) -> Double {
      func after(_ noise: Double) -> Double {
        var sampling = SamplingRun(plan, from: SampleBatch<Double>(shape: [1, 1], scalars: [0.5]))
        sampling.advance(
          output: SampleBatch(shape: [1, 2], scalars: [0.1, said]), noise: SampleBatch(shape: [1, 1], scalars: [noise]))
        return sampling.sample.scalars[0]
      }
      return after(1) - after(0)
    }
    #expect(isClose(deviation(theirs, try #require(run.variance)), 0.2, relative: 1e-9) && deviation(theirs, -3).isNaN)
    #expect(isClose(deviation(own, 0.04), exp(0.02), relative: 1e-9))
  }

  @Test func `betaOverSigmas: a beta distribution of sigmas, not of timesteps`() throws {
    let run = try Self.run(.betaOverSigmas)
    #expect(try run.timesteps(.corrected) == [999, 952, 854, 724, 576, 423, 275, 145, 47, 0])
    let theirs = try run.timesteps(.diffusers)
    #expect(zip(theirs, run.timesteps).allSatisfy { abs($0 - $1) < 1e-3 } && (990...992).contains(theirs[1]))
    // On rectified flow the mathematics lays the times before the shift.
    let flow = try DiffusersConfiguration(.flowMatchEulerDiscrete, ["shift": 3, "use_beta_sigmas": true])
    #expect(flow.deviations(steps: 10).contains(.betaOverSigmas))
    let spacing = FlowSpacing(times: .beta(), shift: .fixed(3), last: 0.001)
    #expect(try flow.grid(steps: 10) == SamplingGrid(flow: spacing, steps: 10))
    // Ends that a file gives are those of the timesteps.
    let ended = try DiffusersConfiguration(
      .eulerDiscrete, ["use_beta_sigmas": true, "sigma_min": 0.5, "sigma_max": 700])
    let timesteps = try ended.timesteps(steps: 10)
    let table = try ended.schedule().sigmas
    #expect(timesteps[0] == 999 && table[Int(timesteps[9])] > 0.49 && table[Int(timesteps[9]) - 1] < 0.51)
  }

  @Test func `epsilonBeforeClipping: the noise is that of the unclipped datum`() throws {
    let run = try Self.run(.epsilonBeforeClipping)
    func first(_ plan: SamplingPlan) -> Double {
      var sampling = SamplingRun(plan, from: [1.0])
      sampling.advance(output: [run.outputs![0]])
      return sampling.sample[0]
    }
    #expect(isClose(first(try run.plan(.diffusers)), run.samples![1], relative: 1e-6))
    let (from, to) = (try run.plan(.corrected).steps[0].query.level, try run.plan(.corrected).steps[0].arrival)
    // 0.1 being what is left of the datum, the noise is what is left of the sample.
    let expected = to.signal * 0.1 + to.noise * (1 - from.signal * 0.1) / from.noise
    #expect(isClose(first(try run.plan(.corrected)), expected, relative: 1e-12))
    let derived = try run.config.plan(steps: 10, fidelity: .diffusers, with: RunArguments(usesClippedModelOutput: true))
    #expect(isClose(first(derived), expected, relative: 1e-6))
  }

  @Test func `infiniteX0: clipping hides a division by zero`() throws {
    let run = try Self.run(.infiniteX0)
    var sampling = SamplingRun(try run.plan(.diffusers), from: [1.0, 1.0])
    sampling.advance(output: [0.9, 1.1])
    #expect(sampling.denoised == [1, -1])
    #expect(throws: ConfigurationError.self) { try run.plan(.corrected) }
    var values = run.config.values
    values["clip_sample"] = false
    let unclipped = try DiffusersConfiguration(.ddim, values)
    #expect(throws: ConfigurationError.self) { try unclipped.plan(steps: 10, fidelity: .diffusers) }
  }

  @Test func `almostZeroSNR: a small number stands for zero`() throws {
    let run = try Self.run(.almostZeroSNR)
    #expect(try run.config.tables().alphaBars.last == 0x1p-24)
    let level = try run.plan(.diffusers).steps[0].query.level
    #expect(isClose(level.sigma, 4096, relative: 1e-6))
    let own = try run.plan(.corrected)
    #expect(own.steps[0].query.level == NoiseLevel(signal: 0, noise: 1))
    #expect(isClose(Self.end(of: own, from: 1, .v), 0.3, relative: 1e-9))
  }

  @Test func `initialScaleWithoutData: the first sample has no data in it`() throws {
    let run = try Self.run(.initialScaleWithoutData)
    let sigma = try #require(run.sigmas?.first)
    #expect(isClose(try run.plan(.diffusers).initialScale, sigma, relative: 0x1p-23))
    #expect(isClose(try run.plan(.corrected).initialScale, (1 + sigma * sigma).squareRoot(), relative: 0x1p-20))
    let consistency = try DiffusersConfiguration(.consistency)
    #expect(try consistency.plan(steps: 2, fidelity: .diffusers).initialScale == 80)
    #expect(isClose(try consistency.plan(steps: 2).initialScale, 6401.0.squareRoot(), relative: 1e-12))
    #expect(consistency.deviations(steps: 2) == [.float32Tables, .initialScaleWithoutData])
  }

  @Test func `subsampledEnds: sigmas end where the timesteps do`() throws {
    let run = try Self.run(.subsampledEnds)
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    #expect(isClose(theirs.steps[19].query.level.sigma, 0.223, relative: 1e-3))
    #expect(isClose(own.steps[19].query.level.sigma, 0.0292, relative: 1e-2))
  }

  @Test func `logLinearEnd: the run ends at noise`() throws {
    let run = try Self.run(.logLinearEnd)
    #expect(isClose(try run.plan(.diffusers).steps[9].arrival.sigma, 0.01, relative: 1e-3))
    #expect(isClose(try #require(run.samples?.last), 0.1602, relative: 1e-3))
    let own = try run.plan(.corrected)
    #expect(own.steps[9].arrival.sigma == 0 && isClose(Self.end(of: own, from: 100), 0.3, relative: 1e-9))
  }

  @Test func `roundedSigmaTimesteps: several steps have one timestep`() throws {
    let run = try Self.run(.roundedSigmaTimesteps)
    #expect(try Set(run.timesteps(.diffusers)).count == 95 && Set(run.timesteps(.corrected)).count == 100)
    #expect(try run.timesteps(.diffusers).suffix(2) == [0, 0])
    var values = run.config.values
    (values["use_karras_sigmas"], values["use_exponential_sigmas"]) = (false, true)
    let exponential = try DiffusersConfiguration(.dpmSolverMultistep, values)
    #expect(try exponential.timesteps(steps: 20, fidelity: .diffusers)[0] == 998)
  }

  @Test func `oneMorePoint: the least noisy of one more is left out`() throws {
    let run = try Self.run(.oneMorePoint)
    #expect(try run.timesteps(.diffusers).last == 100 && run.timesteps(.corrected).last == 0)
  }

  /// What a step of order 3 takes of the integral of s², and that integral, ∫₀¹ H·e^(−H(1−s))·s² ds
  /// by Simpson's rule.
  private static func curvature(_ plan: SamplingPlan, step i: Int, eta: Double) -> (taken: Double, whole: Double) {
    let (arrival, level) = (plan.steps[i].arrival, plan.steps[i].query.level)
    let h = arrival.lambda - level.lambda
    let nodes = [1, 2].map { (plan.steps[i - $0].query.level.lambda - level.lambda) / h }
    let exponent = (1 + eta) * h
    func integral(of power: Double) -> Double {
      (0...400).reduce(0) { sum, k in
        let s = Double(k) / 400
        let weight = k == 0 || k == 400 ? 1.0 : k.isMultiple(of: 2) ? 2 : 4
        return sum + weight / 1200 * exponent * exp(-exponent * (1 - s)) * pow(s, power)
      }
    }
    // The oldest estimate is in the second difference alone, which multiplies (s − 0)·(s − s₁).
    let weight = plan.steps[i].next.estimates[2] / arrival.signal * nodes[1] * (nodes[1] - nodes[0])
    return (weight + nodes[0] * integral(of: 1), integral(of: 2))
  }

  @Test func `halvedCurvature: half of the second difference is left out`() throws {
    let run = try Self.run(.halvedCurvature)
    for step in [2, 5, 7] {
      let own = Self.curvature(try run.plan(.corrected), step: step, eta: 0)
      #expect(isClose(own.taken, own.whole, relative: 1e-6))
      let theirs = Self.curvature(try run.plan(.diffusers), step: step, eta: 0)
      #expect(isClose(theirs.taken, theirs.whole / 2, relative: 1e-6))
    }
    #expect(!run.config.deviations(steps: 2).contains(.halvedCurvature))
    #expect(try !DiffusersConfiguration(.dpmSolverMultistep).deviations(steps: 10).contains(.halvedCurvature))
  }

  @Test func `missignedCurvature: a half is subtracted where it has to be added`() throws {
    let run = try Self.run(.missignedCurvature)
    // Single steps have it with noise and the exact rule alone.
    func has(_ algorithm: String, _ type: String) throws -> Bool {
      try DiffusersConfiguration(
        .dpmSolverSinglestep, ["algorithm_type": .string(algorithm), "solver_type": .string(type), "solver_order": 3]
      ).deviations(steps: 9).contains(.missignedCurvature)
    }
    #expect(try has("sde-dpmsolver++", "heun"))
    #expect(try !has("dpmsolver++", "heun") && !has("sde-dpmsolver++", "midpoint"))
    for step in [2, 5, 7] {
      let own = Self.curvature(try run.plan(.corrected), step: step, eta: 1)
      #expect(isClose(own.taken, own.whole, relative: 1e-6))
      let theirs = Self.curvature(try run.plan(.diffusers), step: step, eta: 1)
      #expect(isClose(theirs.taken, theirs.whole / 2 - 1, relative: 1e-6))
    }
  }

  @Test func `lateChurn: the network does not see the noise that is added`() throws {
    let run = try Self.run(.lateChurn)
    let (own, theirs) = (try run.plan(.corrected), try run.plan(.diffusers))
    let sigmas = try run.config.sigmas(steps: 10).map { Double($0) }
    for (i, step) in theirs.steps.enumerated() {
      // Sigmas are held to diffusers' elsewhere; γ is 3/10, below √2 − 1.
      let (sigma, raised) = (sigmas[i], sigmas[i] * 1.3)
      #expect(isClose(step.query.level.noise, sigma, relative: 1e-6))
      #expect(isClose(step.next.noise, 1.003 * (raised * raised - sigma * sigma).squareRoot(), relative: 1e-5))
      #expect(isClose(step.next.output, sigmas[i + 1] - raised, relative: 1e-5))
      // diffusers' 1 − ᾱ, 10⁻⁴ at the end, has lost up to half a unit of 1 in float32, and its root
      // half of that.
      #expect(isClose(own.steps[i].query.level.noise, raised, relative: 0x1p-25 / 1e-4))
    }
    // The noise of the first step is in the sample that a run starts from, and the last step ends
    // at clean data.
    #expect(own.steps[9].next.noise == 0 && own.steps[0].next.noise > 0)
    #expect(!run.config.deviations(steps: 10).contains(.lateChurn))
    #expect(try DiffusersConfiguration(.edmEuler).deviations(steps: 10, with: run.arguments).contains(.lateChurn))
  }

  @Test func `churnOffTheLine: a sample of rectified flow gets noise and keeps its signal`() throws {
    let run = try Self.run(.churnOffTheLine)
    let (own, theirs) = (try run.plan(.corrected), try run.plan(.diffusers))
    let sigmas = try run.config.sigmas(steps: 10).map { Double($0) }
    #expect(theirs.steps.count == 19 && own.steps.count == 19)
    for i in 0..<10 {
      // γ is 3/19 for them, and 3/10 as in the paper, both below √2 − 1.
      let (sigma, raised, step) = (sigmas[i], sigmas[i] * 22 / 19, theirs.steps[2 * i])
      #expect(isClose(step.query.level.noise, sigma, relative: 1e-6) && step.next.samples == [1])
      #expect(isClose(step.next.noise, 1.003 * (raised * raised - sigma * sigma).squareRoot(), relative: 1e-5))
      #expect(isClose(step.next.output, (sigmas[i + 1] - raised) * 19 / 22, relative: 1e-5))
      // 1 − σ has lost up to half a unit of 1 in float32.
      let (query, ratio) = (own.steps[2 * i].query, i == 0 ? Double.infinity : 1.3 * sigma / (1 - sigma))
      #expect(isClose(query.level.sigma, ratio, relative: 0x1p-24 / 0.1))
      #expect(isClose(query.level.signal + query.level.noise, 1, relative: 4 * unit))
      #expect(isClose(query.timestep, 1000 * query.level.noise, relative: 1e-12))
    }
    #expect(own.steps[18].next.noise == 0 && run.config.deviations(steps: 10, with: run.arguments).contains(.lateChurn))
    #expect(!run.config.deviations(steps: 10).contains(.churnOffTheLine))
    let euler = try DiffusersConfiguration(.eulerDiscrete)
    #expect(!euler.deviations(steps: 10, with: run.arguments).contains(.churnOffTheLine))
  }

  @Test func `halvedSlope: the slope of a line has the weight H/2`() throws {
    let run = try Self.run(.halvedSlope)
    // The second step, of two values and without noise; it begins with the first one's correction,
    // to the next value alone.
    func weight(_ fidelity: Fidelity) throws -> (taken: Double, length: Double) {
      let steps = try run.plan(fidelity).steps
      let (from, to, end) = (steps[0].query.level, steps[1].query.level, steps[1].arrival)
      let (before, length) = (to.lambda - from.lambda, end.lambda - to.lambda)
      let corrected = end.noise / to.noise * to.signal * (1 - exp(-before))
      return ((-steps[1].next.estimates[1] - corrected) / end.signal * before / length, length)
    }
    let (own, theirs) = (try weight(.corrected), try weight(.diffusers))
    #expect(isClose(own.taken, 1 - (1 - exp(-own.length)) / own.length, relative: 1e-9))
    // Through integrals of λ in float32.
    #expect(isClose(theirs.taken, theirs.length / 2, relative: 1e-4))
    #expect(
      run.config.deviations(steps: 3).contains(.halvedSlope) && !run.config.deviations(steps: 2).contains(.halvedSlope))
    #expect(try DiffusersConfiguration(.saSolver).deviations(steps: 2).contains(.halvedSlope))
    #expect(try !DiffusersConfiguration(.saSolver).deviations(steps: 1).contains(.halvedSlope))
    let epsilon = try DiffusersConfiguration(.saSolver, ["algorithm_type": "noise_prediction"])
    #expect(!epsilon.deviations(steps: 10).contains(.halvedSlope))
  }

  @Test func `idleLastStep: the run ends where its last step begins`() throws {
    let run = try Self.run(.idleLastStep)
    let last = try #require(run.plan(.diffusers).steps.last)
    #expect(last.arrival == last.query.level && last.next == .sample && run.samples![9] == run.samples![10])
    let own = try run.plan(.corrected)
    #expect(own.steps[9].arrival == .clean && own.steps[9].next.estimates.count == 1)
    #expect(isClose(Self.end(of: own, from: 1), 0.3, relative: 1e-9))
    for schedulerClass in [DiffusersConfiguration.Class.uniPC, .dpmSolverMultistep] {
      let values: [String: DiffusersConfiguration.Value] = [
        "use_exponential_sigmas": true, "final_sigmas_type": "sigma_min",
      ]
      #expect(try DiffusersConfiguration(schedulerClass, values).deviations(steps: 10).contains(.idleLastStep))
    }
    // Where the last timestep is 0.
    for schedulerClass in [DiffusersConfiguration.Class.ddim, .pndm] {
      let configuration = try DiffusersConfiguration(
        schedulerClass, ["set_alpha_to_one": false, "skip_prk_steps": true])
      #expect(configuration.deviations(steps: 10).contains(.idleLastStep))
      let last = try #require(configuration.plan(steps: 10, fidelity: .diffusers).steps.last)
      #expect(last.arrival == last.query.level)
      let offset = try DiffusersConfiguration(schedulerClass, ["set_alpha_to_one": false, "steps_offset": 1])
      #expect(!offset.deviations(steps: 10).contains(.idleLastStep))
    }
    let euler = try DiffusersConfiguration(.eulerDiscrete, ["final_sigmas_type": "sigma_min"])
    #expect(euler.deviations(steps: 10).contains(.idleLastStep))
    #expect(try !DiffusersConfiguration(.eulerDiscrete).deviations(steps: 10).contains(.idleLastStep))
    let logLinear = try DiffusersConfiguration(
      .eulerDiscrete, ["final_sigmas_type": "sigma_min", "interpolation_type": "log_linear"])
    #expect(!logLinear.deviations(steps: 10).contains(.idleLastStep))
  }

  @Test func `infiniteLastStep: UniPC reaches clean data in one way of many`() throws {
    let fails: [[String: DiffusersConfiguration.Value]] = [
      ["lower_order_final": false], ["solver_type": "bh1"], ["predict_x0": false],
    ]
    for values in fails {
      let configuration = try DiffusersConfiguration(.uniPC, values)
      #expect(configuration.deviations(steps: 10).contains(.infiniteLastStep), "\(values)")
      #expect(throws: ConfigurationError.self) { try configuration.plan(steps: 10, fidelity: .diffusers) }
      #expect(isClose(Self.end(of: try configuration.plan(steps: 10), from: 1), 0.3, relative: 1e-6), "\(values)")
    }
    #expect(try !DiffusersConfiguration(.uniPC).deviations(steps: 10).contains(.infiniteLastStep))
  }

  @Test func `firstOutputUnused: the first step takes the data for 0`() throws {
    let run = try Self.run(.firstOutputUnused)
    let (theirs, own) = (try run.plan(.diffusers).steps[0], try run.plan(.corrected).steps[0])
    #expect(theirs.folded == SamplingPlan.Readout(sample: theirs.arrival.noise, output: 0))
    // v is −x0 where there is no signal.
    #expect(own.folded == SamplingPlan.Readout(sample: own.arrival.noise, output: -own.arrival.signal))
    let short = [0.5, 0.2, 0.0].map(DiffusersConfiguration.Value.number)
    let given = try DiffusersConfiguration(.ipndm, ["trained_betas": .list(short)])
    #expect(!given.deviations(steps: 2).contains(.firstOutputUnused))
    #expect(isClose(Self.end(of: try run.plan(.corrected), from: 1, .v), 0.3, relative: 1e-9))
  }

  @Test func `lateConversion: v is combined over levels that it does not share`() throws {
    let run = try Self.run(.lateConversion)
    // With a network that knows the datum, epsilon stays what it is at the start, and every sample
    // on the path of both.
    func error(of plan: SamplingPlan, _ samples: [Double]) -> Double {
      let start = plan.steps[0].query.level
      let epsilon = (samples[0] - start.signal * 0.3) / start.noise
      return zip(plan.steps, samples.dropFirst()).reduce(0) {
        max($0, abs($1.1 - $1.0.arrival.signal * 0.3 - $1.0.arrival.noise * epsilon))
      }
    }
    #expect(isClose(error(of: try run.plan(.diffusers), try #require(run.samples)), 0.061, relative: 0.01))
    let own = try run.plan(.corrected)
    var samples = [1.0]
    _ = own.sample(from: Real(1)) { x, query in
      if own.steps[query.step].query != own.steps[0].query { samples.append(x.value) }
      return Real(
        query.level.signal * (x.value - query.level.signal * 0.3) / query.level.noise - query.level.noise * 0.3)
    }
    #expect(samples.count == own.steps.count && error(of: own, samples) < 1e-9)
    #expect(try !DiffusersConfiguration(.pndm).deviations(steps: 10).contains(.lateConversion))
  }

  @Test func `shiftedTwice: the last sigma is moved twice`() throws {
    let run = try Self.run(.shiftedTwice)
    #expect(isClose(try run.plan(.diffusers).steps[9].query.level.noise, 0.00893, relative: 1e-3))
    // 3·0.001/(1 + 2·0.001)
    #expect(isClose(try run.plan(.corrected).steps[9].query.level.noise, 0.003 / 1.002, relative: 1e-9))
    let dynamic = try DiffusersConfiguration(.flowMatchEulerDiscrete, ["shift": 3.0, "use_dynamic_shifting": true])
    #expect(dynamic.deviations(steps: 10, with: RunArguments(mu: 1)) == [.float32Tables])
    for schedulerClass in [DiffusersConfiguration.Class.flowMatchHeunDiscrete, .flowMatchLCM] {
      let other = try DiffusersConfiguration(schedulerClass, ["shift": 3.0])
      #expect(
        other.deviations(steps: 10) == [.float32Tables, .shiftedTwice] && other.deviations(steps: 1) == [.float32Tables]
      )
      #expect(isClose(try other.grid(steps: 10, fidelity: .diffusers).points[9].level.noise, 0.00893, relative: 1e-3))
    }
  }

  @Test func `duplicateStart: a large shift leaves float32 no difference between the first times`() throws {
    for schedulerClass in [DiffusersConfiguration.Class.flowMatchEulerDiscrete, .flowMatchHeunDiscrete, .flowMatchLCM] {
      let configuration = try DiffusersConfiguration(schedulerClass, ["shift": 1e9])
      #expect(configuration.deviations(steps: 10).contains(.duplicateStart))
      #expect(throws: ConfigurationError.self) { try configuration.plan(steps: 10, fidelity: .diffusers) }
      #expect(try configuration.plan(steps: 10).steps.count >= 10)
      #expect(
        try !DiffusersConfiguration(schedulerClass, ["shift": 3.0]).deviations(steps: 10).contains(.duplicateStart))
    }
  }

  @Test func `noiseForData: where sigmas are inverted the run ends at noise`() throws {
    let run = try Self.run(.noiseForData)
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    #expect(theirs.steps[9].next.noise == 1 && run.samples?[10] == run.noises?[9])
    #expect(own.steps[9].next.noise == 0 && own.steps[9].arrival == .clean)
    // v is x0 − epsilon.
    var sampling = SamplingRun(own, from: [1.0])
    while let query = sampling.query {
      sampling.advance(output: [(0.3 - sampling.sample[0]) / query.level.noise], noise: [0.7])
    }
    #expect(isClose(sampling.sample[0], 0.3, relative: 1e-9))
    let euler = try DiffusersConfiguration(.flowMatchEulerDiscrete, ["invert_sigmas": true])
    #expect(!euler.deviations(steps: 10).contains(.noiseForData))
    let stochastic = try DiffusersConfiguration(
      .flowMatchEulerDiscrete, ["invert_sigmas": true, "stochastic_sampling": true])
    #expect(stochastic.deviations(steps: 10).contains(.noiseForData))
  }

  @Test func `dataForSample: clean data are read as a sample of the first timestep`() throws {
    let run = try Self.run(.dataForSample)
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    #expect(theirs.steps[0].query.timestep == 0 && theirs.start == theirs.steps[0].query.level)
    #expect(isClose(theirs.start.noise, 0.01, relative: 1e-3))
    #expect(own.start == .clean && own.steps[0].arrival == own.steps[1].query.level)
    #expect(zip(theirs.steps, theirs.steps.dropFirst()).allSatisfy { $0.arrival == $1.query.level })
    #expect(own.steps.count == 10 && theirs.steps.count == 10)
    #expect(run.config.deviations(steps: 10) == [.float32Tables, .oneMorePoint, .dataForSample])
  }

  @Test func `notInverted: a run over the sigmas of rectified flow goes towards data`() throws {
    let run = try Self.run(.notInverted)
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    func noises(_ plan: SamplingPlan) -> [Double] { plan.steps.map(\.arrival.noise) }
    #expect(noises(theirs) == noises(theirs).sorted(by: >) && noises(own) == noises(own).sorted())
    let last = try #require(theirs.steps.last)
    #expect(last.arrival == last.query.level)
    // 0.3 and the epsilon that the first evaluation sees in it stay what they are, up to where
    // there are no data.
    #expect(own.steps[9].arrival == NoiseLevel(signal: 0, noise: 1))
    let first = own.steps[0].query.level
    let epsilon = 0.3 * (1 - first.signal) / first.noise
    let end = own.sample(from: Real(0.3)) { x, query in Real((x.value - 0.3) / query.level.noise) }
    #expect(isClose(end.value, epsilon, relative: 1e-9))
  }

  @Test func `droppedTimesteps: a run ends before its last sigmas`() throws {
    let run = try Self.run(.droppedTimesteps)
    let theirs = try run.plan(.diffusers)
    #expect(theirs.steps.count == 95 && isClose(theirs.steps[94].arrival.sigma, 12.3, relative: 0.01))
    #expect(try run.timesteps.count == 95 && isClose(#require(run.sigmas?.last), 14.6, relative: 0.01))
    let own = try run.plan(.corrected)
    #expect(own.steps.count == 100 && isClose(own.steps[99].arrival.sigma, 14.6, relative: 0.01))
    #expect(!run.config.deviations(steps: 20).contains(.droppedTimesteps))
    #expect(run.config.deviations(steps: 20).contains(.idleLastStep))
  }

  @Test func `repeatedLate: a late run makes its first step twice, and is one short`() throws {
    let run = try Self.run(.repeatedLate)
    #expect(try abs(#require(run.samples?.last) - 0.264717) < 1e-6)
    #expect(isClose(Self.end(of: try run.plan(.corrected), from: 1), 0.3, relative: 1e-9))
    #expect(!run.config.deviations(steps: 10).contains(.repeatedLate))
  }

  @Test func `heldEnd: the last step leaves a hundredth of the noise`() throws {
    let run = try Self.run(.heldEnd)
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    // The root of 1 − 0.9999.
    #expect(isClose(theirs.steps[9].arrival.noise, 0.01, relative: 1e-3) && theirs.steps[9].next.noise == 0)
    #expect(try abs(#require(run.samples?.last) - 0.3) > 1e-4)
    #expect(own.steps[9].arrival == .clean && own.steps[9].next == LinearForm.estimate())
    // Times that do not end at 0 end in noise, in both.
    let given = RunArguments(timesteps: [1, 0.5, 0.1])
    #expect(!run.config.deviations(with: given).contains(.heldEnd))
    for fidelity in Fidelity.allCases {
      let last = try #require(run.config.plan(fidelity: fidelity, with: given).steps.last)
      #expect(last.next.noise > 0.01 && last.arrival.noise > 0.1)
    }
  }

  @Test func `halvedSlope, missedTies: they are named where a run meets them, and nowhere else`() throws {
    func deviations(
      _ name: DiffusersConfiguration.Class, _ options: [String: DiffusersConfiguration.Value], _ steps: Int
    ) throws
      -> [Deviation]
    {
      try DiffusersConfiguration(name, options).deviations(steps: steps)
    }
    for (predictor, corrector) in [(1, 1), (1, 2), (2, 1)] {
      let options: [String: DiffusersConfiguration.Value] = [
        "predictor_order": .integer(predictor), "corrector_order": .integer(corrector),
      ]
      #expect(try deviations(.saSolver, options, 10).contains(.halvedSlope) == (predictor + corrector > 2))
    }
    // Halves of the trailing spacing, whose order an inversion turns around.
    let trailing: [String: DiffusersConfiguration.Value] = ["timestep_spacing": "trailing"]
    for name in [DiffusersConfiguration.Class.ddim, .ddimInverse] {
      #expect(try deviations(name, trailing, 48).contains(.missedTies))
      #expect(try !deviations(name, trailing, 50).contains(.missedTies))
    }
  }

  @Test func `unusedEta: CogVideoX's DDIM draws no noise`() throws {
    let run = try Self.run(.unusedEta)
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    #expect(theirs.steps.allSatisfy { $0.next.noise == 0 })
    #expect(run.config.deviations(steps: 10).contains(.unusedEta) == false)
    // Song et al. 2020, equation 16.
    let (from, to) = (own.steps[4].query.level, own.steps[4].arrival)
    let ratio = (from.signal / to.signal) * (from.signal / to.signal)
    #expect(isClose(own.steps[4].next.noise, to.noise / from.noise * (1 - ratio).squareRoot(), relative: 1e-12))
  }

  @Test func `lateJumps: a jump leads from clean data instead of from timestep 0`() throws {
    let run = try Self.run(.lateJumps)
    #expect(try run.timesteps(.diffusers).suffix(6) == [0, 400, 300, 200, 100, 0])
    #expect(try run.timesteps(.corrected).suffix(7) == [100, 500, 400, 300, 200, 100, 0])
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    let bars = try run.config.tables().alphaBars
    // Of x̂0 at timestep 0, with the betas of 0 ..< 500.
    #expect(isClose(theirs.steps[9].folded.sample, Double((bars[499] / bars[0]).squareRoot()), relative: 1e-5))
    #expect(own.steps[8].query.timestep == 100 && own.steps[8].next.noise > 0)
    #expect(run.config.deviations(steps: 10).contains(.lateJumps) == false)
    #expect(run.config.deviations(steps: 1000).contains(.lateJumps))
    #expect(!run.config.deviations(steps: 1000).contains(.betasOfLaterSteps))
  }

  @Test func `betasOfLaterSteps: a jump leads to another level than the network is told`() throws {
    let run = try Self.run(.betasOfLaterSteps)
    let (theirs, own) = (try run.plan(.diffusers), try run.plan(.corrected))
    let bars = try run.config.tables().alphaBars.map { Double($0) }
    // The jump goes from 500, after the step at 600, back to 700. What is left of x̂0 there is the
    // signal.
    func taken(_ step: SamplingPlan.Step) -> Double { step.folded.sample * step.query.level.signal }
    #expect(try run.timesteps(.diffusers)[3...4] == [600, 700])
    #expect(isClose(taken(theirs.steps[3]), (bars[500] * bars[799] / bars[599]).squareRoot(), relative: 1e-5))
    #expect(isClose(theirs.steps[4].query.level.signal, bars[700].squareRoot(), relative: 1e-6))
    for plan in [own, theirs] {
      #expect(zip(plan.steps, plan.steps.dropFirst()).allSatisfy { $0.arrival == $1.query.level })
    }
  }

  @Test func `endsAtFirstTimestep: the result is that of timestep 0`() throws {
    let run = try Self.run(.endsAtFirstTimestep)
    let bar = try run.config.tables().alphaBars[0]
    #expect(
      try isClose(
        #require(run.plan(.diffusers).steps.last).arrival.noise, (1 - Double(bar)).squareRoot(), relative: 1e-6))
    #expect(try run.plan(.corrected).steps.last?.arrival == .clean)
  }

  @Test func `vOnStraightLines: the data are read as on the circle`() throws {
    let run = try Self.run(.vOnStraightLines)
    let (theirs, own) = (try run.plan(.diffusers).steps[5], try run.plan(.corrected).steps[5])
    let level = theirs.query.level
    #expect(
      theirs.denoising == SamplingPlan.Readout(sample: level.signal, output: -level.noise)
        && isClose(level.signal + level.noise, 1, relative: 0x1p-23))
    // In mathematics x0 = 0.3 and epsilon = 0.5 are read out of what they make.
    let made = own.query.level
    let (x, v) = (made.signal * 0.3 + made.noise * 0.5, made.signal * 0.5 - made.noise * 0.3)
    #expect(isClose(own.denoising.sample * x + own.denoising.output * v, 0.3, relative: 1e-12))
  }

  @Test func `guidedSingleStep, guidedUnclippedMean, guidedFloat32: what guided-diffusion answers`() throws {
    struct Guided: Decodable {
      let space: [String: [Int]], sample: Double, output: Double, means: [Double], denoised: [Double], exact: Double,
        extracted: Double
      enum CodingKeys: String, CodingKey {
        case sample, output, means, extracted
        case space = "space_timesteps"
        case denoised = "pred_xstart"
        case exact = "alphas_cumprod"
      }
    }
    let guided: Guided = try Fixtures.json("guided-deviations.json")
    let long = try NoiseSchedule(.linear(), timesteps: 1000)
    #expect(guided.space == ["1": [0], "1,1": [0, 500]])
    #expect(try long.respaced(by: .sections([1])).original == [999])
    #expect(try long.respaced(by: .sections([1, 1])).original == [499, 999])

    let schedule = try NoiseSchedule(.linear(start: 0.01, end: 0.3), timesteps: 10)
    let means = try [Clipping.none, .range(-1...1)].map { clipping in
      let process = try ReverseProcess(schedule, predicting: .previous, variance: .fixedSmall, clipping: clipping)
      let mean = process.steps[5].mean
      let denoising = process.steps[5].denoising
      var datum = [denoising.sample * guided.sample + denoising.output * guided.output]
      clipping.apply(to: &datum, sampleSize: 1)
      return (mean.sample * guided.sample + mean.output * datum[0], datum[0])
    }
    #expect(
      isClose(means[0].0, guided.means[0], relative: 1e-6) && isClose(means[0].1, guided.denoised[0], relative: 1e-5))
    #expect(guided.means[1] == guided.means[0] && guided.denoised[1] == 1 && means[1].1 == 1)
    #expect(means[1].0 < guided.means[1] - 0.01)

    #expect(isClose(schedule.alphaBars[5], guided.exact, relative: 1e-14))
    #expect(guided.extracted == Double(Float(guided.exact)) && guided.extracted != guided.exact)
  }
}
