import Foundation
import Schedulers
import SchedulersFixtures
import Testing

/// guided-diffusion's distributions with a timestep for each sample, and its steps with learned
/// variance and a classifier, in float64.
///
/// Tolerance: the reference's ᾱ_t has a relative error of 2(t + 1)u, its 1 − ᾱ_t therefore one of
/// at most f = 2u/(1 − ᾱ_0), that of t = 0. A coefficient is a product or a quotient of at most
/// four of these and eight rounded operations on either side: δ = 16f is the relative error of each
/// term, and the sum of a step's terms in size, times δ, is what the step adds to an error that it
/// carries along.
@Suite struct GuidedProcessTests {
  private static let file = Result { try Safetensors("guided-process.safetensors") }

  private let golden: Safetensors
  private let schedule: NoiseSchedule
  private let delta: Double
  private let shape: [Int]

  init() throws {
    golden = try Self.file.get()
    schedule = try NoiseSchedule(betas: golden.doubles("betas"))
    delta = 32 * unit / schedule.oneMinusAlphaBars[0]
    shape = try golden.shape("x0")
  }

  private static let variances: [(name: String, variance: Variance)] = [
    ("fixed_small", .fixedSmall), ("fixed_large", .fixedLarge), ("learned", .learned), ("learned_range", .learnedRange),
  ]
  static let cases: [Case] = variances.flatMap { name, variance in
    [("epsilon", Prediction.epsilon), ("start_x", .x0), ("previous_x", .previous)].flatMap { mean, prediction in
      [false, true].map {
        Case(name: "\(mean)/\(name)/\($0 ? "range" : "none")", prediction: prediction, variance: variance, clips: $0)
      }
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let prediction: Prediction
    let variance: Variance
    let clips: Bool
    var clipping: Clipping { clips ? .range(-1...1) : .none }
    var testDescription: String { name }
  }

  private func tensor(_ name: String) throws -> SampleBatch<Double> {
    SampleBatch(shape: try golden.shape(name), scalars: try golden.doubles(name))
  }

  /// One call's part of a recorded array, with the learned log variance that the recipe puts around
  /// −3.
  private func call(_ k: Int, of name: String, variance: Variance = .learnedRange) throws -> SampleBatch<Double> {
    let shape = Array(try golden.shape(name).dropFirst())
    let count = shape.reduce(1, *)
    let part = SampleBatch(shape: shape, scalars: Array(try golden.doubles(name)[k * count..<(k + 1) * count]))
    guard name == "outputs" else { return part }
    guard variance.isLearned else { return part.halves()!.first }
    guard variance == .learned else { return part }
    let size = part.sampleSize
    return SampleBatch(shape: shape, scalars: part.scalars.enumerated().map { i, v in i % size < size / 2 ? v : v - 3 })
  }

  private func expect(_ values: [Double], equal name: String, within tolerance: Double) throws {
    let expected = try golden.doubles(name)
    #expect(values.count == expected.count)
    let differences = zip(values, expected).map { $0 == $1 ? 0 : abs($0 - $1) }
    let worst = differences.indices.max { differences[$0] < differences[$1] }!
    Comparisons.count(values.count)
    #expect(
      differences[worst] <= tolerance,
      """
      \(name)[\(worst)]: \(values[worst]) here, \(expected[worst]) there, off by \(differences[worst]), \
      allowed \(tolerance)
      """
    )
  }

  @Test func `forward and posterior moments are the reference's, with a timestep for each sample`() throws {
    let (x0, noisy) = (try tensor("x0"), try tensor("moments/sample"))
    let timesteps = try golden.integers("moments/timesteps")
    let mixed = schedule.mix(x0, with: try call(0, of: "noise"), at: timesteps)
    // Data and noise of at most 1 and 4 in size.
    try expect(mixed.scalars, equal: "moments/sample", within: 5 * delta)
    for (name, moments) in [
      ("forward", schedule.forward(from: x0, at: timesteps)),
      ("posterior", schedule.posterior(of: x0, given: noisy, at: timesteps)),
    ] {
      func spread(_ values: [Double]) -> [Double] { values.flatMap { Array(repeating: $0, count: x0.sampleSize) } }
      try expect(moments.mean.scalars, equal: "moments/\(name).mean", within: 5 * delta)
      try expect(spread(moments.variance), equal: "moments/\(name).variance", within: delta)
      // A relative error of a variance is an absolute one of its logarithm.
      try expect(spread(moments.logVariance), equal: "moments/\(name).log_variance", within: delta)
    }
  }

  @Test(arguments: cases) func `the reverse distribution is the reference's`(of item: Case) throws {
    let process = try ReverseProcess(
      schedule, predicting: item.prediction, variance: item.variance, clipping: item.clipping)
    let sample = try tensor("moments/sample")
    let output = try call(0, of: "outputs", variance: item.variance)
    let p = try process.distribution(output: output, sample: sample, timesteps: golden.integers("moments/timesteps"))
    let largest = process.steps.map { abs($0.denoising.sample) + abs($0.denoising.output) }.max()!
    let size = 4 * largest
    try expect(p.denoised.scalars, equal: "reverse/\(item.name).pred_xstart", within: delta * size)
    // There, a network that predicts the previous sample is its own mean, clipped or not.
    if !(item.prediction == .previous && item.clips) {
      // Once for x̂0's error, at most as large again in the mean, and once for its own.
      try expect(p.mean.scalars, equal: "reverse/\(item.name).mean", within: 2 * delta * size)
    }
    // Logarithms of up to 12 in size, times places of up to 4 between them.
    try expect(p.logVariance.scalars, equal: "reverse/\(item.name).log_variance", within: 8 * delta)
    let variances = try golden.doubles("reverse/\(item.name).variance")
    // Fixed small variance at t = 0 is 0 there, and its logarithm that of t = 1; here the two
    // belong together.
    let belonging =
      try item.variance == .fixedSmall ? golden.doubles("reverse/\(item.name).log_variance").map { exp($0) } : variances
    for (value, expected) in zip(p.variance.scalars, belonging) {
      #expect(isClose(value, expected, relative: 9 * delta))
    }
  }

  @Test func `x0 is transformed before it is clipped`() throws {
    let process = try ReverseProcess(schedule, predicting: .epsilon, variance: .fixedSmall, clipping: .range(-1...1))
    let transform = { (x: SampleBatch<Double>) in
      SampleBatch(shape: x.shape, scalars: x.scalars.map { 0.9 * $0 + 0.05 })
    }
    let p = try process.distribution(
      output: call(0, of: "outputs", variance: .fixedSmall), sample: tensor("moments/sample"),
      timesteps: golden.integers("moments/timesteps"), transform: transform)
    try expect(p.denoised.scalars, equal: "reverse/transformed.pred_xstart", within: 4 * 200 * delta)
    try expect(p.mean.scalars, equal: "reverse/transformed.mean", within: 8 * 200 * delta)
    try run(
      "sample/transformed", DDPM(), predicting: .epsilon, variance: .fixedSmall, clips: true, transform: transform)
  }

  @Test(arguments: cases.filter { $0.variance.isLearned && $0.prediction != .previous })
  func `p_sample with a learned variance is the reference's`(of item: Case) throws {
    try run(
      "sample/\(item.name)", DDPM(variance: item.variance), predicting: item.prediction, variance: item.variance,
      clips: item.clips)
  }

  @Test(arguments: cases.filter { $0.prediction == .epsilon })
  func `p_sample guided by a classifier is the reference's`(of item: Case) throws {
    try run(
      "guided/\(item.name)", DDPM(variance: item.variance), predicting: .epsilon, variance: item.variance,
      clips: item.clips,
      guidance: { .mean($0) })
  }

  @Test(arguments: cases.filter { [.fixedSmall, .learnedRange].contains($0.variance) && $0.prediction != .previous })
  func `ddim_sample guided by a classifier is the reference's`(of item: Case) throws {
    try run(
      "ddim/guided/\(item.name)", DDIM(eta: 0.5), predicting: item.prediction, variance: item.variance,
      clips: item.clips,
      guidance: { .score($0) })
  }

  /// Runs a plan from noise[0] with the recorded outputs, and compares every sample.
  private func run(
    _ name: String, _ sampler: some Sampler, predicting prediction: Prediction, variance: Variance, clips: Bool,
    guidance: ((SampleBatch<Double>) -> ClassifierGuidance<SampleBatch<Double>>)? = nil,
    transform: ((SampleBatch<Double>) -> SampleBatch<Double>)? = nil
  ) throws {
    let grid = try SamplingGrid(schedule, timesteps: Array((0..<schedule.timesteps).reversed()))
    let plan = try sampler.plan(
      over: grid, predicting: prediction, clipping: clips ? .range(-1...1) : .none, learnsVariance: variance.isLearned)
    let expected = try golden.doubles("\(name).samples")
    var run = SamplingRun(plan, from: try call(0, of: "noise"))
    let count = run.sample.scalars.count
    var error = 0.0
    var worst = (ratio: 1.0, text: "")
    for (k, step) in plan.steps.enumerated() {
      let (x, output) = (run.sample, try call(k, of: "outputs", variance: variance))
      let (noise, gradient) = (try call(k, of: "noise"), try call(k, of: "gradients"))
      run.advance(output: output, noise: noise, guidance: guidance?(gradient), transform: transform)

      func largest(_ tensor: SampleBatch<Double>) -> Double { tensor.scalars.map(abs).max()! }
      let factor = abs((step.next.estimates.first ?? 0) * step.keeping.output)
      let x0 = abs(step.denoising.sample) * largest(x) + abs(step.denoising.output) * largest(output)
      var terms = abs(step.next.samples.first ?? 0) * largest(x) + factor * x0
      if case .score = guidance?(gradient) {
        let shift = step.query.level.noise * step.query.level.noise / step.query.level.signal
        terms += factor * shift * largest(gradient)
      }
      // A deviation or a variance of at most 1, as β is.
      terms += largest(noise) + largest(gradient)
      error = (abs(step.next.samples.first ?? 0) + factor * abs(step.denoising.sample)) * error + delta * terms
      for i in 0..<count {
        let difference = abs(run.sample.scalars[i] - expected[k * count + i])
        if !(difference <= error * worst.ratio) {
          worst = (difference / error, "\(name), step \(k), element \(i): off by \(difference), tolerance \(error)")
        }
      }
      Comparisons.count(count)
    }
    #expect(worst.text.isEmpty, "\(worst.text)")
  }
}
