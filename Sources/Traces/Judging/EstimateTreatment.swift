import Schedulers

/// What a run may have done to x̂0 that no plan does.
enum EstimateTreatment: Hashable, Sendable {
  /// Its numbers went through another type.
  case rounded(Trace.Precision)
  /// All are one number, in the step alone that is made.
  case constant(Double)
  /// Values are brought into −s ... s and divided by s, a quantile of their magnitudes.
  case threshold(Threshold)

  struct Threshold: Hashable, Sendable {
    /// Over what the quantile is taken.
    enum Scope: String, Hashable, CaseIterable, Sendable { case sample, batch, channel }

    var scope = Scope.sample
    var ratio: Double
    var least = 1.0
    var most: Double
    /// Whether values are divided by s.
    var divides = true
    /// Whether magnitudes are looked at, and not the values with their signs.
    var takesMagnitudes = true

    /// s of some values.
    func bound(of values: [Double]) -> Double {
      let sorted = (takesMagnitudes ? values.map(abs) : values).sorted()
      guard let largest = sorted.last else { return least }
      let place = ratio * Double(sorted.count - 1)
      let index = min(Int(place), sorted.count - 1)
      let next = index + 1 < sorted.count ? sorted[index + 1] : largest
      let quantile = sorted[index] + (place - Double(index)) * (next - sorted[index])
      return min(max(quantile, least), most)
    }

    func applied(to values: [Double], bound s: Double) -> [Double] {
      // A bound that is not positive, as of values with their signs, leaves nothing between.
      values.map { (s > -s ? min(max($0, -s), s) : s) / (divides ? s : 1) }
    }
  }

  /// What is done to the x̂0 of a part at a step, which may be one before that which is made.
  func applied(
    by recomputation: Recomputation, step: Int, _ part: Trace.Part, isMade: Bool
  ) -> (SampleBatch<Double>) -> SampleBatch<Double> {
    switch self {
    case .constant(let value):
      return { isMade ? SampleBatch(shape: $0.shape, scalars: $0.scalars.map { _ in value }) : $0 }
    case .rounded(let precision):
      return { SampleBatch(shape: $0.shape, scalars: $0.scalars.map(precision.rounded)) }
    case .threshold(let threshold):
      let trace = recomputation.trace
      switch threshold.scope {
      case .sample:
        return { batch in
          let bound = threshold.bound(of: batch.scalars)
          return SampleBatch(shape: batch.shape, scalars: threshold.applied(to: batch.scalars, bound: bound))
        }
      case .batch:
        let all = (0..<trace.shape[0]).flatMap { sample in
          recomputation.estimate(at: step, Trace.Part(sample: sample, scalars: 0..<trace.sampleSize))
        }
        let bound = threshold.bound(of: all)
        return { SampleBatch(shape: $0.shape, scalars: threshold.applied(to: $0.scalars, bound: bound)) }
      case .channel:
        let size = trace.sampleSize / (trace.shape.count > 1 ? trace.shape[1] : 1)
        return { batch in
          let scalars = stride(from: 0, to: batch.scalars.count, by: size).flatMap { start in
            let values = Array(batch.scalars[start..<min(start + size, batch.scalars.count)])
            return threshold.applied(to: values, bound: threshold.bound(of: values))
          }
          return SampleBatch(shape: batch.shape, scalars: scalars)
        }
      }
    }
  }
}
