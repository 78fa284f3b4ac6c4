/// The bound of a batch, evaluated from the last timestep to the first. Whatever T is, it holds the
/// data, one draw of noise and a number for each sample.
public struct BitsPerDimension<Tensor: ScalarTensor> {
  public let bound: VariationalBound
  /// The data.
  public let x0: Tensor
  /// The prior's part of the total, for each sample.
  public let prior: [Double]
  /// The prior and the terms so far, for each sample; at the end, the bound.
  public private(set) var total: [Double]

  private let told: [Double]
  private var timestep: Int
  private var drawn: (epsilon: Tensor, sample: Tensor)?

  /// The evaluation of a batch.
  ///
  /// - `x0`: the data, in [−1, 1].
  /// - `told`: what the network is told at each timestep, for a process that is a respaced one; the
  ///   timestep itself if `nil`.
  /// - Precondition: `told` has a number for each timestep of the process.
  public init(_ bound: VariationalBound, of x0: Tensor, told: [Double]? = nil) {
    let count = bound.process.steps.count
    stop(unless: told == nil || told!.count == count, "\(told!.count) numbers to tell a network at \(count) timesteps")
    (self.bound, self.x0) = (bound, x0)
    self.told = told ?? (0..<count).map(Double.init)
    prior = bound.prior(of: x0)
    total = prior
    timestep = count - 1
  }

  /// What the network is told now; `nil` at the end.
  public var query: SamplingPlan.Query? {
    guard timestep >= 0 else { return nil }
    let steps = bound.process.steps
    return SamplingPlan.Query(
      timestep: told[timestep], level: steps[timestep].level, step: steps.count - 1 - timestep, count: steps.count)
  }

  /// Draws noise, and returns the noisy data that the network is to be given.
  ///
  /// - Precondition: the evaluation is not at its end.
  public mutating func sample(using noise: inout some NoiseSource) -> Tensor {
    guard let query else { stop("the evaluation is at its end; there is nothing to draw") }
    let epsilon = noise.next(like: x0)
    let sample = Array(repeating: query.level, count: x0.sampleCount).mix(x0, with: epsilon)
    drawn = (epsilon, sample)
    return sample
  }

  /// Takes the network's output for the noisy data.
  ///
  /// - Returns: the terms of this timestep.
  /// - Throws: `OutputError` if the output's size does not fit or it holds NaN or an infinity. The
  ///   evaluation stays where it is.
  /// - Precondition: `sample(using:)` came before.
  @discardableResult
  public mutating func advance(output: Tensor) throws(OutputError) -> VariationalBound.Term {
    guard let (epsilon, sample) = drawn else {
      stop("the network's output is about a sample; draw it first")
    }
    let term = try bound.term(
      output: output, x0: x0, epsilon: epsilon, sample: sample,
      timesteps: Array(repeating: timestep, count: x0.sampleCount))
    for n in total.indices { total[n] += term.bound[n] }
    drawn = nil
    timestep -= 1
    return term
  }
}

extension BitsPerDimension: Sendable where Tensor: Sendable {}
