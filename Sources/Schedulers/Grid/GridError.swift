/// Why points do not make a sampling grid.
public enum GridError: Error, Hashable, Sendable {
  /// A number of steps outside 1 ... T.
  case steps(Int, timesteps: Int)
  /// A timestep that the schedule does not have, or that does not come before the one ahead of it.
  case timestep(Double, index: Int, allowed: String)
  /// A sigma that is NaN, negative, infinite where it must not be, or not below the one before it.
  case sigma(Double, index: Int, previous: Double)
  /// An input scale that is not a positive number, or with which the network is given none.
  case inputScale(Double, index: Int)
  /// A parameter of a spacing that is out of its range.
  case parameter(String, Double, allowed: String)
  /// An argument that is needed and was not given.
  case missing(String, reason: String)
  /// A start that the grid does not have.
  case start(String, allowed: String)
  /// A respacing that does not fit the schedule.
  case respacing(String, reason: String)
  /// No points at all.
  case noPoints
}

extension GridError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .steps(let steps, let timesteps):
      "\(steps) steps: the number of steps must be in 1 ... \(timesteps), the timesteps of the schedule"
    case .timestep(let timestep, let index, let allowed):
      "timestep \(timestep.plain) at step \(index) must be \(allowed)"
    case .sigma(let sigma, let index, _) where !(sigma > 0 && sigma.isFinite):
      "sigma \(sigma.plain) at step \(index) must be finite and above 0; the last may be 0, for clean data at the end"
    case .sigma(let sigma, let index, let previous):
      "sigma \(sigma.plain) at step \(index) must be below the one before it, \(previous.plain)"
    case .inputScale(let scale, let index):
      "input scale \(scale) at step \(index) must be finite and above 0, and so what the network is given"
    case .parameter(let name, let value, let allowed): "\(name) \(value.plain) must be \(allowed)"
    case .missing(let name, let reason): "\(name) is missing: \(reason)"
    case .start(let start, let allowed): "cannot start at \(start): must be in \(allowed)"
    case .respacing(let respacing, let reason): "respacing \"\(respacing)\": \(reason)"
    case .noPoints: "a sampling grid needs at least its end point"
    }
  }
}

extension Double {
  /// The number as a person would write it: whole numbers without a fraction.
  package var plain: String { Int(exactly: self).map { "\($0)" } ?? "\(self)" }
}
