/// How much the squared error of a network's output counts, by the noise level of the sample.
///
/// A weighting of one prediction is another weighting of the next: with s the SNR, an error of x0
/// that is e is one of epsilon that is √s·e, of v that is √(s + 1)·e, and of flow that is (1 +
/// √s)·e. So each case is defined by its weight w(s) for x0, and the weight for another prediction
/// is w(s) divided by the square of that factor. Minimising either is the same.
///
/// ```swift
/// // min(s, 5)/(s + 1)
/// LossWeighting.minSNR(gamma: 5).weight(at: schedule[t], for: .v)
/// ```
public enum LossWeighting: Hashable, Codable, Sendable {
  /// 1 for whatever is predicted: the simple loss of [Ho et al.
  /// 2020](https://arxiv.org/abs/2006.11239), equation 14.
  case uniform
  /// w = min(s, gamma). [Hang et al. 2023](https://arxiv.org/abs/2303.09556), section 3.4.
  case minSNR(gamma: Double = 5)
  /// w = s·gamma/(s + gamma). [Crowson et al. 2024](https://arxiv.org/abs/2401.11605),
  /// soft-min-SNR; gamma is 1/σ_data² = 4 there.
  case softMinSNR(gamma: Double = 4)
  /// w = s/(k + s)^gamma, which weights epsilon by 1/(k + s)^gamma. [Choi et al.
  /// 2022](https://arxiv.org/abs/2204.00227), equation 8.
  case p2(k: Double = 1, gamma: Double = 1)
  /// w = √s, which weights epsilon by 1/√s and v by √s/(s + 1). Yu et al. 2023,
  /// <https://arxiv.org/abs/2310.08442>, debiased estimation, which is about epsilon; the factor of
  /// an error gives v. kohya's sd-scripts weight v by 1/(s + 1), another objective (#1058 there).
  case debiased
  /// w = s + 1/sigmaData², λ(σ) of [Karras et al. 2022](https://arxiv.org/abs/2206.00364), table 1.
  case edm(sigmaData: Double = 0.5)
  /// 1/t² for flow, with t = noise/(signal + noise). The `sigma_sqrt` of diffusers' training for
  /// [Esser et al. 2024](https://arxiv.org/abs/2403.03206).
  case sigmaSquareRoot
  /// 2/(π·(1 − 2t + 2t²)) for flow, with the same t. Esser et al. 2024, section 3.1, CosMap.
  case cosMap
}

extension LossWeighting {
  /// The weight of a sample's squared error.
  ///
  /// - `level`: the level of the noisy sample; its SNR alone matters.
  /// - `previous`: the next level of the process, needed by `.previous` alone.
  /// - Returns: 0 or more. At SNR 0 and ∞ it is the limit, which is +∞ where the weight is not
  ///   bounded (EDM for epsilon at SNR 0, or for x0 at SNR ∞), and never NaN.
  /// - Precondition: parameters are above 0 (`gamma` of `p2` may be 0); `.previous` has a level.
  public func weight(at level: NoiseLevel, for prediction: Prediction, previous: NoiseLevel? = nil) -> Double {
    weight(at: level.snr, over: Self.squaredFactor(of: prediction, at: level, previous: previous))
  }

  /// The weight of a sample's squared error for a network F of EDM: an error of x0 that is e is one
  /// of F that is e/c_out.
  ///
  /// - Returns: as for a prediction; 1 for `.edm` with the network's own σ_data.
  public func weight(at level: NoiseLevel, for edm: EDMPreconditioning) -> Double {
    let inverse = 1 / (edm.sigmaData * edm.sigmaData)
    let snr = level.snr
    return weight(at: snr, over: (snr + inverse, snr == 0 ? inverse : 1, snr == 0 ? 0 : 1))
  }

  private func weight(at snr: Double, over squaredFactor: @autoclosure () -> SquaredFactor) -> Double {
    validate()
    if self == .uniform { return 1 }
    let factor = squaredFactor()
    if snr > 0, snr.isFinite { return weightOfX0(snr) / factor.value }
    let own = asymptote(isAtZero: snr == 0)
    let exponent = (own.exponent - factor.exponent) * (snr == 0 ? 1 : -1)
    if exponent > 0 { return 0 }
    return exponent == 0 ? own.coefficient / factor.coefficient : .infinity
  }

  /// The square of a factor from an error of x0, and c·s^p at the ends.
  private typealias SquaredFactor = (value: Double, coefficient: Double, exponent: Double)

  /// c·s^p, as which a function of the SNR behaves near 0 or near ∞.
  private typealias Asymptote = (coefficient: Double, exponent: Double)

  /// w(s).
  private func weightOfX0(_ snr: Double) -> Double {
    switch self {
    case .uniform: 1
    case .minSNR(let gamma): min(snr, gamma)
    case .softMinSNR(let gamma): 1 / (1 / snr + 1 / gamma)
    case .p2(let k, let gamma): snr / Math.pow(k + snr, gamma)
    case .debiased: snr.squareRoot()
    case .edm(let sigmaData): snr + 1 / (sigmaData * sigmaData)
    case .sigmaSquareRoot: Self.power(4, snr)
    case .cosMap: Self.cosMap(snr) * Self.power(2, snr)
    }
  }

  /// w near SNR 0 or ∞.
  private func asymptote(isAtZero: Bool) -> Asymptote {
    switch self {
    case .uniform: (1, 0)
    case .minSNR(let gamma), .softMinSNR(let gamma): isAtZero ? (1, 1) : (gamma, 0)
    case .p2(let k, let gamma): isAtZero ? (Math.pow(k, -gamma), 1) : (1, 1 - gamma)
    case .debiased: (1, 0.5)
    case .edm(let sigmaData): isAtZero ? (1 / (sigmaData * sigmaData), 0) : (1, 1)
    case .sigmaSquareRoot: isAtZero ? (1, 0) : (1, 2)
    case .cosMap: isAtZero ? (2 / .pi, 0) : (2 / .pi, 1)
    }
  }

  /// The square of the factor from an error of x0 to one of a prediction, and c·s^p at the ends.
  private static func squaredFactor(
    of prediction: Prediction, at level: NoiseLevel, previous: NoiseLevel?
  ) -> SquaredFactor {
    let snr = level.snr
    switch prediction {
    case .x0: return (1, 1, 0)
    case .epsilon: return (snr, 1, 1)
    case .v: return (snr + 1, 1, snr == 0 ? 0 : 1)
    case .flow, .reverseFlow: return (power(2, snr), 1, snr == 0 ? 0 : 1)
    case .previous:
      guard let previous, level.noise > 0, previous.signal > 0, previous.sigma < level.sigma else {
        stop("the weight of a previous prediction at \(level) needs the level it goes to")
      }
      let factor = Posterior(from: level, to: previous).x0Coefficient
      return (factor * factor, factor * factor, 0)
    }
  }

  /// (1 + √s)^p.
  private static func power(_ exponent: Int, _ snr: Double) -> Double {
    let base = 1 + snr.squareRoot()
    return exponent == 2 ? base * base : base * base * (base * base)
  }

  private static func cosMap(_ snr: Double) -> Double {
    let time = 1 / (1 + snr.squareRoot())
    return 2 / (.pi * (1 - 2 * time + 2 * time * time))
  }

  private func validate() {
    switch self {
    case .uniform, .debiased, .sigmaSquareRoot, .cosMap: break
    case .minSNR(let gamma), .softMinSNR(let gamma): check("gamma", gamma, gamma > 0)
    case .p2(let k, let gamma):
      check("k", k, k > 0)
      check("gamma", gamma, gamma >= 0)
    case .edm(let sigmaData): check("sigmaData", sigmaData, sigmaData > 0)
    }
  }

  private func check(_ name: String, _ value: Double, _ isValid: Bool) {
    stop(unless: isValid && value.isFinite, "\(name) \(value) of \(self) must be finite and above 0")
  }
}
