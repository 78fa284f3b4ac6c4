/// Samples in groups of one fixed size, so that a result does not depend on the batch that a sample
/// comes in.
///
/// A matrix product rounds differently where the matrix is of another size, since the library then
/// takes another path through its kernels. Here every product has the same size, whatever the
/// batch: the last tile is filled up with zeros.
enum Tiles {
  /// The number of samples in a tile.
  ///
  /// The position in a tile must not matter either. OpenBLAS's kernels work on 4, 8, 12 or 24
  /// samples at once and round those left over in another order: AVX-512 kernels do so with 16
  /// samples, Haswell's with 12 on two threads. With 8 none does, nor with 4.
  static let height = 8

  /// Applies a function to each tile and joins the results.
  ///
  /// - Parameters:
  ///   - samples: one after another, `dimension` values each.
  ///   - body: is given height × dimension values and how many of the samples are real; answers
  ///     with as many values.
  static func map(
    _ samples: [Double], dimension: Int, _ body: (_ tile: [Double], _ count: Int) -> [Double]
  ) -> [Double] {
    let size = height * dimension
    var result: [Double] = []
    result.reserveCapacity(samples.count)
    for start in stride(from: 0, to: samples.count, by: size) {
      let real = samples[start..<min(start + size, samples.count)]
      let tile = Array(real) + Array(repeating: 0, count: size - real.count)
      result += body(tile, real.count / dimension).prefix(real.count)
    }
    return result
  }
}
