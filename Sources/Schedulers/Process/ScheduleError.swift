/// Why numbers do not make a noise schedule.
public enum ScheduleError: Error, Hashable, Sendable {
  /// Too few timesteps.
  case timesteps(Int, atLeast: Int)
  /// A beta that is NaN or outside (0, 1].
  case beta(Double, timestep: Int)
  /// An ᾱ that is NaN, outside [0, 1), or not below the one before it.
  case alphaBar(Double, timestep: Int, previous: Double)
  /// A parameter of a named schedule that is out of its range.
  case parameter(String, Double, schedule: String, range: String)
}

extension ScheduleError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .timesteps(let count, let least):
      "\(count) timesteps: a schedule needs at least \(least)"
        + (least == 2 ? " to be rescaled to zero terminal SNR" : "")
    case .beta(let beta, let t):
      "beta \(beta) at timestep \(t) is outside (0, 1]"
        + (beta > 1 ? ": lower the end value, or use more timesteps where the schedule scales with their number" : "")
    case .alphaBar(let value, let t, let previous):
      "alphaBar \(value) at timestep \(t) must lie in [0, 1) and below the one before it, \(previous)"
    case .parameter(let name, let value, let schedule, let range):
      "\(name) \(value.plain) of the \(schedule) schedule must be \(range)"
    }
  }
}

extension BetaSchedule {
  /// Checks the parameters that the betas themselves would not give away.
  func validate() throws(ScheduleError) {
    func check(_ parameter: String, _ value: Double, _ range: String, _ isValid: Bool) throws(ScheduleError) {
      guard isValid else { throw .parameter(parameter, value, schedule: name, range: range) }
    }
    switch self {
    case .linear(let start, let end, let reference):
      try check("start", start, "above 0 and finite", start > 0 && start.isFinite)
      try check("end", end, "above 0 and finite", end > 0 && end.isFinite)
      if let reference { try check("scaledFrom", Double(reference), "1 or more", reference >= 1) }
    case .scaledLinear(let start, let end), .sigmoid(let start, let end):
      try check("start", start, "in (0, 1]", start > 0 && start <= 1)
      try check("end", end, "in (0, 1]", end > 0 && end <= 1)
    case .cosine(let offset, let maxBeta):
      try check("offset", offset, "in [0, 1]", offset >= 0 && offset <= 1)
      try check("maxBeta", maxBeta, "in (0, 1]", maxBeta > 0 && maxBeta <= 1)
    case .laplace(let maxBeta): try check("maxBeta", maxBeta, "in (0, 1]", maxBeta > 0 && maxBeta <= 1)
    case .exponential(let rate, let maxBeta):
      try check("rate", rate, "above 0 and finite", rate > 0 && rate.isFinite)
      try check("maxBeta", maxBeta, "in (0, 1]", maxBeta > 0 && maxBeta <= 1)
    }
  }
}
