import Schedulers
import SchedulersInterop
import Testing

@testable import SchedulersC

/// Runs on lent memory are held to `SamplingRun`, whose numbers the tests of the core hold to other
/// libraries.
struct BufferRunTests {
  /// Plans that use what a run has: every sampler, clipped and not, and every class as diffusers
  /// runs it.
  static let plans: [(name: String, plan: SamplingPlan)] = {
    let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)
    let grid = try! SamplingGrid(schedule, steps: 9, spacing: .trailing)
    let edited = [Clipping.none, .range(-1...1), .dynamic(ratio: 0.9, maximum: 3)]
    let samplers = SamplerCatalog.all.flatMap { entry in
      edited.compactMap { clipping in
        (try? entry.sampler.plan(over: grid, predicting: .v, clipping: clipping)).map {
          ("\(entry.name), \(clipping)", $0)
        }
      }
    }
    let classes = DiffusersConfiguration.Class.allCases.compactMap { schedulerClass in
      (try? DiffusersConfiguration(schedulerClass).plan(steps: 8, fidelity: .diffusers)).map {
        (schedulerClass.rawValue, $0)
      }
    }
    let learned = [Clipping.none, .range(-1...1)].map { clipping in
      let plan = try! DDPM(variance: .learnedRange).plan(over: grid, predicting: .epsilon, clipping: clipping)
      return ("ddpm, learned, \(clipping)", plan)
    }
    return samplers + classes + learned
  }()

  /// A network of sorts: any function of what it is given will do.
  private static func output<Scalar: SampleScalar>(_ x: [Scalar], _ step: Int, isDouble: Bool) -> [Scalar] {
    let first = x.enumerated().map { i, x in
      let wave = Double((i * 37 + step * 11) % 23) / 11 - 1
      return Scalar(0.3 * Double(x) + wave)
    }
    return isDouble ? first + first.map { Scalar(Double($0) * 0.25) } : first
  }

  /// Outputs lie sample after sample, each with its variance behind it.
  private static func outputs<Scalar: SampleScalar>(
    _ x: [Scalar], samples: Int, _ step: Int, learnsVariance: Bool
  ) -> [Scalar] {
    let size = x.count / samples
    return (0..<samples).flatMap { output(Array(x[$0 * size..<($0 + 1) * size]), step, isDouble: learnsVariance) }
  }

  /// Whether a run of Swift makes a step in the place of its sample, whose bits are then the same.
  private static func stepsInPlace(_ plan: SamplingPlan, _ step: Int) -> Bool {
    let earlier = (plan.steps[step].next.samples.count, plan.retention[step].samples)
    return earlier.0 <= 1 && earlier.1 == 0 && plan.steps.allSatisfy { $0.next.made == 0 }
  }

  private func compare<Scalar: SampleScalar>(
    _ name: String, _ plan: SamplingPlan, _: Scalar.Type, edits: Bool, movesOn: Bool
  ) throws {
    let (samples, size) = (3, 70)
    var noise = GaussianNoise(seed: 5)
    let start: SampleBatch<Scalar> = noise.next(like: SampleBatch(zeros: [samples, size]))
    var expected = SamplingRun(plan, from: start)
    var run = try #require(BufferRun<Scalar>(plan, samples: samples, size: size))
    var x = start.scalars
    var next = x
    var denoised = x
    for step in plan.steps.indices {
      if edits, step.isMultiple(of: 2) {
        for i in x.indices where i.isMultiple(of: 5) { x[i] += 0.125 }
        for i in x.indices where i.isMultiple(of: 5) { expected.sample.scalars[i] += 0.125 }
      }
      if step == plan.steps.count / 2 {
        // Saved, and gone on with by another run.
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: run.savedByteCount, alignment: 16)
        defer { bytes.deallocate() }
        run.save(to: bytes.baseAddress!)
        run = try #require(BufferRun<Scalar>(plan, samples: samples, size: size))
        #expect(run.restore(from: UnsafeRawBufferPointer(bytes)))
        run = try #require(run.copy())
      }
      let output = Self.outputs(x, samples: samples, step, learnsVariance: plan.learnsVariance)
      let drawn: SampleBatch<Scalar> = noise.next(like: start)
      let shape = plan.learnsVariance ? [samples, 2 * size] : [samples, size]
      expected.advance(output: SampleBatch(shape: shape, scalars: output), noise: drawn)
      x.withUnsafeMutableBufferPointer { x in
        next.withUnsafeMutableBufferPointer { next in
          denoised.withUnsafeMutableBufferPointer { denoised in
            run.advance(
              x.baseAddress!, to: movesOn ? next.baseAddress! : x.baseAddress!, output: output,
              noise: drawn.scalars, denoised: denoised.baseAddress!)
          }
        }
      }
      if movesOn { swap(&x, &next) }
      // A run of Swift that keeps earlier samples, or the sample as it was made, steps by
      // combinations. In place and by combinations the same sum is made in another order: some ten
      // terms of a size of about 10, each rounded to half an ulp of the largest.
      let sum = x.lazy.map { abs(Double($0)) }.max() ?? 0
      let tolerance = Self.stepsInPlace(plan, step) ? 0 : 16 * max(sum, 8) * Double(Scalar.ulpOfOne)
      for (a, b) in zip(x, expected.sample.scalars) {
        #expect(abs(Double(a) - Double(b)) <= tolerance, "\(name), step \(step): \(a), not \(b)")
        if abs(Double(a) - Double(b)) > tolerance { return }
      }
      for (a, b) in zip(denoised, expected.denoised!.scalars) where !(abs(Double(a) - Double(b)) <= tolerance) {
        Issue.record("\(name), step \(step): denoised \(a), not \(b)")
        return
      }
      // Half precision goes far from its own ways soon enough; each step is judged by itself.
      expected.sample.scalars = x
    }
    #expect(run.step == nil)
  }

  @Test("a run on lent memory is the run of a plan", arguments: plans.indices)
  func run(_ index: Int) throws {
    let (name, plan) = Self.plans[index]
    try compare(name, plan, Float.self, edits: false, movesOn: false)
    try compare(name, plan, Double.self, edits: false, movesOn: true)
    try compare(name, plan, Float.self, edits: true, movesOn: true)
    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
      try compare(name, plan, Float16.self, edits: false, movesOn: false)
    #endif
  }

  @Test("the list of plans has all that a run can be asked to keep")
  func plansAreAll() {
    #expect(Self.plans.count > 120)
    #expect(Self.plans.contains { $0.plan.learnsVariance })
    #expect(Self.plans.contains { $0.plan.steps.contains { $0.next.made != 0 } })
    #expect(Self.plans.contains { $0.plan.steps.contains { $0.next.samples.count > 2 } })
    #expect(Self.plans.contains { $0.plan.steps.contains { $0.next.estimates.count > 3 } })
  }

  @Test("the output's own part is that of its sample, where a variance lies between")
  func outputOfItsSample() throws {
    // x' = x̂0 clipped + F, over two samples whose outputs are followed by variances.
    let json = """
      {"format": "scheduler-plan/1", "start": {"signal": 0.6, "noise": 0.8}, "initialScale": 1, "learnsVariance": true,
       "clipping": {"kind": "range", "lower": -1, "upper": 1}, "steps": [{
         "timestep": 1, "inputScale": 1, "level": {"signal": 0.6, "noise": 0.8}, "arrival": {"signal": 1, "noise": 0},
         "denoised": {"sample": 0, "output": 4}, "estimate": {"sample": 0, "denoised": 1},
         "next": {"samples": [], "estimates": [1], "made": 0, "denoised": 0, "output": 1, "noise": 0},
         "variance": null}]}
      """
    let handle = try Handle.plan(json)
    let run = try Handle.run(handle, type: 1, samples: 2, size: 2)
    var x: [Double] = [0, 0, 0, 0]
    let output: [Double] = [0.125, 0.5, 9, 9, -0.125, -2, 9, 9]
    #expect(call { schedulersRunAdvance(run.pointer, &x, output, nil, nil, $0) }.status == 0)
    #expect(x == [0.625, 1.5, -0.625, -3])
    let batch = SampleBatch<Double>(shape: [2, 2], scalars: [0, 0, 0, 0])
    var swift = SamplingRun(try plan(handle), from: batch)
    swift.advance(output: SampleBatch(shape: [2, 4], scalars: output))
    #expect(swift.sample.scalars == x)
  }

  @Test("a state of another kind of run is refused, and nothing changes")
  func otherStates() throws {
    let plans = try ["dpm++2m", "unipc"].map { try Handle.plan("{\"sampler\": \"\($0)\", \"steps\": 6}") }
    let runs =
      try [(0, 1, 8), (1, 1, 8), (0, 2, 4), (0, 1, 4)].map { type, samples, size in
        try Handle.run(plans[0], type: type, samples: samples, size: size)
      } + [try Handle.run(plans[1], type: 0, samples: 1, size: 8)]
    var size = 0
    #expect(call { schedulersRunStateSize(runs[0].pointer, &size, $0) }.status == 0)
    let state = [UInt8](repeating: 0, count: size)
    var saved = state
    #expect(call { schedulersRunSave(runs[0].pointer, &saved, size, $0) }.status == 0)
    #expect(call { schedulersRunSave(runs[0].pointer, &saved, size - 1, $0) }.status == 1)
    #expect(call { schedulersRunRestore(runs[0].pointer, saved, size, $0) }.status == 0)
    for run in runs.dropFirst() { #expect(call { schedulersRunRestore(run.pointer, saved, size, $0) }.status == 1) }
    #expect(call { schedulersRunRestore(runs[0].pointer, saved, size - 8, $0) }.status == 1)
    #expect(call { schedulersRunRestore(runs[0].pointer, state, size, $0) }.status == 1)
    saved[0] = 200
    #expect(call { schedulersRunRestore(runs[0].pointer, saved, size, $0) }.status == 1)
  }

  @Test("a run goes to a step that needs nothing of those before it, and to no other")
  func seek() throws {
    let ddim = try Handle.plan("{\"sampler\": \"ddim\", \"steps\": 6}")
    let multistep = try Handle.plan("{\"sampler\": \"dpm++2m\", \"steps\": 6}")
    let (free, bound) = (
      try Handle.run(ddim, type: 1, samples: 1, size: 4), try Handle.run(multistep, type: 1, samples: 1, size: 4)
    )
    let (start, output): ([Double], [Double]) = ([1, 2, 3, 4], [0.5, -1, 0.25, 2])
    var (expected, x) = (start, start)
    #expect(call { schedulersRunSeek(free.pointer, 3, $0) }.status == 0)
    #expect(call { schedulersRunAdvance(free.pointer, &x, output, nil, nil, $0) }.status == 0)
    var swift = SamplingRun(try plan(ddim), from: start)
    for _ in 0..<3 { swift.advance(output: output) }
    swift.sample = start
    swift.advance(output: output)
    expected = swift.sample
    #expect(x == expected)
    #expect(call { schedulersRunSeek(bound.pointer, 3, $0) }.status == 4)
    #expect(call { schedulersRunSeek(bound.pointer, 0, $0) }.status == 0)
    #expect(call { schedulersRunSeek(free.pointer, 7, $0) }.status == 1)
    #expect(call { schedulersRunSeek(free.pointer, -1, $0) }.status == 1)
  }
}
