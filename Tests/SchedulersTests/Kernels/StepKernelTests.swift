import Foundation
import Schedulers
import SchedulersInterop
import SchedulersKernelInterface
import SchedulersKernels
import Testing

/// Every loop of the step kernel, on every instruction set that this machine has, against the
/// formula written out.
@Suite struct StepKernelTests {
  private struct Shape {
    var terms: Int
    var isLimited: Bool
    /// nil, 0 for an estimate that is written, or the factor of what is replaced.
    var kept: Double?
    var writesDenoised: Bool
    var noise: Noise
    enum Noise: CaseIterable { case none, given, made, learned, root }
  }

  private static let shapes: [Shape] = (0...8).flatMap { terms in
    [false, true].flatMap { isLimited in
      [nil, 0, 0.375].flatMap { kept in
        Shape.Noise.allCases.map {
          Shape(terms: terms, isLimited: isLimited, kept: kept, writesDenoised: terms.isMultiple(of: 3), noise: $0)
        }
      }
    }
  }

  private struct Tensors<Scalar: SampleScalar> {
    var sample, output, kept, denoised, noise, variance: [Scalar]
    var terms: [[Scalar]]

    init(count: Int) {
      var generator = SplitMix64(seed: 17)
      func tensor() -> [Scalar] { (0..<count).map { _ in Scalar(Double.random(in: -2...2, using: &generator)) } }
      (sample, output, kept, denoised, noise, variance) = (tensor(), tensor(), tensor(), tensor(), tensor(), tensor())
      terms = (0..<8).map { _ in tensor() }
    }
  }

  private static let count = 700
  private static let address = NormalAddress(seed: 3, sample: 5, draw: 2)
  private static let (p, q, a, b) = (1.25, -0.75, 0.8125, -0.3)
  private static let factors = [0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8]
  private static let variance = LogVariance(offset: -0.5, slope: 0.75)

  /// The step of a shape over a range, by a table.
  private static func take<Scalar: SampleScalar>(
    _ shape: Shape, _ tensors: inout Tensors<Scalar>, range: Range<Int>, by table: KernelTable
  ) throws {
    let loops = try #require(Scalar._loops(of: table))
    // The tensors stay where they are for the time of this function.
    let terms = zip(factors, tensors.terms).prefix(shape.terms).map { factor, values in
      StepCall<Scalar>.Term(factor, values.withUnsafeBufferPointer { $0.baseAddress! })
    }
    let kept = tensors.kept.withUnsafeMutableBufferPointer { $0.baseAddress! }
    let denoised = tensors.denoised.withUnsafeMutableBufferPointer { $0.baseAddress! }
    let (given, values) = (tensors.noise, shape.noise == .root ? tensors.variance.map { abs($0) } : tensors.variance)
    let output = tensors.output
    tensors.sample.withUnsafeMutableBufferPointer { sample in
      terms.withUnsafeBufferPointer { terms in
        output.withUnsafeBufferPointer { output in
          given.withUnsafeBufferPointer { given in
            values.withUnsafeBufferPointer { values in
              var call = StepCall<Scalar>(
                range: range, sample: sample.baseAddress!, output: output.baseAddress!, next: .init(x: a, v: b),
                terms: terms)
              if shape.isLimited { call.limits = .init(sample: p, output: q, low: -0.75, high: 1.5) }
              if let factor = shape.kept { call.kept = .init(.init(x: 0.7, v: 0.6), to: kept, factor: factor) }
              if shape.writesDenoised { call.denoised = .init(.init(x: 0.2, v: 0.9), to: denoised) }
              if shape.noise != .none {
                call.noise = .init(0.45, shape.noise == .given ? given.baseAddress! : nil, address: address)
                call.noise!.origin = 13
              }
              if shape.noise == .learned {
                let kind = StepCall<Scalar>.Deviation.exponential(
                  offset: Self.variance.offset, slope: Self.variance.slope)
                call.noise!.deviation = (values.baseAddress!, kind)
              }
              if shape.noise == .root { call.noise!.deviation = (values.baseAddress!, .root) }
              withUnsafePointer(to: call, loops.step)
            }
          }
        }
      }
    }
  }

  /// The largest distance of x', what is kept and x̂0 from the formula, as a multiple of the error
  /// that rounding explains.
  private static func error<Scalar: SampleScalar>(
    _ shape: Shape, of new: Tensors<Scalar>, from old: Tensors<Scalar>, normals: [Float], storage u: Double,
    arithmetic w: Double
  ) -> Double {
    var worst = 0.0
    for i in 13..<count {
      let (x, f) = (Double(old.sample[i]), Double(old.output[i]))
      let v = shape.isLimited ? min(max(p * x + q * f, -0.75), 1.5) : f
      var parts = [a * x, b * v]
      for k in 0..<shape.terms { parts.append(factors[k] * Double(old.terms[k][i])) }
      if let factor = shape.kept { parts.append(factor * Double(old.kept[i])) }
      switch shape.noise {
      case .none: break
      case .given: parts.append(0.45 * Double(old.noise[i]))
      case .made: parts.append(0.45 * Double(Scalar(normals[i - 13])))
      case .learned:
        let scale = exp(variance.offset + variance.slope * Double(old.variance[i]))
        parts.append(0.45 * scale * Double(Scalar(normals[i - 13])))
      case .root: parts.append(0.45 * abs(Double(old.variance[i])).squareRoot() * Double(Scalar(normals[i - 13])))
      }
      // Each part's factor, product and sum are rounded, v itself in its two products and their
      // sum, and what is stored.
      let size = parts.reduce(0) { $0 + abs($1) } + abs(b) * (abs(p * x) + abs(q * f))
      func judge(_ value: Scalar, _ exact: Double, _ size: Double) {
        worst = max(worst, abs(Double(value) - exact) / (size * (12 * w + 2 * u)))
      }
      judge(new.sample[i], parts.reduce(0, +), size)
      let rounding = abs(x) + abs(v) + abs(p * x) + abs(q * f)
      if shape.kept != nil { judge(new.kept[i], 0.7 * x + 0.6 * v, rounding) }
      if shape.writesDenoised { judge(new.denoised[i], 0.2 * x + 0.9 * v, rounding) }
    }
    return worst
  }

  private func check<Scalar: SampleScalar>(_: Scalar.Type, storage u: Double, arithmetic w: Double) throws {
    let old = Tensors<Scalar>(count: Self.count)
    var source = GaussianNoise(seed: 3, firstSample: 5)
    for _ in 0..<2 { _ = source.next(like: [Float(0)]) }
    let normals = source.next(like: [Float](repeating: 0, count: Self.count))
    for shape in Self.shapes {
      var first: Tensors<Scalar>?
      for table in Kernels.available {
        var new = old
        try Self.take(shape, &new, range: 13..<Self.count, by: table)
        #expect(new.sample[..<13] == old.sample[..<13])
        if let first {
          let isSame = first.sample == new.sample && first.kept == new.kept && first.denoised == new.denoised
          #expect(isSame, "\(table.name) differs from \(Kernels.available[0].name) at \(shape)")
        } else {
          first = new
          let error = Self.error(shape, of: new, from: old, normals: normals, storage: u, arithmetic: w)
          #expect(error <= 1, "\(error) times the bound at \(shape)")
        }
        // In two parts that no block divides.
        var halves = old
        try Self.take(shape, &halves, range: 13..<301, by: table)
        try Self.take(shape, &halves, range: 301..<Self.count, by: table)
        #expect(halves.sample == new.sample && halves.kept == new.kept && halves.denoised == new.denoised, "\(shape)")
      }
    }
  }

  @Test func `every loop follows the formula, with the same bits on every instruction set`() throws {
    try check(Float.self, storage: 0x1p-24, arithmetic: 0x1p-24)
    try check(Double.self, storage: 0x1p-53, arithmetic: 0x1p-53)
    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
      try check(Float16.self, storage: 0x1p-11, arithmetic: 0x1p-24)
    #endif
  }

  @Test func `an instruction set is chosen by name, and otherwise the largest`() {
    #expect(Kernels.available[0].name == "baseline")
    for table in Kernels.available { #expect(Kernels.table(named: table.name).name == table.name) }
    #expect(Kernels.table(named: nil).name == Kernels.available.last!.name)
    #expect(Kernels.table(named: "v9").name == Kernels.available.last!.name)
  }
}
