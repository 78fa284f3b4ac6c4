import Schedulers
import SchedulersInterop
import Testing

/// The times of the classes that have their own: angles, shares of a cosine process, sigmas with
/// the end, and timesteps of which a step is told the next.
@Suite struct OwnTimesTests {
  private static func refusal(
    _ schedulerClass: DiffusersConfiguration.Class, _ arguments: RunArguments, steps: Int? = nil
  ) throws -> [String] {
    let configuration = try DiffusersConfiguration(schedulerClass, [:])
    return Fidelity.allCases.map { fidelity in
      do {
        _ = try configuration.plan(steps: steps, fidelity: fidelity, with: arguments)
        return ""
      } catch { return "\(error)" }
    }
  }

  private static func times(
    _ schedulerClass: DiffusersConfiguration.Class, _ arguments: RunArguments = RunArguments(), steps: Int? = nil,
    _ fidelity: Fidelity = .corrected
  ) throws -> [Double] {
    try DiffusersConfiguration(schedulerClass, [:]).timesteps(steps: steps, fidelity: fidelity, with: arguments)
  }

  @Test func `SCM is told angles, of which two are the pipeline's and others lie in equal steps`() throws {
    #expect(try Self.times(.scm, steps: 2) == [1.5708, 1.3])
    #expect(try Self.times(.scm, steps: 4).map { ($0 * 1e4).rounded() } == [15708, 11781, 7854, 3927])
    #expect(try Self.times(.scm, RunArguments(firstAngle: 1.2, secondAngle: 0.5), steps: 2) == [1.2, 0.5])
    #expect(try Self.times(.scm, RunArguments(timesteps: [1.5, 0.7, 0])) == [1.5, 0.7])
    #expect(try Self.times(.scm, steps: 2, .diffusers) == [Double(Float(1.5708)), Double(Float(1.3))])
    let plan = try DiffusersConfiguration(.scm, [:]).plan(with: RunArguments(timesteps: [1.5, 0.7, 0]))
    // cos and sin of the angles, by hand; σ_data is 0.5.
    #expect(abs(plan.steps[0].denoising.sample - 0.0707372016677029) < 1e-15)
    #expect(abs(plan.steps[0].denoising.output + 0.997494986604054) < 1e-15)
    #expect(abs(plan.steps[0].next.noise - 0.5 * 0.644217687237691) < 1e-15 && plan.steps[1].next.noise == 0)
    #expect(abs(plan.start.noise - 0.5 * 0.997494986604054) < 1e-15)
  }

  @Test func `the end is one of MiniMax's times, and the network is told what is left to 1`() throws {
    // 12·b/(1 + 11·b) of b = 1, 3/4, 1/2, 1/4.
    let times = [0, 1 - 9 / 9.25, 1 - 6 / 6.5, 1 - 3 / 3.75]
    for fidelity in Fidelity.allCases {
      let made = try Self.times(.miniMaxH3, steps: 5, fidelity)
      #expect(made.count == 4 && zip(made, times).allSatisfy { abs($0 - $1) < 1e-7 })
    }
    #expect(try Self.times(.miniMaxH3, RunArguments(sigmas: [1, 0.5, 0])) == [0, 0.5])
  }

  @Test func `UnCLIP's steps go to the next timestep, and a told one must be that`() throws {
    #expect(try Self.times(.unCLIP, steps: 4) == [999, 666, 333, 0])
    #expect(try Self.refusal(.unCLIP, RunArguments(nextTimestep: 666), steps: 4) == ["", ""])
    #expect(try Self.refusal(.unCLIP, RunArguments(nextTimestep: 333, begin: 1), steps: 4) == ["", ""])
    for message in try Self.refusal(.unCLIP, RunArguments(nextTimestep: 998), steps: 4) {
      #expect(
        message
          == "prev_timestep 998 of UnCLIPScheduler.step is not supported: the first step goes to 666; leave it out")
    }
  }

  @Test func `Wuerstchen's times are shares of its process`() throws {
    #expect(try Self.times(.ddpmWuerstchen, steps: 4) == [1, 0.75, 0.5, 0.25])
    let level = try DiffusersConfiguration(.ddpmWuerstchen, [:]).plan(steps: 4).steps[2].query.level
    // cos(0.508/1.008·π/2)/cos(0.008/1.008·π/2), by hand.
    #expect(
      abs(level.signal - 0.7027400589411691) < 1e-9
        && abs(level.signal * level.signal + level.noise * level.noise - 1) < 1e-15)
    // The cosine of π/2 is held at ᾱ = 1e-4.
    let first = try DiffusersConfiguration(.ddpmWuerstchen, [:]).plan(steps: 4).steps[0].query.level
    #expect(abs(first.signal - 0.01) < 1e-17 && abs(first.noise - 0.9999.squareRoot()) < 1e-15)
  }

  @Test func `the last beta of CogVideoX's process may be 1`() throws {
    let configuration = try DiffusersConfiguration(
      .cogVideoXDDIM,
      [
        "trained_betas": [0.1, 0.5, 1.0], "num_train_timesteps": 3, "snr_shift_scale": 1,
        "prediction_type": "v_prediction",
      ])
    for fidelity in Fidelity.allCases { #expect(try configuration.plan(steps: 3, fidelity: fidelity).steps.count == 3) }
  }

  @Test func `what they do not take is refused with place, value and remedy`() throws {
    let cases: [(DiffusersConfiguration.Class, RunArguments, Int?, String)] = [
      (
        .scm, RunArguments(timesteps: [2, 0]), nil,
        "timesteps[0] 2 of SCMScheduler.step is not supported: it is an angle; it must be in 0 ... 1.5708"
      ),
      (
        .scm, RunArguments(firstAngle: 1.6), 2,
        "max_timesteps 1.6 of SCMScheduler.step is not supported: it is an angle; it must be in 0 ... 1.5708"
      ),
      (
        .scm, RunArguments(secondAngle: 1), 3,
        "intermediate_timesteps 1 of SCMScheduler.step is not supported: leave it out, or make 2 steps"
      ),
      (
        .scm, RunArguments(timesteps: [1, 0], firstAngle: 1), nil,
        "max_timesteps 1 of SCMScheduler.step is not supported: leave it out, or the timesteps"
      ),
      (
        .ddim, RunArguments(firstAngle: 1), 3,
        "max_timesteps 1 of DDIMScheduler.step is not supported: leave it out; only SCMScheduler takes it"
      ),
      (
        .ddpmWuerstchen, RunArguments(timesteps: [1.5, 0]), nil,
        "timesteps[0] 1.5 of DDPMWuerstchenScheduler.step is not supported: it must be in 0 ... 1"
      ),
      (
        .miniMaxH3, RunArguments(sigmas: [1, 0.5]), nil,
        "sigmas[1] 0.5 of MiniMaxH3Scheduler.step is not supported: the last must be 0"
      ),
      (
        .miniMaxH3, RunArguments(sigmas: [0.5, 1, 0]), nil,
        "sigmas[0] 0.5 of MiniMaxH3Scheduler.step is not supported: it must be above the next"
      ),
      (.miniMaxH3, RunArguments(), 1, "1 steps of MiniMaxH3Scheduler: the end is one of them; make 2 or more"),
    ]
    for (schedulerClass, arguments, steps, message) in cases {
      let made = try Self.refusal(schedulerClass, arguments, steps: steps)
      #expect(made == [message, message], "\(made)")
    }
    let one = try DiffusersConfiguration(.unCLIP, [:])
    #expect(throws: ConfigurationError.self) { try one.plan(steps: 1, fidelity: .diffusers) }
    #expect(try one.plan(steps: 1).steps.count == 1)
    let divided = try DiffusersConfiguration(.cogVideoXDDIM, ["snr_shift_scale": 0])
    for fidelity in Fidelity.allCases {
      #expect(
        "\(#expect(throws: ConfigurationError.self) { try divided.plan(steps: 4, fidelity: fidelity) }!)".contains(
          "snr_shift_scale"))
    }
  }

  @Test func `a sampler, a reading and a clipping of a file make its plan over a grid by hand`() throws {
    let configuration = try DiffusersConfiguration(
      .ddim, ["prediction_type": "v_prediction", "clip_sample_range": 2.0, "timestep_spacing": "trailing"])
    let grid = try SamplingGrid(configuration.schedule(), steps: 8, spacing: TimestepSpacing.trailing)
    let sampler = try configuration.sampler(steps: 8, with: RunArguments(eta: 0.5))
    #expect(try configuration.clipping() == .range(-2...2) && configuration.reading().name == Prediction.v.name)
    let plan = try sampler.plan(over: grid, predicting: .v, clipping: configuration.clipping())
    #expect(try plan == configuration.plan(steps: 8, with: RunArguments(eta: 0.5)))
  }

  @Test func `a divided schedule has a divided signal-to-noise ratio at every timestep`() throws {
    let schedule = try NoiseSchedule(.scaledLinear(), timesteps: 1000)
    let divided = try schedule.dividingSNR(by: 3)
    // Each table is within an ulp of its ᾱ's; their ratio is within four.
    #expect(zip(schedule.snr, divided.snr).allSatisfy { abs($0 / $1 / 3 - 1) <= 4 * 0x1p-52 })
    #expect(try schedule.dividingSNR(by: 1).alphaBars == schedule.alphaBars)
    for factor in [0, -1, Double.infinity, .nan] {
      #expect(throws: ScheduleError.self) { try schedule.dividingSNR(by: factor) }
    }
  }
}
