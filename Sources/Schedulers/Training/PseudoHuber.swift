/// A loss of an output that counts large errors less than their squares, scalar by scalar.
///
///     huber:     2·c·(√(e² + c²) − c)
///     smoothL1:  2·(√(e² + c²) − c)
///
/// The first is near e² for small errors and 2·c·|e| for large ones, the second near e²/c and
/// 2·|e|. These are what kohya's sd-scripts and diffusers' training scripts call `huber` and
/// `smooth_l1`: the pseudo-Huber loss with two scales. torch's losses of these names have a corner
/// in their slope and other factors. The pseudo-Huber loss of consistency training (Song and
/// Dhariwal 2023) is of a sample's norm, not of its scalars.
///
/// ```swift
/// let c = HuberSchedule.snr(smallest: 0.1).thresholds(over: schedule)
/// let thresholds = timesteps.map { c[$0] }
/// let loss = try PseudoHuber.huber(
///   output: output, target: target, thresholds: thresholds)
/// ```
///
/// - Accuracy: values and slopes within 8·2⁻⁵³ of themselves.
///
/// Source: [Khrapov et al. 2024](https://arxiv.org/abs/2403.16728); kohya's `conditional_loss`,
/// <https://github.com/kohya-ss/sd-scripts>, and `train_text_to_image` of diffusers.
public enum PseudoHuber: String, Hashable, Codable, CaseIterable, Sendable {
  /// The loss that is near the square of small errors.
  case huber
  /// The loss whose slope at large errors does not depend on the threshold.
  case smoothL1

  /// The loss of one scalar's error.
  ///
  /// - Parameter threshold: c, above 0.
  public func value(of error: Double, threshold: Double) -> Double {
    // √(e² + c²) − c = e·e/(√(e² + c²) + c), which does not cancel.
    scale(threshold) * error * (error / (Math.hypot(error, threshold) + threshold))
  }

  /// The derivative of the loss by the error.
  ///
  /// - Parameter threshold: c, above 0.
  public func slope(at error: Double, threshold: Double) -> Double {
    scale(threshold) * (error / Math.hypot(error, threshold))
  }

  private func scale(_ threshold: Double) -> Double { self == .huber ? 2 * threshold : 2 }

  /// The loss of a batch, and its gradient.
  public struct Value<Tensor: ScalarTensor> {
    /// The mean of the samples' losses.
    public let total: Double
    /// The loss of each sample, the mean over its scalars times its weight.
    public let losses: [Double]
    /// The gradient of `total` by the output.
    public let gradient: Tensor
  }

  /// The loss of a network's output, and its gradient. All arithmetic is in Double.
  ///
  /// - Parameters:
  ///   - output: the network's.
  ///   - target: what it should be.
  ///   - thresholds: c of each sample, above 0.
  ///   - weights: the weight of each sample; 1 if `nil`.
  /// - Throws: `OutputError` if the output does not have the size of the target.
  /// - Precondition: there are a threshold above 0 and a weight for each sample.
  public func callAsFunction<Tensor: ScalarTensor>(
    output: Tensor, target: Tensor, thresholds: [Double], weights: [Double]? = nil
  ) throws(OutputError) -> Value<Tensor> {
    try output.checkSize(asOutputFor: target, learnsVariance: false)
    let (count, size) = (target.sampleCount, target.sampleSize)
    stop(
      unless: thresholds.count == count && (weights == nil || weights!.count == count),
      "\(thresholds.count) thresholds and \(weights?.count ?? count) weights for a batch of \(count) samples")
    let (a, b) = (output.scalars, target.scalars)
    var losses: [Double] = []
    for n in 0..<count {
      stop(unless: thresholds[n] > 0, "threshold \(thresholds[n]) of sample \(n) must be above 0")
      var sum = 0.0
      for i in n * size..<(n + 1) * size { sum += value(of: Double(a[i]) - Double(b[i]), threshold: thresholds[n]) }
      losses.append((weights?[n] ?? 1) * sum / Double(size))
    }
    let gradient = output.mapped { n, i in
      (weights?[n] ?? 1) / Double(count * size) * slope(at: Double(a[i]) - Double(b[i]), threshold: thresholds[n])
    }
    return Value(total: losses.reduce(0, +) / Double(count), losses: losses, gradient: gradient)
  }
}

extension PseudoHuber.Value: Sendable where Tensor: Sendable {}
