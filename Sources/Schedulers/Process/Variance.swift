/// Where the variance of the reverse step p(x_{t−1} | x_t) comes from.
public enum Variance: String, Hashable, Codable, CaseIterable, Sendable {
  /// β̃_t, the posterior's: exact where the data are a point. Ho et al. 2020, https://arxiv.org/abs/2006.11239, section 3.2.
  case fixedSmall
  /// β_t, the forward step's: exact where the data are a unit Gaussian. The same section.
  case fixedLarge
  /// The network says its logarithm.
  case learned
  /// The network says where its logarithm lies between those of β̃_t, for −1, and β_t, for 1. Nichol and Dhariwal 2021,
  /// https://arxiv.org/abs/2102.09672, equation 15.
  case learnedRange

  /// Whether the network's output has twice the channels of a sample: its prediction, then what it says of the variance.
  public var isLearned: Bool { self == .learned || self == .learnedRange }
}

/// The logarithm of a variance, offset + slope·v, where v is what a network says of it; slope 0 where it says nothing.
public struct LogVariance: Hashable, Codable, Sendable {
  /// The logarithm for v = 0.
  public var offset: Double
  /// Its change with v.
  public var slope: Double

  /// A logarithm of the given form.
  public init(offset: Double, slope: Double = 0) {
    self.offset = offset
    self.slope = slope
  }

  /// Whether both are numbers.
  var isFinite: Bool { offset.isFinite && slope.isFinite }
}

extension Variance {
  /// The logarithm of a variance of this kind between those of β̃ and of β.
  func logVariance(small: Double, large: Double) -> LogVariance {
    switch self {
    case .fixedSmall: LogVariance(offset: small)
    case .fixedLarge: LogVariance(offset: large)
    case .learned: LogVariance(offset: 0, slope: 1)
    case .learnedRange: LogVariance(offset: (small + large) / 2, slope: (large - small) / 2)
    }
  }
}
