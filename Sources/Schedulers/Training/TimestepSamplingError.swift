/// Why timesteps cannot be drawn, or losses not be learned from.
public enum TimestepSamplingError: Error, Hashable, Sendable {
  /// Fewer than one timestep.
  case timesteps(Int)
  /// A parameter that is out of its range.
  case parameter(String, Double, allowed: String)
  /// A share of a timestep that is negative, infinite or NaN.
  case share(Double, timestep: Int)
  /// Shares whose sum is 0 or infinite.
  case total(Double)
  /// A timestep that would never be drawn, where it belongs to the objective.
  case impossible(timestep: Int)
  /// A loss that is negative, infinite or NaN: the `index`-th of a worker.
  case loss(Double, timestep: Int, worker: Int, index: Int)
  /// A loss of a timestep outside 0 ..< T: the `index`-th of a worker.
  case timestep(Int, timesteps: Int, worker: Int, index: Int)
}

extension TimestepSamplingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .timesteps(let count): "\(count) timesteps: there must be at least 1 to draw from"
    case .parameter(let name, let value, let allowed): "\(name) \(value.plain) must be \(allowed)"
    case .share(let share, let timestep): "the share \(share) of timestep \(timestep) must be finite and 0 or more"
    case .total(let total):
      "the shares of all timesteps add up to \(total): the sum must be finite and above 0; scale them, or "
        + "move the distribution towards the schedule"
    case .impossible(let timestep):
      "the probability of timestep \(timestep) is 0 or underflows, so no weights are unbiased: widen the "
        + "distribution, or weight its draws by 1"
    case .loss(let loss, let timestep, let worker, let index):
      "loss \(loss) at timestep \(timestep), number \(index) of worker \(worker), must be finite and 0 or more: "
        + "leave out the batch that diverged"
    case .timestep(let timestep, let timesteps, let worker, let index):
      "timestep \(timestep) of loss number \(index) of worker \(worker) must be in 0 ... \(timesteps - 1): "
        + "give every worker the schedule that the sampler was made for"
    }
  }
}
