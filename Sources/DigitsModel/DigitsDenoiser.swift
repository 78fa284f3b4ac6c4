import Schedulers

/// A trained network as a denoiser of pictures of 8×8 grey values, in −1 (paper) ... 1 (ink).
///
/// ```swift
/// let three = DigitsDenoiser<Float>(network, predicting: .v, label: 3)
/// let any = DigitsDenoiser<Float>(network, predicting: .v)
/// let guided = ClassifierFreeGuidance(conditional: three, unconditional: any, scale: 2)
/// let images = plan.sample(from: xT, using: &noise, model: guided.callAsFunction)
/// ```
///
/// The arithmetic is in Float. A sample's answer does not depend on the batch that it comes in. A
/// network that learns its variance answers with twice the channels; its plans are made with
/// `learnsVariance: true`.
public struct DigitsDenoiser<Scalar: SampleScalar>: Denoiser, Sendable {
  public typealias Tensor = SampleBatch<Scalar>

  /// The network.
  public let network: Network<Float>
  public let prediction: Prediction
  /// The class that it is told, 0 ... 9; `nil` for none.
  public let label: Int?

  // Every product has the same size, whatever the batch, and within a tile OpenBLAS's kernels round
  // each row alike: see `Tiles` of ExactDenoisers.
  private static var height: Int { 8 }

  /// The denoiser of a network.
  ///
  /// - Precondition: the label is in 0 ... 9.
  public init(_ network: Network<Float>, predicting prediction: Prediction, label: Int? = nil) {
    precondition(label.map((0..<Architecture.classes).contains) ?? true, "there is no class \(label!)")
    self.network = network
    self.prediction = prediction
    self.label = label
  }

  /// The output for an input.
  ///
  /// - Precondition: the input's samples have 64 scalars, in one channel.
  public func callAsFunction(_ input: SampleBatch<Scalar>, _ query: SamplingPlan.Query) -> SampleBatch<Scalar> {
    precondition(
      input.sampleSize == Architecture.pixels && input.shape.count > 1,
      "samples of shape \(Array(input.shape.dropFirst())) are no pictures of \(Architecture.pixels) values in one "
        + "channel"
    )
    let (count, outputs) = (input.sampleCount, network.architecture.outputs)
    let samples = Self.floats(input.scalars)
    var output: [Float] = []
    output.reserveCapacity(count * outputs)
    for start in stride(from: 0, to: count, by: Self.height) {
      let real = min(Self.height, count - start)
      let tile =
        samples[start * Architecture.pixels..<(start + real) * Architecture.pixels]
        + [Float](repeating: 0, count: (Self.height - real) * Architecture.pixels)
      let answer = network.run(
        Array(tile), timesteps: Array(repeating: query.timestep, count: Self.height),
        labels: Array(repeating: label, count: Self.height)
      ).output
      output += answer.prefix(real * outputs)
    }
    let channels = input.shape[1] * (network.architecture.learnsVariance ? 2 : 1)
    return SampleBatch(shape: [count, channels] + input.shape.dropFirst(2), scalars: Scalar.rounding(output))
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func floats(_ scalars: [Scalar]) -> [Float] { scalars.map { Float($0) } }
}
