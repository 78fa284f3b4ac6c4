import Schedulers

/// Adam with decoupled weight decay.
///
///     p ← (1 − rate·decay)·p − rate·(m/(1 − β₁ⁿ))/(√(v/(1 − β₂ⁿ)) + epsilon)
///
/// with m and v the running means of g and g².
///
/// Source: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101, algorithm 2 with the decay
/// times the rate, as `torch.optim.AdamW` has it; Kingma and Ba 2015,
/// https://arxiv.org/abs/1412.6980.
public struct AdamW<Scalar: NetworkScalar>: Hashable, Sendable {
  /// What stays the same from step to step.
  public struct Options: Hashable, Codable, Sendable {
    /// How long the mean of the gradient remembers, in 0 ..< 1.
    public var beta1 = 0.9
    /// How long the mean of its square remembers, in 0 ..< 1.
    public var beta2 = 0.999
    /// What keeps the step finite where there is no gradient, above 0.
    public var epsilon = 1e-8
    /// The weight decay, 0 or more.
    public var weightDecay = 1e-2

    /// The defaults of `torch.optim.AdamW`.
    public init() {}
  }

  /// What stays the same.
  public let options: Options
  /// m.
  public private(set) var mean: [Scalar]
  /// v.
  public private(set) var square: [Scalar]
  /// n, how many steps were made.
  public private(set) var steps: Int

  /// An optimizer of a number of parameters, or one that goes on from its saved state.
  ///
  /// - Precondition: the means are of one size.
  public init(_ options: Options, mean: [Scalar], square: [Scalar], steps: Int) {
    precondition(mean.count == square.count, "\(mean.count) means and \(square.count) squares of gradients")
    self.options = options
    self.mean = mean
    self.square = square
    self.steps = steps
  }

  /// An optimizer at its beginning.
  public init(_ options: Options = Options(), count: Int) {
    let zeros = [Scalar](repeating: 0, count: count)
    self.init(options, mean: zeros, square: zeros, steps: 0)
  }

  /// Makes one step.
  ///
  /// - Parameter scale: what the gradient is multiplied by first.
  /// - Precondition: parameters and gradients are as many as the optimizer was made for.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public mutating func step(_ parameters: inout [Scalar], gradient: [Scalar], scale: Double = 1, rate: Double) {
    precondition(
      parameters.count == mean.count && gradient.count == mean.count,
      "\(parameters.count) parameters and \(gradient.count) gradients for an optimizer of \(mean.count)")
    steps += 1
    let correction1 = 1 - Math.pow(options.beta1, Double(steps))
    let correction2 = (1 - Math.pow(options.beta2, Double(steps))).squareRoot()
    let (scale, rest1, rest2) = (Scalar(scale), Scalar(1 - options.beta1), Scalar(1 - options.beta2))
    let (beta1, beta2, epsilon) = (Scalar(options.beta1), Scalar(options.beta2), Scalar(options.epsilon))
    let (keep, run, root) = (
      Scalar(1 - rate * options.weightDecay), Scalar(rate / correction1), Scalar(1 / correction2)
    )
    // Over plain memory, so that it is vectorised.
    parameters.withUnsafeMutableBufferPointer { p in
      mean.withUnsafeMutableBufferPointer { m in
        square.withUnsafeMutableBufferPointer { v in
          gradient.withUnsafeBufferPointer { gradient in
            for i in 0..<gradient.count {
              let g = scale * gradient[i]
              let mean = beta1 * m[i] + rest1 * g
              let square = beta2 * v[i] + rest2 * g * g
              p[i] = keep * p[i] - run * mean / (Scalar.squareRoot(of: square) * root + epsilon)
              (m[i], v[i]) = (mean, square)
            }
          }
        }
      }
    }
  }
}

/// Clipping of a gradient by its norm.
///
/// Source: Pascanu et al. 2013, https://arxiv.org/abs/1211.5063, algorithm 1;
/// `torch.nn.utils.clip_grad_norm_`, whose 1e-6 is kept.
public enum GradientClipping {
  /// The Euclidean norm of a gradient.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public static func norm<Scalar: NetworkScalar>(of gradient: [Scalar]) -> Double {
    // Eight sums, none of which waits for another.
    var sums = SIMD8<Double>()
    gradient.withUnsafeBufferPointer { g in
      let whole = g.count & ~7
      for start in stride(from: 0, to: whole, by: 8) {
        var part = SIMD8<Double>()
        for k in 0..<8 { part[k] = Double(g[start + k]) }
        sums += part * part
      }
      for i in whole..<g.count { sums[0] += Double(g[i]) * Double(g[i]) }
    }
    return sums.sum().squareRoot()
  }

  /// What a gradient of some norm is multiplied by, so that it is at most `limit` long.
  public static func scale(norm: Double, limit: Double) -> Double { min(1, limit / (norm + 1e-6)) }
}
