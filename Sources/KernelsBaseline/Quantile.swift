import KernelInterface

/// The magnitudes of x̂0 with two neighbouring ranks, between which a quantile lies.
///
/// Those of about a thousand scalars come first: a bound that most likely is a little below says
/// which of the others can be passed over. Should it be above, the search starts again without one.
///
/// - Accuracy: exact; NaN if there is one.
@inline(__always)
func magnitudes<S: Element>(_ call: StepCall<S>, rank: Int) -> (Double, Double) {
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
