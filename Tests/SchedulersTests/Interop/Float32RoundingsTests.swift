import Foundation
import Testing

@testable import Schedulers
@testable import SchedulersInterop

/// Float32 arithmetic is within the error that the running analysis gives it, and the error is not
/// much more than that.
@Suite struct Float32RoundingsTests {
  /// The same operations in float32, with their errors, and in Double.
  private func formula<Number: CoefficientArithmetic>(_ x: Float, _ y: Float, as _: Number.Type) -> [Number] {
    let (a, b) = (Number(x), Number(y))
    let change = (-a).exponential() - Number(1)
    let moment = change / a + Number(1)
    return [a + b, a - b, a * b, a / b, change, moment, moment * b - a / (a + b), (a - b) / (a * b), -moment]
  }

  private struct Wide: CoefficientArithmetic {
    var value: Double
    init(_ value: Float) { self.value = Double(value) }
    init(exact: Double) { value = exact }
    static func + (a: Self, b: Self) -> Self { Self(exact: a.value + b.value) }
    static func - (a: Self, b: Self) -> Self { Self(exact: a.value - b.value) }
    static func * (a: Self, b: Self) -> Self { Self(exact: a.value * b.value) }
    static func / (a: Self, b: Self) -> Self { Self(exact: a.value / b.value) }
    static prefix func - (a: Self) -> Self { Self(exact: -a.value) }
    func exponential() -> Self { Self(exact: exp(value)) }
  }

  @Test func `float32 is within the errors of the numbers that know theirs`() {
    var generator = PhiloxGenerator(seed: 3)
    var largest = [Double](repeating: 0, count: 9)
    for _ in 0..<2000 {
      let x = Float(exp(Double.random(in: -7...1, using: &generator)))
      let y = Float(exp(Double.random(in: -7...1, using: &generator)))
      let (made, known, exact) = (
        formula(x, y, as: Float.self), formula(x, y, as: UncertainNumber.self), formula(x, y, as: Wide.self)
      )
      for i in made.indices {
        #expect(known[i].value == exact[i].value)
        let error = abs(Double(made[i]) - exact[i].value)
        #expect(error <= known[i].error, "\(i) of \(x) and \(y)")
        largest[i] = max(largest[i], error / known[i].error)
      }
    }
    // A rounding comes near half a unit; several of a formula seldom all do.
    #expect(largest[..<4].allSatisfy { $0 > 0.9 } && largest[4...].allSatisfy { $0 > 0.25 }, "\(largest)")
  }

  @Test func `what short steps leave of the integrals is within their errors`() {
    for exponent in [1e-4, 1e-3, 0.01, 0.1, 1.0] {
      let h = Float(exponent)
      let change = Float(exp(Double(-h))) - 1
      let (first, second) = (change / h + 1, (change + h) / (h * h) - 0.5)
      // Their series: H/2 − H²/6 + ..., −H/6 + H²/24 − ... .
      let x = Double(h)
      let terms = (1...20).map { k in pow(-x, Double(k)) / tgamma(Double(k) + 2) }
      let exact = (-terms.reduce(0, +), (1...20).map { k in pow(-x, Double(k)) / tgamma(Double(k) + 3) }.reduce(0, +))
      let errors = SolverRoundings.moments(exponent: exponent)
      #expect(abs(Double(first) - exact.0) <= errors[0], "\(exponent)")
      #expect(abs(Double(second) - exact.1) <= errors[1], "\(exponent)")
      // And no more than some units of the cancelled terms.
      #expect(errors[0] < 8 * 0x1p-24 * max(1, 1 / x) && errors[1] < 16 * 0x1p-24 / (x * x), "\(exponent)")
    }
  }

  @Test func `what float32 leaves of UniPC's weights is within their errors, and not much less`() {
    // Predictors of noise have hh above 0, those of data below.
    var largest = [0.0, 0.0]
    for index in 0..<800 {
      let hh = Float((index % 2 == 0 ? 1 : -1) * exp(Double(index) / 160 - 3))
      // b₁ and b₂ by B(h) = hh: the chain of the class in float32, and the integrals' series.
      var phi = Float(expm1(Double(hh))) / hh - 1
      let first = phi / hh
      phi = phi / hh - 0.5
      let second = phi * 2 / hh
      let x = Double(hh)
      func series(_ from: Int) -> Double {
        (from..<60).reduce(0) { $0 + pow(x, Double($1 - from)) / tgamma(Double($1) + 1) }
      }
      let errors = SolverRoundings.uniPC(exponent: x, isLinear: true, count: 2)
      let off = (abs(Double(first) - series(2)) * abs(x), abs(Double(second) - 2 * series(3)) * abs(x))
      #expect(off.0 <= errors[0] && off.1 <= errors[1], "\(hh)")
      // Where little is left of the cancelled terms.
      if x < -2 || x > 0 { largest[index % 2] = max(largest[index % 2], off.1 / errors[1]) }
    }
    // As for the formulas above: several roundings seldom all come near half a unit.
    #expect(largest.allSatisfy { $0 > 0.25 }, "\(largest)")
  }

  /// Higham 2002, theorem 9.4: three units times n times 2^(n − 1) of the sum of an equation's
  /// terms, each a weight times a power of its node.
  @Test func `the elimination of UniPC's system is uncertain of the sum of its terms`() throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: 6, spacing: .trailing)
    let (points, levels) = (grid.points, SolverLevel.levels(of: grid.points))
    let step = ExponentialStep(estimate: .x0, from: levels[2], to: levels[3], eta: 0)
    let values = (0..<3).map { (ago: $0, level: levels[2 - $0]) }
    let roundings = SolverRoundings.uniPC(step, values, isLinear: false)
    let errors = SolverRoundings.uniPC(exponent: -step.exponent.rounded, isLinear: false, count: 2)
    let (weights, length) = (step.change(values).estimates, points[3].level.lambda - points[2].level.lambda)
    for i in 0..<2 {
      let terms = (1...2).reduce(0) { sum, k in
        sum + abs(weights[k]) * pow(abs(points[2 - k].level.lambda - points[2].level.lambda) / length, Double(i + 1))
      }
      let bound = points[3].level.signal * errors[i] + 3 * 2 * 2 * 0x1p-24 * terms
      #expect(abs(roundings[i].bound / bound - 1) < 1e-12)
    }
  }

  /// diffusers' D1 of a single step of order 3 is (m₂ − m₀)/r₂ by the midpoint rule: the value
  /// between the two has no part in it.
  @Test func `a single step of order 3 by the midpoint rule is uncertain of one line alone`() throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: 6, spacing: .trailing)
    let solver = ExponentialMultistep(order: 3, estimate: .x0, slopeRule: .midpoint)
    let line = SolverRoundings.multistep(grid, from: 1, to: 4, solver, values: [1, 2, 3], seen: 3, isSingle: true)
    #expect(line.count == 1)
    #expect(line[0].form.estimates.count == 3 && line[0].form.estimates[1] == 0 && line[0].form.estimates[0] != 0)
    #expect(SolverRoundings.multistep(grid, from: 1, to: 3, solver, values: [1, 2], seen: 2, isSingle: true).isEmpty)
  }
}
