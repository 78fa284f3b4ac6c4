/// Where the variance of the reverse step p(x_{t−1} | x_t) comes from.
public enum Variance: String, Hashable, Codable, CaseIterable, Sendable {
  /// β̃_t, the posterior's: exact where the data are a point. [Ho et al.
  /// 2020](https://arxiv.org/abs/2006.11239), section 3.2.
  case fixedSmall
  /// β_t, the forward step's: exact where the data are a unit Gaussian. The same section.
  case fixedLarge
  /// The network says its logarithm.
  case learned
  /// The network says where its logarithm lies between those of β̃_t, for −1, and β_t, for 1.
  /// [Nichol and Dhariwal 2021](https://arxiv.org/abs/2102.09672), equation 15.
  case learnedRange

  /// Whether outputs have twice a sample's channels: the prediction, then the variance.
  public var isLearned: Bool { self == .learned || self == .learnedRange }
}

/// The logarithm of a variance, offset + slope·v, where v is the value that a network gives for it.
public struct LogVariance: Hashable, Codable, Sendable {
  /// The logarithm for v = 0.
  public var offset: Double
  /// Its change with v.
  public var slope: Double

  public init(offset: Double, slope: Double = 0) { (self.offset, self.slope) = (offset, slope) }

  var isFinite: Bool { offset.isFinite && slope.isFinite }
}

/// The variance of the noise that a step draws.
///
/// A slope of 0 says nothing about whether a logarithm is learned: β̃ and β may be one number.
public enum StepVariance: Hashable, Codable, Sendable {
  /// A number, given by its logarithm. The step's factor of z is its root.
  case fixed(logarithm: Double)
  /// The logarithm is learned, or its place between bounds. The root multiplies the step's z.
  case learned(LogVariance)
  /// The second half of the network's output is the variance itself; its root multiplies the step's
  /// z, and is NaN below 0. diffusers' `variance_type: learned`.
  case output

  /// Whether the network gives it, element by element.
  public var isLearned: Bool { if case .fixed = self { false } else { true } }

  var isFinite: Bool {
    switch self {
    case .fixed(let logarithm): logarithm.isFinite
    case .learned(let logarithm): logarithm.isFinite
    case .output: true
    }
  }
}

extension Variance {
  /// The variance of a step between those of β̃ and of β.
  package func stepVariance(small: Double, large: Double) -> StepVariance {
    let logarithm = logVariance(small: small, large: large)
    return isLearned ? .learned(logarithm) : .fixed(logarithm: logarithm.offset)
  }

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
