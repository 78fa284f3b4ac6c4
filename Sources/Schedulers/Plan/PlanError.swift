/// Why a sampler has no plan for a grid.
public enum PlanError: Error, Hashable, Sendable {
  /// The network's output does not determine x̂0 at this level.
  case singular(Prediction, timestep: Double, sigma: Double)
  /// A coefficient is infinite or NaN.
  case coefficient(step: Int, timestep: Double, sigma: Double)
  /// An option is out of its range.
  case option(String, Double, sampler: String, allowed: String)
  /// A step speaks of a sample or an estimate from before the run's start.
  case reach(step: Int)
}

extension PlanError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .singular(.previous, let timestep, _):
      "a network that predicts the previous sample says nothing about timestep \(timestep.plain), which has no cleaner point with "
        + "signal after it on this grid; use another prediction type or sampler"
    case .singular(let prediction, let timestep, let sigma):
      "\(prediction) prediction does not determine x0 at timestep \(timestep.plain), where sigma is \(sigma): there is no signal; use "
        + "a network that predicts v or x0, or start at a lower timestep"
    case .coefficient(let step, let timestep, let sigma):
      "step \(step), timestep \(timestep.plain), has a coefficient that is not finite at sigma \(sigma); start at a lower timestep or use "
        + "a sampler that does not divide by the signal, such as DPM-Solver++"
    case .option(let name, let value, let sampler, let allowed):
      "\(name) \(value.plain) of \(sampler) must be in \(allowed)"
    case .reach(let step):
      "step \(step) needs a sample or an estimate from before the start; make a new plan over the shorter grid instead of cutting "
        + "this one"
    }
  }
}
