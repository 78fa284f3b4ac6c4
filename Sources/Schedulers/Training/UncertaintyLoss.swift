/// A sample's loss where a second, small network learns how large errors are at each noise level.
///
///     loss = e^(−u)·weight·error + u
///
/// At the best u, ln(weight·mean error), every noise level counts alike, whatever its weight. EDM's
/// weight for its network F is 1, so that the error is the mean square of F − target:
///
/// ```swift
/// let edm = EDMPreconditioning()
/// let target = edm.target(x0: x0, epsilon: epsilon, at: levels)
/// let u = uncertainty(edm.timesteps(at: levels))
/// let losses = zip(errors, u).map { UncertaintyLoss(error: $0, logVariance: $1) }
/// ```
///
/// Source: [Karras et al. 2024](https://arxiv.org/abs/2312.02696), uncertainty-based loss weighting
/// (config B); `EDM2Loss` of <https://github.com/NVlabs/edm2>, whose `logvar` is u.
public struct UncertaintyLoss: Hashable, Sendable {
  /// The loss.
  public let value: Double
  /// The derivative by the error, e^(−u)·weight, by which the gradient of the error is multiplied.
  public let errorGradient: Double
  /// The derivative by u, 1 − e^(−u)·weight·error.
  public let logVarianceGradient: Double

  /// The loss of an error.
  ///
  /// - Parameters:
  ///   - error: the squared error of the network's output, as a mean over a sample's scalars.
  ///   - weight: what `LossWeighting` gives for that output.
  ///   - logVariance: u, which the second network says of the noise level.
  public init(error: Double, weight: Double = 1, logVariance: Double) {
    errorGradient = weight * Math.exp(-logVariance)
    value = errorGradient * error + logVariance
    logVarianceGradient = 1 - errorGradient * error
  }
}
