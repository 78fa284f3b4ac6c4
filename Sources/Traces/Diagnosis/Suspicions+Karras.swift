import Schedulers
import SchedulersInterop

// Karras' sigmas with another exponent or other ends.

extension Suspicions {
  /// For a class that has Karras' sigmas, or their ends and exponent among its options.
  func karras(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    if configuration["rho"] != nil { return ranges(configuration, arguments) }
    guard configuration["use_karras_sigmas"] == true, plan.steps.count > 2 else { return [] }
    func other(_ text: String, rho: Double = 7, most: Double? = nil, least: Double? = nil) -> [Hypothesis] {
      var (values, changed): ([String: DiffusersConfiguration.Value], RunArguments) = ([:], arguments)
      values["sigma_max"] = most.map { .number($0) }
      values["sigma_min"] = least.map { .number($0) }
      changed.karrasExponent = rho
      return configuration.with(values).map { suspicion(.spacing, text, .diffusers($0, changed)) } ?? []
    }
    var found = Self.exponents.flatMap { other("rho of Karras' sigmas is \(Int($0)), not 7", rho: $0) }
    found += exchangedEnds(configuration, arguments)
    guard configuration["shift"] == nil, let table = process.sigmas else { return found }
    found += other("Karras' sigmas lie between the ends of the table", most: table.most, least: table.least)
    found += other("Karras' sigmas begin at the table's largest", most: table.most)
    found += other("Karras' sigmas end at the table's smallest", least: table.least)
    // Other ends, as the recorded times have them, and as far as they say them the numbers that
    // somebody wrote.
    let recorded = [trace.timesteps.first, trace.timesteps.last].compactMap { $0.flatMap(sigma) }
    guard recorded.count == 2, recorded[1] < recorded[0] else { return found }
    for digits in [1, 2, 3, 6] {
      let (most, least) = (rounded(recorded[0], digits), rounded(recorded[1], digits))
      found += other("Karras' sigmas begin at \(brief(most, digits: 4))", most: most)
      found += other("Karras' sigmas end at \(brief(least, digits: 4))", least: least)
      found += other(
        "Karras' sigmas go from \(brief(most, digits: 4)) to \(brief(least, digits: 4))", most: most, least: least)
    }
    return found
  }

  /// For a class that takes sigmas.
  private func exchangedEnds(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard configuration.schedulerClass.takes.contains(.sigmas), arguments.sigmas == nil,
      let end = plan.steps.last?.arrival.sigma
    else { return [] }
    var other = arguments
    other.sigmas = plan.steps.map(\.query.level.sigma).reversed() + [end]
    return suspicion(.spacing, "the ends of Karras' sigmas are exchanged", .diffusers(configuration, other))
  }

  private static let exponents = [1.0, 2, 3, 4, 5, 6, 8, 10]

  private func rounded(_ x: Double, _ digits: Int) -> Double { Double(brief(x, digits: digits)) ?? x }

  /// The sigma at a time between two of the table, on a line in its logarithm.
  private func sigma(_ timestep: Double) -> Double? {
    let below = timestep.rounded(.down)
    guard below >= 0, below < 1e6, let low = process.level(Int(below)) else { return nil }
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
