import Schedulers

/// How the calls of a run lie along its process: what the options of the tool and the requests of
/// other languages say of it.
package struct GridRequest: Hashable, Sendable {
  package var spacing = GridSpacing.timesteps(.trailing)
  /// What leading spacing adds to each timestep.
  package var offset = 0
  /// The ends of a spacing of sigmas; those of the process if nil.
  package var (sigmaMin, sigmaMax): (Double?, Double?)
  /// The exponent of a spacing of sigmas; that of the spacing if nil.
  package var rho: Double?
  /// The sigmas of the run in the place of a spacing; on rectified flow its times.
  package var sigmas: [Double]?
  /// Rectified flow: the factor of its shift, or its logarithm.
  package var (shift, mu): (Double?, Double?)
  /// Rectified flow: the time of the last call.
  package var shiftTerminal: Double?

  package init() {}

  /// Why there is no such grid, beside what the grid itself says.
  package enum Failure: Error {
    /// The smallest sigma is not below the largest.
    case ends(least: Double, most: Double)
    /// The schedule has no largest sigma.
    case noLargest
    /// A distilled network does not know so many timesteps.
    case distilled(originalSteps: Int)
  }

  /// The grid of a number of steps, or of the given sigmas.
  ///
  /// - Parameter schedule: that of the process, where the spacing has none of its own.
  /// - Throws: `Failure`, or `GridError` for a grid that the schedule does not have.
  package func grid(_ schedule: NoiseSchedule, steps: Int) throws -> SamplingGrid {
    switch spacing {
    case .flow: return try flowGrid(.equal, steps: steps)
    case .flowTimes(let times): return try flowGrid(times, steps: steps)
    case .optimal(let family): return try SamplingGrid(optimalStepsFor: family, steps: steps)
    case .edm: return try edmGrid(steps: steps)
    case .aligned(let family): return try SamplingGrid(schedule, steps: steps, alignedFor: family)
    case .fractional(let spacing): return try SamplingGrid(schedule, steps: steps, spacing: spacing)
    case .gits: return try SamplingGrid(schedule, gitsSteps: steps)
    case .sigmas(let spacing):
      return try SamplingGrid(schedule, steps: steps, spacing: completed(spacing), range: ends(of: schedule))
    case .timesteps(let spacing):
      if let sigmas { return try SamplingGrid(schedule, sigmas: sigmas) }
      return try SamplingGrid(schedule, steps: steps, spacing: completed(spacing, schedule, steps: steps))
    }
  }

  private func flowGrid(_ times: FlowSpacing.Times, steps: Int) throws -> SamplingGrid {
    let spacing = FlowSpacing(
      times: times, shift: mu == nil ? .fixed(shift ?? 1) : .dynamic(.flux), terminal: shiftTerminal)
    if let sigmas { return try SamplingGrid(flow: spacing, times: sigmas, mu: mu) }
    return try SamplingGrid(flow: spacing, steps: steps, mu: mu)
  }

  /// The grid of a process x0 + sigma·epsilon, whose network is told and given what EDM's is.
  private func edmGrid(steps: Int) throws -> SamplingGrid {
    let edm = EDMPreconditioning()
    if let sigmas { return try SamplingGrid(edm: edm, sigmas: sigmas) }
    return try SamplingGrid(
      edm: edm, steps: steps, spacing: .karras(rho: rho ?? 7),
      range: ends(least: sigmaMin ?? 0.002, most: sigmaMax ?? 80))
  }

  private func completed(_ spacing: SigmaSpacing) -> SigmaSpacing {
    switch spacing {
    case .karras(let usual): .karras(rho: rho ?? usual)
    case .polyexponential(let usual): .polyexponential(rho: rho ?? usual)
    case .exponential, .linear, .klOptimal, .laplace: spacing
    }
  }

  private func completed(
    _ spacing: TimestepSpacing, _ schedule: NoiseSchedule, steps: Int
  ) throws(Failure) -> TimestepSpacing {
    if case .distilled(let originalSteps) = spacing, steps > originalSteps || schedule.timesteps < originalSteps {
      throw .distilled(originalSteps: originalSteps)
    }
    switch spacing {
    case .leading: return .leading(offset: offset)
    case .oneMore(.leading): return .oneMore(.leading(offset: offset))
    default: return spacing
    }
  }

  private func ends(of schedule: NoiseSchedule) throws(Failure) -> ClosedRange<Double> {
    let table = schedule.sigmas
    let most = sigmaMax ?? table[table.count - 1]
    guard most.isFinite else { throw .noLargest }
    return try ends(least: sigmaMin ?? table[0], most: most)
  }

  private func ends(least: Double, most: Double) throws(Failure) -> ClosedRange<Double> {
    guard least < most else { throw .ends(least: least, most: most) }
    return least...most
  }
}
