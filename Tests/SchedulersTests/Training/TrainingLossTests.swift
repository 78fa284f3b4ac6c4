import Schedulers
import Testing

@Suite struct TrainingLossTests {
  private let schedule = try! NoiseSchedule(.cosine(), timesteps: 40)
  private let x0 = SampleBatch(shape: [2, 1, 3], scalars: [-1, 0.2, 1, 0.6, -0.3, 0.1])
  private let epsilon = SampleBatch(shape: [2, 1, 3], scalars: [0.4, -1.1, 0.3, 1.7, -0.2, 0.9])

  /// An output near the target, so that the probabilities are ordinary numbers.
  private func output(_ loss: TrainingLoss, _ timesteps: [Int]) -> SampleBatch<Double> {
    let isLearned = loss.bound.process.variance.isLearned
    var scalars: [Double] = []
    for (n, t) in timesteps.enumerated() {
      let target = loss[t].target
      for i in n * 3..<n * 3 + 3 {
        let truth = target.x0 * x0.scalars[i] + target.epsilon * epsilon.scalars[i]
        scalars.append(truth + 0.01 * Double(i - 2))
      }
      if isLearned { scalars += [-1.3, 0.2, 0.7] }
    }
    return SampleBatch(shape: [2, isLearned ? 2 : 1, 3], scalars: scalars)
  }

  private func value(
    _ loss: TrainingLoss, _ output: SampleBatch<Double>, _ timesteps: [Int], weights: [Double]? = nil
  ) throws -> TrainingLoss.Value<SampleBatch<Double>> {
    try loss(
      output: output, x0: x0, epsilon: epsilon, sample: schedule.mix(x0, with: epsilon, at: timesteps),
      timesteps: timesteps,
      weights: weights)
  }

  /// A central difference with h = 1e-5 has the rounding of the loss over h, 2e-11 of the loss and
  /// of the rest of the batch, and h²/6 times the third derivative: a loss that changes over a
  /// length of 0.05 in F, as here at t = 0, has one of 8,000 times its size, which makes 1.4e-7.
  @Test(arguments: Prediction.allCases, Variance.allCases)
  func `the gradient is that of finite differences`(prediction: Prediction, variance: Variance) throws {
    for kind in TrainingLoss.Kind.allCases {
      for timesteps in [[0, 20], [7, 35]] {
        let loss = try TrainingLoss(
          schedule, predicting: prediction, variance: variance, kind: kind, weighting: .minSNR(),
          likelihood: DiscretizedGaussian())
        var output = output(loss, timesteps)
        let weights = [0.5, 3.0]
        let made = try value(loss, output, timesteps, weights: weights)
        let stopped = loss[timesteps[0]].stopsPrediction && variance.isLearned
        for i in output.scalars.indices {
          let isPrediction = i % output.sampleSize < 3
          func total(_ change: Double) throws -> Double {
            let old = output.scalars[i]
            defer { output.scalars[i] = old }
            output.scalars[i] += change
            let changed = try value(loss, output, timesteps, weights: weights)
            guard isPrediction, stopped else { return changed.total }
            return zip(changed.squaredErrors, weights).reduce(0) { $0 + $1.0 * $1.1 } / 2
          }
          let h = 1e-5
          let difference = try (total(h) - total(-h)) / (2 * h)
          let tolerance = 2e-7 * (abs(difference) + abs(made.total))
          #expect(
            abs(made.gradient.scalars[i] - difference) <= tolerance,
            "\(kind), t \(timesteps), \(i): \(made.gradient.scalars[i]), \(difference), tolerance \(tolerance)")
        }
      }
    }
  }

  @Test func `an objective says in plain numbers what the loss is`() throws {
    let loss = try TrainingLoss(
      schedule, predicting: .v, variance: .learnedRange, kind: .rescaledMSE, weighting: .softMinSNR())
    let t = 11
    let made = try value(loss, output(loss, [t, t]), [t, t])
    let objective = loss[t]
    #expect(objective.stopsPrediction)
    #expect(isClose(objective.factor, 0.04 / 0.6931471805599453, relative: 4 * unit))
    let sample = schedule.mix(x0, with: epsilon, at: [t, t]).scalars
    let scalars = output(loss, [t, t]).scalars
    for n in 0..<2 {
      var sum = 0.0
      for k in 0..<3 {
        let (i, F, v) = (n * 3 + k, scalars[n * 6 + k], scalars[n * 6 + 3 + k])
        let target = objective.target.x0 * x0.scalars[i] + objective.target.epsilon * epsilon.scalars[i]
        let step = objective.step
        let denoised = step.denoising.sample * sample[i] + step.denoising.output * F
        let kl = NormalKL(
          mean1: step.mean.sample * sample[i] + step.mean.output * x0.scalars[i],
          logVariance1: step.posteriorLogVariance,
          mean2: step.mean.sample * sample[i] + step.mean.output * denoised,
          logVariance2: step.logVariance.offset + step.logVariance.slope * v)
        sum += objective.weight * (F - target) * (F - target) + objective.factor * kl.value
      }
      // A mean's difference of 0.001 between numbers near 1.
      #expect(isClose(made.losses[n], sum / 3, relative: 1e-11))
    }
  }

  @Test func `what a fixed variance needs is the squared error alone, unless the bound is asked for`() throws {
    let simple = try TrainingLoss(schedule, predicting: .epsilon)
    #expect(simple[5].factor == 0 && simple[5].weight == 1)
    let bound = try TrainingLoss(schedule, predicting: .epsilon, kind: .rescaledKL)
    #expect(bound[5].weight == 0 && !bound[5].stopsPrediction)
    #expect(isClose(bound[5].factor, 40 / 0.6931471805599453, relative: 4 * unit))
    let exact = try value(simple, SampleBatch(shape: [2, 1, 3], scalars: epsilon.scalars), [3, 30])
    #expect(exact.total == 0 && exact.gradient.scalars.allSatisfy { $0 == 0 })
  }

  /// L_t of a perfect network with fixed small variance is 0 for t > 0.
  @Test func `the bound of the truth is its prior and its decoder`() throws {
    let process = try ReverseProcess(schedule, predicting: .x0, variance: .fixedSmall)
    let timesteps = [1, 39]
    let sample = schedule.mix(x0, with: epsilon, at: timesteps)
    let term = try VariationalBound(process).term(
      output: x0, x0: x0, epsilon: epsilon, sample: sample, timesteps: timesteps)
    #expect(term.bound == [0, 0] && term.x0Error == [0, 0])
    #expect(term.epsilonError.allSatisfy { $0 < 1e-25 })
  }

  @Test func `a bound continues from where it was copied, and refuses a bad output without moving`() throws {
    let process = try ReverseProcess(schedule, predicting: .x0, variance: .fixedLarge)
    var run = BitsPerDimension(VariationalBound(process), of: x0)
    var noise = GaussianNoise(seed: 1)
    for _ in 0..<20 { try run.advance(output: run.sample(using: &noise)) }
    var (copy, same) = (run, noise)
    let sample = copy.sample(using: &same)
    #expect(throws: OutputError.notFinite(.infinity, sample: 0, element: 0, timestep: 19, step: nil)) {
      try copy.advance(output: SampleBatch(shape: [2, 1, 3], scalars: [.infinity, 0, 0, 0, 0, 0]))
    }
    #expect(throws: OutputError.size(6, sampleSize: 3, learnsVariance: false)) {
      try copy.advance(output: SampleBatch(zeros: [2, 2, 3]))
    }
    #expect(copy.query?.timestep == 19 && copy.query?.step == 20 && copy.query?.count == 40)
    try copy.advance(output: sample)
    while copy.query != nil { try copy.advance(output: copy.sample(using: &same)) }
    while run.query != nil { try run.advance(output: run.sample(using: &noise)) }
    #expect(copy.total == run.total && run.total.allSatisfy { $0.isFinite })
  }

  @Test func `a respaced process tells the network the timesteps of the long one`() throws {
    let respaced = try schedule.respaced(by: .sections([4]))
    let process = try ReverseProcess(respaced.schedule, predicting: .x0, variance: .fixedSmall)
    let told = (0..<4).map { respaced.timestep($0) }
    let run = BitsPerDimension(VariationalBound(process), of: x0, told: told)
    #expect(run.query?.timestep == 39)
    #expect(run.query?.level == respaced.schedule[3])
  }

  @Test func `what has no answer is an error before the first batch`() throws {
    let zero = try schedule.rescaledToZeroTerminalSNR()
    #expect(throws: PlanError.singular("epsilon prediction", timestep: 39, sigma: .infinity)) {
      _ = try TrainingLoss(zero, predicting: .epsilon)
    }
    #expect(throws: PlanError.self) { _ = try TrainingLoss(zero, predicting: .v, weighting: .edm(sigmaData: 1e-170)) }
    #expect(throws: PlanError.self) {
      _ = try ReverseProcess(NoiseSchedule(betas: [0.5]), predicting: .x0, variance: .fixedSmall)
    }
    #expect(throws: PlanError.self) {
      _ = try ReverseProcess(schedule, predicting: .x0, variance: .fixedSmall, clipping: .dynamic(ratio: 2))
    }
  }
}
