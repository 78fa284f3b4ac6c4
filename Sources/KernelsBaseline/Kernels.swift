import SchedulersKernelInterface

// The entry points, concrete for each type of scalar: nothing generic of this module is left for
// the linker to choose between copies. What is generic stands in this file with them, because debug
// builds optimise each file by itself.

#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
  package func kernels(_ name: String) -> KernelTable {
    KernelTable(
      name: name, float: loops(floatReverse()), double: loops(doubleReverse()), half: loops(halfReverse()),
      normals: { Normals.fill($0, $1, $2) }, sums: { Normals.sum($0, $1, $2) }, torch: torch)
  }
#else
  package func kernels(_ name: String) -> KernelTable {
    KernelTable(
      name: name, float: loops(floatReverse()), double: loops(doubleReverse()),
      normals: { Normals.fill($0, $1, $2) }, sums: { Normals.sum($0, $1, $2) }, torch: torch)
  }
#endif

@inline(__always)
private func loops<S: Element>(_ reverse: KernelTable.Reverse<S>) -> KernelTable.Loops<S> {
  .init(
    step: { step($0.pointee) }, magnitudes: { magnitudes($0.pointee, rank: $1) }, mix: { mix($0.pointee) },
    reverse: reverse)
}

private let torch = KernelTable.Torch(
  twist: { Twister.twist($0) }, uniforms: { Twister.uniforms(of: $0, $1, into: $2) },
  doubles: { Twister.doubles(of: $0, $1, into: $2) },
  normals: { CephesNormals.transform($0, $1) })

// MARK: - Steps

// The hot path: plain loops over pointers, which the compiler vectorises for the instruction set
// that this copy of the file is built for. Multiplications and additions stay apart, and no scalar
// depends on another, so all copies give the same bits.

/// Takes a step. Where the next sample goes elsewhere, the sample is brought there block by block,
/// and the step is taken in place: loops that read and write in two places are vectorised less.
@inline(__always)
private func step<S: Element>(_ call: StepCall<S>) {
  var part = call
  part.sample = call.result
  let isElsewhere = call.result != call.sample
  let size = isElsewhere ? 2048 : max(call.range.count, 1)
  for start in stride(from: call.range.lowerBound, to: call.range.upperBound, by: size) {
    part.range = start..<min(start + size, call.range.upperBound)
    if isElsewhere { (call.result + start).update(from: call.sample + start, count: part.range.count) }
    take(part)
  }
}

/// Takes a step in place: in one sweep over memory where it can, else in blocks that stay in the
/// first cache.
@inline(__always)
private func take<S: Element>(_ call: StepCall<S>) {
  let terms = call.terms.count + (call.noise == nil ? 0 : 1)
  if call.noise != nil || terms > mostTerms { return takeWithNoise(call) }
  let writes = call.denoised != nil || call.kept?.factor == 0
  if !writes, call.range.count >= 1 << 22 { return takeFromMemory(call) }
  for start in stride(from: call.range.lowerBound, to: call.range.upperBound, by: writes ? 2048 : call.range.count) {
    let block = start..<min(start + (writes ? 2048 : call.range.count), call.range.upperBound)
    write(call, block)
    advance(call, block, noise: nil, rest: nil)
  }
}

/// The same where no cache holds the tensors: the halves of the range by turns. Memory answers
/// faster by up to a tenth to twice as many streams, and slower to more.
@inline(__always)
private func takeFromMemory<S: Element>(_ call: StepCall<S>) {
  let (end, size) = (call.range.upperBound, 1024)
  let half = (call.range.count / 2 + size - 1) / size * size
  for turn in 0..<half / size * 2 {
    let start = min(call.range.lowerBound + turn / 2 * size + (turn % 2) * half, end)
    advance(call, start..<min(start + size, end), noise: nil, rest: nil)
  }
}

/// The same with scratch for noise, and for what passes the number of terms that have loops of
/// their own.
@inline(__always)
private func takeWithNoise<S: Element>(_ call: StepCall<S>) {
  let size = 1024 / MemoryLayout<S.Wide>.stride
  // No more than 1 KiB each, which is sure to be taken from the stack.
  withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Normals.count) { normals in
    withUnsafeTemporaryAllocation(of: S.self, capacity: size) { noise in
      withUnsafeTemporaryAllocation(of: S.Wide.self, capacity: size) { rest in
        var start = call.range.lowerBound
        var drawn = -1
        while start < call.range.upperBound {
          let first = start - (call.noise?.origin ?? start)
          let block = start..<min(start + size - first % size, call.range.upperBound)
          if let source = call.noise, source.values == nil, first / Normals.count != drawn {
            drawn = first / Normals.count
            Normals.fill(normals.baseAddress!, block: drawn, at: source.address)
          }
          if let source = call.noise {
            draw(source, block, from: normals.baseAddress! + first % Normals.count, into: noise.baseAddress!)
          }
          write(call, block)
          let z = call.noise.map { _ in UnsafePointer(noise.baseAddress! - start) }
          let isLong = call.terms.count + (z == nil ? 0 : 1) > mostTerms
          if isLong { sum(call, block, noise: z, into: rest.baseAddress!) }
          advance(call, block, noise: z, rest: isLong ? UnsafePointer(rest.baseAddress! - start) : nil)
          start = block.upperBound
        }
      }
    }
  }
}

/// The number of terms beside x and v that are added in one loop.
private let mostTerms = 4

/// Writes x̂0, and the estimate if nothing is read where it goes.
@inline(__always)
private func write<S: Element>(_ call: StepCall<S>, _ block: Range<Int>) {
  @inline(__always) func write(_ written: StepCall<S>.Written) {
    let (x, v, to) = (S.factor(written.readout.x), S.factor(written.readout.v), written.values)
    sweep(call, block) { i, xi, vi in to[i] = S(x * xi + v * vi) }
  }
  if let denoised = call.denoised { write(denoised) }
  if let kept = call.kept, kept.factor == 0 { write(kept) }
}

/// Calls a closure with each index, x and v.
@inline(__always)
private func sweep<S: Element>(_ call: StepCall<S>, _ block: Range<Int>, _ body: (Int, S.Wide, S.Wide) -> Void) {
  let (x, output) = (call.sample, call.output)
  guard let limits = call.limits else {
    for i in block { body(i, x[i].wide, output[i].wide) }
    return
  }
  let (p, q, low, high) = (
    S.factor(limits.sample), S.factor(limits.output), S.factor(limits.low), S.factor(limits.high)
  )
  for i in block {
    let xi = x[i].wide
    let denoised = p * xi + q * output[i].wide
    // Comparisons with NaN are false, and let it through.
    let below = high < denoised ? high : denoised
    body(i, xi, below < low ? low : below)
  }
}

/// Makes the next sample.
@inline(__always)
private func advance<S: Element>(
  _ call: StepCall<S>, _ block: Range<Int>, noise: UnsafePointer<S>?, rest: UnsafePointer<S.Wide>?
) {
  @inline(__always) func term(_ k: Int) -> (S.Wide, UnsafePointer<S>) {
    k < call.terms.count
      ? (S.factor(call.terms[k].factor), call.terms[k].values) : (S.factor(call.noise!.factor), noise!)
  }
  switch min(call.terms.count + (noise == nil ? 0 : 1), mostTerms) {
  case 0: advance(call, block) { _, sum in sum }
  case 1:
    let (a, u) = term(0)
    advance(call, block) { i, sum in sum + a * u[i].wide }
  case 2:
    let ((a, u), (b, v)) = (term(0), term(1))
    advance(call, block) { i, sum in sum + a * u[i].wide + b * v[i].wide }
  case 3:
    let ((a, u), (b, v), (c, w)) = (term(0), term(1), term(2))
    advance(call, block) { i, sum in sum + a * u[i].wide + b * v[i].wide + c * w[i].wide }
  default:
    let ((a, u), (b, v), (c, w), (d, z)) = (term(0), term(1), term(2), term(3))
    if let rest {
      advance(call, block) { i, sum in sum + a * u[i].wide + b * v[i].wide + c * w[i].wide + d * z[i].wide + rest[i] }
    } else {
      advance(call, block) { i, sum in sum + a * u[i].wide + b * v[i].wide + c * w[i].wide + d * z[i].wide }
    }
  }
}

@inline(__always)
private func advance<S: Element>(_ call: StepCall<S>, _ block: Range<Int>, adding more: (Int, S.Wide) -> S.Wide) {
  let (x, a, b) = (call.sample, S.factor(call.next.x), S.factor(call.next.v))
  guard let kept = call.kept, kept.factor != 0 else {
    return sweep(call, block) { i, xi, vi in x[i] = S(more(i, a * xi + b * vi)) }
  }
  let (e, c, f, g) = (kept.values, S.factor(kept.factor), S.factor(kept.readout.x), S.factor(kept.readout.v))
  sweep(call, block) { i, xi, vi in
    x[i] = S(more(i, a * xi + b * vi + c * e[i].wide))
    e[i] = S(f * xi + g * vi)
  }
}

/// Adds up the terms beyond the first ones, in pairs.
@inline(__always)
private func sum<S: Element>(
  _ call: StepCall<S>, _ block: Range<Int>, noise: UnsafePointer<S>?, into sum: UnsafeMutablePointer<S.Wide>
) {
  let sum = sum - block.lowerBound
  for i in block { sum[i] = 0 }
  let count = call.terms.count
  for k in stride(from: mostTerms, to: count - 1, by: 2) {
    let (a, u, b, v) = (
      S.factor(call.terms[k].factor), call.terms[k].values, S.factor(call.terms[k + 1].factor), call.terms[k + 1].values
    )
    for i in block { sum[i] += a * u[i].wide + b * v[i].wide }
  }
  if count > mostTerms, !(count - mostTerms).isMultiple(of: 2) {
    let (a, u) = (S.factor(call.terms[count - 1].factor), call.terms[count - 1].values)
    for i in block { sum[i] += a * u[i].wide }
  }
  if let noise {
    let a = S.factor(call.noise!.factor)
    for i in block { sum[i] += a * noise[i].wide }
  }
}

/// Brings a block's noise to the type of the scalars and to its deviation, where that is learned.
@inline(__always)
private func draw<S: Element>(
  _ noise: StepCall<S>.Noise, _ block: Range<Int>, from normals: UnsafeMutablePointer<UInt32>,
  into z: UnsafeMutablePointer<S>
) {
  let count = block.count
  if let values = noise.values {
    for j in 0..<count { z[j] = values[block.lowerBound + j] }
  } else {
    for j in 0..<count { z[j] = S(normal: Float(bitPattern: normals[j])) }
  }
  guard let deviation = noise.deviation else { return }
  let values = deviation.values + block.lowerBound
  switch deviation.kind {
  case .exponential(let offset, let slope):
    for j in 0..<count { z[j] = S(rounding: exponentials(offset + slope * values[j].double).whole * z[j].double) }
  case .root:
    for j in 0..<count { z[j] = S(rounding: values[j].double.squareRoot() * z[j].double) }
  }
}

// MARK: - Mixtures

/// Mixes data and noise: in one sweep over memory where the noise is there, else in blocks that
/// stay in the first cache.
@inline(__always)
private func mix<S: Element>(_ call: MixCall<S>) {
  let x = call.data
  if case .values(let e) = call.noise, call.offset == nil, call.perturbation == nil {
    @inline(__always) func write(_ written: MixCall<S>.Written) {
      let (to, a, b) = (written.values, S.factor(written.data), S.factor(written.noise))
      for i in call.range { to[i] = S(a * x[i].wide + b * e[i].wide) }
    }
    write(call.mixed)
    if let target = call.target { write(target) }
    return
  }
  let size = Normals.count
  withUnsafeTemporaryAllocation(of: UInt32.self, capacity: size) { normals in
    withUnsafeTemporaryAllocation(of: S.Wide.self, capacity: size) { noise in
      withUnsafeTemporaryAllocation(of: S.Wide.self, capacity: size) { other in
        let (e, z, normals) = (noise.baseAddress!, other.baseAddress!, normals.baseAddress!)
        var start = call.range.lowerBound
        while start < call.range.upperBound {
          // No block goes beyond one of the normals that are made at once.
          let count = min(size - (start - call.origin) % size, call.range.upperBound - start)
          draw(call.noise, call, start, count, normals, into: e)
          if let (factor, value) = call.offset {
            let offset = S.factor(factor) * S.factor(value)
            for j in 0..<count { e[j] = S(e[j] + offset).wide }
          }
          @inline(__always) func write(_ written: MixCall<S>.Written, _ e: UnsafeMutablePointer<S.Wide>) {
            let (to, a, b) = (written.values + start, S.factor(written.data), S.factor(written.noise))
            let x = x + start
            for j in 0..<count { to[j] = S(a * x[j].wide + b * e[j]) }
          }
          if let target = call.target { write(target, e) }
          if let (factor, noise) = call.perturbation {
            draw(noise, call, start, count, normals, into: z)
            let factor = S.factor(factor)
            for j in 0..<count { e[j] = S(e[j] + factor * z[j]).wide }
          }
          write(call.mixed, e)
          start += count
        }
      }
    }
  }
}

/// Brings so many of the normals from an index on to the type in which is computed.
@inline(__always)
private func draw<S: Element>(
  _ noise: MixCall<S>.Noise, _ call: MixCall<S>, _ start: Int, _ count: Int,
  _ normals: UnsafeMutablePointer<UInt32>, into e: UnsafeMutablePointer<S.Wide>
) {
  switch noise {
  case .values(let values):
    let values = values + start
    for j in 0..<count { e[j] = values[j].wide }
  case .address(let address):
    let first = start - call.origin
    Normals.fill(normals, block: first / Normals.count, at: address)
    let normals = normals + first % Normals.count
    for j in 0..<count { e[j] = S(normal: Float(bitPattern: normals[j])).wide }
  }
}

// MARK: - Quantiles

/// The magnitudes of x̂0 with two neighbouring ranks, between which a quantile lies.
///
/// Those of about a thousand scalars come first: a bound that most likely is a little below says
/// which of the others can be passed over. Should it be above, the search starts again without one.
///
/// - Accuracy: exact; NaN if there is one.
@inline(__always)
private func magnitudes<S: Element>(_ call: StepCall<S>, rank: Int) -> (Double, Double) {
  let count = call.range.count
  let every = count / 1024
  var bound: S.Bits = 0
  if every >= 4 {
    let few = (count - 1) / every + 1
    let expected = Double(rank) / Double(every)
    let deviation = (expected * (1 - expected / Double(few))).squareRoot()
    bound = find(call, every: every, rank: max(Int(expected - 4 * deviation) - 1, 0), from: 0)!.value
  }
  let found = find(call, every: 1, rank: rank, from: bound) ?? find(call, every: 1, rank: rank, from: 0)!
  if S(magnitudeBits: found.largest).double.isNaN { return (.nan, .nan) }
  var gap = S.Bits.max
  if found.isLastOfEqual {
    // What is not above wraps around, and is far.
    forEachBlock(of: call, every: 1) { bits in
      for j in 0..<blockSize { gap = min(gap, bits[j] &- found.value &- 1) }
    }
  }
  let next = gap <= found.largest ? found.value &+ 1 &+ gap : found.value
  return (S(magnitudeBits: found.value).double, S(magnitudeBits: next).double)
}

private struct Found<Bits> {
  var value: Bits
  /// Whether the next rank has another value.
  var isLastOfEqual: Bool
  var largest: Bits
}

/// The magnitude of a rank; `nil` if it is below a bound. Each pass makes x̂0 again, cuts what is
/// left between two bounds in at most 1024 equal parts, counts what falls into each, and leaves the
/// one with the rank.
@inline(__always)
private func find<S: Element>(_ call: StepCall<S>, every: Int, rank: Int, from bound: S.Bits) -> Found<S.Bits>? {
  withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1024) { counts in
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: blockSize / 8) { words in
      let (counts, flags) = (
        counts.baseAddress!, UnsafeMutableRawPointer(words.baseAddress!).assumingMemoryBound(to: UInt8.self)
      )
      var (low, high, below, largest): (S.Bits, S.Bits, Int?, S.Bits) = (bound, .max &>> 1, nil, 0)
      while true {
        let (first, range) = (low, high &- low)
        let shift = S.Bits(truncatingIfNeeded: max(S.Bits.bitWidth &- range.leadingZeroBitCount &- 10, 0))
        for k in 0..<1024 { counts[k] = 0 }
        forEachBlock(of: call, every: every) { bits in
          // What fills up the last block is 0 then.
          if below == nil { for j in 0..<blockSize { largest = max(largest, bits[j] &+ 1) } }
          // One byte for each scalar, so that eight can be passed over at once.
          for j in 0..<blockSize { flags[j] = bits[j] &- first <= range ? 1 : 0 }
          for group in 0..<blockSize / 8 {
            var word = UInt64(littleEndian: words[group])
            while word != 0 {
              let value = bits[group &* 8 &+ word.trailingZeroBitCount &>> 3]
              counts[Int(truncatingIfNeeded: (value &- first) &>> shift)] &+= 1
              word &= word &- 1
            }
          }
        }
        if below == nil {
          // All others.
          var others = (call.range.count &- 1) / every &+ 1
          for k in 0..<1024 { others &-= Int(counts[k]) }
          if others > rank { return nil }
          below = others
        }
        var (part, fewer) = (0, below!)
        while fewer &+ Int(counts[part]) <= rank {
          fewer &+= Int(counts[part])
          part &+= 1
        }
        below = fewer
        low = first &+ S.Bits(truncatingIfNeeded: part) &<< shift
        if shift == 0 {
          return Found(value: low, isLastOfEqual: rank &+ 1 == fewer &+ Int(counts[part]), largest: largest &- 1)
        }
        high = low &+ (1 &<< shift &- 1)
      }
    }
  }
}

private let blockSize = 128

/// Calls a closure with the bits of the magnitudes of every so many x̂0, block after block, the last
/// one filled up with what is no magnitude.
@inline(__always)
private func forEachBlock<S: Element>(of call: StepCall<S>, every: Int, _ body: (UnsafeMutablePointer<S.Bits>) -> Void)
{
  let (x, output, p, q) = (call.sample, call.output, S.factor(call.limits!.sample), S.factor(call.limits!.output))
  withUnsafeTemporaryAllocation(of: S.Bits.self, capacity: blockSize) { bits in
    let bits = bits.baseAddress!
    for start in stride(from: call.range.lowerBound, to: call.range.upperBound, by: blockSize &* every) {
      let count = min(blockSize, (call.range.upperBound &- start &- 1) / every &+ 1)
      @inline(__always) func magnitude(_ i: Int) -> S.Bits { S(p * x[i].wide + q * output[i].wide).magnitudeBits }
      if every == 1 {
        for j in 0..<count { bits[j] = magnitude(start &+ j) }
      } else {
        for j in 0..<count { bits[j] = magnitude(start &+ j &* every) }
      }
      for j in count..<blockSize { bits[j] = .max }
      body(bits)
    }
  }
}

// MARK: - Scalars

/// A scalar as it is stored, and the type in which it is computed with.
private protocol Element: SendableMetatype {
  associatedtype Wide: BinaryFloatingPoint
  associatedtype Bits: FixedWidthInteger & UnsignedInteger
  var wide: Wide { get }
  var double: Double { get }
  /// The bits of the magnitude, which are in the order of the magnitudes, with NaN above infinity.
  var magnitudeBits: Bits { get }
  init(_ wide: Wide)
  init(rounding value: Double)
  init(normal: Float)
  init(magnitudeBits: Bits)
  static func factor(_ factor: Double) -> Wide
}

extension Float: Element {
  @inline(__always) fileprivate var wide: Float { self }
  @inline(__always) fileprivate var double: Double { Double(self) }
  @inline(__always) fileprivate var magnitudeBits: UInt32 { bitPattern & 0x7fff_ffff }
  @inline(__always) fileprivate init(rounding value: Double) { self.init(value) }
  @inline(__always) fileprivate init(normal: Float) { self = normal }
  @inline(__always) fileprivate init(magnitudeBits: UInt32) { self.init(bitPattern: magnitudeBits) }
  @inline(__always) fileprivate static func factor(_ factor: Double) -> Float { Float(factor) }
}

extension Double: Element {
  @inline(__always) fileprivate var wide: Double { self }
  @inline(__always) fileprivate var double: Double { self }
  @inline(__always) fileprivate var magnitudeBits: UInt64 { bitPattern & 0x7fff_ffff_ffff_ffff }
  @inline(__always) fileprivate init(rounding value: Double) { self = value }
  @inline(__always) fileprivate init(normal: Float) { self.init(normal) }
  @inline(__always) fileprivate init(magnitudeBits: UInt64) { self.init(bitPattern: magnitudeBits) }
  @inline(__always) fileprivate static func factor(_ factor: Double) -> Double { factor }
}

#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
  extension Float16: Element {
    @inline(__always) fileprivate var wide: Float { Float(self) }
    @inline(__always) fileprivate var double: Double { Double(Float(self)) }
    @inline(__always) fileprivate var magnitudeBits: UInt16 { bitPattern & 0x7fff }
    @inline(__always) fileprivate init(rounding value: Double) { self.init(value) }
    @inline(__always) fileprivate init(normal: Float) { self.init(normal) }
    @inline(__always) fileprivate init(magnitudeBits: UInt16) { self.init(bitPattern: magnitudeBits) }
    @inline(__always) fileprivate static func factor(_ factor: Double) -> Float { Float(factor) }
  }
#endif
