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
    (0..<grid.steps).map { i in
      let left = lowersFinalOrder ? grid.steps - i : order
      return move(grid.points, from: i, order: grid.points[i + 1].level.noise > 0 ? min(order, i + 1, left) : 1)
    }
  }

  /// The step from point i with as many estimates as the order says.
  package func move(_ points: [SamplingGrid.Point], from i: Int, order: Int) -> SamplingPlan.Move {
    let step = ExponentialStep(estimate: estimate, from: points[i].level, to: points[i + 1].level, eta: eta)
    let change = step.change(through: order) { weights, moments in
      if order == 2, slopeRule == .midpoint { weights[1] = moments[0] / 2 }
      // f₀₁₂·s² is half of the second derivative already.
      if order == 3, matchesAuthorsCode { weights[2] -= moments[2] / 2 }
    } _: {
      (ago: $0, level: points[i - $0].level)
    }
    return SamplingPlan.Move(at: points[i], to: step.to, estimate: estimate, next: step.held(.estimate()) + change)
  }
}
