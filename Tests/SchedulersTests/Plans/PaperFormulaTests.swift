import Testing

@testable import Schedulers

/// The formulas of solvers in the letters of their papers, against the Newton form in which they
/// stand here.
@Suite struct PaperFormulaTests {
  private let lambdas = [0.3, 1.0, -0.2, -0.9]

  private func level(_ lambda: Double) -> NoiseLevel { .variancePreserving(sigma: Math.exp(-lambda)) }

  /// The solution of linear equations, by elimination.
  private func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
    var rows = zip(matrix, right).map { $0 + [$1] }
    for k in rows.indices {
      for i in rows.indices where i != k {
        let factor = rows[i][k] / rows[k][k]
        rows[i] = zip(rows[i], rows[k]).map { $0 - factor * $1 }
      }
    }
    return rows.indices.map { rows[$0][rows.count] / rows[$0][$0] }
  }

  /// Zhao et al. 2023, https://arxiv.org/abs/2302.04867, algorithms 1 and 2.
  @Test(arguments: [SamplingPlan.Estimate.x0, .epsilon], [1, 2, 3])
  func `UniPC's linear equations give the integral of Newton's form`(estimate: SamplingPlan.Estimate, others: Int) {
    let levels = lambdas.map { SolverLevel(level($0)) }
    let step = ExponentialStep(estimate: estimate, from: levels[0], to: levels[1])
    let values = (0...others).map { (ago: $0, level: levels[$0]) }
    let length = lambdas[1] - lambdas[0]
    let (h, scale) = estimate == .x0 ? (-length, step.to.signal) : (length, step.to.noise)
    // B(h) of bh2; the paper's ϕ by its recurrence.
    let b = Math.expm1(h)
    let r = lambdas[1...others].map { ($0 - lambdas[0]) / length }
    var (matrix, right): ([[Double]], [Double]) = ([], [])
    var (phi, power, factorial) = (b / h, 1.0, 1.0)
    for j in 1...others {
      factorial *= Double(j)
      phi = (phi - 1 / factorial) / h
      matrix.append(r.map { Math.pow($0 * h, Double(j - 1)) })
      power *= h
      right.append(power * factorial * phi / b)
    }
    let a = solve(matrix, right)
    let differences = (1...others).map { LinearForm.estimate(ago: $0) - .estimate() }
    let expected = LinearForm.sum(zip(a, r).map { DoubleDouble(-scale * b * $0 / $1) }, differences)
    let change = step.change(values)
    // ϕ loses three digits for each order, and elimination as many.
    #expect(change.estimates.count == others + 1)
    #expect(zip(change.estimates, expected.estimates).allSatisfy { abs($0 - $1) <= 1e-12 })
  }

  /// Lu et al. 2022, https://arxiv.org/abs/2211.01095; the authors'
  /// `multistep_dpm_solver_third_update`.
  @Test(arguments: [true, false]) func `DPM-Solver++ 3M takes the authors' D1 and D2`(matchesAuthorsCode: Bool) throws {
    let points = [-0.9, -0.2, 0.3, 1].map { SamplingGrid.Point(timestep: 0, level: level($0)) }
    let sampler = DPMSolverPlusPlus(order: 3, matchesAuthorsCode: matchesAuthorsCode)
    let next = try sampler.moves(over: SamplingGrid(points: points))[2].next
    let (h, signal) = (0.7, points[3].level.signal)
    let (r0, r1) = (0.5 / h, 0.7 / h)
    let first = (LinearForm.estimate() - .estimate(ago: 1)) / r0
    let before = (LinearForm.estimate(ago: 1) - .estimate(ago: 2)) / r1
    let second = (first - before) / (r0 + r1)
    let slope = first + r0 * second
    let shrunk = Math.expm1(-h)
    let curvature = ((shrunk + h) / (h * h) - 0.5) * (matchesAuthorsCode ? 1 : 2)
    let factors = [-signal * shrunk, signal * (shrunk / h + 1), -signal * curvature].map { DoubleDouble($0) }
    let change = LinearForm.sum(factors, [.estimate(), slope, second])
    #expect(isClose(next.samples[0], points[3].level.noise / points[2].level.noise, relative: 4 * unit))
    #expect(zip(next.estimates, change.estimates).allSatisfy { abs($0 - $1) <= 64 * unit } && next.estimates.count == 3)
  }
}
