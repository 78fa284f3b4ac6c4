import Schedulers

/// The exponential moving average of a network's parameters, which samples better than the
/// parameters themselves.
///
///     average ← average − (1 − d)·(average − parameters)
///     d = min(maximum, 1 − (1 + n/inverseGamma)^(−power))
///
/// n counts the updates before this one, so that the first takes the parameters as they are. The
/// warm-up lets the early parameters be forgotten.
///
/// Source: diffusers' `EMAModel` with `use_ema_warmup`; its defaults for a power are crowsonkb's.
public struct MovingAverage<Scalar: NetworkScalar>: Hashable, Sendable {
  /// How the decay grows.
  public struct Options: Hashable, Codable, Sendable {
    /// The largest decay, in 0 ... 1.
    public var maximum = 0.9999
    /// Above 0; larger is slower.
    public var inverseGamma = 1.0
    /// 2/3 for runs of a million steps and more, 3/4 for shorter ones.
    public var power = 0.75

    /// The defaults of diffusers' training scripts.
    public init() {}
  }

  /// How the decay grows.
  public let options: Options
  /// The averages.
  public private(set) var parameters: [Scalar]
  /// How many updates were made.
  public private(set) var updates: Int

  /// An average that begins at given parameters, or goes on from a saved state.
  public init(_ options: Options = Options(), of parameters: [Scalar], updates: Int = 0) {
    self.options = options
    self.parameters = parameters
    self.updates = updates
  }

  /// d of the next update.
  public var decay: Double {
    AverageDecay.warmUp(largest: options.maximum, inverseGamma: options.inverseGamma, power: options.power)
      .decay(after: updates)
  }

  /// Takes in the parameters after a step.
  ///
  /// - Precondition: they are as many as before.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public mutating func update(with latest: [Scalar]) {
    precondition(latest.count == parameters.count, "\(latest.count) parameters for an average of \(parameters.count)")
    let part = Scalar(1 - decay)
    // Over plain memory, so that it is vectorised.
    parameters.withUnsafeMutableBufferPointer { average in
      latest.withUnsafeBufferPointer { latest in
        for i in 0..<latest.count { average[i] -= part * (average[i] - latest[i]) }
      }
    }
    updates += 1
  }
}
