import Schedulers

// DEIS with the coefficients that diffusers makes in float32: differences of integrals, which lose up to half of their digits where sigmas
// are close.

extension DiffusersConfiguration {
  /// The steps over a grid, with at most the order that `orders` gives each.
  func deisMoves(_ grid: SamplingGrid, orders: [Int]) -> [Move] {
    let exact = ExponentialMultistep(order: 3, estimate: .epsilon)
    return orders.enumerated().map { i, order in
      let (from, to) = (rounded(grid.points[i].level), rounded(grid.points[i + 1].level))
      guard let weights = deisWeights(grid, step: i, order: order, as: Float.self) else {
        return exact.move(grid.points, from: i, order: 1)
      }
      let sum = weights.enumerated().reduce(LinearForm.sample / Double(from.signal)) {
        $0 + Double($1.element) * .estimate(ago: $1.offset)
      }
      return Move(
        at: grid.points[i], to: grid.points[i + 1].level, estimate: .epsilon, next: Double(to.signal) * sum)
    }
  }

  /// What float32 leaves uncertain of each step. Torch's weights and ours are both within the bound.
  func deisRoundings(_ grid: SamplingGrid, orders: [Int]) -> [[Rounding]] {
    orders.enumerated().map { i, order in
      let weights = deisWeights(grid, step: i, order: order, as: UncertainNumber.self) ?? []
      let signal = grid.points[i + 1].level.signal
      return weights.enumerated().map { Rounding(form: .estimate(ago: $0), bound: 2 * signal * $1.error) }
    }
  }

  /// The weights of the last estimates, newest first, in x/signal; nil for a step of order 1, or that goes nowhere.
  private func deisWeights<Number: CoefficientArithmetic>(
    _ grid: SamplingGrid, step i: Int, order: Int, as _: Number.Type
  ) -> [Number]? {
    guard order > 1, rounded(grid.points[i].level) != rounded(grid.points[i + 1].level) else { return nil }
    let ratios = (i - order + 1...i + 1).reversed().map { k -> Float in
      let (signal, noise, _) = rounded(grid.points[k].level)
      return noise / signal
    }
    let nodes = Array(ratios.dropFirst())
    return nodes.indices.map { k in
      // That node, then the others in the order in which diffusers goes around.
      let turned = Array(nodes[k...] + nodes[..<k])
      return Self.integral(ratios[0], turned, as: Number.self) - Self.integral(nodes[0], turned, as: Number.self)
    }
  }

  /// ∫ of the Lagrange polynomial in ln ρ that is 1 at the first node and 0 at the others, from 0 to ρ.
  private static func integral<Number: CoefficientArithmetic>(_ ratio: Float, _ nodes: [Float], as _: Number.Type) -> Number {
    let (t, logs) = (Number(NumPy.log(ratio)), nodes.map { Number(NumPy.log($0)) })
    let one = Number(1)
    guard logs.count == 3 else { return Number(ratio) * (-logs[1] + t - one) / (logs[0] - logs[1]) }
    let (b, c, d) = (logs[0], logs[1], logs[2])
    let numerator = c * (d - t + one) - d * t + d + t * t - Number(2) * t + Number(2)
    return Number(ratio) * numerator / ((b - c) * (b - d))
  }
}
