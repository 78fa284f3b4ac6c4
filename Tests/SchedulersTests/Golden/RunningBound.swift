import Schedulers

/// How far two implementations of one run can be apart by rounding alone, element by element,
/// carried along step by step.
///
/// An error that a sample has goes on through the linear map of the step, and through clipping,
/// which makes no difference larger. Each step adds, for every term x of the papers' formulas,
/// |x|·δ, where δ is the relative error of its coefficient: both implementations add up the same
/// terms, but in another order and with some of them multiplied out.
struct RunningBound {
  /// The bounds of the current sample.
  private(set) var sample: [Double]
  /// The bounds of x̂0 of the last evaluation, after clipping.
  private(set) var denoised: [Double] = []
  private var samples: [(bound: [Double], value: [Double])] = []
  private var estimates: [(bound: [Double], value: [Double])] = []

  /// Both start from the same numbers.
  init(count: Int) { sample = Array(repeating: 0, count: count) }

  /// What one evaluation does to the bounds.
  ///
  /// - Parameters:
  ///   - x: the sample before it.
  ///   - clipped: x̂0 after clipping.
  ///   - delta: δ of this step.
  mutating func advance(
    _ step: SamplingPlan.Step, clipping: Clipping, sampleSize: Int,
    sample x: [Double], output: [Double], denoised clipped: [Double], noise: [Double], delta: Double
  ) {
    let (a, b) = (step.denoising.sample, step.denoising.output)
    let next = step.next
    let factor = next.estimates.first ?? 0
    // The size of what x̂0 is made of, and its bound before clipping: from the sample's and from its
    // own rounding.
    let sizes = zip(x, output).map { abs(a * $0) + abs(b * $1) }
    let before = zip(sample, sizes).map { abs(a) * $0 + delta * $1 }
    var (after, local) = (before, sizes.map { delta * $0 })
    if case .dynamic = clipping {
      // y = clamp(x, ±s)/s with s of 1 or more, a quantile, which moves by no more than the
      // sample's worst element does.
      for start in stride(from: 0, to: x.count, by: sampleSize) {
        let elements = start..<start + sampleSize
        let (worst, worstLocal) = (before[elements].max()!, local[elements].max()!)
        for i in elements { (after[i], local[i]) = (before[i] + worst + 8 * unit, local[i] + worstLocal + 8 * unit) }
      }
    }

    var bounds = [Double](repeating: 0, count: x.count)
    var made: (bound: [Double], value: [Double]) = (bounds, bounds)
    for i in x.indices {
      // The sample's own bound: whole where x̂0 follows it, without x̂0's part where x̂0 stays at an
      // end of the range.
      let predicted = a * x[i] + b * output[i]
      let atFixed = abs((next.samples.first ?? 0) + factor * step.keeping.sample + next.predicted * a)
      var throughX0 = abs(factor * step.keeping.output) * after[i]
      if case .range(let range) = clipping, abs(abs(predicted) - range.upperBound) > before[i] {
        (after[i], throughX0) =
          abs(predicted) > range.upperBound
          ? (0, atFixed * sample[i]) : (before[i], abs(step.folded.sample) * sample[i])
      } else if clipping == .none {
        throughX0 = abs(step.folded.sample) * sample[i]
      } else {
        throughX0 += atFixed * sample[i]
      }
      // Terms that cancel where they are collected, as s'·x̂0 and −n'·s/n·x̂0 do: none has a factor
      // above that of the collected one by more than 2, as s' and s are at most 1 and n' is at most
      // n.
      let estimate = step.keeping.sample * x[i] + step.keeping.output * clipped[i]
      var terms = (abs(next.samples.first ?? 0) + 2) * abs(x[i]) + abs(output[i]) + abs(next.noise * noise[i])
      terms += (abs(factor) + 2) * (abs(step.keeping.sample * x[i]) + abs(step.keeping.output * clipped[i]))
      terms += abs(next.predicted) * sizes[i]
      bounds[i] = throughX0 + delta * terms + (abs(factor * step.keeping.output) + 2) * local[i]
      for (coefficient, old) in zip(next.samples.dropFirst(), samples) {
        bounds[i] += abs(coefficient) * (old.bound[i] + delta * abs(old.value[i]))
      }
      for (coefficient, old) in zip(next.estimates.dropFirst(), estimates) {
        bounds[i] += abs(coefficient) * (old.bound[i] + delta * abs(old.value[i]))
      }
      made.value[i] = estimate
      made.bound[i] =
        abs(step.keeping.sample) * (sample[i] + delta * abs(x[i]))
        + abs(step.keeping.output) * (after[i] + delta * abs(clipped[i]))
    }
    samples.insert((sample, x), at: 0)
    estimates.insert(made, at: 0)
    (sample, denoised) = (bounds, after)
  }
}
