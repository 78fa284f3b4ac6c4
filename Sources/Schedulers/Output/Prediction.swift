/// What a network's output says about a sample x = signal·x0 + noise·epsilon.
///
/// | case | the output is | source |
/// |---|---|---|
/// | `epsilon` | the noise | [Ho et al. 2020](https://arxiv.org/abs/2006.11239), equation 14 |
/// | `x0` | the data | the same, section 3.2 |
/// | `v` | signal·epsilon − noise·x0 | [Salimans 2022](https://arxiv.org/abs/2202.00512), sec. 4 |
/// | `flow` | epsilon − x0, time to noise | [Lipman 2023](https://arxiv.org/abs/2210.02747) |
/// | `reverseFlow` | x0 − epsilon, time to data | [Liu 2022](https://arxiv.org/abs/2209.03003) |
/// | `previous` | the mean of q(x_s \| x, x0) at the next level s | Ho et al. 2020, equation 7 |
///
/// Everything here is scalar algebra over x0 and epsilon. A function answers `nil` where
/// mathematics has no answer, as for the data behind pure noise when only epsilon is predicted.
public enum Prediction: String, Hashable, Codable, CaseIterable, Sendable {
  /// The noise of the sample.
  case epsilon
  /// The data.
  case x0
  /// signal·epsilon − noise·x0, which says something at every level.
  case v
  /// epsilon − x0, the velocity of rectified flow whose time runs to noise.
  case flow
  /// The mean of the sample at the next level.
  case previous
  /// x0 − epsilon, the velocity of rectified flow whose time runs to data.
  case reverseFlow
}

extension Prediction: OutputReading {
  public var name: String { "\(self) prediction" }
  public var needsNext: Bool { self == .previous }

  /// The point itself: such a network is told the grid's timestep.
  public func query(at point: SamplingGrid.Point) -> SamplingGrid.Point { point }

  public func denoising(at query: SamplingGrid.Point, next: SamplingGrid.Point?) -> SamplingPlan.Readout? {
    // A sample is read as the network was given it.
    let given = query.level.scaled(by: query.inputScale)
    guard let readout = denoising(at: given, previous: next.map { $0.level.scaled(by: $0.inputScale) }) else {
      return nil
    }
    return SamplingPlan.Readout(sample: readout.sample * query.inputScale, output: readout.output)
  }
}

extension SamplingPlan {
  /// sample·x + output·F: something that is read out of a sample and a network's output.
  public struct Readout: Hashable, Codable, Sendable {
    /// The factor of the sample x.
    public var sample: Double
    /// The factor of the network's output F.
    public var output: Double

    public init(sample: Double, output: Double) { (self.sample, self.output) = (sample, output) }

    var isFinite: Bool { sample.isFinite && output.isFinite }
  }
}

extension Prediction {
  /// The training target as a combination of the data and the noise.
  public struct Target: Hashable, Sendable {
    /// The factor of x0.
    public var x0: Double
    /// The factor of epsilon.
    public var epsilon: Double
  }

  /// What the network is trained to answer: target = x0·x0 + epsilon·epsilon.
  ///
  /// - `previous`: the next level of the process, needed by `.previous` alone.
  /// - Returns: `nil` for `.previous` without a posterior from `level` to `previous`.
  public func target(at level: NoiseLevel, previous: NoiseLevel? = nil) -> Target? {
    switch self {
    case .epsilon: return Target(x0: 0, epsilon: 1)
    case .x0: return Target(x0: 1, epsilon: 0)
    case .v: return Target(x0: -level.noise, epsilon: level.signal)
    case .flow: return Target(x0: -1, epsilon: 1)
    case .reverseFlow: return Target(x0: 1, epsilon: -1)
    case .previous:
      guard let posterior = Self.posterior(from: level, to: previous) else { return nil }
      return Target(
        x0: posterior.x0Coefficient + posterior.sampleCoefficient * level.signal,
        epsilon: posterior.sampleCoefficient * level.noise)
    }
  }

  /// The data from a sample at `level` and an output of this kind: x̂0 = sample·x + output·F.
  ///
  /// The sample is one equation, signal·x0 + noise·epsilon = x, the output another; x̂0 solves both.
  ///
  /// - Returns: `nil` where they do not determine x0: epsilon without signal, `.previous` without a
  ///   next level.
  public func denoising(at level: NoiseLevel, previous: NoiseLevel? = nil) -> SamplingPlan.Readout? {
    func readout(_ sample: DoubleDouble, _ output: DoubleDouble) -> SamplingPlan.Readout {
      SamplingPlan.Readout(sample: sample.rounded, output: output.rounded)
    }
    let (signal, noise) = (level.exact.signal, level.exact.noise)
    switch self {
    case .epsilon:
      let reciprocal = 1 / signal
      return level.signal > 0 ? readout(reciprocal, -noise * reciprocal) : nil
    case .x0: return SamplingPlan.Readout(sample: 0, output: 1)
    case .v:
      let power = signal * signal + noise * noise
      return readout(signal / power, -noise / power)
    case .flow, .reverseFlow:
      let sum = signal + noise
      return readout(1 / sum, (self == .flow ? -noise : noise) / sum)
    case .previous:
      guard let posterior = Self.posterior(from: level, to: previous)?.exact, posterior.x0Coefficient.high > 0 else {
        return nil
      }
      return readout(-posterior.sampleCoefficient / posterior.x0Coefficient, 1 / posterior.x0Coefficient)
    }
  }

  /// An output of this kind from a sample at `level` and the data: F = sample·x + output·x̂0.
  ///
  /// - Returns: `nil` where the data do not determine it: epsilon, v and flow without noise.
  func encoding(at level: NoiseLevel, previous: NoiseLevel?) -> SamplingPlan.Readout? {
    let (signal, noise) = (level.signal, level.noise)
    switch self {
    case .x0: return SamplingPlan.Readout(sample: 0, output: 1)
    case .previous:
      guard let posterior = Self.posterior(from: level, to: previous) else { return nil }
      return SamplingPlan.Readout(sample: posterior.sampleCoefficient, output: posterior.x0Coefficient)
    case _ where noise == 0: return nil
    case .epsilon: return SamplingPlan.Readout(sample: 1 / noise, output: -signal / noise)
    case .v: return SamplingPlan.Readout(sample: signal / noise, output: -(signal * signal + noise * noise) / noise)
    case .flow: return SamplingPlan.Readout(sample: 1 / noise, output: -(signal + noise) / noise)
    case .reverseFlow: return SamplingPlan.Readout(sample: -1 / noise, output: (signal + noise) / noise)
    }
  }

  /// An output of this kind as one of another kind: F' = sample·x + output·F.
  ///
  /// - `previous`: the next level of the process, where either kind is `.previous`.
  /// - Returns: `nil` where the sample and the output do not determine it.
  public func conversion(to other: Prediction, at level: NoiseLevel, previous: NoiseLevel? = nil) -> SamplingPlan
    .Readout?
  {
    if self == other { return SamplingPlan.Readout(sample: 0, output: 1) }
    let (signal, noise) = (level.signal, level.noise)
    let (sum, power) = (signal + noise, signal * signal + noise * noise)
    // Between these the noise cancels; the way through x̂0 would divide by it.
    switch (self, other) {
    case (.reverseFlow, _):
      let form = Prediction.flow.conversion(to: other, at: level, previous: previous)
      return form.map { SamplingPlan.Readout(sample: $0.sample, output: -$0.output) }
    case (_, .reverseFlow):
      let form = conversion(to: .flow, at: level, previous: previous)
      return form.map { SamplingPlan.Readout(sample: -$0.sample, output: -$0.output) }
    case (.epsilon, .v) where signal > 0: return SamplingPlan.Readout(sample: -noise / signal, output: power / signal)
    case (.epsilon, .flow) where signal > 0: return SamplingPlan.Readout(sample: -1 / signal, output: sum / signal)
    case (.v, .epsilon): return SamplingPlan.Readout(sample: noise / power, output: signal / power)
    case (.flow, .epsilon): return SamplingPlan.Readout(sample: 1 / sum, output: signal / sum)
    case (.v, .flow): return SamplingPlan.Readout(sample: (noise - signal) / power, output: sum / power)
    case (.flow, .v): return SamplingPlan.Readout(sample: (signal - noise) / sum, output: power / sum)
    default:
      guard
        let denoising = denoising(at: level, previous: previous),
        let encoding = other.encoding(at: level, previous: previous)
      else { return nil }
      return SamplingPlan.Readout(
        sample: encoding.sample + encoding.output * denoising.sample, output: encoding.output * denoising.output)
    }
  }

  private static func posterior(from level: NoiseLevel, to previous: NoiseLevel?) -> Posterior? {
    guard let previous, level.noise > 0, previous.signal > 0, previous.sigma < level.sigma else { return nil }
    return Posterior(from: level, to: previous)
  }
}
