/// A step of several calls whose linear part is solved in lambda: from its start to each of its
/// stages, and to its end.
///
/// Stage k begins where the call before it ended. Its line is the part of the step from there on
/// with E₀ held, its noise is that of this part alone, and the polynomial through the E of the
/// stages so far takes the place of the one before: so the noise of all parts is that of one path,
/// and nothing but the current sample and the E of the step is needed.
struct ExponentialStages {
  /// What makes the line of a stage of what has been found.
  struct Stage {
    /// The stages whose E the polynomial goes through, the first included.
    let nodes: [Int]
    /// How a polynomial through two of them is integrated.
    let slopeRule: SlopeRule

    /// E₀ alone, held.
    static let held = Stage(nodes: [0], slopeRule: .exact)
    /// The line through E₀ and the newest E.
    static func line(to newest: Int, _ slopeRule: SlopeRule) -> Stage {
      Stage(nodes: [0, newest], slopeRule: slopeRule)
    }
  }

  let estimate: SamplingPlan.Estimate
  /// Where the network is called: the start of the step and the points of its stages.
  let points: [SamplingGrid.Point]
  let eta: Double
  private let levels: [SolverLevel]

  /// - Parameter end: the level to which the last stage leads.
  init(estimate: SamplingPlan.Estimate, points: [SamplingGrid.Point], end: NoiseLevel, eta: Double = 0) {
    (self.estimate, self.points, self.eta) = (estimate, points, eta)
    levels = SolverLevel.levels(of: points) + [SolverLevel(end)]
  }

  /// The moves of the step.
  ///
  /// - Parameter stages: as many as there are points.
  func moves(_ stages: [Stage]) -> [SamplingPlan.Move] {
    points.indices.map { k in
      SamplingPlan.Move(at: points[k], to: levels[k + 1].level, estimate: estimate, next: line(k, stages))
    }
  }

  /// The line of a stage.
  func line(_ k: Int, _ stages: [Stage]) -> LinearForm {
    let before = k > 0 ? change(k - 1, stages[k - 1]).older() : LinearForm()
    return ExponentialStep(estimate: estimate, from: levels[k], to: levels[k + 1], eta: eta)
      .held(.estimate(ago: k), sample: .sample - before) + change(k, stages[k])
  }

  /// What the polynomial of a stage adds to E₀ held.
  private func change(_ k: Int, _ stage: Stage) -> LinearForm {
    let step = ExponentialStep(estimate: estimate, from: levels[0], to: levels[k + 1], eta: eta)
    let slope = step.slope(by: stage.slopeRule, order: stage.nodes.count)
    return step.change(stage.nodes.map { (ago: k - $0, level: levels[$0]) }, slope: slope)
  }
}
