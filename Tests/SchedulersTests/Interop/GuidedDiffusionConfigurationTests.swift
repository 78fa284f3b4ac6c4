import Foundation
import SchedulersFixtures
import Testing

@testable import Schedulers
@testable import SchedulersInterop

@Suite struct GuidedDiffusionConfigurationTests {
  private func decode(_ text: String) throws -> GuidedDiffusionConfiguration {
    try JSONDecoder().decode(GuidedDiffusionConfiguration.self, from: Data(text.utf8))
  }

  @Test func `nothing said is create_gaussian_diffusion's defaults`() throws {
    let configuration = try decode("{}")
    #expect(configuration == GuidedDiffusionConfiguration())
    #expect(
      configuration.steps == 1000 && configuration.noiseSchedule == "linear" && configuration.timestepRespacing == nil)
    #expect(configuration.prediction == .epsilon && configuration.variance == .fixedLarge)
    #expect(try configuration.schedule() == NoiseSchedule(.linear(scaledFrom: 1000), timesteps: 1000))
    #expect(try configuration.process().original == Array(0..<1000))
  }

  @Test func `every flag is read under its name, and written so that it is read again`() throws {
    let configuration = try decode(
      """
      {"_class_name": "GaussianDiffusion", "steps": 4000, "learn_sigma": true, "sigma_small": true, "noise_schedule": \
      "cosine",
       "use_kl": true, "predict_xstart": true, "rescale_timesteps": true, "rescale_learned_sigmas": true,
       "timestep_respacing": "10,15,20", "sampler": "ddim_sample", "eta": 0.5, "clip_denoised": false, "b": 1, "a": \
       [{}]}
      """)
    #expect(configuration.steps == 4000 && configuration.learnSigma && configuration.sigmaSmall && configuration.useKL)
    #expect(configuration.predictXStart && configuration.rescaleTimesteps && configuration.rescaleLearnedSigmas)
    #expect(configuration.noiseSchedule == "cosine" && configuration.timestepRespacing == .sections([10, 15, 20]))
    #expect(configuration.sampler == .ddimSample && configuration.eta == 0.5 && !configuration.clipDenoised)
    #expect(configuration.ignoredKeys == ["a", "b"])
    let again = try JSONDecoder().decode(GuidedDiffusionConfiguration.self, from: JSONEncoder().encode(configuration))
    #expect(again.ignoredKeys == [])
    var known = configuration
    known.ignoredKeys = []
    #expect(again == known)
  }

  /// A part of the noise is kept and the rest drawn anew: 1 − ᾱ' in all.
  @Test(arguments: [0.1, 0.5, 0.9]) func `a step of ddim_sample keeps the variance of the noise`(eta: Double) throws {
    for flags in [#"{"steps": 1000}"#, #"{"steps": 4000, "noise_schedule": "cosine", "timestep_respacing": "25"}"#] {
      let configuration = try decode(flags)
      let bars = try configuration.process(fidelity: .diffusers).schedule.alphaBars.reversed()
      let plan = try configuration.plan(sampler: .ddimSample, eta: eta, clipDenoised: false, fidelity: .diffusers)
      for (step, bar) in zip(plan.steps, bars.dropFirst()) {
        // What multiplies epsilon, from the factor that the sample has in it.
        let kept = (step.next.samples.first ?? 0) * step.query.level.noise
        // 1 − ᾱ' − σ² cancels in float32 down to no less than the part that is kept.
        let tolerance = 8 * 0x1p-24
        #expect(
          abs(kept * kept + step.next.noise * step.next.noise - (1 - bar)) <= tolerance,
          "timestep \(step.query.timestep)")
      }
    }
  }

  private static let respacings: [(String, Respacing?)] = [
    (#""""#, nil), ("null", nil), ("[]", nil), ("0", nil), (#""ddim50""#, .ddim(50)), (#""10""#, .sections([10])),
    ("10", .sections([10])), ("[10, 15]", .sections([10, 15])),
  ]

  @Test(arguments: respacings) func `a respacing is text, a list or a number`(text: String, respacing: Respacing?)
    throws
  {
    #expect(try decode(#"{"timestep_respacing": \#(text)}"#).timestepRespacing == respacing)
  }

  private static let refused = [
    #"{"_class_name": "DDIMScheduler"}"#, #"{"steps": "1000"}"#, #"{"steps": 2.5}"#, #"{"learn_sigma": 1}"#,
    #"{"sampler": "magic"}"#,
    #"{"timestep_respacing": "10;15"}"#, #"{"timestep_respacing": true}"#, #"{"eta": null, "clip_denoised": "no"}"#,
    "[]",
  ]

  @Test(arguments: refused) func `values of another kind are refused`(text: String) {
    #expect(throws: (any Error).self) { try decode(text) }
  }

  @Test(arguments: [
    #"{"steps": 0}"#, #"{"steps": 100001}"#, #"{"steps": 5}"#, #"{"noise_schedule": "sqrt"}"#,
    #"{"timestep_respacing": "ddim999"}"#,
    #"{"timestep_respacing": "1001"}"#, #"{"sampler": "ddim_sample", "eta": 1.5}"#,
    #"{"sampler": "ddim_reverse_sample", "eta": 0.5}"#,
  ])
  func `values that make no run are refused when a plan is asked for`(text: String) throws {
    let configuration = try decode(text)
    #expect(throws: ConfigurationError.self) { try configuration.plan() }
  }

  @Test func `a section of one timestep keeps what guided-diffusion keeps, or its last`() throws {
    let golden = try Safetensors("guided-traces.safetensors")
    let names = golden.names.filter { $0.hasPrefix("space_timesteps/") }
    #expect(names.count == 4)
    for name in names {
      let parts = name.split(separator: "/")
      var configuration = GuidedDiffusionConfiguration()
      configuration.noiseSchedule = "cosine"
      configuration.steps = try #require(Int(parts[1]))
      configuration.timestepRespacing = try Respacing(parsing: String(parts[2]))
      #expect(try configuration.process(fidelity: .diffusers).original == golden.integers(name), "\(name)")
      #expect(try configuration.process().original.last == configuration.steps - 1)
    }
  }

  @Test func `the methods are the samplers of their papers over the respaced process`() throws {
    var configuration = GuidedDiffusionConfiguration()
    configuration.timestepRespacing = .ddim(50)
    configuration.learnSigma = true
    let schedule = try configuration.schedule()
    let grid = try SamplingGrid(schedule, respacing: .ddim(50))
    let small = try configuration.plan(sampler: .ddimSample, eta: 0.5, clipDenoised: false)
    #expect(small == (try DDIM(eta: 0.5).plan(over: grid, predicting: .epsilon, learnsVariance: true)))
    let ancestral = try configuration.plan(sampler: .pSample)
    #expect(
      ancestral == (try DDPM(variance: .learnedRange).plan(over: grid, predicting: .epsilon, clipping: .range(-1...1))))
    #expect(ancestral.learnsVariance)
  }

  /// guided-diffusion's choice of `LossType` in `create_gaussian_diffusion`.
  @Test func `the loss is what the flags say, on the respaced process`() throws {
    var configuration = GuidedDiffusionConfiguration()
    #expect(try configuration.loss().kind == .mse)
    configuration.rescaleLearnedSigmas = true
    configuration.learnSigma = true
    configuration.timestepRespacing = .sections([10, 5])
    let loss = try configuration.loss()
    #expect(
      loss.kind == .rescaledMSE && loss.bound.process.variance == .learnedRange && loss.bound.likelihood.cdf == .exact)
    #expect(try loss.bound.process.schedule == configuration.process().schedule)
    configuration.useKL = true
    configuration.predictXStart = true
    let faithful = try configuration.loss(fidelity: .diffusers)
    #expect(
      faithful.kind == .rescaledKL && faithful.bound.process.prediction == .x0 && faithful.bound.likelihood.cdf == .tanh
    )
    configuration.noiseSchedule = "wavy"
    #expect(throws: ConfigurationError.self) { try configuration.loss() }
  }

  @Test func `the reverse begins at the first timestep's level and ends at noise alone`() throws {
    var configuration = GuidedDiffusionConfiguration()
    configuration.timestepRespacing = .ddim(50)
    configuration.rescaleTimesteps = true
    configuration.steps = 4000
    let plan = try configuration.plan(sampler: .ddimReverseSample)
    let schedule = try configuration.schedule()
    #expect(plan.steps.count == 50 && plan.start == schedule[0])
    #expect(plan.steps.map(\.query.timestep).prefix(3) == [0, 20, 40])
    #expect(plan.steps[0].query.level == schedule[0] && plan.steps[0].arrival == schedule[80])
    #expect(plan.steps[49].arrival == NoiseLevel(signal: 0, noise: 1))
  }
}
