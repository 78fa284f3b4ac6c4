/// The steps of a multistep predictor, and of a corrector that takes the next evaluation into them.
///
/// The network sees the predicted sample. The next step starts from the corrected one: the
/// predicted one and the difference of two polynomials through estimates that are kept. Both have
/// the same noise, and what was changed in the predicted one stays.
package struct ExponentialPredictorCorrector {
  package var estimate: SamplingPlan.Estimate
  /// The values that the predictor's polynomial goes through.
  package var predictorOrder: Int
  /// Those of the corrector's, the next one included; 0 for none.
  package var correctorOrder: Int
  package var uncorrectedSteps: Set<Int> = []
  var lowersFinalOrder = false
  /// The share of fresh noise of each step; none if empty.
  package var etas: [Double] = []
  /// The integral of the slope where one value is beside the one held, from H and the exact ones.
  package var slopeIntegral: (_ exponent: Double, _ moments: ShortList) -> Double = { $1[1] }

  package init(
    estimate: SamplingPlan.Estimate, predictorOrder: Int, correctorOrder: Int, uncorrectedSteps: Set<Int> = [],
    lowersFinalOrder: Bool = false, etas: [Double] = [],
    slopeIntegral: @escaping (_ exponent: Double, _ moments: ShortList) -> Double = { $1[1] }
  ) {
    (self.estimate, self.predictorOrder, self.correctorOrder) = (estimate, predictorOrder, correctorOrder)
    (self.uncorrectedSteps, self.lowersFinalOrder) = (uncorrectedSteps, lowersFinalOrder)
    (self.etas, self.slopeIntegral) = (etas, slopeIntegral)
  }

  package func moves(over grid: SamplingGrid) -> [SamplingPlan.Move] {
    var (predicted, before) = (LinearForm(), nil as ExponentialStep?)
    return (0..<grid.steps).map { i in
      let step = step(grid, i)
      var sample = LinearForm.sample
      if corrects(step: i), let before {
        sample = sample + change(grid, before, i - 1, ago: 1, isCorrected: true) - predicted.older()
      }
      (predicted, before) = (change(grid, step, i, ago: 0), step)
      let next = step.held(.estimate(), sample: sample) + predicted
      return SamplingPlan.Move(at: grid.points[i], to: step.to, estimate: estimate, next: next)
    }
  }

  package func step(_ grid: SamplingGrid, _ i: Int) -> ExponentialStep {
    ExponentialStep(
      estimate: estimate, from: grid.points[i].level, to: grid.points[i + 1].level, eta: etas.isEmpty ? 0 : etas[i])
  }

  /// Whether the sample that a step starts from is corrected.
  package func corrects(step i: Int) -> Bool { i > 0 && correctorOrder > 0 && !uncorrectedSteps.contains(i - 1) }

  /// The values of a step's polynomial, newest first, without the next one; seen `ago` steps later.
  package func values(_ grid: SamplingGrid, step i: Int, ago: Int, isCorrected: Bool) -> [ExponentialStep.Value] {
    (0..<count(grid, step: i, isCorrected: isCorrected)).map { (ago: ago + $0, level: grid.points[i - $0].level) }
  }

  /// How many they are.
  private func count(_ grid: SamplingGrid, step i: Int, isCorrected: Bool) -> Int {
    let order = isCorrected ? correctorOrder - 1 : predictorOrder
    return min(order, i + 1, lowersFinalOrder ? grid.steps - i : order)
  }

  /// What the polynomial of a step adds to the estimate held, as seen `ago` evaluations after it.
  private func change(
    _ grid: SamplingGrid, _ step: ExponentialStep, _ i: Int, ago: Int, isCorrected: Bool = false
  ) -> LinearForm {
    guard step.to.noise > 0 else { return LinearForm() }
    let known = count(grid, step: i, isCorrected: isCorrected)
    // The next value alone, held over the whole step.
    if isCorrected, known == 0 { return step.part(of: .estimate()) - step.part(of: .estimate(ago: ago)) }
    let count = isCorrected ? known + 1 : known
    return step.change(through: count) { weights, moments in
      if count == 2 { weights[1] = slopeIntegral(step.exponent, moments) }
    } _: { k in
      // The next value comes second.
      if isCorrected, k == 1 { return (0, step.to) }
      let back = isCorrected ? max(k - 1, 0) : k
      return (ago + back, grid.points[i - back].level)
    }
  }
}
