/// A run of a plan in the plainest way: what the numbers of a plan mean, line by line.
///
/// It works on bare numbers, keeps everything and folds nothing. Read this before `SamplingRun`,
/// which makes the same samples on any tensor, in one pass over no more memory than it needs.
///
/// ```swift
/// var run = PlainRun(plan, from: start)
/// while let query = run.query {
///   run.advance(output: network(run.input, query), noise: draw())
/// }
/// let image = run.samples[0]
/// ```
public struct PlainRun {
  /// What is being run.
  public let plan: SamplingPlan
  /// Every sample, newest first. The newest may be replaced before an evaluation.
  public var samples: [[Double]]
  /// Every estimate E, newest first.
  public private(set) var estimates: [[Double]] = []
  /// x̂0 of the last evaluation, after clipping.
  public private(set) var denoised: [Double]?
  /// x⁺, the newest sample as it was made.
  private var made: [Double]

  /// A run of a plan from a sample at the plan's start level.
  public init(_ plan: SamplingPlan, from sample: [Double]) { (self.plan, samples, made) = (plan, [sample], sample) }

  private var step: SamplingPlan.Step? { estimates.count < plan.steps.count ? plan.steps[estimates.count] : nil }
  /// What the network is told now; `nil` at the end.
  public var query: SamplingPlan.Query? { plan.query(estimates.count) }
  /// What the network is given now.
  public var input: [Double] { samples[0].map { (query?.inputScale ?? 1) * $0 } }

  /// Makes the next sample from the network's output F and standard normal noise z.
  ///
  /// - Parameters:
  ///   - output: as many numbers as the sample has, and as many again if the network learns its
  ///     variance.
  ///   - noise: as many numbers as the sample has, of no effect in a step that draws none.
  /// - Precondition: the run is not at its end.
  public mutating func advance(output: [Double], noise: [Double]) {
    guard let step else { stop("the run is at its end, after \(estimates.count) evaluations") }
    let (x, next) = (samples[0], step.next)
    let predicted = x.indices.map { step.denoising.sample * x[$0] + step.denoising.output * output[$0] }
    let clipped = predicted.clipped(by: plan.clipping)
    estimates.insert(x.indices.map { step.keeping.sample * x[$0] + step.keeping.output * clipped[$0] }, at: 0)
    denoised = clipped
    made = x.indices.map { i in
      var sum = next.made * made[i] + next.predicted * predicted[i] + next.output * output[i]
      for (ago, factor) in next.samples.enumerated() { sum += factor * samples[ago][i] }
      for (ago, factor) in next.estimates.enumerated() { sum += factor * estimates[ago][i] }
      if next.noise == 0 { return sum }
      // What the network says of the variance, in the second half of its output.
      let said = plan.learnsVariance ? output[x.count + i] : 0
      return sum + next.noise * (step.variance?.learnedDeviation(said) ?? 1) * noise[i]
    }
    samples.insert(made, at: 0)
  }
}

extension StepVariance {
  /// The root of the variance where the network says it, else 1: the step's factor of z has it.
  func learnedDeviation(_ said: Double) -> Double {
    switch self {
    case .fixed: 1
    case .learned(let logarithm): Math.exp((logarithm.offset + logarithm.slope * said) / 2)
    case .output: said.squareRoot()
    }
  }
}
