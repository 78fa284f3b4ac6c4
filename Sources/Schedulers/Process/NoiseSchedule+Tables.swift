// Every array that an implementation of Ho et al. 2020, https://arxiv.org/abs/2006.11239, keeps, in
// Double, at most 2 ulps from exact arithmetic on the stored betas. Equations are of this paper.

extension NoiseSchedule {
  /// α_t = 1 − β_t; in [0, 1).
  public var alphas: [Double] { betas.map { 1 - $0 } }
  /// ᾱ_t = Π_{i ≤ t} α_i (equation 4); in [0, 1).
  public var alphaBars: [Double] { products.map(\.rounded) }
  /// ᾱ_{t−1}, with ᾱ_{−1} = 1.
  public var previousAlphaBars: [Double] { [1] + alphaBars.dropLast() }
  /// ᾱ_{t+1}, with ᾱ_T = 0.
  public var nextAlphaBars: [Double] { alphaBars.dropFirst() + [0] }
  /// 1 − ᾱ_t, the variance of q(x_t | x_0).
  public var oneMinusAlphaBars: [Double] { products.map { (1 - $0).rounded } }
  /// √ᾱ_t, the factor of the data.
  public var signals: [Double] { products.map { $0.squareRoot().rounded } }
  /// √(1 − ᾱ_t), the factor of the noise.
  public var noises: [Double] { products.map { (1 - $0).squareRoot().rounded } }
  /// ln ᾱ_t; −∞ where ᾱ_t = 0.
  public var logAlphaBars: [Double] { products.map { $0.log().rounded } }
  /// ln(1 − ᾱ_t), the log variance of q(x_t | x_0).
  public var logOneMinusAlphaBars: [Double] { products.map { (-$0).log1p().rounded } }
  /// 1/√ᾱ_t; +∞ where ᾱ_t = 0.
  public var reciprocalSignals: [Double] { products.map { (DoubleDouble(1) / $0.squareRoot()).rounded } }
  /// √(1/ᾱ_t − 1) = √(1−ᾱ_t)/√ᾱ_t, the σ of Karras et al. 2022; +∞ where ᾱ_t = 0.
  public var sigmas: [Double] { betas.indices.map(sigma(at:)) }
  /// The entry of `sigmas` for one timestep, without the table.
  package func sigma(at timestep: Int) -> Double { exactSigma(at: timestep).rounded }

  /// The same before it is rounded.
  func exactSigma(at timestep: Int) -> DoubleDouble {
    let product = products[timestep]
    return (1 - product).squareRoot() / product.squareRoot()
  }

  /// ᾱ_t/(1 − ᾱ_t), the signal-to-noise ratio ([Kingma et al.
  /// 2021](https://arxiv.org/abs/2107.00630), section 3.1).
  public var snr: [Double] { products.map { ($0 / (1 - $0)).rounded } }
  /// ln(ᾱ_t/(1 − ᾱ_t)); −∞ where ᾱ_t = 0.
  public var logSNR: [Double] { products.map { ($0 / (1 - $0)).log().rounded } }
  /// β̃_t = β_t·(1 − ᾱ_{t−1})/(1 − ᾱ_t), q(x_{t−1} | x_t, x_0)'s variance (equation 7); β̃_0 is 0.
  public var posteriorVariance: [Double] { posteriorVariances.map(\.rounded) }

  /// ln β̃_t, with the value of t = 1 at t = 0, where β̃ is 0; −∞ where T = 1 leaves no such value.
  public var posteriorLogVarianceClipped: [Double] {
    let variances = posteriorVariances
    return variances.indices.map { variances[$0 == 0 ? min(1, variances.count - 1) : $0].log().rounded }
  }

  /// √ᾱ_{t−1}·β_t/(1 − ᾱ_t), x_0's factor in the mean of q(x_{t−1} | x_t, x_0) (equation 7).
  public var posteriorX0Coefficient: [Double] { steps { $2.squareRoot() * $0 / (1 - $1) }.map(\.rounded) }

  /// √α_t·(1 − ᾱ_{t−1})/(1 − ᾱ_t), x_t's factor in the mean of q(x_{t−1} | x_t, x_0) (equation 7).
  public var posteriorSampleCoefficient: [Double] {
    steps { DoubleDouble(sum: 1, -$0).squareRoot() * (1 - $2) / (1 - $1) }.map(\.rounded)
  }

  private var posteriorVariances: [DoubleDouble] { steps { (1 - $2) * $0 / (1 - $1) } }

  /// A value of β_t, ᾱ_t and ᾱ_{t−1}.
  private func steps(_ value: (Double, DoubleDouble, DoubleDouble) -> DoubleDouble) -> [DoubleDouble] {
    betas.indices.map { value(betas[$0], products[$0], $0 > 0 ? products[$0 - 1] : DoubleDouble(1)) }
  }
}

extension NoiseSchedule {
  /// One named array of a schedule.
  public struct Table: Sendable {
    /// The property of `NoiseSchedule` that gives the array.
    public let name: String
    /// What guided-diffusion's `GaussianDiffusion` calls it, if it has it.
    public let referenceName: String?
    /// The array of a schedule, one value for each timestep.
    public let values: @Sendable (NoiseSchedule) -> [Double]
  }

  /// Every table, in the order in which they are printed.
  public static let tables: [Table] = [
    Table(name: "betas", referenceName: "betas") { $0.betas },
    Table(name: "alphas", referenceName: nil) { $0.alphas },
    Table(name: "alphaBars", referenceName: "alphas_cumprod") { $0.alphaBars },
    Table(name: "previousAlphaBars", referenceName: "alphas_cumprod_prev") { $0.previousAlphaBars },
    Table(name: "nextAlphaBars", referenceName: "alphas_cumprod_next") { $0.nextAlphaBars },
    Table(name: "oneMinusAlphaBars", referenceName: nil) { $0.oneMinusAlphaBars },
    Table(name: "signals", referenceName: "sqrt_alphas_cumprod") { $0.signals },
    Table(name: "noises", referenceName: "sqrt_one_minus_alphas_cumprod") { $0.noises },
    Table(name: "logAlphaBars", referenceName: nil) { $0.logAlphaBars },
    Table(name: "logOneMinusAlphaBars", referenceName: "log_one_minus_alphas_cumprod") { $0.logOneMinusAlphaBars },
    Table(name: "reciprocalSignals", referenceName: "sqrt_recip_alphas_cumprod") { $0.reciprocalSignals },
    Table(name: "sigmas", referenceName: "sqrt_recipm1_alphas_cumprod") { $0.sigmas },
    Table(name: "snr", referenceName: nil) { $0.snr },
    Table(name: "logSNR", referenceName: nil) { $0.logSNR },
    Table(name: "posteriorVariance", referenceName: "posterior_variance") { $0.posteriorVariance },
    Table(name: "posteriorLogVarianceClipped", referenceName: "posterior_log_variance_clipped") {
      $0.posteriorLogVarianceClipped
    },
    Table(name: "posteriorX0Coefficient", referenceName: "posterior_mean_coef1") { $0.posteriorX0Coefficient },
    Table(name: "posteriorSampleCoefficient", referenceName: "posterior_mean_coef2") { $0.posteriorSampleCoefficient },
  ]
}
