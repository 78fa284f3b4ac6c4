import Schedulers
import SchedulersInterop

// Times that are not the configuration's own: a run that begins late, given times, another shift.

extension Suspicions {
  func times() -> [Hypothesis] {
    guard case .diffusers(let configuration, let arguments) = trace.source else { return [] }
    return lateStarts(configuration, arguments) + pipelineTimes(configuration, arguments)
      + karras(configuration, arguments)
      + shifts(configuration, arguments) + givenTimes(configuration, arguments) + roundedTimes(configuration, arguments)
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

  private func pipelineTimes(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard configuration["shift"] != nil || configuration["use_flow_sigmas"] == true else { return [] }
    let count = trace.inferenceSteps
    func given(_ text: String, _ sigmas: [Double]?) -> [Hypothesis] {
      var other = arguments
      (other.sigmas, other.timesteps) = (sigmas, nil)
      return suspicion(.pipelineTimes, text, .diffusers(configuration, other))
    }
    return given(
      "the times are those that pipelines give, in equal steps from 1 to 1/\(count) before the shift; were sigmas "
        + "given?", RunArguments.flux(steps: count).sigmas)
      + given("the times are the scheduler's own, not those that were given", nil)
  }

  private func givenTimes(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    guard zip(trace.timesteps, timesteps).contains(where: { !isClose($0, $1) }) else { return [] }
    var given = arguments
    (given.timesteps, given.sigmas) = (trace.timesteps, nil)
    let text = "the times are not the configuration's own; were they given?"
    var found = suspicion(.givenTimes, text, .diffusers(configuration, given), tells: trace.timesteps)
    // On rectified flow they are given before the shift.
    if let factor = Self.shift(configuration, arguments), let total = Self.total(configuration) {
      given.sigmas = trace.timesteps.map { max(Self.shifted($0 / total, by: 1 / factor), 0) }
      given.timesteps = nil
      found += suspicion(.givenTimes, text, .diffusers(configuration, given), tells: trace.timesteps)
    }
    return found
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 2e-2 }

  /// Right steps under times that were rounded, or are in other units.
  private func roundedTimes(_ configuration: DiffusersConfiguration, _ arguments: RunArguments) -> [Hypothesis] {
    func reported(_ text: String, _ convert: (Double) -> Double) -> [Hypothesis] {
      let other = timesteps.map(convert)
      return other == timesteps
        ? [] : [Hypothesis(mistake: .reportedTimesteps, text: text, plan: { plan }, timesteps: other)]
    }
    var found: [Hypothesis] = []
    if let factor = Self.shift(configuration, arguments), let total = Self.total(configuration) {
      found += reported("the timesteps are those before the shift") {
        total * Self.shifted($0 / total, by: 1 / factor)
      }
    }
    found += reported("the timesteps are rounded to bfloat16", Trace.Precision.bfloat16.rounded)
    found += reported("the timesteps are rounded to float16", Trace.Precision.float16.rounded)
    found += reported("the timesteps are cut to whole numbers") { $0.rounded(.down) }
    if let total = Self.total(configuration), total > 1 {
      found += reported("the timesteps are recorded as t/\(Int(total)), fractions of the process") { $0 / total }
    }
    return found
  }
}
