import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// diffusers' float32 tables, as released, against this library's Doubles. The tolerances are what
/// float32 can lose in the operations that diffusers does; v = 2⁻²⁴ is its rounding unit, and this
/// library's own error, below 2⁻⁵⁰, is inside the roundings upwards.
@Suite struct DiffusersTableTests {
  private static let golden = Result { try Safetensors("diffusers-tables.safetensors") }
  private static let v = 0x1p-24

  /// A named schedule with diffusers' default parameters, and the relative error of its float32
  /// betas in units of v.
  struct Formula: Sendable, CustomTestStringConvertible {
    let name: String
    let schedule: BetaSchedule
    let roundings: Double
    let schedulers: [String]
    var testDescription: String { name }
  }

  private static let all = ["ddpm", "ddim", "ddim-inverse"]
  static let formulas = [
    // torch.linspace: both ends (1v each), their difference (1) and the step (1) are rounded, 3.1v
    // where the end is 200 times the start, then one fused operation (1v). The first half counts up
    // from the start, 4.1v. The second counts down from the end: (1 + 3.1·½)·2 + 1 = 6.1v at worst,
    // as the value is half the end or more.
    Formula(name: "linear", schedule: .linear(), roundings: 7, schedulers: all),
    // The same between the roots, here 14 times apart, 3.2v in the step, 6.2v at worst; then
    // squared, which doubles that, and rounded.
    Formula(name: "scaled-linear", schedule: .scaledLinear(start: 1e-4, end: 0.02), roundings: 14, schedulers: all),
    // In double precision, where 1 − cos²b/cos²a, at least 4·10⁻⁵, has lost less than 10⁻³ v, then
    // rounded once.
    Formula(name: "cosine", schedule: .cosine(), roundings: 1.01, schedulers: all),
    // x from −6 to 6: the step (1v) times i, at most 6 from either end, and the sum: 12v absolute,
    // which is (1 − s)·12v relative in the sigmoid s; exp, the sum with 1 and the quotient, 4v; the
    // range (2v), the product and the sum with the start, 4v.
    Formula(name: "sigmoid", schedule: .sigmoid(), roundings: 20, schedulers: ["ddpm"]),
  ]

  @Test(arguments: formulas, [50, 1000])
  func `betas and alphaBars are diffusers', as far as float32 goes`(formula: Formula, timesteps: Int) throws {
    let schedule = try NoiseSchedule(formula.schedule, timesteps: timesteps)
    let accumulated = Self.accumulated(schedule, roundings: formula.roundings)
    for scheduler in formula.schedulers {
      try compare(
        "\(scheduler)/\(formula.name)/\(timesteps)/plain", with: schedule,
        betas: schedule.betas.map { formula.roundings * Self.v * $0 },
        // The product is double precision, rounded once; another v stands for the squares of these
        // errors, which are below 2.5·10⁻⁴.
        alphaBars: zip(schedule.alphaBars, accumulated).map { $0 * ($1 + 2 * Self.v) })
    }
  }

  @Test(arguments: formulas, [50, 1000])
  func `betas rescaled to zero terminal SNR are diffusers', as far as float32 goes`(formula: Formula, timesteps: Int)
    throws
  {
    let whole = try NoiseSchedule(formula.schedule, timesteps: timesteps)
    let schedule = try whole.rescaledToZeroTerminalSNR()
    let errors = Self.rescaledErrors(whole, schedule, roundings: formula.roundings)
    for scheduler in formula.schedulers {
      try compare(
        "\(scheduler)/\(formula.name)/\(timesteps)/rescaled", with: schedule, betas: errors.betas,
        alphaBars: errors.alphaBars)
    }
  }

  /// Compares a scheduler's tables, each value at its own absolute tolerance.
  private func compare(_ item: String, with schedule: NoiseSchedule, betas: [Double], alphaBars: [Double]) throws {
    let golden = try Self.golden.get()
    let theirBars = try golden.floats("\(item).alphas_cumprod").map(Double.init)
    let tables = [
      ("betas", schedule.betas, try golden.floats("\(item).betas").map(Double.init), betas),
      ("alphaBars", schedule.alphaBars, theirBars, alphaBars),
      // 1 − ᾱ is exact in double precision, so its error is that of ᾱ.
      ("oneMinusAlphaBars", schedule.oneMinusAlphaBars, theirBars.map { 1 - $0 }, alphaBars),
    ]
    for (name, values, expected, tolerances) in tables {
      #expect(values.count == expected.count, "\(item) \(name)")
      var worst = (ratio: 1.0, text: "")
      for t in values.indices {
        let (difference, tolerance) = (abs(values[t] - expected[t]), tolerances[t] + unit)
        if !(difference <= tolerance * worst.ratio) {
          worst = (
            difference / tolerance,
            "\(item) \(name)[\(t)]: \(values[t]) here, \(expected[t]) there, off by \(difference), allowed \(tolerance)"
          )
        }
      }
      Comparisons.count(values.count)
      #expect(worst.text.isEmpty, "\(worst.text)")
    }

    // A sample at the start has unit variance, and the run ends at clean data, or where
    // `set_alpha_to_one` is off at timestep 0.
    let grid = try SamplingGrid(schedule, steps: 1, spacing: .leading(offset: schedule.timesteps - 1))
    let plan = try DDIM().plan(over: grid, predicting: .v)
    #expect(
      isClose(plan.initialScale, Double(try golden.floats("\(item).init_noise_sigma")[0]), relative: 4 * unit),
      "\(item)")
    guard !item.hasPrefix("ddpm") else { return }
    let ends = try golden.floats("\(item).final_alpha_cumprod").map(Double.init)
    let signal = try #require(grid.points.last).level.signal
    #expect(ends[0] == signal * signal, "\(item)")
    #expect(abs(ends[1] - schedule.alphaBars[0]) <= alphaBars[0], "\(item)")
  }

  /// The relative error of Π (1 − β) up to each t: that of β, and 1 − β, a number below 1, rounded
  /// to v/2.
  private static func accumulated(_ schedule: NoiseSchedule, roundings: Double) -> [Double] {
    var sum = 0.0
    return schedule.betas.map { beta in
      sum += (beta * roundings + 0.5) * v / (1 - beta)
      return sum
    }
  }

  /// The absolute errors of the rescaled tables, `whole` being the schedule before rescaling.
  ///
  /// With a = √ᾱ before and d = a − a_T, what is made is r = d·a_0/d_0, ᾱ = r², α = r²/r₋² (₋ for
  /// the timestep before), β = 1 − α and the products of 1 − β. a has the relative error s/2, s
  /// accumulated over t, which changes little from one timestep to the next, and 1.5v for two
  /// roundings. So d/d₋ has k·(1 + a_T/d) + a_T·((s_T − s₋)/2 + 3v)·(1/d − 1/d₋), where k = (s −
  /// s₋)/2 + 3v, and r has s/2 + 1.5v + a_T/d·((s_T − s)/2 + 3v) + a_T/d_0·((s_T − s_0)/2 + 3v).
  /// Subtraction, scale, product and square are rounded too.
  private static func rescaledErrors(
    _ whole: NoiseSchedule, _ rescaled: NoiseSchedule, roundings: Double
  ) -> (betas: [Double], alphaBars: [Double]) {
    let last = whole.timesteps - 1
    let s = accumulated(whole, roundings: roundings).map { $0 / 2 }
    let a = whole.signals
    let d = a.map { $0 - a[last] }
    var (betas, alphaBars): ([Double], [Double]) = ([], [])
    var chain = 0.0
    // At the last timestep ᾱ = 0 and β = 1 are exact.
    for t in 0..<last {
      let alpha = rescaled.alphas[t]
      let root =
        s[t] + 1.5 * v + a[last] / d[t] * (s[last] - s[t] + 3 * v) + a[last] / d[0] * (s[last] - s[0] + 3 * v)
      if t == 0 {
        // d_0·(a_0/d_0): the error of d_0 cancels. Two roundings, square, 1 − α.
        betas.append(alpha * (2 * (s[0] + 3.5 * v) + v) + v)
      } else {
        let ratio =
          (s[t] - s[t - 1] + 3 * v) * (1 + a[last] / d[t]) + a[last] * (s[last] - s[t - 1] + 3 * v)
          * (1 / d[t] - 1 / d[t - 1])
        // Subtraction and product of both, twice for the squares, and their roundings: 10v; the
        // quotient, 1v.
        betas.append(alpha * (2 * ratio + 11 * v) + v * rescaled.betas[t])
      }
      // From there on each quotient is rounded, and 1 − β where it is below a half; else both
      // differences are exact.
      chain += v + (alpha < 0.5 ? v / (2 * alpha) : 0)
      alphaBars.append(rescaled.alphaBars[t] * (2 * (root + 4 * v) + v + chain + 2 * v))
    }
    return (betas + [0], alphaBars + [0])
  }
}
