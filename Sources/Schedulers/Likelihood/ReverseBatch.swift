import SchedulersKernelInterface
import SchedulersKernels

/// A batch x_t and a network's output for it, lent to the kernels in tiles. A sum over a sample
/// adds up its tiles in their order, so that its bits do not depend on the number of threads.
struct ReverseBatch<Scalar: SampleScalar>: @unchecked Sendable {
  let process: ReverseProcess
  let timesteps: [Int]
  /// The scalars of a sample, and of the output for it.
  let size, stride: Int
  let sample, output: UnsafePointer<Scalar>
  /// Whether the output is x̂0 already, and clipped.
  var isDenoised = false

  /// A part of a sample.
  struct Tile {
    /// The index of the sample.
    let sample: Int
    /// Its scalars, counted from the first of the sample.
    let range: Range<Int>
  }

  private static var tileSize: Int { 4096 }
  private var tilesOfSample: Int { (size + Self.tileSize - 1) / Self.tileSize }

  /// Calls a closure with each tile, and returns what it returns, in order.
  func tiles<Result>(threads: Int?, _ body: @Sendable (Tile) -> Result) -> [Result] {
    guard size > 0 else { return [] }
    let (tiles, total) = (tilesOfSample, timesteps.count * tilesOfSample)
    return [Result](unsafeUninitializedCapacity: total) { results, initialized in
      nonisolated(unsafe) let results = results.baseAddress
      let parts = threads ?? min(Kernels.processors, timesteps.count * size >> 16)
      Kernels.concurrently(total, parts: parts, block: 1) { range in
        for k in range {
          let start = k % tiles * Self.tileSize
          let tile = Tile(sample: k / tiles, range: start..<min(start + Self.tileSize, size))
          (results! + k).initialize(to: body(tile))
        }
      }
      initialized = total
    }
  }

  /// The mean over the scalars of each sample, from what the tiles have of a sum.
  func means<Result>(_ results: [Result], _ sum: (Result) -> Double) -> [Double] {
    let tiles = tilesOfSample
    return timesteps.indices.map { n in
      var total = 0.0
      for k in n * tiles..<(n + 1) * tiles { total += sum(results[k]) }
      return total / Double(size)
    }
  }

  /// The step of a tile's sample.
  func step(of tile: Tile) -> ReverseProcess.Step { process.steps[timesteps[tile.sample]] }

  /// The kernels' view of a tile. Their index i is the scalar i of the sample.
  func call(_ tile: Tile) -> ReverseCall<Scalar> {
    let step = step(of: tile)
    let output = output + tile.sample * stride
    var call = ReverseCall(
      range: tile.range, sample: sample + tile.sample * size, output: output,
      variance: stride > size ? output + size : nil,
      denoising: isDenoised ? .init(x: 0, v: 1) : .init(step.denoising), mean: .init(step.mean),
      logVariance: (step.logVariance.offset, step.logVariance.slope))
    if !isDenoised, case .range(let range) = process.clipping {
      call.limits = (range.lowerBound, range.upperBound)
    }
    return call
  }
}

extension ReverseCall where Scalar: SampleScalar {
  /// x̂0 and the log variance at one place.
  func reading(_ i: Int) -> (denoised: Double, logVariance: Double) {
    let value = denoising.x * Double(sample[i]) + denoising.v * Double(output[i])
    let below = limits.high < value ? limits.high : value
    let said = variance.map { Double($0[i]) } ?? 0
    return (below < limits.low ? limits.low : below, logVariance.offset + logVariance.slope * said)
  }
}

extension ReverseProcess {
  /// Whether x̂0 can be read scalar by scalar.
  var readsByScalar: Bool { !clipping.isDynamic }

  /// The output with x̂0, transformed and clipped, in the place of the prediction, in Double.
  func denoised<Tensor: ScalarTensor>(
    _ output: Tensor, of sample: Tensor, timesteps: [Int], transform: ((Tensor) -> Tensor)?
  ) -> [Double] {
    let (size, stride) = (sample.sampleSize, output.sampleSize)
    let (x, values) = (sample.scalars, output.scalars)
    var denoised = timesteps.enumerated().flatMap { n, t in
      let denoising = steps[t].denoising
      return (0..<size).map {
        denoising.sample * Double(x[n * size + $0]) + denoising.output * Double(values[n * stride + $0])
      }
    }
    if let transform { denoised = transform(sample.mapped { denoised[$1] }).scalars.map(Double.init) }
    clipping.apply(to: &denoised, sampleSize: size)
    var result = values.map(Double.init)
    for n in timesteps.indices {
      result.replaceSubrange(n * stride..<n * stride + size, with: denoised[n * size..<(n + 1) * size])
    }
    return result
  }
}
