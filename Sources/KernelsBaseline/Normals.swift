import SchedulersKernelInterface

/// Noise by address, 256 normals at a time. The layout is described at `GaussianNoise`.
enum Normals {
  /// Normals in a block.
  static let count = 256
  private static let lanes = 64

  /// Fills a block with the bits of its normals. Words take the place that their normals will have,
  /// so that both loops have one pointer.
  @inline(__always)
  static func fill(_ block: UnsafeMutablePointer<UInt32>, block index: Int, at address: NormalAddress) {
    let low = UInt32(truncatingIfNeeded: address.sample)
    let high = UInt32(truncatingIfNeeded: address.sample >> 32)
    let first = UInt32(truncatingIfNeeded: index &* lanes)
    for lane in 0..<lanes {
      let counter = (first &+ UInt32(truncatingIfNeeded: lane), address.draw, low, high)
      let words = Philox.words(counter: counter, key: address.seed)
      block[lane] = words.0
      block[lane + lanes] = words.1
      block[lane + 2 * lanes] = words.2
      block[lane + 3 * lanes] = words.3
    }
    pair(block)
    pair(block + 2 * lanes)
  }

  @inline(__always)
  private static func pair(_ planes: UnsafeMutablePointer<UInt32>) {
    for lane in 0..<lanes {
      let normals = BoxMuller.normals(planes[lane], planes[lane + lanes])
      planes[lane] = normals.0.bitPattern
      planes[lane + lanes] = normals.1.bitPattern
    }
  }

  /// Adds up terms over a range of the elements of a sample, in their order; the pointer is to
  /// element 0.
  static func sum(_ terms: UnsafeBufferPointer<NormalTerm>, _ range: Range<Int>, _ sums: UnsafeMutablePointer<Double>) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { words in
      let words = words.baseAddress!
      var start = range.lowerBound
      while start < range.upperBound {
        let (block, first) = (start / count, start % count)
        let end = min(start - first + count, range.upperBound)
        let (sums, normals) = (sums + start, words + first)
        for j in 0..<end - start { sums[j] = 0 }
        for k in 0..<terms.count {
          fill(words, block: block, at: terms[k].address)
          let factor = terms[k].factor
          for j in 0..<end - start { sums[j] += factor * Double(Float(bitPattern: normals[j])) }
        }
        start = end
      }
    }
  }

  /// Fills a range of the elements of a sample; the pointer is to element 0.
  static func fill(_ address: NormalAddress, _ range: Range<Int>, _ normals: UnsafeMutablePointer<Float>) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { words in
      var start = range.lowerBound
      while start < range.upperBound {
        let (block, first) = (start / count, start % count)
        let end = min(start - first + count, range.upperBound)
        if end - start == count {
          (normals + start).withMemoryRebound(to: UInt32.self, capacity: count) { fill($0, block: block, at: address) }
        } else {
          fill(words.baseAddress!, block: block, at: address)
          for i in start..<end { normals[i] = Float(bitPattern: words[i - start + first]) }
        }
        start = end
      }
    }
  }
}
