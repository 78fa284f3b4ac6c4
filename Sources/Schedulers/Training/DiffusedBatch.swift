import SchedulersKernelInterface
import SchedulersKernels

/// A batch for a training step: noisy samples, and what a network should answer for them.
///
/// Its memory serves every step of a training run:
///
/// ```swift
/// var batch = DiffusedBatch(like: x0)
/// for x0 in data {
///   let t = timesteps.draw(count: 64, using: &generator)
///   schedule.diffuse(x0, at: t, predicting: .v, using: &noise, into: &batch)
///   step(loss: mse(unet(batch.sample, t), batch.target))
/// }
/// ```
public struct DiffusedBatch<Tensor: ContiguousTensor> {
  /// What the network is given.
  public internal(set) var sample: Tensor
  /// What it should answer.
  public internal(set) var target: Tensor

  /// Room for a batch of the size of another.
  public init(like other: Tensor) { (sample, target) = (other, other) }
}

extension DiffusedBatch: Sendable where Tensor: Sendable {}

extension NoiseSchedule {
  /// Makes noise, noisy samples and targets in one pass over memory, with a timestep for each
  /// sample. `GaussianNoise` is made on the way, and never stored.
  ///
  /// The numbers are those of the long way: `next(like:offsetBy:)`, `perturbing(_:by:)`,
  /// `mix(_:with:at:)` and `Prediction.target(x0:epsilon:at:)`. Draws come in that order too: the
  /// noise, then that of the offset, then that of the perturbation.
  ///
  /// - Parameters:
  ///   - x0: the data.
  ///   - timesteps: one for each sample.
  ///   - prediction: what the network answers; `.epsilon` has the noise as the target, as
  ///     `TrainingLoss` wants to have it. `.previous` is not served.
  ///   - noise: where the noise comes from.
  ///   - offset: the strength of offset noise, for so many channels in each sample.
  ///   - perturbation: the strength of input perturbation, in the sample alone.
  ///   - batch: room of the size of x0.
  ///   - threads: how many threads it is spread over; `nil` for as many as pay.
  /// - Precondition: each sample has a timestep in 0 ..< T, and its scalars are whole channels.
  public func diffuse<Tensor: ContiguousTensor>(
    _ x0: Tensor, at timesteps: [Int], predicting prediction: Prediction = .epsilon,
    using noise: inout some NoiseSource, offset: (strength: Double, channels: Int)? = nil, perturbation: Double = 0,
    into batch: inout DiffusedBatch<Tensor>, threads: Int? = nil
  ) {
    check(timesteps, for: x0).map { self[$0] }.diffuse(
      x0, predicting: prediction, using: &noise, offset: offset, perturbation: perturbation, into: &batch,
      threads: threads)
  }
}

extension [NoiseLevel] {
  /// The same, with a level for each sample, on any path.
  ///
  /// - `previous`: the next level of each sample's process, needed by `.previous` alone.
  /// - Precondition: there is a level for each sample, and its scalars are whole channels.
  public func diffuse<Tensor: ContiguousTensor>(
    _ x0: Tensor, predicting prediction: Prediction = .epsilon, previous: [NoiseLevel]? = nil,
    using noise: inout some NoiseSource, offset: (strength: Double, channels: Int)? = nil, perturbation: Double = 0,
    into batch: inout DiffusedBatch<Tensor>, threads: Int? = nil
  ) {
    let (size, channels) = (x0.sampleSize, offset?.channels ?? 1)
    stop(unless: count == x0.sampleCount, "\(count) levels for a batch of \(x0.sampleCount) samples")
    stop(
      unless: channels > 0 && size.isMultiple(of: channels),
      "a sample of \(size) scalars does not have \(channels) channels")
    let targets = prediction.targets(at: self, previous: previous)
    guard let loops = Tensor.Scalar._loops(of: Kernels.table) else {
      var epsilon: Tensor = noise.next(like: x0)
      if let (strength, channels) = offset {
        let z = noise.next(like: SampleBatch<Tensor.Scalar>(zeros: [count, channels])).scalars
        let spread = z.flatMap { repeatElement($0, count: size / channels) }
        epsilon = epsilon.offset(by: strength, perChannel: Tensor(scalars: spread, like: x0))
      }
      batch.target = prediction.target(x0: x0, epsilon: epsilon, at: self, previous: previous)
      return batch.sample = mix(x0, with: perturbation == 0 ? epsilon : noise.perturbing(epsilon, by: perturbation))
    }
    let epsilon = Draw(&noise, like: x0)
    let offsets = offset.map { noise.next(like: SampleBatch<Tensor.Scalar>(zeros: [count, $0.channels])).scalars }
    let other = perturbation == 0 ? nil : Draw(&noise, like: x0)
    let unit = size / channels
    guard unit > 0 else { return }
    x0.withScalars { x in
      batch.withMutableScalars(of: x.count) { sample, target in
        nonisolated(unsafe) let (x, sample, target) = (x.baseAddress!, sample, target)
        let parts = threads ?? Swift.min(Kernels.processors, count * size >> 16)
        epsilon.withNoise { epsilon in
          (other ?? Draw()).withNoise { other in
            Kernels.concurrently(samples: unit, of: count * size, parts: parts) { k, range in
              let n = k / channels
              var part = MixCall(
                range: range, data: x, noise: epsilon(n),
                mixed: .init(to: sample, data: self[n].signal, noise: self[n].noise))
              part.origin = n * size
              part.target = .init(to: target, data: targets[n].x0, noise: targets[n].epsilon)
              part.offset = offsets.map { (offset!.strength, Double($0[k])) }
              if perturbation != 0 { part.perturbation = (perturbation, other(n)) }
              withUnsafePointer(to: part, loops.mix)
            }
          }
        }
      }
    }
  }
}

/// A draw of noise: made on the way from its addresses, or there.
private struct Draw<Scalar: SampleScalar> {
  private var source: GaussianNoise?
  private var values: [Scalar] = []

  init() {}

  init<Tensor: ScalarTensor<Scalar>>(_ noise: inout some NoiseSource, like other: Tensor) {
    source = noise._skip()
    source?.checkSeeds(for: other.sampleCount)
    if source == nil { values = noise.next(like: other).scalars }
  }

  /// Lends what the kernels take for the n-th sample.
  func withNoise(_ body: (@escaping @Sendable (Int) -> MixCall<Scalar>.Noise) -> Void) {
    values.withUnsafeBufferPointer { values in
      nonisolated(unsafe) let values = values.baseAddress
      body { n in
        source.map { .address($0.address(of: n)) } ?? .values(values!)
      }
    }
  }
}

extension DiffusedBatch {
  fileprivate mutating func withMutableScalars(
    of count: Int, _ body: (UnsafeMutablePointer<Tensor.Scalar>, UnsafeMutablePointer<Tensor.Scalar>) -> Void
  ) {
    sample.withMutableScalars { sample in
      target.withMutableScalars { target in
        stop(
          unless: sample.count == count && target.count == count,
          "a batch with room for \(sample.count) scalars does not hold \(count); make one like the data")
        body(sample.baseAddress!, target.baseAddress!)
      }
    }
  }
}
