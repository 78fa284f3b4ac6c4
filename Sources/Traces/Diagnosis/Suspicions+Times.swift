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

  /// A hypothesis about the arguments of the run.
  private func suspicion(
    _ mistake: Mistake, _ text: String, _ configuration: DiffusersConfiguration, _ arguments: RunArguments,
    tells timesteps: [Double]? = nil
  ) -> [Hypothesis] {
    suspicion(
      mistake, text, timesteps: timesteps,
      try? trace.plan(of: .diffusers(configuration, arguments), fidelity: fidelity, in: trace.torch))
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
        .lateStart, "the run begins with call \(k) of \(all.count): is first_step missing?", configuration, late)
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
      return suspicion(.pipelineTimes, text, configuration, other)
    }
    let equal = (0..<count).map { 1 - Double($0) / Double(count) }
    let toZero = (0..<count).map { 1 - Double($0) / Double(max(count - 1, 1)) }
    return given(
      "the times are those that pipelines give, in equal steps from 1 to 1/\(count) before the shift; were sigmas "
        + "given?", equal)
      + given("the times are in equal steps from 1 to 0 before the shift; were sigmas given?", toZero)
      + given("the times are the scheduler's own, not those that were given", nil)
  }

  private func shifts(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    typealias Value = DiffusersConfiguration.Value
    func option(_ name: String, _ value: Value) -> [Hypothesis] {
      guard let own = configuration[name], own != value,
        let other = try? DiffusersConfiguration(
          configuration.className, configuration.values.merging([name: value]) { $1 })
      else { return [] }
      return suspicion(.shift, "\(name) is \(value.json), not \(own.json)", other, arguments)
    }
    var found = option("shift_terminal", .null) + option("shift_terminal", .number(0.1))
    found += option("time_shift_type", .string("linear")) + option("time_shift_type", .string("exponential"))
    for name in ["shift", "flow_shift"] {
      guard case .number(let shift)? = configuration[name], shift > 0, shift != 1 else { continue }
      for (other, how) in [
        (1 / shift, "upside down"), (shift * shift, "applied twice"), (Math.exp(shift), "an exponent"),
      ] {
        guard
          let changed = try? DiffusersConfiguration(
            configuration.className, configuration.values.merging([name: .number(other)]) { $1 })
        else { continue }
        found += suspicion(.shift, "\(name) \(brief(shift)) is \(how)", changed, arguments)
      }
    }
    return found + otherMu(configuration, arguments) + otherFactor(configuration, arguments)
  }

  /// A static shift by another factor, which all recorded times have.
  private func otherFactor(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard configuration["use_dynamic_shifting"] != true, arguments.timesteps == nil,
      case .number(let shift)? = configuration["shift"], let total = Self.total(configuration), shift > 0
    else { return [] }
    let bases = plan.steps.map { $0.query.level.noise / ($0.query.level.noise + shift * $0.query.level.signal) }
    let factors = zip(trace.timesteps, bases).compactMap { recorded, base -> Double? in
      let time = recorded / total
      return base > 0 && base < 1 && time > 0 && time < 1 ? time * (1 - base) / (base * (1 - time)) : nil
    }
    guard factors.count > 1, let factor = factors.first, factors.allSatisfy({ abs($0 / factor - 1) < 1e-2 }),
      abs(factor / shift - 1) > 1e-2
    else { return [] }
    var given = arguments
    given.sigmas = bases.map { base in
      let shifted = factor * base / (1 + (factor - 1) * base)
      return min(max(shifted / (shift - (shift - 1) * shifted), 0), 1)
    }
    func isClose(_ other: Double) -> Bool { abs(factor / other - 1) < 1e-2 }
    let how =
      isClose(1)
      ? "is forgotten"
      : isClose(1 / shift)
        ? "is upside down"
        : isClose(shift * shift) ? "is applied twice" : "is \(brief(factor)) instead"
    return suspicion(.shift, "the shift, \(brief(shift)), \(how)", configuration, given)
  }

  /// mu as the recorded times have it, or the first step that says it.
  private func otherMu(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard let mu = arguments.mu, let total = Self.total(configuration), plan.steps.count > 1 else { return [] }
    let isLinear = configuration["time_shift_type"] == "linear"
    let factor = isLinear ? mu : Math.exp(mu)
    let own = plan.steps[1].query.level
    let base = own.noise / (own.noise + factor * own.signal)
    var times = [trace.timesteps[1] / total]
    if let length = Recovery(trace: trace, plan: plan).solve(step: 0)?.value(of: .output) {
      times.append(plan.steps[0].query.level.noise + length)
    }
    return times.flatMap { time -> [Hypothesis] in
      let other = time * (1 - base) / (base * (1 - time))
      guard other > 0, other.isFinite else { return [] }
      let exact = isLinear ? other : Math.log(other)
      // As far as float32's times say it, the number that somebody wrote.
      return [(exact * 1000).rounded() / 1000, exact].flatMap { found -> [Hypothesis] in
        guard abs(found - mu) > 1e-4 else { return [] }
        var changed = arguments
        changed.mu = found
        let size = Self.tokens(configuration, mu: found).map { ", that of a picture of \($0) tokens" } ?? ""
        return suspicion(
          .shift, "mu is \(brief(found, digits: 4)), not \(brief(mu, digits: 4))\(size)", configuration, changed)
      }
    }
  }

  /// The size of the picture for which a file's own constants make mu.
  private static func tokens(_ configuration: DiffusersConfiguration, mu: Double) -> Int? {
    func number(_ key: String) -> Double? {
      switch configuration[key] {
      case .number(let value): value
      case .integer(let value): Double(value)
      default: nil
      }
    }
    guard let base = number("base_shift"), let most = number("max_shift"), let few = number("base_image_seq_len"),
      let many = number("max_image_seq_len"), most != base
    else { return nil }
    let tokens = few + (mu - base) / (most - base) * (many - few)
    return tokens >= 1 && tokens < 1e7 ? Int(tokens.rounded()) : nil
  }

  /// Karras' sigmas with another exponent, or from the other end, for a class that takes sigmas.
  private func karras(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard configuration["use_karras_sigmas"] == true, configuration.schedulerClass == .eulerDiscrete,
      arguments.sigmas == nil
    else { return [] }
    let levels = plan.steps.map(\.query.level.sigma)
    guard let most = levels.first, let least = levels.last, levels.count > 1 else { return [] }
    func given(_ text: String, _ sigmas: [Double]) -> [Hypothesis] {
      var other = arguments
      other.sigmas = sigmas + [plan.steps[levels.count - 1].arrival.sigma]
      return suspicion(.spacing, text, configuration, other)
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
    var found = suspicion(.givenTimes, text, configuration, given, tells: trace.timesteps)
    // On rectified flow they are given before the shift.
    if configuration["shift"] != nil, let total = Self.total(configuration) {
      var factor = 1.0
      if configuration["use_dynamic_shifting"] == true {
        factor = arguments.mu.map { configuration["time_shift_type"] == "linear" ? $0 : Math.exp($0) } ?? 1
      } else if case .number(let shift)? = configuration["shift"] {
        factor = shift
      }
      given.sigmas = trace.timesteps.map { time in
        let shifted = time / total
        return min(max(shifted / (factor - (factor - 1) * shifted), 0), 1)
      }
      given.timesteps = nil
      found += suspicion(.givenTimes, text, configuration, given, tells: trace.timesteps)
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

/// A number with few digits.
func brief(_ x: Double, digits: Int = 3) -> String {
  guard x != 0, x.isFinite else { return "\(x)" }
  let exponent = (Math.log(abs(x)) / Math.log(10)).rounded(.down)
  let scale = Math.pow(10, Double(digits - 1) - exponent)
  let rounded = (x * scale).rounded() / scale
  return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
}
