/// What is wrong with a network's output.
public enum OutputError: Error, Hashable, Sendable {
  /// It holds another number of samples than the batch.
  case samples(Int, expected: Int)
  /// Its samples have another size than the network's should have.
  case size(Int, sampleSize: Int, learnsVariance: Bool)
  /// It holds NaN or an infinity. `step` is a run's evaluation, from 0 on; nil outside of runs.
  case notFinite(Double, sample: Int, element: Int, timestep: Double, step: Int?)
}

extension OutputError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .samples(let count, let expected): "the network answered with \(count) samples for a batch of \(expected)"
    case .size(let size, let sampleSize, true) where size == sampleSize:
      "the network's output has the \(size) scalars of a sample, where a learned variance needs twice as many; "
        + "choose a fixed variance for a network without one"
    case .size(let size, let sampleSize, false) where size == 2 * sampleSize:
      "the network's output has \(size) scalars for a sample of \(sampleSize), as one that learns its variance "
        + "has; choose a learned variance, or pass learnsVariance: true"
    case .size(let size, let sampleSize, let learnsVariance):
      "the network's output has \(size) scalars for each sample; "
        + "it should have \(learnsVariance ? "twice " : "")\(sampleSize)"
    case .notFinite(let value, let sample, let element, let timestep, let step):
      "the network's output is \(value) at element \(element) of sample \(sample), at timestep \(timestep.plain)"
        + (step.map { ", step \($0)" } ?? "") + "; look for the layer that makes it, often one in half precision"
    }
  }
}

extension SamplingRun where Tensor: ScalarTensor {
  /// Looks whether a network's output fits the current query, which `advance` takes for granted.
  ///
  /// ```swift
  /// let output = unet(run.input, query.timestep)
  /// try run.check(output)
  /// run.advance(output: output, using: &noise)
  /// ```
  ///
  /// - Throws: `OutputError` if its size does not fit, or at the first NaN or infinity.
  public func check(_ output: Tensor) throws(OutputError) {
    let timestep = query?.timestep ?? plan.steps.last?.query.timestep ?? 0
    try output.checkSize(asOutputFor: sample, learnsVariance: plan.learnsVariance)
    try output.checkFinite(
      timesteps: Array(repeating: timestep, count: sample.sampleCount), step: evaluations)
  }
}

extension ScalarTensor {
  /// Looks whether there is an output for each sample, of the size that it should have.
  func checkSize(asOutputFor sample: Self, learnsVariance: Bool) throws(OutputError) {
    guard sampleCount == sample.sampleCount else { throw .samples(sampleCount, expected: sample.sampleCount) }
    guard sampleSize == (learnsVariance ? 2 : 1) * sample.sampleSize else {
      throw .size(sampleSize, sampleSize: sample.sampleSize, learnsVariance: learnsVariance)
    }
  }

  /// Looks for NaN and infinities.
  ///
  /// - Parameters:
  ///   - timesteps: what each sample's network was told.
  ///   - step: the evaluation of a run, for the message.
  func checkFinite(timesteps: [Double], step: Int? = nil) throws(OutputError) {
    let scalars = scalars
    guard let i = scalars.firstIndex(where: { !$0.isFinite }) else { return }
    let (n, element) = i.quotientAndRemainder(dividingBy: sampleSize)
    throw .notFinite(Double(scalars[i]), sample: n, element: element, timestep: timesteps[n], step: step)
  }
}
