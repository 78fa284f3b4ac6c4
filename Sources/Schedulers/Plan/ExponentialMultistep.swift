/// How a multistep method of order 2 integrates the slope of its line; diffusers' `solver_type`.
public enum SlopeRule: String, Hashable, Codable, Sendable, CaseIterable {
  /// As if the line had its value at the middle of the step everywhere.
  case midpoint
  /// Exactly.
  case exact
}

/// The steps of a method that draws a polynomial in lambda through the estimates of the last steps.
package struct ExponentialMultistep {
  package var order: Int
  package var estimate: SamplingPlan.Estimate
  package var slopeRule = SlopeRule.exact
  package var eta = 0.0
  /// Whether steps of order 3 halve the polynomial's second difference, as the authors' code does.
  var matchesAuthorsCode = false
  var lowersFinalOrder = false

  package init(
    order: Int, estimate: SamplingPlan.Estimate, slopeRule: SlopeRule = .exact, eta: Double = 0,
    matchesAuthorsCode: Bool = false,
    lowersFinalOrder: Bool = false
  ) {
    (self.order, self.estimate, self.slopeRule, self.eta) = (order, estimate, slopeRule, eta)
    (self.matchesAuthorsCode, self.lowersFinalOrder) = (matchesAuthorsCode, lowersFinalOrder)
  }

  package func moves(over grid: SamplingGrid) -> [SamplingPlan.Move] {
    moves(grid.points) { lowersFinalOrder ? min(order, grid.steps - $0) : order }
  }

  /// The steps between points, each with as many estimates as there are and as its order says.
  package func moves(_ points: [SamplingGrid.Point], order: (Int) -> Int) -> [SamplingPlan.Move] {
    let levels = SolverLevel.levels(of: points)
    return (0..<max(points.count - 1, 0)).map { i in
      let count = points[i + 1].level.noise > 0 ? min(order(i), i + 1) : 1
      let step = ExponentialStep(estimate: estimate, from: levels[i], to: levels[i + 1], eta: eta)
      let slope = step.slope(by: slopeRule, order: count)
      let next = step.change(of: step.held(.estimate()), through: count, slope: slope) { weights, moments in
        // f₀₁₂·s² is half of the second derivative already.
        if count == 3, matchesAuthorsCode { weights[2] -= moments[2] * 0.5 }
      } _: {
        (ago: $0, level: levels[i - $0])
      }
      return SamplingPlan.Move(at: points[i], to: step.to, estimate: estimate, next: next)
    }
  }
}
