// DEIS with the coefficients that diffusers makes in float32: differences of integrals, which lose up to half of their digits where sigmas
// are close.

extension DiffusersConfiguration {
  /// The steps over a grid, with at most the order that `orders` gives each.
  func deisMoves(_ grid: SamplingGrid, orders: [Int]) -> [Move] {
    let sigmas = grid.points.map { Float($0.level.sigma) }
    let exact = ExponentialMultistep(name: className, order: 3, estimate: .epsilon)
    return orders.enumerated().map { i, order in
      guard order > 1, sigmas[i] != sigmas[i + 1] else { return exact.move(grid.points, from: i, order: 1) }
      let (signal, nextSignal) = (Self.signal(sigmas[i], root), Self.signal(sigmas[i + 1], root))
      let ratios = (i - order + 1...i + 1).reversed().map { k -> Float in
        let signal = Self.signal(sigmas[k], root)
        return sigmas[k] * signal / signal
      }
      let nodes = Array(ratios.dropFirst())
      var sum = LinearForm.sample / Double(signal)
      for k in nodes.indices {
        // That node, then the others in the order in which diffusers goes around.
        let turned = Array(nodes[k...] + nodes[..<k])
        sum = sum + Double(Self.integral(ratios[0], turned) - Self.integral(nodes[0], turned)) * .estimate(ago: k)
      }
      return Move(at: grid.points[i], to: grid.points[i + 1].level, estimate: .epsilon, next: Double(nextSignal) * sum)
    }
  }

  private static func signal(_ sigma: Float, _ root: (Float) -> Float) -> Float { 1 / root(sigma * sigma + 1) }

  /// ∫ of the Lagrange polynomial in ln ρ that is 1 at the first node and 0 at the others, from 0 to ρ.
  private static func integral(_ ratio: Float, _ nodes: [Float]) -> Float {
    let (t, logs) = (NumPy.log(ratio), nodes.map(NumPy.log))
    guard logs.count == 3 else { return ratio * (-logs[1] + t - 1) / (logs[0] - logs[1]) }
    let (b, c, d) = (logs[0], logs[1], logs[2])
    let numerator = ratio * (c * (d - t + 1) - d * t + d + t * t - 2 * t + 2)
    return numerator / ((b - c) * (b - d))
  }
}
