import SchedulersKernelInterface

/// A scalar type that samples can be made of: Float, Double, and Float16 where the platform has it.
///
/// Its operations are concrete for each type, so that tensors do not pay for being generic.
public protocol SampleScalar: BinaryFloatingPoint, Codable, Sendable {
  /// Σ coefficient·values, first term first; coefficients are rounded once, to Float for Float16.
  ///
  /// - Precondition: there is a term, and all have the same number of values.
  static func combination(_ terms: [(coefficient: Double, values: [Self])]) -> [Self]
  /// Brings each value between the bounds; NaN stays NaN.
  static func clamp(_ values: inout [Self], to range: ClosedRange<Double>)
  /// The nearest values of this type.
  static func rounding(_ values: [Float]) -> [Self]
  static func rounding(_ values: [Double]) -> [Self]
  /// The loops over this type in a table of kernels; for the library's own types alone.
  static func _loops(of table: KernelTable) -> KernelTable.Loops<Self>?
}

extension SampleScalar {
  public static func _loops(of table: KernelTable) -> KernelTable.Loops<Self>? { nil }
}

extension Float: SampleScalar {
  public static func combination(_ terms: [(coefficient: Double, values: [Float])]) -> [Float] {
    combine(terms, as: Float.self)
  }
  public static func clamp(_ values: inout [Float], to range: ClosedRange<Double>) { limit(&values, range) }
  public static func rounding(_ values: [Float]) -> [Float] { values }
  public static func rounding(_ values: [Double]) -> [Float] { values.map { Float($0) } }
  public static func _loops(of table: KernelTable) -> KernelTable.Loops<Float>? { table.float }
}

extension Double: SampleScalar {
  public static func combination(_ terms: [(coefficient: Double, values: [Double])]) -> [Double] {
    combine(terms, as: Double.self)
  }
  public static func clamp(_ values: inout [Double], to range: ClosedRange<Double>) { limit(&values, range) }
  public static func rounding(_ values: [Float]) -> [Double] { values.map { Double($0) } }
  public static func rounding(_ values: [Double]) -> [Double] { values }
  public static func _loops(of table: KernelTable) -> KernelTable.Loops<Double>? { table.double }
}

#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
  extension Float16: SampleScalar {
    public static func combination(_ terms: [(coefficient: Double, values: [Float16])]) -> [Float16] {
      combine(terms, as: Float.self)
    }
    public static func clamp(_ values: inout [Float16], to range: ClosedRange<Double>) { limit(&values, range) }
    public static func rounding(_ values: [Float]) -> [Float16] { values.map { Float16($0) } }
    public static func rounding(_ values: [Double]) -> [Float16] { values.map { Float16($0) } }
    public static func _loops(of table: KernelTable) -> KernelTable.Loops<Float16>? { table.half }
  }
#endif

@inline(__always)
private func combine<Scalar: SampleScalar, Arithmetic: BinaryFloatingPoint>(
  _ terms: [(coefficient: Double, values: [Scalar])], as _: Arithmetic.Type
) -> [Scalar] {
  let count = terms[0].values.count
  for term in terms {
    stop(unless: term.values.count == count, "tensors of \(count) and \(term.values.count) scalars do not combine")
  }
  func coefficient(_ k: Int) -> Arithmetic { Arithmetic(terms[k].coefficient) }
  return [Scalar](unsafeUninitializedCapacity: count) { result, initialized in
    let (c0, x0) = (coefficient(0), terms[0].values)
    switch terms.count {
    case 1: for i in 0..<count { result.initializeElement(at: i, to: Scalar(c0 * Arithmetic(x0[i]))) }
    case 2:
      let (c1, x1) = (coefficient(1), terms[1].values)
      for i in 0..<count {
        result.initializeElement(at: i, to: Scalar(c0 * Arithmetic(x0[i]) + c1 * Arithmetic(x1[i])))
      }
    case 3:
      let (c1, x1, c2, x2) = (coefficient(1), terms[1].values, coefficient(2), terms[2].values)
      for i in 0..<count {
        let sum = c0 * Arithmetic(x0[i]) + c1 * Arithmetic(x1[i]) + c2 * Arithmetic(x2[i])
        result.initializeElement(at: i, to: Scalar(sum))
      }
    default:
      let factors = terms.indices.map(coefficient)
      for i in 0..<count {
        var sum = c0 * Arithmetic(x0[i])
        for k in 1..<terms.count { sum += factors[k] * Arithmetic(terms[k].values[i]) }
        result.initializeElement(at: i, to: Scalar(sum))
      }
    }
    initialized = count
  }
}

/// Written so that a comparison with NaN, which is false, lets the NaN through.
@inline(__always)
private func limit<Scalar: SampleScalar>(_ values: inout [Scalar], _ range: ClosedRange<Double>) {
  let (low, high) = (Scalar(range.lowerBound), Scalar(range.upperBound))
  for i in values.indices {
    let value = values[i]
    let limited = high < value ? high : value
    values[i] = limited < low ? low : limited
  }
}
