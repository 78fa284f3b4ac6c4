import SchedulersKernelInterface
import SchedulersKernels

extension KernelTable.Loops {
  /// z ← factors(n).sample·x + factors(n).output·y in each part n of `size` scalars.
  package func combine(
    _ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>, into z: UnsafeMutablePointer<Scalar>, count: Int,
    size: Int, threads: Int?, factors: @Sendable (Int) -> SamplingPlan.Readout
  ) {
    nonisolated(unsafe) let (x, y, z) = (x, y, z)
    let parts = threads ?? min(Kernels.processors, count >> 18)
    Kernels.concurrently(samples: size, of: count, parts: parts) { n, range in
      let factors = factors(n)
      let part = MixCall(
        range: range, data: x, noise: .values(y), mixed: .init(to: z, data: factors.sample, noise: factors.output))
      withUnsafePointer(to: part, mix)
    }
  }
}

extension StepCall.Readout {
  package init(_ readout: Schedulers.SamplingPlan.Readout) { self.init(x: readout.sample, v: readout.output) }
}

extension ScalarTensor {
  public static func combination(bySample terms: [(coefficients: [Double], value: Self)]) -> Self {
    typealias Readout = SamplingPlan.Readout
    let (factors, x) = terms[0]
    for term in terms {
      stop(
        unless: term.coefficients.count == x.sampleCount,
        "\(term.coefficients.count) coefficients for a batch of \(x.sampleCount) samples; give one for each")
    }
    // Two halves make a whole; the other factor being 0 would make NaN of an infinity.
    guard terms.count > 1 else { return combination(x, x, factors.map { Readout(sample: $0 / 2, output: $0 / 2) }) }
    let first = combination(
      x, terms[1].value, zip(factors, terms[1].coefficients).map { Readout(sample: $0, output: $1) })
    return terms.dropFirst(2).reduce(first) { sum, term in
      combination(sum, term.value, term.coefficients.map { Readout(sample: 1, output: $0) })
    }
  }

  /// factors[n].sample·x + factors[n].output·y in each sample n, computed as `combination` does.
  ///
  /// - Precondition: the tensors have one size, and there are factors for each sample.
  static func combination(_ x: Self, _ y: Self, _ factors: [SamplingPlan.Readout]) -> Self {
    let size = x.sampleSize
    let (values, other, count) = (x.scalars, y.scalars, factors.count * size)
    stop(
      unless: values.count == count && other.count == count,
      "tensors of \(values.count) and \(other.count) scalars do not combine in \(factors.count) samples of \(size)")
    guard count > 0, let loops = Scalar._loops(of: Kernels.table) else {
      return x.mapped { n, i in factors[n].sample * Double(values[i]) + factors[n].output * Double(other[i]) }
    }
    let scalars = [Scalar](unsafeUninitializedCapacity: count) { result, initialized in
      values.withUnsafeBufferPointer { x in
        other.withUnsafeBufferPointer { y in
          loops.combine(
            x.baseAddress!, y.baseAddress!, into: result.baseAddress!, count: count, size: size, threads: nil
          ) { factors[$0] }
        }
      }
      initialized = count
    }
    return Self(scalars: scalars, like: x)
  }

  /// A tensor of this shape, from the index of the sample and that of the scalar among all.
  func mapped(_ value: (_ sample: Int, _ index: Int) -> Double) -> Self {
    let (size, count) = (sampleSize, sampleCount * sampleSize)
    let scalars = [Scalar](unsafeUninitializedCapacity: count) { result, initialized in
      for n in 0..<sampleCount {
        for i in n * size..<(n + 1) * size { result.initializeElement(at: i, to: Scalar(value(n, i))) }
      }
      initialized = count
    }
    return Self(scalars: scalars, like: self)
  }
}
