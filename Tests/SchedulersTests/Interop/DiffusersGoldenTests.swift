import Fixtures
import Foundation
import Schedulers
import SchedulersInterop
import Testing

/// Random configurations, as diffusers 0.42.1 follows them. `Fixtures/recipes/configurations.py`
/// made them.
@Suite struct DiffusersGoldenTests {
  struct Case: Decodable {
    let config: DiffusersConfiguration
    let steps: Int
    let arguments: RunArguments?
    let tables: String?
    let timesteps: String?
    let sigmas: String?
    let scale: Double?
    let raw: [Float]?
    let told: [Double]?
  }

  private static func cases(_ name: String) throws -> [Case] {
    try DiffusersConfiguration.decoder.decode([Case].self, from: Fixtures.data(name))
  }

  /// FNV-1a over the bits, as the recipe computes it.
  private static func checksum(_ values: [Float]) -> String {
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for value in values { digest = (digest ^ UInt64(value.bitPattern)) &* 0x100_0000_01b3 }
    return String(digest, radix: 16)
  }

  /// diffusers repeats Heun's inner sigmas.
  private static func repeated(_ sigmas: [Float], for configuration: DiffusersConfiguration) -> [Float] {
    guard [.heunDiscrete, .flowMatchHeunDiscrete].contains(configuration.schedulerClass) else { return sigmas }
    return sigmas.prefix(1) + sigmas.dropFirst().dropLast().flatMap { [$0, $0] } + sigmas.suffix(1)
  }

  @Test func `tables, sigmas and timesteps are diffusers', bit for bit`() throws {
    var found: [DiffusersConfiguration.Class: Int] = [:]
    for (i, golden) in try Self.cases("diffusers-configurations.json").enumerated() {
      let configuration = golden.config
      let label = Comment(rawValue: "case \(i): \(golden.steps) steps of \(configuration.json)")
      if let checksum = golden.tables {
        let tables = try configuration.tables()
        #expect(Self.checksum(tables.betas + tables.alphaBars) == checksum, label)
        Comparisons.count(tables.betas.count * 2)
      }
      found[configuration.schedulerClass, default: 0] += 1
      guard golden.timesteps != nil else { continue }
      let timesteps = try configuration.timesteps(steps: golden.steps, fidelity: .diffusers)
      #expect(Self.checksum(timesteps.map { Float($0) }) == golden.timesteps, label)
      let sigmas = Self.repeated(try configuration.sigmas(steps: golden.steps), for: configuration)
      #expect(sigmas.isEmpty ? golden.sigmas == nil : Self.checksum(sigmas) == golden.sigmas, label)
      Comparisons.count(timesteps.count + sigmas.count)
      if let raw = golden.raw {
        // torch's own square root is at most 0.75 ulp off, and moves a float32 by at most one. In
        // the spacings its error is carried on.
        let above = sigmas.filter { $0 > 0 }
        for (own, theirs) in zip([above[0], above[above.count / 2], above[above.count - 1]], raw) {
          #expect(abs(own - theirs) <= 2 * theirs.ulp, label)
        }
      }
    }
    #expect(DiffusersConfiguration.Class.allCases.allSatisfy { found[$0] ?? 0 >= 24 })
  }

  @Test func `the first noise is scaled as diffusers scales it`() throws {
    var compared = 0
    for golden in try Self.cases("diffusers-configurations.json") {
      guard let scale = golden.scale, let plan = try? golden.config.plan(steps: golden.steps, fidelity: .diffusers)
      else {
        continue
      }
      // One rounding of σ² + 1 and one of its root.
      #expect(
        isClose(plan.initialScale, scale, relative: 2 * 0x1p-24), "\(golden.steps) steps of \(golden.config.json)")
      compared += 1
    }
    #expect(compared > 400)
  }

  /// Each step from the recorded sample. What differs is float32's rounding in diffusers: a step
  /// has about 10 operations on numbers up to 8 times the largest sample (Heun's derivative times
  /// dt the most), 80·2⁻²⁴ = 4.8·10⁻⁶; twice that is allowed. Steps in epsilon multiply the sample
  /// by signal'/signal, and take most of it away again. Coefficients of solvers are differences of
  /// integrals; what float32 leaves uncertain of them is allowed besides.
  @Test func `steps are diffusers'`() throws {
    let tensors = try Safetensors("diffusers-steps.safetensors")
    for (i, golden) in try Self.cases("diffusers-steps.json").enumerated() {
      let label = Comment(rawValue: "case \(i): \(golden.steps) steps of \(golden.config.json)")
      let plan = try golden.config.plan(
        steps: golden.steps, fidelity: .diffusers, with: golden.arguments ?? RunArguments())
      // Those between two timesteps go through two logarithms of up to 16 in float32, 2⁻²⁰ off
      // each, and 2⁻⁸ for each timestep.
      let told = zip(golden.told ?? [], plan.steps).allSatisfy {
        abs($0 - $1.query.timestep) <= 0x1p-11 + 1e-6 * abs($0)
      }
      #expect(told && (golden.told ?? []).count <= plan.steps.count, label)
      let timesteps = try golden.config.timesteps(
        steps: golden.steps, fidelity: .diffusers, with: golden.arguments ?? RunArguments())
      let isPlans = zip(timesteps, plan.steps).allSatisfy { isClose($0, $1.query.timestep, relative: 0x1p-21) }
      #expect(isPlans && timesteps.count == plan.steps.count, label)
      if golden.arguments?.sigmas != nil { #expect(timesteps == golden.told, label) }
      func batches(_ name: String) throws -> [SampleBatch<Double>] {
        let shape = Array(try tensors.shape("\(i).\(name)").dropFirst())
        let size = shape.reduce(1, *)
        let scalars = try tensors.floats("\(i).\(name)").map { Double($0) }
        return stride(from: 0, to: scalars.count, by: size).map { start in
          SampleBatch(shape: shape, scalars: Array(scalars[start..<start + size]))
        }
      }
      let (samples, outputs, noises) = (try batches("samples"), try batches("outputs"), try batches("noises"))
      let made = tensors.names.contains("\(i).made") ? try batches("made") : Array(samples.dropFirst())
      try #require(plan.steps.count == outputs.count, label)
      /// What a plan makes in a step of what was recorded before it.
      func result(of step: Int, by plan: SamplingPlan) -> [Double] {
        var run = SamplingRun(plan, from: samples[0])
        for k in 0...step {
          if k > 0 { run.replace(samples[k], made: made[k - 1]) }
          run.advance(output: outputs[k], noise: noises[k])
        }
        return run.sample.scalars
      }
      let roundings = try golden.config.roundings(steps: golden.steps, with: golden.arguments ?? RunArguments())
      var run = SamplingRun(plan, from: samples[0])
      for k in outputs.indices {
        if k > 0 { run.replace(samples[k], made: made[k - 1]) }
        run.advance(output: outputs[k], noise: noises[k])
        let uncertainty = try (roundings.isEmpty ? [] : roundings[k]).reduce(0) { sum, rounding in
          let form = try plan.replacing(k, with: rounding.form)
          return sum + rounding.bound * result(of: k, by: form).reduce(0) { max($0, abs($1)) }
        }
        // diffusers makes Heun's second sample from the one before, which can be much larger, with
        // a slope whose error grows as sigma falls.
        let isHeun = [.heunDiscrete, .flowMatchHeunDiscrete].contains(golden.config.schedulerClass)
        let isSecond = k > 0 && plan.steps[k].next.estimates.count > 1 && isHeun
        let amplified = max(1, abs(plan.steps[k].next.samples.first ?? 0))
        let growth = isSecond ? plan.steps[k - 1].query.level.sigma / plan.steps[k].query.level.sigma : amplified
        let around = samples[max(0, k - 1)...k + 1] + [made[k]]
        let scale = growth * around.flatMap(\.scalars).reduce(1) { max($0, abs($1)) }
        let difference = zip(run.sample.scalars, made[k].scalars).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(difference <= 1e-5 * scale + uncertainty, label)
      }
      Comparisons.count(outputs.count * samples[0].scalars.count)
    }
  }
}

extension SamplingPlan {
  /// The plan with another line for one step.
  fileprivate func replacing(_ index: Int, with next: LinearForm) throws -> SamplingPlan {
    var steps = steps
    let step = steps[index]
    steps[index] = Step(
      query: step.query, arrival: step.arrival, denoising: step.denoising, keeping: step.keeping, next: next,
      variance: nil)
    return try SamplingPlan(steps: steps, start: start, clipping: clipping, learnsVariance: learnsVariance)
  }
}

extension DiffusersConfiguration {
  /// A decoder that reads what Python writes.
  static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return decoder
  }

  /// A configuration from JSON text.
  static func reading(_ text: String) throws -> DiffusersConfiguration {
    try decoder.decode(DiffusersConfiguration.self, from: Data(text.utf8))
  }
}
