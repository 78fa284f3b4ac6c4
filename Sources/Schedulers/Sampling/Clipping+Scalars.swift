extension Clipping {
  /// Clips samples that lie one after another in an array.
  ///
  /// - `sampleSize`: the scalars of each, over which `.dynamic` takes its quantile.
  /// - Precondition: the scalars are whole samples of that size.
  public func apply<Scalar: SampleScalar>(to scalars: inout [Scalar], sampleSize: Int) {
    stop(
      unless: scalars.isEmpty || (sampleSize > 0 && scalars.count.isMultiple(of: sampleSize)),
      "\(scalars.count) scalars are no whole samples of \(sampleSize)")
    switch self {
    case .none: break
    case .range(let range): Scalar.clamp(&scalars, to: range)
    case .dynamic:
      for start in stride(from: 0, to: scalars.count, by: max(sampleSize, 1)) {
        let sample = start..<start + sampleSize
        let threshold = Scalar(threshold(count: sampleSize) { Self.magnitudes(of: scalars[sample], rank: $0) })
        for i in sample {
          let value = scalars[i]
          let limited = threshold < value ? threshold : value
          scalars[i] = (limited < -threshold ? -threshold : limited) / threshold
        }
      }
    }
  }

  private static func magnitudes<Scalar: SampleScalar>(of values: ArraySlice<Scalar>, rank: Int) -> (Double, Double) {
    let magnitudes = values.map { Double($0.magnitude) }
    guard !magnitudes.contains(where: \.isNaN) else { return (.nan, .nan) }
    let sorted = magnitudes.sorted()
    return (sorted[rank], sorted[min(rank + 1, sorted.count - 1)])
  }

  /// The quantile of the magnitudes, interpolated linearly, brought between 1 and the maximum.
  ///
  /// - Parameter magnitudes: the two from a rank on, counted from 0 in rising order, the second of
  ///   any value if there is none; NaN if one is.
  func threshold(count: Int, magnitudes: (_ rank: Int) -> (Double, Double)) -> Double {
    guard case .dynamic(let ratio, let maximum) = self else { stop("\(self) has no threshold") }
    let position = ratio * Double(count - 1)
    let fraction = position - Double(Int(position))
    let (low, high) = magnitudes(Int(position))
    if low.isNaN { return .nan }
    let quantile = fraction == 0 ? low : low + fraction * (high - low)
    return min(max(quantile, 1), maximum)
  }

  var isDynamic: Bool { if case .dynamic = self { true } else { false } }
}
