import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// guided-diffusion's training losses with torch's gradients, and its bounds, in float64.
///
/// Tolerance: δ is the relative error of a coefficient, as for its distributions. x̂0 = a·x + b·F,
/// of terms of at most 5 in size, differs by 5δ(|a| + |b|), and the mean, c·x̂0 + d·x, by e =
/// 10δ(c(|a| + |b|) + d). With s = e/deviation, a divergence K in nats has (Δ/deviation)² ≤ 2K, so
/// that it differs by √(2K)·s + s², and by 16δ(1 + K) for its logarithms. Where L_0 is read off
/// tanh, no probability is below 1e-6, which the recipe asserts, and each is a difference of two
/// numbers below 1: 16u·1e6, and s times its slope, below 16/deviation of the bin's half width and
/// so below 40 for probabilities above 1e-6.
@Suite struct GuidedLossTests {
  private static let file = Result { try Safetensors("guided-losses.safetensors") }

  private let golden: Safetensors
  private let schedule: NoiseSchedule
  private let delta: Double
  private let x0: SampleBatch<Double>

  init() throws {
    golden = try Self.file.get()
    schedule = try NoiseSchedule(betas: golden.doubles("betas"))
    delta = 32 * unit / schedule.oneMinusAlphaBars[0]
    x0 = SampleBatch(shape: try golden.shape("x0"), scalars: try golden.doubles("x0"))
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let mean: String
    let prediction: Prediction
    let name: String
    let variance: Variance
    var testDescription: String { "\(mean)/\(name)" }
  }

  static let cases: [Case] = [("epsilon", Prediction.epsilon), ("start_x", .x0), ("previous_x", .previous)].flatMap {
    mean, prediction in
    [
      ("fixed_small", Variance.fixedSmall), ("fixed_large", .fixedLarge), ("learned", .learned),
      ("learned_range", .learnedRange),
    ].map {
      Case(mean: mean, prediction: prediction, name: $0, variance: $1)
    }
  }

  private func part(_ k: Int, of name: String) throws -> SampleBatch<Double> {
    let shape = Array(try golden.shape(name).dropFirst())
    let count = shape.reduce(1, *)
    return SampleBatch(shape: shape, scalars: Array(try golden.doubles(name)[k * count..<(k + 1) * count]))
  }

  /// Entry 0 is for the batch with a timestep for each sample, entry 1 + t for timestep t.
  private func output(_ k: Int, of item: Case) throws -> SampleBatch<Double> {
    let both = try part(k, of: "outputs/\(item.mean)")
    guard item.variance.isLearned else { return both.halves()!.first }
    guard item.variance == .learned else { return both }
    let size = both.sampleSize
    return SampleBatch(
      shape: both.shape, scalars: both.scalars.enumerated().map { i, v in i % size < size / 2 ? v : v - 3 })
  }

  /// s of a timestep, with the largest deviation of the noise that an output may say.
  private func slip(_ step: ReverseProcess.Step, deviation: Double) -> Double {
    let size = abs(step.denoising.sample) + abs(step.denoising.output)
    return 10 * delta * (abs(step.mean.output) * size + abs(step.mean.sample)) / deviation
  }

  /// The tolerance of L_t in bits per dimension.
  private func tolerance(_ bits: Double, at t: Int, _ step: ReverseProcess.Step, said: [Double]) -> Double {
    let nats = bits * 0.6931471805599453
    let s = slip(step, deviation: smallestDeviation(step, said: said))
    if t == 0 { return (16e6 * unit + 40 * s + 16 * delta * (1 + nats)) / 0.6931471805599453 }
    return ((2 * nats).squareRoot() * s + s * s + 16 * delta * (1 + nats)) / 0.6931471805599453
  }

  private func smallestDeviation(_ step: ReverseProcess.Step, said: [Double]) -> Double {
    exp((step.logVariance.offset + (said.map { step.logVariance.slope * $0 }.min() ?? 0)) / 2)
  }

  @Test(arguments: cases, [TrainingLoss.Kind.mse, .rescaledMSE, .kl, .rescaledKL])
  func `the loss and its gradient are the reference's`(item: Case, kind: TrainingLoss.Kind) throws {
    let name =
      "loss/\(item.mean)/\(item.name)/"
      + ["mse", "rescaled_mse", "kl", "rescaled_kl"][TrainingLoss.Kind.allCases.firstIndex(of: kind)!]
    let timesteps = try golden.integers("timesteps")
    let loss = try TrainingLoss(
      schedule, predicting: item.prediction, variance: item.variance, kind: kind,
      likelihood: DiscretizedGaussian(cdf: .tanh))
    let (epsilon, output) = (try part(0, of: "noise"), try output(0, of: item))
    let sample = schedule.mix(x0, with: epsilon, at: timesteps)
    let value = try loss(output: output, x0: x0, epsilon: epsilon, sample: sample, timesteps: timesteps)

    let (losses, gradient) = (try golden.doubles("\(name).loss"), try golden.doubles("\(name).gradient"))
    let hasBound = kind == .kl || kind == .rescaledKL || item.variance.isLearned
    let squares = kind == .mse || kind == .rescaledMSE ? try golden.doubles("\(name).mse") : [0, 0, 0]
    let bounds =
      !hasBound ? [0, 0, 0] : kind == .mse || kind == .rescaledMSE ? try golden.doubles("\(name).vb") : losses
    let scale: Double = kind == .rescaledKL ? 9 : kind == .rescaledMSE ? 0.009 : 1
    #expect(value.gradient.shape == output.shape)
    for (n, t) in timesteps.enumerated() {
      let objective = loss[t]
      let stride = output.sampleSize
      let said = item.variance.isLearned ? Array(output.scalars[n * stride + stride / 2..<(n + 1) * stride]) : []
      let ofBound = scale * tolerance(bounds[n] / scale, at: t, objective.step, said: said)
      // A squared error of terms of at most 5, each with δ.
      let ofSquares = 100 * delta
      #expect(abs(value.squaredErrors[n] - squares[n]) <= ofSquares, "\(name).mse[\(n)]")
      #expect(
        abs(value.bounds[n] - bounds[n]) <= ofBound, "\(name).vb[\(n)]: \(value.bounds[n]), \(bounds[n]), \(ofBound)")
      #expect(abs(value.losses[n] - losses[n]) <= ofSquares + ofBound, "\(name).loss[\(n)]")

      // The gradient is of the mean of three losses here, and of their sum there.
      let deviation = smallestDeviation(objective.step, said: said)
      let s = slip(objective.step, deviation: deviation)
      let through = abs(objective.step.mean.output * objective.step.denoising.output) / deviation
      let factor = objective.factor / 12
      for k in 0..<stride {
        let (own, expected) = (3 * value.gradient.scalars[n * stride + k], gradient[n * stride + k])
        // Relative for its coefficients; for the mean's slip, (Δ/deviation²)·c·b moves by
        // s/deviation·c·b, and (Δ/deviation)², which is at most 2(|g| + 1)·size/slope + e^d + 1, by
        // √ of it times 2s. At t = 0 a density near 40 of a probability above 1e-6 on top.
        let spread = exp(objective.step.posteriorLogVariance) / (deviation * deviation)
        let slope = max(abs(objective.step.logVariance.slope), 1e-30)
        let square = 2 * (abs(expected) / max(factor * slope, 1e-300) + 1) + spread
        let isVariance = k >= stride / 2 && item.variance.isLearned
        var allowed = 64 * delta * (abs(expected) + 1)
        if hasBound {
          allowed +=
            factor * (isVariance ? slope * (square.squareRoot() * s + s * s + 16 * delta * (1 + spread)) : through * s)
          if t == 0 { allowed += factor * (isVariance ? slope : through) * (16e6 * unit + 40 * s) * 40 }
        }
        #expect(
          abs(own - expected) <= allowed, "\(name).gradient[\(n), \(k)]: \(own), \(expected), tolerance \(allowed)")
      }
    }
    #expect(isClose(value.total, value.losses.reduce(0, +) / 3, relative: 4 * unit))
    Comparisons.count(losses.count * 3 + gradient.count)
  }

  @Test(arguments: cases, [false, true]) func `the bound of a batch is the reference's`(item: Case, clips: Bool) throws
  {
    if item.prediction == .previous, clips { return }
    let name = "bound/\(item.mean)/\(item.name)/\(clips ? "range" : "none")"
    let process = try ReverseProcess(
      schedule, predicting: item.prediction, variance: item.variance, clipping: clips ? .range(-1...1) : .none)
    var run = BitsPerDimension(VariationalBound(process, likelihood: DiscretizedGaussian(cdf: .tanh)), of: x0)
    var noise = Recorded(draws: try (0..<9).reversed().map { try part($0, of: "noise").scalars })
    let (vb, x0Errors) = (try golden.doubles("\(name).vb"), try golden.doubles("\(name).xstart_mse"))
    let (epsilonErrors, totals) = (try golden.doubles("\(name).mse"), try golden.doubles("\(name).total_bpd"))
    var allowedTotal = [0.0, 0, 0]
    for (column, t) in (0..<9).reversed().enumerated() {
      #expect(run.query?.timestep == Double(t))
      _ = run.sample(using: &noise)
      let output = try output(1 + t, of: item)
      let term = try run.advance(output: output)
      let step = process.steps[t]
      for n in 0..<3 {
        let at = n * 9 + column
        let stride = output.sampleSize
        let said = item.variance.isLearned ? Array(output.scalars[n * stride + stride / 2..<(n + 1) * stride]) : []
        let allowed = tolerance(vb[at], at: t, step, said: said)
        allowedTotal[n] += allowed
        #expect(
          abs(term.bound[n] - vb[at]) <= allowed, "\(name).vb[\(n), \(t)]: \(term.bound[n]), \(vb[at]), \(allowed)")
        // Errors of at most |a|·5 + |b|·5 + 1, squared.
        let size = 5 * (abs(step.denoising.sample) + abs(step.denoising.output)) + 1
        #expect(abs(term.x0Error[n] - x0Errors[at]) <= 2 * delta * size * size, "\(name).xstart_mse[\(n), \(t)]")
        let ofEpsilon = size * step.level.signal / step.level.noise + 5 / step.level.noise
        #expect(
          abs(term.epsilonError[n] - epsilonErrors[at]) <= 2 * delta * ofEpsilon * ofEpsilon, "\(name).mse[\(n), \(t)]")
      }
      Comparisons.count(9)
    }
    #expect(run.query == nil)
    for (n, prior) in try golden.doubles("\(name).prior_bpd").enumerated() {
      // A log variance near 0, and a mean squared.
      #expect(abs(run.prior[n] - prior) <= 4 * delta)
      #expect(abs(run.total[n] - totals[n]) <= allowedTotal[n] + 5 * delta)
    }
    Comparisons.count(6)
  }
}

/// A source that gives what was recorded.
private struct Recorded: NoiseSource {
  var draws: [[Double]]

  mutating func next<Tensor: ScalarTensor>(like other: Tensor) -> Tensor {
    Tensor(scalars: draws.removeFirst().map { Tensor.Scalar($0) }, like: other)
  }
}
