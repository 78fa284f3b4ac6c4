/// How N values of sigma lie between the largest and the smallest.
public enum SigmaSpacing: Hashable, Codable, Sendable {
  /// Equal steps of σ^(1/rho); [Karras et al. 2022](https://arxiv.org/abs/2206.00364), equation 5.
  case karras(rho: Double = 7)
  /// Equal steps of ln σ, and so of lambda; [Lu et al. 2022](https://arxiv.org/abs/2206.00927),
  /// section 3.4 (uniform logSNR), which diffusers calls Lu's lambdas too.
  case exponential
  /// Steps of ln σ that follow a power, ln σ = ln σ_min + r^rho·ln(σ_max/σ_min) with r from 1 to 0
  /// in equal steps; [Crowson 2022](https://github.com/crowsonkb/k-diffusion),
  /// `get_sigmas_polyexponential`. With rho 1 it is `exponential`.
  case polyexponential(rho: Double = 1)
  /// Equal steps of σ.
  case linear
  /// Equal steps of arctan σ; Lin et al. 2024, as A1111's pull request 15608 implements it,
  /// <https://github.com/AUTOMATIC1111/stable-diffusion-webui>, `kl_optimal`. ComfyUI has the same.
  case klOptimal
  /// Equal shares of a Laplace distribution of ln σ around `mu`, cut off at both ends;
  /// [Hang et al. 2024](https://arxiv.org/abs/2407.03297), table 1. k-diffusion's
  /// `get_sigmas_laplace` moves what lies beyond the ends onto them, which makes steps that go
  /// nowhere.
  case laplace(mu: Double = 0, scale: Double = 0.5)

  /// The name on the command line and in messages.
  public var name: String {
    switch self {
    case .karras: "karras"
    case .exponential: "exponential"
    case .polyexponential: "polyexponential"
    case .linear: "linear"
    case .klOptimal: "kl-optimal"
    case .laplace: "laplace"
    }
  }

  /// Every spacing with its default parameters.
  public static let all: [SigmaSpacing] = [
    .karras(), .exponential, .polyexponential(), .linear, .klOptimal, .laplace(),
  ]

  func validate() throws(GridError) {
    switch self {
    case .karras(let rho), .polyexponential(let rho):
      guard rho > 0, rho.isFinite else { throw .parameter("rho", rho, allowed: "above 0 and finite") }
    case .laplace(let mu, let scale):
      guard mu.isFinite else { throw .parameter("mu", mu, allowed: "finite") }
      guard scale > 0, scale.isFinite else { throw .parameter("scale", scale, allowed: "above 0 and finite") }
    case .exponential, .linear, .klOptimal: break
    }
  }

  /// `count` sigmas from `largest` to `smallest`, both included; `largest` where `count` is 1.
  ///
  /// - Accuracy: a relative error below 2⁻⁹⁰·(1 + rho), for sigmas in 1e-6 ... 1e6.
  func sigmas(count: Int, from largest: DoubleDouble, to smallest: DoubleDouble) -> [DoubleDouble] {
    /// A function of `count` numbers in equal steps; its own values at the ends.
    func ramp(_ start: DoubleDouble, _ end: DoubleDouble, _ sigma: (DoubleDouble) -> DoubleDouble) -> [DoubleDouble] {
      (0..<count).map { i in
        if i == 0 { return largest }
        if i == count - 1 { return smallest }
        // Whole numbers as weights, and a sum of one sign, lose no digits at the small end.
        return sigma((start * Double(count - 1 - i) + end * Double(i)) / Double(count - 1))
      }
    }
    switch self {
    case .karras(let rho):
      let root = 1 / DoubleDouble(rho)
      return ramp(largest.power(root), smallest.power(root)) { $0.power(DoubleDouble(rho)) }
    case .exponential: return ramp(largest.log(), smallest.log()) { $0.exp() }
    case .polyexponential(let rho):
      let (start, end) = (largest.log(), smallest.log())
      return ramp(DoubleDouble(1), DoubleDouble(0)) {
        let share = $0.power(DoubleDouble(rho))
        return (share * start + (1 - share) * end).exp()
      }
    case .linear: return ramp(largest, smallest) { $0 }
    case .klOptimal: return ramp(largest.arctangent(), smallest.arctangent()) { $0.tan() }
    case .laplace(let mu, let scale):
      func shares(_ sigma: DoubleDouble) -> (below: DoubleDouble, above: DoubleDouble) {
        let distance = (sigma.log() - mu) / scale
        let tail = 0.5 * (distance.high < 0 ? distance : -distance).exp()
        return distance.high < 0 ? (tail, 1 - tail) : (1 - tail, tail)
      }
      let (start, end) = (shares(largest), shares(smallest))
      return ramp(DoubleDouble(1), DoubleDouble(0)) { share in
        // Both shares, as the smaller of them has the digits.
        let below = share * start.below + (1 - share) * end.below
        let above = share * start.above + (1 - share) * end.above
        let distance = scale * (2 * (below < above ? below : above)).log()
        return (below < above ? mu + distance : mu - distance).exp()
      }
    }
  }
}

extension SamplingGrid {
  /// N sigmas in a given spacing, on the variance-preserving path, then clean data.
  ///
  /// - `schedule`: gives the range and the timesteps that the network is told.
  /// - `steps`: N, in 1 ... T.
  /// - `range`: the smallest and the largest sigma; those of timesteps 0 and T−1 unless given.
  /// - Throws: `GridError` if `steps` is outside 1 ... T, the range is not finite and above 0 (as
  ///   after rescaling to zero terminal SNR, where the largest sigma is infinite), or a parameter
  ///   of the spacing is out of its range.
  public init(
    _ schedule: NoiseSchedule, steps: Int, spacing: SigmaSpacing, range: ClosedRange<Double>? = nil
  ) throws(GridError) {
    guard steps >= 1, steps <= schedule.timesteps else { throw .steps(steps, timesteps: schedule.timesteps) }
    try spacing.validate()
    let (first, last) = (schedule.exactSigma(at: 0), schedule.exactSigma(at: schedule.timesteps - 1))
    // An end of the schedule is one of its levels, though it was rounded on the way.
    let smallest = range.map { $0.lowerBound == first.high ? first : DoubleDouble($0.lowerBound) } ?? first
    let largest = range.map { $0.upperBound == last.high ? last : DoubleDouble($0.upperBound) } ?? last
    guard smallest.high > 0 else { throw .parameter("the smallest sigma", smallest.high, allowed: "above 0") }
    guard largest.high.isFinite else {
      throw .parameter("the largest sigma", largest.high, allowed: "finite; give a range, or use a timestep spacing")
    }
    try self.init(schedule, exact: spacing.sigmas(count: steps, from: largest, to: smallest))
  }

  /// Given sigmas, largest first, on the variance-preserving path, then clean data (or a last 0).
  ///
  /// The network is told the timestep that has this sigma, interpolated linearly in ln σ between
  /// whole timesteps and held at the ends of the schedule.
  ///
  /// - Throws: `GridError` if there are none, or they are not finite, above 0 and descending.
  public init(_ schedule: NoiseSchedule, sigmas: [Double]) throws(GridError) {
    try self.init(schedule, exact: sigmas.map { DoubleDouble($0) })
  }

  /// The same of sigmas that are known beyond a Double.
  init(_ schedule: NoiseSchedule, exact sigmas: [DoubleDouble]) throws(GridError) {
    let sigmas = try Self.checked(sigmas)
    guard !sigmas.isEmpty else { throw .steps(0, timesteps: schedule.timesteps) }
    let scale = TimestepScale(schedule)
    let points = sigmas.map { Point(timestep: scale.timestep(sigma: $0.high), level: .variancePreserving(sigma: $0)) }
    try self.init(points: points + [.clean], schedule: schedule)
  }

  /// Sigmas without a 0 for the end, each finite, above 0 and below the one before it.
  static func checked(_ sigmas: [DoubleDouble]) throws(GridError) -> [DoubleDouble] {
    let called = sigmas.count > 1 && sigmas.last?.high == 0 ? Array(sigmas.dropLast()) : sigmas
    var previous = Double.infinity
    for (i, sigma) in called.enumerated() {
      guard sigma.high > 0, sigma.high < previous else { throw .sigma(sigma.high, index: i, previous: previous) }
      previous = sigma.high
    }
    return called
  }
}
