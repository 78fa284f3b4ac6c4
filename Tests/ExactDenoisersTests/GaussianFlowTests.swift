import Schedulers
import Testing

@testable import ExactDenoisers

@Suite struct GaussianFlowTests {
  static let gaussian = try! Gaussian<Double>(mean: normals(1, 3, seed: 1)[0], covariance: covariance(3, seed: 2))
  static let start = NoiseLevel.variancePreserving(sigma: 5)
  static let samples = batch(normals(4, 3, seed: 3))

  /// Sines and cosines without the C library's: (1 − t²)/(1 + t²) and 2t/(1 + t²).
  private static func level(_ t: Double) -> NoiseLevel {
    NoiseLevel(signal: (1 - t * t) / (1 + t * t), noise: 2 * t / (1 + t * t))
  }

  // The ODE with any parameter t is dx/dt = signal'(t)·x̂0 + noise'(t)·ε̂. A central difference over
  // ±h is wrong by h²/6·|x'''| and by rounding, about 8·2^-52·|x|/h. Along this path x moves by
  // √(signal²·λ + noise²), whose third derivative stays below 100 for 0.25 ≤ λ ≤ 16 and t ≤ 1,
  // times offsets below 10: 1e-8/6·1000 for h = 1e-4.
  @Test(arguments: [0.2, 0.5, 0.8, 1]) func satisfiesTheProbabilityFlowODE(t: Double) throws {
    let h = 1e-4
    let here = Self.gaussian.flow(Self.samples, from: Self.start, to: Self.level(t))
    let behind = Self.gaussian.flow(Self.samples, from: Self.start, to: Self.level(t - h))
    let x0 = Self.gaussian.output(for: here, at: Self.level(t), as: .x0)
    let epsilon = Self.gaussian.output(for: here, at: Self.level(t), as: .epsilon)
    let square = (1 + t * t) * (1 + t * t)
    let slope = SampleBatch.combination([(-4 * t / square, x0), (2 * (1 - t * t) / square, epsilon)])
    // At t = 1 the signal is 0, and beyond it there is no path: there the difference is one-sided,
    // of the same order.
    let difference: SampleBatch<Double>
    if t < 1 {
      let ahead = Self.gaussian.flow(Self.samples, from: Self.start, to: Self.level(t + h))
      difference = .combination([(0.5 / h, ahead), (-0.5 / h, behind)])
    } else {
      let further = Self.gaussian.flow(Self.samples, from: Self.start, to: Self.level(t - 2 * h))
      difference = .combination([(1.5 / h, here), (-2 / h, behind), (0.5 / h, further)])
    }
    #expect(distance(difference.values, slope.values) < 1e-5)
  }

  /// The library's Heun on N steps of equal ratio from sigma 5 to sigma 0.1.
  private func heun(steps: Int) throws -> SampleBatch<Double> {
    let points = (0...steps).map { i in
      let sigma = i == 0 ? 5 : 5 * Math.exp(Double(i) / Double(steps) * Math.log(0.02))
      return SamplingGrid.Point(timestep: Double(steps - i), level: .variancePreserving(sigma: sigma))
    }
    let plan = try Heun().plan(over: SamplingGrid(points: points), predicting: .x0)
    return Self.gaussian.sample(plan, from: Self.samples)
  }

  // Heun is of order 2: half the step, a quarter of the error. What is left at 1,024 steps is
  // bounded by that slope, starting from an error below 1 at 4 steps: (4/1024)² = 1.5e-5.
  @Test func isWhatHeunConvergesTo() throws {
    let exact = Self.gaussian.flow(Self.samples, from: Self.start, to: .variancePreserving(sigma: 0.1))
    let errors = try [256, 512, 1024].map { distance(try heun(steps: $0).values, exact.values) }
    for (coarse, fine) in zip(errors, errors.dropFirst()) {
      #expect(abs(Math.log(coarse / fine) / Math.log(2) - 2) < 0.1)
    }
    #expect(errors[2] < 1.5e-5)
  }

  // Samples at a level have the covariance signal²·Σ + noise²·I; the flow must turn one into the
  // other. So it carries the unit normals of pure noise to data: x0 = μ + Σ^½·z, and (x0 −
  // μ)ᵀ·Σ⁻¹·(x0 − μ) = |z|².
  @Test func carriesPureNoiseToTheDistributionOfTheData() throws {
    let sigma = [[2.0, 1], [1, 3]]
    let gaussian = try Gaussian<Double>(mean: [1, -1], covariance: sigma)
    let z = normals(10, 2, seed: 5)
    let x0 = gaussian.flow(batch(z), from: NoiseLevel(signal: 0, noise: 1), to: .clean)
    for (z, x) in zip(z, x0.rows) {
      let (a, b) = (x[0] - 1, x[1] + 1)
      let form = (3 * a * a - 2 * a * b + 2 * b * b) / 5
      // Ten or so roundings in x0, relative to |x0| < 1 + 2|z|, and twice that in its square.
      #expect(abs(form - dot(z, z)) < 40 * .ulpOfOne * (1 + 2 * dot(z, z).squareRoot()) * (1 + dot(z, z).squareRoot()))
    }
  }

  // Forth and back are six products of size 3; the way back to sigma 5 magnifies by less than √((λ
  // + 25)/λ) < 11.
  @Test(arguments: [NoiseLevel.clean, NoiseLevel(signal: 1, noise: 0.1), NoiseLevel(signal: 0, noise: 7)])
  func goesBackAlongTheSamePath(level: NoiseLevel) {
    let there = Self.gaussian.flow(Self.samples, from: Self.start, to: level)
    let back = Self.gaussian.flow(there, from: level, to: Self.start)
    let size = Self.samples.values.map(abs).max()! + Self.gaussian.mean.map(abs).max()!
    #expect(distance(back.values, Self.samples.values) < 11 * 6 * 3 * .ulpOfOne * size)
  }

  @Test func aDirectionWithoutVarianceIsDroppedWhereThereIsNoNoise() throws {
    let gaussian = try Gaussian<Double>(mean: [1, 1], covariance: [[4, 0], [0, 0]])
    let noisy = gaussian.flow(batch([[3, 1 + 1e-16], [1, 2]]), from: .clean, to: NoiseLevel(signal: 1, noise: 1))
    // √5/2 times the offset of 2; and of 0.
    #expect(distance(noisy.values, [1 + Double(5).squareRoot(), 1, 1, 1]) < 4 * .ulpOfOne)
  }
}
