import Schedulers
import SchedulersInterop

// Karras' sigmas with another exponent or other ends.

extension Suspicions {
  /// For a class that takes sigmas, or has their ends and exponent among its options.
  func karras(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    if configuration["rho"] != nil { return ranges(configuration, arguments) }
    guard configuration["use_karras_sigmas"] == true, configuration["shift"] == nil,
      configuration.schedulerClass.takes.contains(.sigmas), arguments.sigmas == nil
    else { return [] }
    let levels = plan.steps.map(\.query.level.sigma)
    guard let most = levels.first, let least = levels.last, levels.count > 2 else { return [] }
    func given(_ text: String, _ sigmas: [Double]) -> [Hypothesis] {
      var other = arguments
      other.sigmas = sigmas + [plan.steps[levels.count - 1].arrival.sigma]
      return suspicion(.spacing, text, .diffusers(configuration, other))
    }
    var found = Self.exponents.flatMap { rho in
      given("rho of Karras' sigmas is \(Int(rho)), not 7", Self.sigmas(most, least, levels.count, rho))
    }
    found += given("the ends of Karras' sigmas are exchanged", levels.reversed())
    // Other ends, as the recorded times have them.
    let recorded = trace.timesteps.compactMap(sigma)
    guard recorded.count == levels.count, let first = recorded.first, let last = recorded.last, last < first else {
      return found
    }
    for rho in Self.exponents {
      let own = Self.sigmas(first, last, levels.count, rho)
      guard zip(own, recorded).allSatisfy({ abs($0 / $1 - 1) < 5e-3 }) else { continue }
      let exponent = rho == 7 ? "" : ", with rho \(Int(rho))"
      // As far as times say them, the numbers that somebody wrote.
      for digits in [2, 3, 6] {
        let (start, end) = (rounded(first, digits), rounded(last, digits))
        found += given(
          "Karras' sigmas go from \(brief(start, digits: 4)) to \(brief(end, digits: 4)), not from "
            + "\(brief(most, digits: 4)) to \(brief(least, digits: 4))\(exponent)",
          Self.sigmas(
            abs(start / most - 1) < 1e-3 ? most : start, abs(end / least - 1) < 1e-3 ? least : end, levels.count, rho))
      }
    }
    return found
  }

  private static let exponents = [7.0, 1, 2, 3, 4, 5, 6, 8, 10]

  private static func sigmas(_ most: Double, _ least: Double, _ count: Int, _ rho: Double) -> [Double] {
    let (start, end) = (Math.pow(most, 1 / rho), Math.pow(least, 1 / rho))
    return (0..<count).map { Math.pow(start + Double($0) / Double(count - 1) * (end - start), rho) }
  }

  private func rounded(_ x: Double, _ digits: Int) -> Double { Double(brief(x, digits: digits)) ?? x }

  /// The sigma at a time between two of the table, on a line in its logarithm.
  private func sigma(_ timestep: Double) -> Double? {
    let below = timestep.rounded(.down)
    guard below >= 0, let low = process.level(Int(below)) else { return nil }
    guard below < timestep, let high = process.level(Int(below) + 1) else { return low.sigma }
    return Math.exp(Math.log(low.sigma) + (timestep - below) * (Math.log(high.sigma) - Math.log(low.sigma)))
  }

  /// EDM's range and exponent, the ends as the recorded times have them: ln σ / 4.
  private func ranges(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    func option(_ values: [String: DiffusersConfiguration.Value]) -> [Hypothesis] {
      options(.spacing, values, of: configuration, arguments)
    }
    var found = Self.exponents.flatMap { option(["rho": .number($0)]) }
    if let first = trace.timesteps.first, let last = trace.timesteps.last, abs(first) < 4, abs(last) < 4 {
      let (most, least) = (rounded(Math.exp(4 * first), 3), rounded(Math.exp(4 * last), 3))
      found += option(["sigma_max": .number(most)]) + option(["sigma_min": .number(least)])
      if least < most { found += option(["sigma_max": .number(most), "sigma_min": .number(least)]) }
    }
    return found
  }
}
