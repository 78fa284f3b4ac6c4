import Schedulers
import SchedulersInterop

// How far a right step may be off: the tolerance, and what the arithmetic of the source loses.

extension Judge {
  /// The largest difference that a step is allowed.
  func allowed(_ step: Int, _ recomputation: Recomputation) -> Double {
    let before = magnitudes[step] * recomputation.scale(row: step)
    let after = magnitudes[step + 1] * recomputation.scale(row: step + 1)
    let uncertainty =
      (uncertainties.isEmpty ? 0 : uncertainties[step]) + (allowsHalf ? halfRounding(step, of: recomputation.plan) : 0)
    return max(tolerance * max(1, before, after), rounding(step, of: before)) + uncertainty
  }

  /// What float32 loses in a step that multiplies its sample by more than 1 and takes most of that
  /// away again, as steps in epsilon do from where there is hardly any signal, or divides it by a
  /// small sigma for a long step.
  ///
  /// In units of 2⁻²⁴ of the product, these are the roundings of the estimate, of two products and
  /// of their difference, one each, and of the factor e^h: h is the difference of two lambdas and
  /// each of them that of two logarithms, of which torch's are up to two units off. On the
  /// variance-preserving path the two logarithms are together at most |λ| + ln 2.
  private func rounding(_ step: Int, of sample: Double) -> Double {
    let (made, next) = (plan.steps[step], plan.steps[step].next)
    let lambdas = [made.query.level.lambda, made.arrival.lambda].filter(\.isFinite)
    let logarithms =
      lambdas.reduce(0) { $0 + 3 * abs($1) + 2 * Math.log(2) } + (lambdas.count == 2 ? abs(lambdas[1] - lambdas[0]) : 0)
    var factor = abs((next.estimates.first ?? 0) * made.keeping.sample)
    for ago in next.samples.indices where made.keeping.sample != 0 {
      let signal = plan.steps[step - ago].query.level.signal
      if signal > 0 { factor = max(factor, made.arrival.signal / signal) }
    }
    return 0x1p-24 * (4 + logarithms) * factor * sample
  }

  /// What half precision loses in a step, whose every operation is rounded to it.
  ///
  /// A term of the step's sum is a coefficient, which may be rounded itself, times a tensor, and is
  /// then part of a sum: three roundings of the term's size. An estimate is such a sum of two
  /// products. Samplers that go on from x̂0 and epsilon separately give x̂0's roundings the weight of
  /// the next level's signal and epsilon's that of its noise, however little of either is left in
  /// the sum. Where outputs in half precision meet samples in float32, only products of outputs are
  /// rounded so.
  private func halfRounding(_ step: Int, of plan: SamplingPlan) -> Double {
    let (made, next) = (plan.steps[step], plan.steps[step].next)
    func unit(_ role: Trace.Role) -> Double {
      let precision = trace.precision(of: role)
      return precision.isHalf ? precision.unit : 0
    }
    let (own, told, drawn) = (unit(.samples), unit(.outputs), unit(.noises))
    func sample(_ ago: Int) -> Double { own * magnitudes[step - ago] }
    func output(_ ago: Int) -> Double { told * outputMagnitudes[step - ago] }
    func x0(_ ago: Int) -> Double {
      let readout = plan.steps[step - ago].denoising
      return abs(readout.sample) * sample(ago) + abs(readout.output) * output(ago)
    }
    func estimate(_ ago: Int) -> Double {
      let keeping = plan.steps[step - ago].keeping
      return abs(keeping.sample) * sample(ago) + abs(keeping.output) * x0(ago)
    }
    let (from, to) = (made.query.level, made.arrival)
    let epsilon = from.noise > 0 ? (sample(0) + from.signal * x0(0)) / from.noise : 0
    var terms = abs(next.predicted) * x0(0) + abs(next.output) * output(0)
    terms += abs(next.noise) * drawn * noiseMagnitudes[step] + abs(next.made) * sample(0)
    for (ago, factor) in next.samples.enumerated() { terms += abs(factor) * sample(ago) }
    for (ago, factor) in next.estimates.enumerated() { terms += abs(factor) * estimate(ago) }
    let parts = to.signal * x0(0) + min(to.noise, from.noise) * epsilon
    return 3 * max(terms, parts) + own * magnitudes[step + 1]
  }

  /// What the source's coefficients leave uncertain of each step's result; nothing where they have
  /// their digits.
  static func uncertainties(_ trace: Trace, plan: SamplingPlan, parts: [Trace.Part]) -> [Double] {
    let roundings = trace.source.roundings(steps: trace.inferenceSteps)
    guard roundings.count >= plan.steps.count else { return [] }
    return roundings.prefix(plan.steps.count).enumerated().map { step, roundings in
      roundings.reduce(0) { sum, rounding in
        guard let plan = plan.edited({ i, other in i == step ? other.with(next: rounding.form) : nil }) else {
          return sum
        }
        let recomputation = Recomputation(trace: trace, plan: plan)
        let largest = parts.reduce(0) { largest, part in
          recomputation.result(of: step, part).reduce(largest) { $1.isFinite ? max($0, abs($1)) : $0 }
        }
        return sum + rounding.bound * largest
      }
    }
  }
}
