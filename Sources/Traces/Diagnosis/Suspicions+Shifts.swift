import Schedulers
import SchedulersInterop

// Shifts of rectified flow's times: another, upside down, twice, or of another kind.

extension Suspicions {
  /// The number of timesteps that the network was trained on.
  static func total(_ configuration: DiffusersConfiguration) -> Double? {
    if case .integer(let count)? = configuration["num_train_timesteps"] { return Double(count) }
    return nil
  }

  /// The factor by which a configuration shifts its times; nil where it has no shift.
  static func shift(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> Double? {
    if configuration["use_dynamic_shifting"] == true {
      return arguments.mu.map { configuration["time_shift_type"] == "linear" ? $0 : Math.exp($0) } ?? 1
    }
    if case .number(let shift)? = configuration["shift"] { return shift }
    return configuration["shift"] == nil ? nil : 1
  }

  func shifts(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    func option(_ name: String, _ value: DiffusersConfiguration.Value, _ text: String? = nil) -> [Hypothesis] {
      options(.shift, [name: value], of: configuration, arguments, text: text)
    }
    var found = option("shift_terminal", .null)
    // The last time is the terminal one.
    if let last = trace.timesteps.last, let total = Self.total(configuration), last > 0, last < total {
      found += option("shift_terminal", .number((last / total * 1000).rounded() / 1000))
    }
    found += option("time_shift_type", .string("linear")) + option("time_shift_type", .string("exponential"))
    for name in ["shift", "flow_shift"] {
      guard case .number(let shift)? = configuration[name], shift > 0, shift != 1 else { continue }
      for (other, how) in [
        (1 / shift, "upside down"), (shift * shift, "applied twice"), (Math.exp(shift), "an exponent"),
      ] { found += option(name, .number(other), "\(name) \(brief(shift)) is \(how)") }
    }
    return found + otherMu(configuration, arguments) + otherFactor(configuration, arguments)
  }

  /// A time of rectified flow whose noise over signal is a factor times another's.
  static func shifted(_ time: Double, by factor: Double) -> Double {
    // Not above 1 by a rounding.
    min(factor * time / (1 + (factor - 1) * time), 1)
  }

  /// The factor that leads from one time to another; nil where there is none.
  private static func factor(from base: Double, to time: Double) -> Double? {
    base > 0 && base < 1 && time > 0 && time < 1 ? time * (1 - base) / (base * (1 - time)) : nil
  }

  /// A static shift by another factor, which all recorded times have.
  private func otherFactor(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard configuration["use_dynamic_shifting"] != true, arguments.timesteps == nil,
      case .number(let shift)? = configuration["shift"], let total = Self.total(configuration), shift > 0
    else { return [] }
    let bases = plan.steps.map { Self.shifted($0.query.level.noise, by: 1 / shift) }
    let factors = zip(bases, trace.timesteps).compactMap { Self.factor(from: $0, to: $1 / total) }
    guard factors.count > 1, let factor = factors.first, factors.allSatisfy({ abs($0 / factor - 1) < 1e-2 }),
      abs(factor / shift - 1) > 1e-2
    else { return [] }
    var given = arguments
    given.sigmas = bases.map { Self.shifted($0, by: factor / shift) }
    func isClose(_ other: Double) -> Bool { abs(factor / other - 1) < 1e-2 }
    let how =
      isClose(1)
      ? "is forgotten"
      : isClose(1 / shift)
        ? "is upside down"
        : isClose(shift * shift) ? "is applied twice" : "is \(brief(factor)) instead"
    return suspicion(.shift, "the shift, \(brief(shift)), \(how)", .diffusers(configuration, given))
  }

  /// mu as the recorded times have it, or the first step that says it.
  private func otherMu(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard let mu = arguments.mu, let total = Self.total(configuration), plan.steps.count > 1 else { return [] }
    let isLinear = configuration["time_shift_type"] == "linear"
    let factor = Self.shift(configuration, arguments) ?? 1
    let base = Self.shifted(plan.steps[1].query.level.noise, by: 1 / factor)
    var times = [trace.timesteps[1] / total]
    if let length = Recovery(trace: trace, plan: plan).solve(step: 0)?.value(of: .output) {
      times.append(plan.steps[0].query.level.noise + length)
    }
    return times.flatMap { time -> [Hypothesis] in
      guard let other = Self.factor(from: base, to: time) else { return [] }
      let exact = isLinear ? other : Math.log(other)
      // As far as float32's times say it, the number that somebody wrote.
      return [(exact * 1000).rounded() / 1000, exact].flatMap { found -> [Hypothesis] in
        guard abs(found - mu) > 1e-4 else { return [] }
        var changed = arguments
        changed.mu = found
        let size = Self.tokens(configuration, mu: found).map { ", that of a picture of \($0) tokens" } ?? ""
        return suspicion(
          .shift, "mu is \(brief(found, digits: 4)), not \(brief(mu, digits: 4))\(size)",
          .diffusers(configuration, changed))
      }
    }
  }

  /// The size of the picture for which a file's own constants make mu.
  private static func tokens(_ configuration: DiffusersConfiguration, mu: Double) -> Int? {
    guard let one = try? configuration.mu(tokens: 1), let two = try? configuration.mu(tokens: 2) else { return nil }
    let tokens = 1 + (mu - one) / (two - one)
    return tokens >= 1 && tokens < 1e7 ? Int(tokens.rounded()) : nil
  }
}
