import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// The arrays of guided-diffusion's `GaussianDiffusion`, which are NumPy's float64 formulas. The
/// tolerance is the error that those formulas can have by their own rounding; the library's own
/// error, 2 ulps, is added.
@Suite struct GuidedDiffusionTests {
  private static let golden = Result { try Safetensors("guided-diffusion.safetensors") }

  private static let linear = [20, 300, 1000, 4000]
  private static let cosine = [10, 300, 1000, 4000]
  static let whole = linear.map { "linear/\($0)" } + cosine.map { "cosine/\($0)" }
  static let respaced = ["linear/1000/250", "linear/1000/10,15,20", "cosine/4000/ddim50", "cosine/1000/90,60,60,20,20"]

  /// A relative error that NumPy's formula may have at timestep t: e is that of ᾱ, f that of 1 − ᾱ.
  ///
  /// Each α is rounded once and each product once, so e = 2·(t + 1)·u with u = 2⁻⁵³. 1 − ᾱ is
  /// computed from the rounded ᾱ, so f = e·ᾱ/(1 − ᾱ) + u. A further u stands for each rounded
  /// operation after that. The betas are the reference's own.
  private struct NumPyError {
    let alphaBars: [Double]

    func e(_ t: Int) -> Double { t < 0 ? 0 : 2 * Double(t + 1) * unit }
    func f(_ t: Int) -> Double { t < 0 ? 0 : e(t) * alphaBars[t] / (1 - alphaBars[t]) + unit }

    /// By the reference's name of the array; the value matters where a logarithm turns a relative
    /// error into an absolute one.
    func bound(_ name: String, _ t: Int, value: Double) -> Double {
      switch name {
      case "betas": 0
      case "alphas_cumprod": e(t)
      case "alphas_cumprod_prev": e(t - 1)
      case "alphas_cumprod_next": e(t + 1)
      case "sqrt_alphas_cumprod": e(t) / 2 + unit
      case "sqrt_one_minus_alphas_cumprod": f(t) / 2 + unit
      case "log_one_minus_alphas_cumprod": f(t) / abs(value) + 2 * unit
      case "sqrt_recip_alphas_cumprod": e(t) / 2 + 2 * unit
      case "sqrt_recipm1_alphas_cumprod": (e(t) + unit) / (1 - alphaBars[t]) / 2 + 2 * unit
      case "posterior_variance": f(t) + f(t - 1) + 3 * unit
      case "posterior_log_variance_clipped": (f(max(t, 1)) + f(max(t, 1) - 1) + 3 * unit) / abs(value) + 2 * unit
      case "posterior_mean_coef1": e(t - 1) / 2 + f(t) + 4 * unit
      case "posterior_mean_coef2": f(t) + f(t - 1) + 4 * unit
      default: -1
      }
    }
  }

  /// Compares every array that the reference has, given its betas.
  private func compare(_ item: String, betas: [Double], with schedule: NoiseSchedule) throws {
    let golden = try Self.golden.get()
    let numpy = NumPyError(alphaBars: schedule.alphaBars)
    var arrays = 0
    for table in NoiseSchedule.tables {
      guard let name = table.referenceName else { continue }
      arrays += 1
      let (values, expected) = (table.values(schedule), try golden.doubles("\(item).\(name)"))
      #expect(values.count == expected.count)
      var worst = (excess: 0.0, text: "")
      for t in values.indices {
        let bound = numpy.bound(name, t, value: expected[t]) + 4 * unit
        let error = values[t] == expected[t] ? 0 : abs(values[t] - expected[t]) / abs(expected[t])
        if !(error <= bound), !(error / bound <= worst.excess) {
          let ulps = abs(values[t] - expected[t]) / expected[t].ulp
          worst = (
            error / bound,
            "\(item) \(name)[\(t)]: \(values[t]) here, \(expected[t]) there, \(ulps) ulps; tolerance "
              + "\(bound * abs(expected[t]))"
          )
        }
      }
      Comparisons.count(values.count)
      #expect(worst.text.isEmpty, "\(worst.text)")
    }
    #expect(arrays == 13)
  }

  @Test(arguments: whole) func `every array is the reference's, from its betas`(item: String) throws {
    let betas = try Self.golden.get().doubles("\(item).betas")
    try compare(item, betas: betas, with: NoiseSchedule(betas: betas))
  }

  @Test(arguments: linear) func `scaled linear betas are the reference's`(timesteps: Int) throws {
    let expected = try Self.golden.get().doubles("linear/\(timesteps).betas")
    let betas = try NoiseSchedule(.linear(scaledFrom: 1000), timesteps: timesteps).betas
    // NumPy rounds the scale, both ends, the step, its multiple and the sum: six roundings, none at
    // more than the last beta's size times t/T, which is at most the beta itself.
    for (a, b) in zip(betas, expected) { #expect(isClose(a, b, relative: 7 * unit)) }
    #expect(betas.count == expected.count)
    Comparisons.count(betas.count)
  }

  @Test(arguments: cosine) func `cosine betas are the reference's`(timesteps: Int) throws {
    let expected = try Self.golden.get().doubles("cosine/\(timesteps).betas")
    let betas = try NoiseSchedule(.cosine(), timesteps: timesteps).betas
    for (t, (a, b)) in zip(betas, expected).enumerated() {
      // 1 − cos²b/cos²a: each angle has about 4 rounded operations, which the cosine turns into
      // tan(angle)·angle·4u; cosine, square and quotient add 2u, 1u and 1u; the difference is then
      // divided by β.
      func cosineError(_ t: Int) -> Double {
        let angle = (Double(t) / Double(timesteps) + 0.008) / 1.008 * .pi / 2
        return 2 * (tan(angle) * angle * 4 * unit + 2 * unit) + unit
      }
      let ratio = 1 - b
      let atEnd = t + 1 == timesteps ? 0 : cosineError(t + 1)
      let tolerance = ratio * (cosineError(t) + atEnd + unit) / b + 4 * unit
      #expect(isClose(a, b, relative: tolerance), "betas[\(t)] of \(timesteps): \(a), \(b)")
    }
    #expect(betas.count == expected.count)
    Comparisons.count(betas.count)
  }

  @Test(arguments: respaced) func `a respaced process is the schedule of the kept alphaBars`(item: String) throws {
    let golden = try Self.golden.get()
    let parts = item.split(separator: "/", maxSplits: 2)
    let base = try NoiseSchedule(betas: golden.doubles("\(parts[0])/\(parts[1]).betas"))
    let kept = try golden.integers("\(item).timestep_map")
    let schedule = try NoiseSchedule(alphaBars: kept.map { base.alphaBars[$0] })
    #expect(schedule.timesteps == kept.count)
    let expected = try golden.doubles("\(item).betas")
    let baseError = NumPyError(alphaBars: base.alphaBars)
    for (i, (beta, reference)) in zip(schedule.betas, expected).enumerated() {
      // 1 − ᾱ/ᾱ₋ from the reference's ᾱ, then two roundings; the difference is divided by β.
      let errors = baseError.e(kept[i]) + (i > 0 ? baseError.e(kept[i - 1]) : 0) + unit
      #expect(isClose(beta, reference, relative: errors * (1 - reference) / reference + 5 * unit), "betas[\(i)]")
    }
    // From the reference's own betas on, the tables are those of any schedule.
    try compare(item, betas: expected, with: NoiseSchedule(betas: expected))
  }
}
