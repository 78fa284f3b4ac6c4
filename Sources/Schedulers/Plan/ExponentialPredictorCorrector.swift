/// The steps of a multistep predictor, and of a corrector that takes the next evaluation into them.
///
/// The network sees the predicted sample. The next step starts from the corrected one: the
/// predicted one and the difference of two polynomials through estimates that are kept. Both have
/// the same noise, and what was changed in the predicted one stays. If the correction is evaluated,
/// the network sees the corrected sample too, at the cost of a second call, and what it says there
/// is what later steps remember.
package struct ExponentialPredictorCorrector {
  package var estimate: SamplingPlan.Estimate
  /// The values that the predictor's polynomial goes through.
  package var predictorOrder: Int
  /// Those of the corrector's, the next one included; 0 for none.
  package var correctorOrder: Int
  package var uncorrectedSteps: Set<Int> = []
  /// Whether the network is asked at the corrected sample too.
  var evaluatesCorrection = false
  var lowersFinalOrder = false
  /// The share of fresh noise of each step; none if empty.
  package var etas: [Double] = []
  /// The integral of the slope of a step, times its scale, where one value is beside the one held;
  /// `nil` for the exact one.
  package var slopeIntegral: (ExponentialStep) -> DoubleDouble? = { _ in nil }

  package init(
    estimate: SamplingPlan.Estimate, predictorOrder: Int, correctorOrder: Int, uncorrectedSteps: Set<Int> = [],
    lowersFinalOrder: Bool = false, etas: [Double] = [], evaluatesCorrection: Bool = false,
    slopeIntegral: @escaping (ExponentialStep) -> DoubleDouble? = { _ in nil }
  ) {
    (self.estimate, self.predictorOrder, self.correctorOrder) = (estimate, predictorOrder, correctorOrder)
    (self.uncorrectedSteps, self.lowersFinalOrder) = (uncorrectedSteps, lowersFinalOrder)
    (self.etas, self.slopeIntegral, self.evaluatesCorrection) = (etas, slopeIntegral, evaluatesCorrection)
  }

  package func moves(over grid: SamplingGrid) -> [SamplingPlan.Move] {
    let levels = SolverLevel.levels(of: grid.points)
    var (predicted, before) = (LinearForm(), nil as ExponentialStep?)
    var moves: [SamplingPlan.Move] = []
    moves.reserveCapacity(grid.steps)
    for i in 0..<grid.steps {
      let step = step(levels, i)
      var sample = LinearForm.sample
      if corrects(step: i), let before {
        sample = sample + change(levels, before, i - 1, ago: 1, isCorrected: true) - predicted.older()
        if evaluatesCorrection {
          let point = grid.points[i]
          moves.append(SamplingPlan.Move(at: point, to: point.level, estimate: estimate, next: sample))
          sample = .sample
        }
      }
      (predicted, before) = (change(levels, step, i, ago: 0), step)
      let next = step.held(.estimate(), sample: sample) + predicted
      moves.append(SamplingPlan.Move(at: grid.points[i], to: step.to, estimate: estimate, next: next))
    }
    return moves
  }

  package func step(_ levels: [SolverLevel], _ i: Int) -> ExponentialStep {
    ExponentialStep(estimate: estimate, from: levels[i], to: levels[i + 1], eta: etas.isEmpty ? 0 : etas[i])
  }

  /// Whether the sample that a step starts from is corrected.
  package func corrects(step i: Int) -> Bool { i > 0 && correctorOrder > 0 && !uncorrectedSteps.contains(i - 1) }

  /// The values of a step's polynomial, newest first, without the next one; seen `ago` steps later.
  package func values(_ levels: [SolverLevel], step i: Int, ago: Int, isCorrected: Bool) -> [ExponentialStep.Value] {
    (0..<count(levels, step: i, isCorrected: isCorrected)).map { (ago: ago + $0, level: levels[i - $0]) }
  }

  /// How many they are.
  private func count(_ levels: [SolverLevel], step i: Int, isCorrected: Bool) -> Int {
    let order = isCorrected ? correctorOrder - 1 : predictorOrder
    return min(order, i + 1, lowersFinalOrder ? levels.count - 1 - i : order)
  }

  /// What the polynomial of a step adds to the estimate held, as seen `ago` evaluations after it.
  private func change(
    _ levels: [SolverLevel], _ step: ExponentialStep, _ i: Int, ago: Int, isCorrected: Bool = false
  ) -> LinearForm {
    guard step.to.noise > 0 else { return LinearForm() }
    let known = count(levels, step: i, isCorrected: isCorrected)
    // The next value alone, held over the whole step.
    if isCorrected, known == 0 { return step.part(of: .estimate()) - step.part(of: .estimate(ago: ago)) }
    let count = isCorrected ? known + 1 : known
    // Estimates that are remembered are every second one where the correction is evaluated.
    let stride = evaluatesCorrection ? 2 : 1
    return step.change(through: count, slope: slopeIntegral(step)) { k in
      // The next value comes second.
      if isCorrected, k == 1 { return (0, levels[i + 1]) }
      let back = isCorrected ? max(k - 1, 0) : k
      return (ago + stride * back, levels[i - back])
    }
  }
}
