/// A weight for every timestep of a schedule, in which the weights of a batch are looked up.
///
/// ```swift
/// let weights = LossWeighting.minSNR(gamma: 5).weights(over: schedule, for: .v)
/// let batch = weights[timesteps]
/// ```
public struct TimestepWeights: Hashable, Sendable {
  /// The weights, from timestep 0 on.
  public let values: [Double]

  /// The weight of a timestep.
  ///
  /// - Precondition: the timestep is in 0 ..< T.
  public subscript(timestep: Int) -> Double {
    check(timestep)
    return values[timestep]
  }

  /// The weights of a batch, one for each of its timesteps.
  ///
  /// - Precondition: all timesteps are in 0 ..< T.
  public subscript(timesteps: [Int]) -> [Double] {
    [Double](unsafeUninitializedCapacity: timesteps.count) { result, count in
      for i in timesteps.indices {
        check(timesteps[i])
        result.initializeElement(at: i, to: values[timesteps[i]])
      }
      count = timesteps.count
    }
  }

  private func check(_ timestep: Int) {
    stop(
      unless: values.indices.contains(timestep),
      "timestep \(timestep) is outside the schedule's 0 ... \(values.count - 1)")
  }
}

extension LossWeighting {
  /// The weight at every timestep of a schedule.
  ///
  /// - Precondition: as of `weight(at:for:previous:)`; `.previous` goes to the timestep before or,
  ///   from 0, to clean data.
  public func weights(over schedule: NoiseSchedule, for prediction: Prediction) -> TimestepWeights {
    var previous = NoiseLevel.clean
    return TimestepWeights(
      values: schedule.betas.indices.map { t in
        let level = schedule[t]
        defer { previous = level }
        return weight(at: level, for: prediction, previous: previous)
      })
  }
}
