/// A network that knows whole timesteps alone, as one that looks them up in a table: it is told the
/// one nearest to where it is asked, of two the even one.
///
/// Grids of sigmas ask it between timesteps, and so do samplers that call it between two points of
/// a grid. Levels stay as they are, and so do the coefficients of a plan.
///
/// ```swift
/// let grid = try SamplingGrid(schedule, steps: 25, spacing: .karras())
/// let reading = WholeTimesteps(Prediction.epsilon)
/// let plan = try DPMSolverPlusPlus().plan(over: grid, predicting: reading)
/// ```
///
/// Source: `timesteps.round()` of diffusers 0.42.1 where DPM-Solver's sigmas are Karras'.
public struct WholeTimesteps<Base: OutputReading>: OutputReading {
  /// What the network's output means.
  public var base: Base

  public init(_ base: Base) { self.base = base }

  public var name: String { base.name }
  public var needsNext: Bool { base.needsNext }

  public func query(at point: SamplingGrid.Point) -> SamplingGrid.Point {
    let asked = base.query(at: point)
    return SamplingGrid.Point(
      timestep: asked.timestep.rounded(.toNearestOrEven), level: asked.level, inputScale: asked.inputScale)
  }

  public func denoising(at query: SamplingGrid.Point, next: SamplingGrid.Point?) -> Readout? {
    base.denoising(at: query, next: next)
  }

  public func validate() throws(PlanError) { try base.validate() }
}

extension WholeTimesteps: Equatable where Base: Equatable {}
extension WholeTimesteps: Hashable where Base: Hashable {}
extension WholeTimesteps: Codable where Base: Codable {}
