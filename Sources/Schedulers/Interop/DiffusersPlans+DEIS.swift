// DEIS with the coefficients that diffusers makes in float32: differences of integrals, which lose up to half of their digits where sigmas
// are close.

extension DiffusersConfiguration {
  /// The steps over a grid, with at most the order that `orders` gives each.
  func deisMoves(_ grid: SamplingGrid, orders: [Int]) -> [Move] {
    let isFlow = boolean("use_flow_sigmas")
    let sigmas = grid.points.map { Float(isFlow ? $0.level.noise : $0.level.sigma) }
    func signal(_ sigma: Float) -> Float { isFlow ? 1 - sigma : 1 / root(sigma * sigma + 1) }
    func ratio(_ sigma: Float) -> Float { isFlow ? sigma / signal(sigma) : sigma * signal(sigma) / signal(sigma) }
    let exact = ExponentialMultistep(name: className, order: 3, estimate: .epsilon)
    return orders.enumerated().map { i, order in
      guard order > 1, sigmas[i] != sigmas[i + 1] else { return exact.move(grid.points, from: i, order: 1) }
      let ratios = (i - order + 1...i + 1).reversed().map { ratio(sigmas[$0]) }
      let nodes = Array(ratios.dropFirst())
      var sum = LinearForm.sample / Double(signal(sigmas[i]))
      for k in nodes.indices {
        // That node, then the others in the order in which diffusers goes around.
        let turned = Array(nodes[k...] + nodes[..<k])
        sum = sum + Double(Self.integral(ratios[0], turned) - Self.integral(nodes[0], turned)) * .estimate(ago: k)
      }
      return Move(
        at: grid.points[i], to: grid.points[i + 1].level, estimate: .epsilon, next: Double(signal(sigmas[i + 1])) * sum)
    }
  }

  /// ∫ of the Lagrange polynomial in ln ρ that is 1 at the first node and 0 at the others, from 0 to ρ.
  private static func integral(_ ratio: Float, _ nodes: [Float]) -> Float {
    let (t, logs) = (NumPy.log(ratio), nodes.map(NumPy.log))
    guard logs.count == 3 else { return ratio * (-logs[1] + t - 1) / (logs[0] - logs[1]) }
    let (b, c, d) = (logs[0], logs[1], logs[2])
    let numerator = ratio * (c * (d - t + 1) - d * t + d + t * t - 2 * t + 2)
    return numerator / ((b - c) * (b - d))
  }
}
