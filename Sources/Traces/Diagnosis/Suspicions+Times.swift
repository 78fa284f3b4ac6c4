import Foundation
import Schedulers
import SchedulersInterop

// Times that are not the configuration's own: a run that begins late, given times, another shift.

extension Suspicions {
  func times() -> [Hypothesis] {
    guard case .diffusers(let configuration, let arguments) = trace.source else { return [] }
    return lateStarts(configuration, arguments) + pipelineTimes(configuration, arguments)
      + karras(configuration, arguments)
      + shifts(configuration, arguments) + givenTimes(configuration, arguments) + roundedTimes(configuration)
  }

  private func lateStarts(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard arguments.begin == nil,
      let all = try? configuration.timesteps(steps: trace.inferenceSteps, fidelity: fidelity, with: arguments)
    else { return [] }
    let recorded = trace.timesteps
    let starts = all.indices.dropFirst().filter { k in
      k + recorded.count <= all.count && zip(all[k...], recorded).allSatisfy { abs($0 - $1) <= 2e-2 }
    }
    return starts.prefix(4).flatMap { k in
      var late = arguments
      (late.begin, late.setsBeginIndex) = (k, true)
      return suspicion(
        .lateStart, "the run begins with call \(k) of \(all.count): is first_step missing?",
        .diffusers(configuration, late))
    }
  }

  /// The number of timesteps that the network was trained on.
  private static func total(_ configuration: DiffusersConfiguration) -> Double? {
    if case .integer(let count)? = configuration["num_train_timesteps"] { return Double(count) }
    return nil
  }

  private func pipelineTimes(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard configuration["shift"] != nil || configuration["use_flow_sigmas"] == true else { return [] }
    let count = trace.inferenceSteps
    func given(_ text: String, _ sigmas: [Double]?) -> [Hypothesis] {
      var other = arguments
      (other.sigmas, other.timesteps) = (sigmas, nil)
      return suspicion(.pipelineTimes, text, .diffusers(configuration, other))
    }
    let equal = (0..<count).map { 1 - Double($0) / Double(count) }
    return given(
      "the times are those that pipelines give, in equal steps from 1 to 1/\(count) before the shift; were sigmas "
        + "given?", equal)
      + given("the times are the scheduler's own, not those that were given", nil)
  }

  private func shifts(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    func option(_ name: String, _ value: DiffusersConfiguration.Value, _ text: String? = nil) -> [Hypothesis] {
      options(.shift, [name: value], of: configuration, arguments, text: text)
    }
    var found = option("shift_terminal", .null) + option("shift_terminal", .number(0.1))
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
  private static func shifted(_ time: Double, by factor: Double) -> Double {
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
    let factor = isLinear ? mu : Math.exp(mu)
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

  /// Karras' sigmas with another exponent, or from the other end, for a class that takes sigmas.
  private func karras(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard configuration["use_karras_sigmas"] == true, configuration["shift"] == nil,
      configuration.schedulerClass.takes.contains(.sigmas), arguments.sigmas == nil
    else { return [] }
    let levels = plan.steps.map(\.query.level.sigma)
    guard let most = levels.first, let least = levels.last, levels.count > 1 else { return [] }
    func given(_ text: String, _ sigmas: [Double]) -> [Hypothesis] {
      var other = arguments
      other.sigmas = sigmas + [plan.steps[levels.count - 1].arrival.sigma]
      return suspicion(.spacing, text, .diffusers(configuration, other))
    }
    let others = [1.0, 2, 3, 4, 5, 6, 8, 10].flatMap { rho in
      let (start, end) = (Math.pow(most, 1 / rho), Math.pow(least, 1 / rho))
      let sigmas = levels.indices.map { Math.pow(start + Double($0) / Double(levels.count - 1) * (end - start), rho) }
      return given("rho of Karras' sigmas is \(Int(rho)), not 7", sigmas)
    }
    return others + given("the ends of Karras' sigmas are exchanged", levels.reversed())
  }

  private func givenTimes(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard zip(trace.timesteps, timesteps).contains(where: { !isClose($0, $1) }) else { return [] }
    var given = arguments
    (given.timesteps, given.sigmas) = (trace.timesteps, nil)
    let text = "the times are not the configuration's own; were they given?"
    var found = suspicion(.givenTimes, text, .diffusers(configuration, given), tells: trace.timesteps)
    // On rectified flow they are given before the shift.
    if configuration["shift"] != nil, let total = Self.total(configuration) {
      var factor = 1.0
      if configuration["use_dynamic_shifting"] == true {
        factor = arguments.mu.map { configuration["time_shift_type"] == "linear" ? $0 : Math.exp($0) } ?? 1
      } else if case .number(let shift)? = configuration["shift"] {
        factor = shift
      }
      given.sigmas = trace.timesteps.map { max(Self.shifted($0 / total, by: 1 / factor), 0) }
      given.timesteps = nil
      found += suspicion(.givenTimes, text, .diffusers(configuration, given), tells: trace.timesteps)
    }
    return found
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 2e-2 }

  /// Right steps under times that were rounded, or are in other units.
  private func roundedTimes(_ configuration: DiffusersConfiguration) -> [Hypothesis] {
    func reported(_ text: String, _ convert: (Double) -> Double) -> [Hypothesis] {
      let other = timesteps.map(convert)
      return other == timesteps
        ? [] : [Hypothesis(mistake: .reportedTimesteps, text: text, plan: { plan }, timesteps: other)]
    }
    var found = reported("the timesteps are rounded to bfloat16", Trace.Precision.bfloat16.rounded)
    found += reported("the timesteps are rounded to float16", Trace.Precision.float16.rounded)
    found += reported("the timesteps are cut to whole numbers") { $0.rounded(.down) }
    if let total = Self.total(configuration), total > 1 {
      found += reported("the timesteps are recorded as t/\(Int(total)), fractions of the process") { $0 / total }
    }
    return found
  }
}

/// A number with at most so many significant digits and no zeros at the end.
func brief(_ x: Double, digits: Int = 3) -> String { String(format: "%.\(digits)g", x) }
