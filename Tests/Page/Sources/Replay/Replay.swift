import ExactDenoisers
import Foundation
import Schedulers

/// Makes the runs that the page recorded in a browser again, and says how far the page's ends are
/// from them: `swift run Replay RECORDS.json`.
@main struct Replay {
  /// How far the page may be from this library, relative to the largest number of a sample.
  static let tolerance = 1e-9

  static func main() throws {
    var worst = Record.Differences(plan: 0, start: 0, replayed: 0, own: 0)
    let records = try JSONDecoder().decode(
      [Record].self, from: Data(contentsOf: URL(filePath: CommandLine.arguments[1])))
    var isRight = true
    for record in records {
      guard record.refusal == nil else {
        let reason = try record.refused()
        if reason == record.refusal { continue }
        print("page: \(record.name) is refused with \"\(record.refusal!)\", in Swift \(reason ?? "not")")
        isRight = false
        continue
      }
      let result = try record.compare()
      if !result.numbers.allSatisfy({ $0 <= tolerance }) {
        print("page: \(record.name) is not Swift's to \(tolerance): \(result)")
        isRight = false
      }
      worst = worst.maximum(result)
    }
    if records.isEmpty || !isRight { exit(1) }
    print("page: \(records.count) runs are Swift's; at most off: \(worst)")
  }
}

/// A run of the page.
struct Record: Decodable {
  struct Settings: Decodable {
    var sampler: String, process: Int, spacing: Int, calls: Int, option: Double, prediction: Int, strength: Double
    var seed: UInt64, guide: Int, scale: Double, rescale: Double
  }
  struct Component: Decodable {
    var mean: [Double], variance: Double, weight: Double, label: Int
  }

  var name: String
  var settings: Settings
  var components: [Component]
  /// The numbers of the page's plan, in the order of `listed`.
  var plan: [Double]
  var start: [Double]
  var outputs: [[Double]]
  /// What the page added to each output, for a network that is not perfect.
  var errors: [[Double]]
  var noises: [[Double]]
  var end: [Double]
  /// Why there is no run.
  var refusal: String?
}

extension Record {
  /// The largest differences of the page from this library.
  struct Differences: CustomStringConvertible {
    /// Of the numbers of the plan, relative to the largest of their step.
    var plan: Double
    /// Of the noise that the run starts from.
    var start: Double
    /// Of the end, from the outputs of the page.
    var replayed: Double
    /// Of the end, from the outputs of `ExactDenoisers`.
    var own: Double

    var numbers: [Double] { [plan, start, replayed, own] }

    func maximum(_ other: Differences) -> Differences {
      Differences(
        plan: max(plan, other.plan), start: max(start, other.start), replayed: max(replayed, other.replayed),
        own: max(own, other.own))
    }

    var description: String {
      let names = ["plan", "start", "end by the page's outputs", "end by ExactDenoisers"]
      return zip(names, numbers).map { String(format: "\($0) %.1e", $1) }.joined(separator: ", ")
    }
  }

  /// What this library says against the plan; `nil` if it has one.
  func refused() throws -> String? {
    do { _ = try makePlan() } catch let error as PlanError { return "\(error)" } catch let error as GridError {
      return "\(error)"
    }
    return nil
  }

  func compare() throws -> Differences {
    let plan = try makePlan()
    let all = plan.steps.map(listed)
    let theirs = try split(self.plan, counts: all.map(\.count))
    let planned = zip(all, theirs).map { distance($0, $1) }.max() ?? .infinity

    var noise = GaussianNoise(seed: settings.seed)
    let z = noise.next(like: batch(start)).scalars
    let started = settings.strength < 1 ? 0 : distance(z.map { plan.initialScale * $0 }, start)

    var run = PlainRun(plan, from: start)
    for (output, noise) in zip(outputs, noises) { run.advance(output: output, noise: noise) }

    let model = try GaussianMixture<Double>.of(components)
    let guided =
      settings.guide < 0 ? nil : try GaussianMixture<Double>.of(components.filter { $0.label == settings.guide })
    var own = PlainRun(plan, from: start)
    for (i, step) in plan.steps.enumerated() {
      let output = zip(answer(model, guided, own.samples[0], step), errors[i]).map { $0 + $1 }
      own.advance(output: output, noise: noises[i])
    }
    return Differences(
      plan: planned, start: started, replayed: distance(run.samples[0], end), own: distance(own.samples[0], end))
  }

  private func makePlan() throws -> SamplingPlan {
    guard let entry = SamplerCatalog[settings.sampler] else { throw Unknown(name: settings.sampler) }
    var sampler = entry.sampler
    if var eta = sampler as? any EtaSampler {
      eta.eta = settings.option
      sampler = eta
    } else if var churn = sampler as? Churn<Heun> {
      churn.amount = settings.option
      sampler = churn
    }
    let edm = EDMPreconditioning(sigmaData: 1)
    let kinds: [Prediction] = [.epsilon, .x0, .v, .flow]
    func plan(_ steps: Int, strength: Double) throws -> SamplingPlan {
      let whole = try grid(process: settings.process, spacing: settings.spacing, steps: steps, edm: edm)
      let points = strength < 1 ? try whole.starting(strength: strength) : whole
      return settings.prediction < 4
        ? try sampler.plan(over: points, predicting: kinds[settings.prediction])
        : try sampler.plan(over: points, predicting: edm)
    }
    let steps = try mostSteps(calls: settings.calls) { try plan($0, strength: 1).steps.count }
    return try plan(steps, strength: settings.strength)
  }

  /// What the page's network answers, by the denoisers and the guides of this library.
  private func answer(
    _ model: GaussianMixture<Double>, _ conditional: GaussianMixture<Double>?, _ x: [Double], _ step: SamplingPlan.Step
  ) -> [Double] {
    func output(_ model: GaussianMixture<Double>) -> [Double] {
      zip(model.posteriorMean(of: x, at: step.query.level), x).map {
        ($0 - step.denoising.sample * $1) / step.denoising.output
      }
    }
    let plain = output(model)
    guard let conditional, settings.scale != 0 else { return plain }
    // One sample of all numbers: the page takes deviations over all samples.
    let with = SampleBatch(shape: [1, x.count], scalars: output(conditional))
    let query = SamplingPlan.Query(step.query)
    let guided = ClassifierFreeGuide(scale: settings.scale)(
      with, SampleBatch(shape: [1, x.count], scalars: plain), at: query)
    return guided.rescaled(like: with, by: settings.rescale).scalars
  }

  private func batch(_ numbers: [Double]) -> SampleBatch<Double> {
    SampleBatch(shape: [numbers.count / 2, 2], scalars: numbers)
  }

  private func distance(_ a: [Double], _ b: [Double]) -> Double {
    let largest = a.reduce(0) { max($0, abs($1)) }
    guard a.count == b.count, largest.isFinite else { return .infinity }
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / max(largest, 1e-300)
  }

  private func split(_ numbers: [Double], counts: [Int]) throws -> [[Double]] {
    guard numbers.count == counts.reduce(0, +) else { throw Unknown(name: "a plan of another shape") }
    var rest = numbers[...]
    return counts.map { count in
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
  }

  private func listed(_ step: SamplingPlan.Step) -> [Double] {
    let (level, next) = (step.query.level, step.next)
    return [
      level.signal, level.noise, step.arrival.signal, step.arrival.noise, step.denoising.sample, step.denoising.output,
    ]
      + [step.keeping.sample, step.keeping.output, next.made, next.predicted, next.output, next.noise] + next.samples
      + next.estimates
  }

  struct Unknown: Error { var name: String }
}

extension GaussianMixture<Double> {
  static func of(_ components: [Record.Component]) throws -> Self {
    try Self(
      components: components.map { try Gaussian(mean: $0.mean, covariance: [[$0.variance, 0], [0, $0.variance]]) },
      weights: components.map(\.weight))
  }
}
