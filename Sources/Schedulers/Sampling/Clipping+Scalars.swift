extension Clipping {
  /// Clips samples that lie one after another in an array.
  ///
  /// - Parameters:
  ///   - scalars: whole samples.
  ///   - sampleSize: the number of scalars in each, over which `.dynamic` takes its quantile.
  /// - Precondition: the scalars are whole samples of that size.
  public func apply<Scalar: SampleScalar>(to scalars: inout [Scalar], sampleSize: Int) {
    precondition(
      scalars.isEmpty || (sampleSize > 0 && scalars.count.isMultiple(of: sampleSize)),
      "\(scalars.count) scalars are no whole samples of \(sampleSize)")
    switch self {
    case .none: break
    case .range(let range): Scalar.clamp(&scalars, to: range)
    case .dynamic(let ratio, let maximum):
      for start in stride(from: 0, to: scalars.count, by: max(sampleSize, 1)) {
        let sample = start..<start + sampleSize
        let threshold = Self.threshold(of: scalars[sample], ratio: ratio, maximum: maximum)
        for i in sample {
          let value = scalars[i]
          let limited = threshold < value ? threshold : value
          scalars[i] = (limited < -threshold ? -threshold : limited) / threshold
        }
      }
    }
  }

  /// The quantile of the magnitudes, interpolated linearly between the two values around it, brought into 1 ... maximum.
  private static func threshold<Scalar: SampleScalar>(
    of values: ArraySlice<Scalar>, ratio: Double, maximum: Double
  ) -> Scalar {
    let magnitudes = values.map { Double($0.magnitude) }
    guard !magnitudes.contains(where: \.isNaN) else { return .nan }
    let sorted = magnitudes.sorted()
    let position = ratio * Double(sorted.count - 1)
    let low = Int(position)
    let fraction = position - Double(low)
    let quantile = fraction == 0 ? sorted[low] : sorted[low] + fraction * (sorted[low + 1] - sorted[low])
    return Scalar(min(max(quantile, 1), maximum))
  }
}
