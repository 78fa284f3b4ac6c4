import SchedulersKernelInterface

// What training and likelihoods read from a network's output. As in Kernels.swift, loops are plain,
// and what is generic stands in one file with the entry points. What several loops need passes
// through blocks of Doubles that stay in the first cache, so that the compiler vectorises each.
//
// A sum has a lane for each place of a block, and the lanes are added in pairs at the end: its bits
// do not depend on the instruction set.

func floatReverse() -> KernelTable.Reverse<Float> { loops() }
func doubleReverse() -> KernelTable.Reverse<Double> { loops() }
#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
  func halfReverse() -> KernelTable.Reverse<Float16> { loops() }
#endif

@inline(__always)
private func loops<S: Stored>() -> KernelTable.Reverse<S> {
  .init(
    distribution: { distribution($0.pointee, into: $1) }, divergence: { divergence($0.pointee, $1) },
    squares: { squares($0.pointee) })
}

private typealias Block = UnsafeMutablePointer<Double>

/// The numbers in a block.
private let width = 128

/// Calls a closure with blocks that lie one after another.
@inline(__always)
private func withBlocks<Result>(_ count: Int, _ body: (Block) -> Result) -> Result {
  withUnsafeTemporaryAllocation(of: Double.self, capacity: count * width) { body($0.baseAddress!) }
}

/// Adds up lanes, and leaves them changed.
@inline(__always)
private func total(_ lanes: Block) -> Double {
  var half = width / 2
  while half > 0 {
    for j in 0..<half { lanes[j] += lanes[j + half] }
    half /= 2
  }
  return lanes[0]
}

/// Cuts a range into blocks, and calls a closure with the start and the length of each.
@inline(__always)
private func forEachBlock(of range: Range<Int>, _ body: (_ start: Int, _ count: Int) -> Void) {
  for start in stride(from: range.lowerBound, to: range.upperBound, by: width) {
    body(start, min(width, range.upperBound - start))
  }
}

// MARK: - What an output says

/// Makes x̂0, and returns the largest magnitude of the output, in bits.
@inline(__always)
private func denoise<S: Stored>(_ call: ReverseCall<S>, _ start: Int, _ count: Int, into denoised: Block) -> S.Bits {
  let (x, output) = (call.sample + start, call.output + start)
  let (p, q, low, high) = (call.denoising.x, call.denoising.v, call.limits.low, call.limits.high)
  for j in 0..<count { denoised[j] = limited(p * x[j].double + q * output[j].double, low, high) }
  return largest(output, count)
}

/// Comparisons with NaN are false, and let it through.
@inline(__always)
private func limited(_ value: Double, _ low: Double, _ high: Double) -> Double {
  let below = high < value ? high : value
  return below < low ? low : below
}

/// The largest magnitude, in bits.
@inline(__always)
private func largest<S: Stored>(_ values: UnsafePointer<S>, _ count: Int) -> S.Bits {
  var largest: S.Bits = 0
  for j in 0..<count { largest = max(largest, values[j].magnitudeBits) }
  return largest
}

@inline(__always)
private func distribution<S: Stored>(_ call: ReverseCall<S>, into written: ReverseCall<S>.Distribution) -> Bool {
  var most: S.Bits = 0
  let (p, q, low, high) = (call.denoising.x, call.denoising.v, call.limits.low, call.limits.high)
  let (ofSample, ofDenoised) = (call.mean.x, call.mean.v)
  let (offset, slope) = call.logVariance
  let fixed = (S(rounding: offset), S(rounding: exponentials(offset).whole))
  forEachBlock(of: call.range) { start, count in
    let (x, output, mean, x0) = (
      call.sample + start, call.output + start, written.mean + start, written.denoised + start
    )
    most = max(most, largest(output, count))
    for j in 0..<count {
      let xj = x[j].double
      let denoised = limited(p * xj + q * output[j].double, low, high)
      mean[j] = S(rounding: ofSample * xj + ofDenoised * denoised)
      x0[j] = S(rounding: denoised)
    }
    let (variance, logVariance) = (written.variance + start, written.logVariance + start)
    guard let said = call.variance.map({ $0 + start }) else {
      for j in 0..<count { logVariance[j] = fixed.0 }
      for j in 0..<count { variance[j] = fixed.1 }
      return
    }
    most = max(most, largest(said, count))
    for j in 0..<count {
      let made = offset + slope * said[j].double
      logVariance[j] = S(rounding: made)
      variance[j] = S(rounding: exponentials(made).whole)
    }
  }
  return most < S.infinityBits
}

// MARK: - Divergences

/// With d = l₁ − l₂ for the log variances of q and p, and s the difference of their means in
/// deviations of q, the divergence is ½·(e^d − 1 − d + s²·e^d). `NormalKL` says more.
///
/// - Accuracy: that of `NormalKL`, but (12 + abs(d))·2⁻⁵³ for the derivative by the mean, where the
///   log variance of q is within −600 ... 600.
@inline(__always)
private func divergence<S: Stored>(
  _ call: ReverseCall<S>, _ wanted: ReverseCall<S>.Divergence
) -> ReverseCall<S>.Sums {
  var most: S.Bits = 0
  return withBlocks(8) { denoised in
    let (whole, minusOne, excess) = (denoised + width, denoised + 2 * width, denoised + 3 * width)
    let (distance, nats) = (denoised + 4 * width, denoised + 5 * width)
    let (x0Errors, epsilonErrors) = (denoised + 6 * width, denoised + 7 * width)
    for j in 0..<3 * width { nats[j] = 0 }
    let (offset, slope) = call.logVariance
    let root = exponentials(-wanted.posteriorLogVariance / 2).whole
    let scale = call.mean.v
    if call.variance == nil {
      let fixed = exponentials(wanted.posteriorLogVariance - offset)
      for j in 0..<width { (whole[j], minusOne[j], excess[j]) = fixed }
    }
    forEachBlock(of: call.range) { start, count in
      most = max(most, denoise(call, start, count, into: denoised))
      let data = wanted.x0 + start
      if let said = call.variance.map({ $0 + start }) {
        most = max(most, largest(said, count))
        let l1 = wanted.posteriorLogVariance
        for j in 0..<count {
          let made = exponentials(l1 - (offset + slope * said[j].double))
          whole[j] = made.whole
          minusOne[j] = made.minusOne
          excess[j] = made.excess
        }
      }
      for j in 0..<count { distance[j] = (scale * denoised[j] - scale * data[j].double) * root }
      for j in 0..<count { nats[j] += excess[j] + distance[j] * distance[j] * whole[j] }
      if let (values, factor) = wanted.outputGradient {
        let (gradient, factor) = (values + start, factor * root)
        for j in 0..<count { gradient[j] = S(rounding: factor * (distance[j] * whole[j])) }
      }
      if let (values, factor) = wanted.varianceGradient {
        let (gradient, factor) = (values + start, factor * -0.5)
        for j in 0..<count {
          gradient[j] = S(rounding: factor * (minusOne[j] + distance[j] * distance[j] * whole[j]))
        }
      }
      guard let (epsilon, signal, noise) = wanted.errors else { return }
      let (x, e, inverse) = (call.sample + start, epsilon + start, 1 / noise)
      for j in 0..<count {
        let error = denoised[j] - data[j].double
        x0Errors[j] += error * error
      }
      for j in 0..<count {
        let error = (x[j].double - signal * denoised[j]) * inverse - e[j].double
        epsilonErrors[j] += error * error
      }
    }
    return ReverseCall<S>.Sums(
      nats: total(nats) / 2, x0Errors: total(x0Errors), epsilonErrors: total(epsilonErrors),
      isFinite: most < S.infinityBits)
  }
}

/// What is not finite leaves no finite sum, as do errors beyond 1e150 of Doubles.
@inline(__always)
private func squares<S: Stored>(_ call: ErrorCall<S>) -> (sum: Double, isFinite: Bool) {
  withBlocks(1) { sums in
    for j in 0..<width { sums[j] = 0 }
    let (ofX0, ofEpsilon, slope) = (call.target.x0, call.target.epsilon, call.slope)
    forEachBlock(of: call.range) { start, count in
      let (output, x0, epsilon) = (call.output + start, call.x0 + start, call.epsilon + start)
      let gradient = call.gradient + start
      for j in 0..<count {
        let error = output[j].double - (ofX0 * x0[j].double + ofEpsilon * epsilon[j].double)
        gradient[j] = S(rounding: slope * error)
        sums[j] += error * error
      }
    }
    let sum = total(sums)
    return (sum, sum.isFinite)
  }
}

// MARK: - Scalars

/// A scalar as it is stored. All is computed in Double.
private protocol Stored: SendableMetatype {
  associatedtype Bits: FixedWidthInteger & UnsignedInteger
  var double: Double { get }
  /// The bits of the magnitude, which are in the order of the magnitudes, with NaN above infinity.
  var magnitudeBits: Bits { get }
  static var infinityBits: Bits { get }
  init(rounding value: Double)
}

extension Float: Stored {
  @inline(__always) fileprivate var double: Double { Double(self) }
  @inline(__always) fileprivate var magnitudeBits: UInt32 { bitPattern & 0x7fff_ffff }
  @inline(__always) fileprivate static var infinityBits: UInt32 { 0x7f80_0000 }
  @inline(__always) fileprivate init(rounding value: Double) { self.init(value) }
}

extension Double: Stored {
  @inline(__always) fileprivate var double: Double { self }
  @inline(__always) fileprivate var magnitudeBits: UInt64 { bitPattern & 0x7fff_ffff_ffff_ffff }
  @inline(__always) fileprivate static var infinityBits: UInt64 { 0x7ff0_0000_0000_0000 }
  @inline(__always) fileprivate init(rounding value: Double) { self = value }
}

#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
  extension Float16: Stored {
    @inline(__always) fileprivate var double: Double { Double(Float(self)) }
    @inline(__always) fileprivate var magnitudeBits: UInt16 { bitPattern & 0x7fff }
    @inline(__always) fileprivate static var infinityBits: UInt16 { 0x7c00 }
    @inline(__always) fileprivate init(rounding value: Double) { self.init(value) }
  }
#endif
