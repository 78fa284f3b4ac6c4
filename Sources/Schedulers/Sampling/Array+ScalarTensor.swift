/// A bare array is one sample.
extension Array: LinearSpace where Element: SampleScalar {
  public static func combination(_ terms: [(coefficient: Double, value: [Element])]) -> [Element] {
    Element.combination(terms.map { (coefficient: $0.coefficient, values: $0.value) })
  }
}

extension Array: ScalarTensor, BatchSpace, InnerProductSpace, ClippableSpace where Element: SampleScalar {
  public var sampleCount: Int { 1 }
  public var sampleSize: Int { count }
  public var scalars: [Element] { self }
  public init(scalars: [Element], like other: [Element]) {
    stop(unless: scalars.count == other.count, "\(scalars.count) scalars for a tensor of \(other.count)")
    self = scalars
  }
}

extension Array: ElementwiseSpace where Element: SampleScalar {
  public static func product(_ a: [Element], _ b: [Element]) -> [Element] {
    stop(unless: a.count == b.count, "tensors of \(a.count) and \(b.count) scalars do not multiply")
    return zip(a, b).map { $0 * $1 }
  }
}

extension Array: ChannelSpace where Element: SampleScalar {
  public func halves() -> (first: [Element], second: [Element])? {
    count.isMultiple(of: 2) ? (Array(prefix(count / 2)), Array(suffix(count / 2))) : nil
  }
}
