/// The named formulas for β_t, the variance of the noise that step t of the forward process adds.
///
/// `NoiseSchedule(_:timesteps:)` makes numbers of them. Timesteps count from 0; in papers from 1.
public enum BetaSchedule: Hashable, Codable, Sendable {
  /// β from `start` to `end` in equal steps; `start` alone where T = 1.
  ///
  /// `scaledFrom` is the T that `start` and `end` were chosen for: both are multiplied by
  /// scaledFrom/T, so that the whole process adds about the same noise whatever T is.
  /// guided-diffusion's "linear" is `.linear(scaledFrom: 1000)`; with the default end it passes 1
  /// for T in 2...19, which is an error.
  ///
  /// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), section 4.
  case linear(start: Double = 1e-4, end: Double = 0.02, scaledFrom: Int? = nil)

  /// √β from √`start` to √`end` in equal steps; the schedule of Stable Diffusion.
  ///
  /// Source: [Rombach et al. 2022](https://arxiv.org/abs/2112.10752), and their
  /// `make_beta_schedule`.
  case scaledLinear(start: Double = 0.00085, end: Double = 0.012)

  /// β_t = min(1 − f(t+1)/f(t), `maxBeta`) with f(t) = cos²((t/T + `offset`)/(1 + `offset`)·π/2).
  ///
  /// Source: [Nichol and Dhariwal 2021](https://arxiv.org/abs/2102.09672), equation 17.
  case cosine(offset: Double = 0.008, maxBeta: Double = 0.999)

  /// β = `start` + (`end` − `start`)/(1 + exp(−x)), x from −6 to 6 in equal steps; −6 where T = 1.
  ///
  /// Source: GeoDiff's `get_beta_schedule`, [Xu et al. 2022](https://arxiv.org/abs/2203.02923).
  case sigmoid(start: Double = 1e-4, end: Double = 0.02)

  /// β_t = min(1 − ᾱ((t+1)/T)/ᾱ(t/T), `maxBeta`) with ᾱ(s)² = r/(1 + r) and ln r = −½·sgn(½ − s)·
  /// ln(1 − 2·|½ − s| + 10⁻⁶): ln r has a Laplace distribution, and most timesteps lie near r = 1.
  ///
  /// Source: [Hang et al. 2024](https://arxiv.org/abs/2407.03297), table 1; the root and 10⁻⁶ are
  /// those of diffusers 0.42.1, `betas_for_alpha_bar`.
  case laplace(maxBeta: Double = 0.999)

  /// β = min(1 − exp(−`rate`/T), `maxBeta`): ᾱ falls as exp(−rate·s) over the process.
  ///
  /// Source: diffusers 0.42.1, `betas_for_alpha_bar`, whose `exp` has the rate 12.
  case exponential(rate: Double = 12, maxBeta: Double = 0.999)

  /// The name on the command line and in messages.
  public var name: String {
    switch self {
    case .linear(_, _, nil): "linear"
    case .linear: "guided-linear"
    case .scaledLinear: "scaled-linear"
    case .cosine: "cosine"
    case .sigmoid: "sigmoid"
    case .laplace: "laplace"
    case .exponential: "exponential"
    }
  }

  /// Every formula with its default parameters.
  public static let all: [BetaSchedule] = [
    .linear(), .linear(scaledFrom: 1000), .scaledLinear(), .cosine(), .sigmoid(), .laplace(),
    .exponential(),
  ]
}

extension BetaSchedule {
  /// β_0 ... β_{T−1}, each within 1 ulp: the Double nearest to its definition or a neighbour.
  func betas(timesteps count: Int) -> [Double] {
    switch self {
    case .linear(let start, let end, let reference):
      let (first, last) = (DoubleDouble(start), DoubleDouble(end))
      guard let reference else { return Self.ramp(from: first, to: last, count: count) }
      let scale = DoubleDouble(Double(reference)) / Double(count)
      return Self.ramp(from: first, to: last, count: count) { $0 * scale }
    case .scaledLinear(let start, let end):
      let (first, last) = (DoubleDouble(start).squareRoot(), DoubleDouble(end).squareRoot())
      return Self.ramp(from: first, to: last, count: count) { $0 * $0 }
    case .cosine(let offset, let maxBeta):
      return (0..<count).map { min(Self.cosineBeta($0, of: count, offset: offset), maxBeta) }
    case .sigmoid(let start, let end):
      let range = DoubleDouble(end) - DoubleDouble(start)
      return Self.ramp(from: DoubleDouble(-6), to: DoubleDouble(6), count: count) { range / ((-$0).exp() + 1) + start }
    case .laplace(let maxBeta):
      let alphaBars = (0...count).map { Self.laplaceAlphaBar($0, of: count) }
      return (0..<count).map { min((1 - alphaBars[$0 + 1] / alphaBars[$0]).rounded, maxBeta) }
    case .exponential(let rate, let maxBeta):
      let beta = 1 - (DoubleDouble(-rate) / Double(count)).exp()
      return [Double](repeating: min(beta.rounded, maxBeta), count: count)
    }
  }

  /// A function of `count` numbers in equal steps, ends included; of the first where `count` is 1.
  private static func ramp(
    from start: DoubleDouble, to end: DoubleDouble, count: Int, _ value: (DoubleDouble) -> DoubleDouble = { $0 }
  ) -> [Double] {
    guard count > 1 else { return [value(start).rounded] }
    let step = (end - start) / Double(count - 1)
    return (0..<count).map { value(start + step * Double($0)).rounded }
  }

  /// ᾱ at the share t/T of the process. The ratio r is 1/√u before its middle and √u after it.
  private static func laplaceAlphaBar(_ t: Int, of count: Int) -> DoubleDouble {
    let isBefore = 2 * t <= count
    let left = DoubleDouble(Double(2 * (isBefore ? t : count - t))) / Double(count) + 1e-6
    let root = left.squareRoot()
    return (isBefore ? 1 / (1 + root) : root / (1 + root)).squareRoot()
  }

  /// 1 − cos²b/cos²a = sin(b−a)·sin(b+a)/cos²a cancels nowhere; cos a is the complement's sine.
  private static func cosineBeta(_ t: Int, of count: Int, offset: Double) -> Double {
    let quarter = DoubleDouble.pi / 2 / (DoubleDouble(1) + offset)
    let complement = quarter * (DoubleDouble(Double(count - t)) / Double(count))
    let difference = quarter / Double(count)
    // a + b = π − (complement of a) − (complement of b): the sum of the complements has its sine.
    let sum = complement * 2 - difference
    let cosine = complement.sin()
    let acute = sum.high > DoubleDouble.pi.high / 2 ? DoubleDouble.pi - sum : sum
    return (difference.sin() * acute.sin() / (cosine * cosine)).rounded
  }
}
