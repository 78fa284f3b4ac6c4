import KernelInterface

/// The magnitudes of x̂0 with two neighbouring ranks, found eight bits at a time, the highest first. Each pass makes x̂0 again, block by
/// block, and counts the next eight bits of those whose higher ones are the ones found; after the first pass, these are few.
///
/// - Accuracy: exact; NaN if there is one.
@inline(__always)
func magnitudes<S: Element>(_ call: StepCall<S>, rank: Int) -> (Double, Double) {
  let start = S.Bits(truncatingIfNeeded: S.Bits.bitWidth - 8)
  // Four tables in turn, as equal neighbours would wait for each other.
  return withUnsafeTemporaryAllocation(of: (UInt32, UInt32, UInt32, UInt32).self, capacity: 256) { tables in
    let counts = UnsafeMutableRawPointer(tables.baseAddress!).assumingMemoryBound(to: UInt32.self)
    var (found, below, equal, largest): (S.Bits, Int, Int, S.Bits) = (0, 0, 0, 0)
    var shift = start
    while true {
      for k in 0..<1024 { counts[k] = 0 }
      if shift == start {
        forEachBlock(of: call) { bits in
          for j in 0..<blockSize { largest = bits[j] > largest && bits[j] != .max ? bits[j] : largest }
          for j in 0..<blockSize where bits[j] != .max { counts[Int(truncatingIfNeeded: bits[j] &>> shift) &* 4 | j & 3] &+= 1 }
        }
      } else {
        forEachBlock(of: call) { bits in
          for group in stride(from: 0, to: blockSize, by: 16) {
            var matches: S.Bits = 0
            for j in group..<group &+ 16 { matches |= bits[j] &>> (shift &+ 8) == found ? 1 : 0 }
            guard matches != 0 else { continue }
            for j in group..<group &+ 16 where bits[j] &>> (shift &+ 8) == found {
              counts[Int(truncatingIfNeeded: bits[j] &>> shift & 255) &* 4 | j & 3] &+= 1
            }
          }
        }
      }
      var bucket = -1
      while below + equal <= rank || bucket < 0 {
        if bucket >= 0 { below += equal }
        bucket += 1
        equal = (0..<4).reduce(0) { $0 + Int(counts[bucket * 4 + $1]) }
      }
      found = found &<< 8 | S.Bits(truncatingIfNeeded: bucket)
      if shift == 0 { break }
      shift -= 8
    }
    if S(magnitudeBits: largest).double.isNaN { return (.nan, .nan) }
    var next = found
    if rank + 1 >= below + equal {
      next = largest
      forEachBlock(of: call) { bits in
        for j in 0..<blockSize {
          let candidate = bits[j] > found ? bits[j] : largest
          next = candidate < next ? candidate : next
        }
      }
    }
    return (S(magnitudeBits: found).double, S(magnitudeBits: next).double)
  }
}

private let blockSize = 128

/// Calls a closure with the bits of the magnitudes of x̂0, block after block, the last one filled up with what is no magnitude.
@inline(__always)
private func forEachBlock<S: Element>(of call: StepCall<S>, _ body: (UnsafeMutablePointer<S.Bits>) -> Void) {
  let (x, output, p, q) = (call.sample, call.output, S.factor(call.limits!.sample), S.factor(call.limits!.output))
  withUnsafeTemporaryAllocation(of: S.Bits.self, capacity: blockSize) { bits in
    let bits = bits.baseAddress!
    for start in stride(from: call.range.lowerBound, to: call.range.upperBound, by: blockSize) {
      let count = min(blockSize, call.range.upperBound - start)
      for j in 0..<count { bits[j] = S(p * x[start &+ j].wide + q * output[start &+ j].wide).magnitudeBits }
      for j in count..<blockSize { bits[j] = .max }
      body(bits)
    }
  }
}
