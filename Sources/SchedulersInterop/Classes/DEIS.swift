import Schedulers

/// `DEISMultistepScheduler`, with coefficients in float32: differences of integrals, which lose up
/// to half of their digits where sigmas are close.
struct DEISMultistepScheduler: LambdaClass {
  private static let exact = ExponentialMultistep(order: 3, estimate: .epsilon)

  let lambda: LambdaSolver
  private let order: Given<Int>
  private let algorithm: NamedChoice<Void>
  private let type: NamedChoice<Void>

  init(_ o: inout OptionReader) {
    lambda = LambdaSolver(&o)
    order = o.integer("solver_order", 2)
    // The class takes the names of the others for its own.
    algorithm = o.choice("algorithm_type", "deis", ["deis": (), "dpmsolver": (), "dpmsolver++": ()])
    type = o.choice("solver_type", "logrho", ["logrho": (), "midpoint": (), "heun": (), "bh1": (), "bh2": ()])
  }

  private func orders(_ grid: SamplingGrid, of run: Run? = nil) throws -> [Int] {
    let order = try order.within(1...3, "use 1, 2 or 3")
    _ = try (algorithm.get(), type.get())
    let isShort = lambda.lowersFinalOrder.value && (run?.first ?? 0) + grid.steps < 15
    return (0..<grid.steps).map { i in
      grid.points[i + 1].level.noise > 0 ? min(order, isShort ? grid.steps - i : 3, i + 1) : 1
    }
  }

  /// x̂0 is read as it is for what is interpolated in it.
  func estimate() throws -> Estimate { .x0 }

  func moves(_ grid: SamplingGrid) throws -> [Move] {
    let orders = try orders(grid)
    return Self.exact.moves(grid.points) { orders[$0] }
  }

  func faithful(_ run: Run) throws -> Recipe {
    let levels = lambda.levels(run)
    return try recipe(run) { grid in
      try orders(grid, of: run).enumerated().map { i, order in
        let (from, to) = (grid.points[i], grid.points[i + 1].level)
        guard let weights = Self.weights(grid, step: i, order: order, levels, as: Float.self) else {
          return Self.exact.moves([from, grid.points[i + 1]]) { _ in 1 }[0]
        }
        let sum = weights.enumerated().reduce(.sample / Double(levels.rounded(from.level).signal)) {
          $0 + Double($1.element) * .estimate(ago: $1.offset)
        }
        return Move(at: from, to: to, estimate: .epsilon, next: Double(levels.rounded(to).signal) * sum)
      }
    }
  }

  /// Torch's weights and ours are both within the bound.
  func roundings(_ run: Run) throws -> [[Rounding]] {
    let grid = try begun(run).grid(lambda.level)
    return try orders(grid, of: run).enumerated().map { i, order in
      let weights = Self.weights(grid, step: i, order: order, lambda.levels(run), as: UncertainNumber.self) ?? []
      let signal = grid.points[i + 1].level.signal
      return weights.enumerated().map { Rounding(form: .estimate(ago: $0), bound: 2 * signal * $1.error) }
    }
  }

  /// The weights of the last estimates, newest first, in x/signal; nil for order 1 or no length.
  private static func weights<Number: CoefficientArithmetic>(
    _ grid: SamplingGrid, step i: Int, order: Int, _ levels: Float32Levels, as _: Number.Type
  ) -> [Number]? {
    let rounded = grid.points[(i - order + 1)...(i + 1)].reversed().map { levels.rounded($0.level) }
    guard order > 1, rounded[0] != rounded[1] else { return nil }
    let ratios = rounded.map { $0.noise / $0.signal }
    let nodes = Array(ratios.dropFirst())
    return nodes.indices.map { k in
      // That node, then the others in the order in which diffusers goes around.
      let turned = Array(nodes[k...] + nodes[..<k])
      return integral(ratios[0], turned, as: Number.self) - integral(nodes[0], turned, as: Number.self)
    }
  }

  /// ∫ of the Lagrange polynomial in ln ρ that is 1 at the first node and 0 at the others, from 0
  /// to ρ.
  private static func integral<Number: CoefficientArithmetic>(
    _ ratio: Float, _ nodes: [Float], as _: Number.Type
  ) -> Number {
    let (t, logs, one) = (Number(NumPy.log(ratio)), nodes.map { Number(NumPy.log($0)) }, Number(1))
    guard logs.count == 3 else { return Number(ratio) * (-logs[1] + t - one) / (logs[0] - logs[1]) }
    let (b, c, d) = (logs[0], logs[1], logs[2])
    let numerator = c * (d - t + one) - d * t + d + t * t - Number(2) * t + Number(2)
    return Number(ratio) * numerator / ((b - c) * (b - d))
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { DPMSolverPlusPlus(order: 1) }
}
