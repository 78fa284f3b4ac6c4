/// The exponential moving average of tensors, such as the weights of a network, which samples
/// better with it than with the weights themselves.
///
///     average ← d·average + (1 − d)·latest
///
/// ```swift
/// var average = ExponentialAverage(.warmUp(), of: network.weights)
/// for batch in data {
///   optimizer.step(&network, batch)
///   average.update(with: network.weights)
/// }
/// network.weights = average.values
/// ```
///
/// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), appendix B, with a constant d.
public struct ExponentialAverage<Tensor: LinearSpace> {
  /// How much of the average stays.
  public let decay: AverageDecay
  /// The averages, one for each tensor.
  public private(set) var values: [Tensor]
  /// How many updates were made.
  public private(set) var updates: Int

  /// An average that begins at given tensors, or goes on from saved ones.
  public init(_ decay: AverageDecay, of values: [Tensor], updates: Int = 0) {
    (self.decay, self.values, self.updates) = (decay, values, updates)
  }

  /// Takes in the tensors after a step of training.
  ///
  /// - Precondition: they are as many as before, each in its shape.
  public mutating func update(with latest: [Tensor]) {
    stop(unless: latest.count == values.count, "\(latest.count) tensors for an average of \(values.count)")
    let decay = decay.decay(after: updates)
    updates += 1
    // What the average began with may be of another size of number, or NaN.
    if decay == 0 { return values = latest }
    for k in values.indices { values[k] = .combination([(decay, values[k]), (1 - decay, latest[k])]) }
  }
}

extension ExponentialAverage: Sendable where Tensor: Sendable {}
extension ExponentialAverage: Equatable where Tensor: Equatable {}
