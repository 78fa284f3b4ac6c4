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
  package var slopeIntegral: (_ exponent: Double, _ moments: [Double]) -> Double = { $1[1] }

  package init(
    estimate: SamplingPlan.Estimate, predictorOrder: Int, correctorOrder: Int, uncorrectedSteps: Set<Int> = [],
    lowersFinalOrder: Bool = false, etas: [Double] = [],
    slopeIntegral: @escaping (_ exponent: Double, _ moments: [Double]) -> Double = { $1[1] }
  ) {
    (self.estimate, self.predictorOrder, self.correctorOrder) = (estimate, predictorOrder, correctorOrder)
    (self.uncorrectedSteps, self.lowersFinalOrder) = (uncorrectedSteps, lowersFinalOrder)
    (self.etas, self.slopeIntegral) = (etas, slopeIntegral)
  }

  package func moves(over grid: SamplingGrid) -> [SamplingPlan.Move] {
    var predicted = LinearForm()
    return (0..<grid.steps).map { i in
      var sample = LinearForm.sample
      if corrects(step: i) {
        sample = .sample + change(grid, step: i - 1, ago: 1, isCorrected: true) - predicted.older()
      }
      predicted = change(grid, step: i, ago: 0)
      let next = step(grid, i).held(.estimate(), sample: sample) + predicted
      return SamplingPlan.Move(at: grid.points[i], to: grid.points[i + 1].level, estimate: estimate, next: next)
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
    let order = isCorrected ? correctorOrder - 1 : predictorOrder
    let count = min(order, i + 1, lowersFinalOrder ? grid.steps - i : order)
    return (0..<count).map { (form: LinearForm.estimate(ago: ago + $0), level: grid.points[i - $0].level) }
  }

  /// What the polynomial of a step adds to the estimate held, as seen `ago` evaluations after it.
  func change(_ grid: SamplingGrid, step i: Int, ago: Int, isCorrected: Bool = false) -> LinearForm {
    let step = step(grid, i)
    guard step.to.noise > 0 else { return LinearForm() }
    var values = values(grid, step: i, ago: ago, isCorrected: isCorrected)
    // The next value alone, held over the whole step.
    if isCorrected, values.isEmpty { return step.part(of: .estimate()) - step.part(of: .estimate(ago: ago)) }
    if isCorrected { values.insert((.estimate(), step.to), at: 1) }
    return step.change(values) { weights, moments in
      if values.count == 2 { weights[1] = slopeIntegral(step.exponent, moments) }
    }
  }
}
