/// A network, or anything that answers like one.
///
/// Runs take closures as well; this protocol is for models that are combined or stored.
///
/// ```swift
/// let image = plan.sample(from: xT, using: &noise, model: denoiser.callAsFunction)
/// ```
public protocol Denoiser<Tensor>: AsyncDenoiser {
  /// The output for an input, in its shape.
  func callAsFunction(_ input: Tensor, _ query: SamplingPlan.Query) throws(Failure) -> Tensor
}

/// A network that suspends while it computes: on another actor, a queue or a server.
///
/// ```swift
/// let image = await plan.sample(from: xT, using: &noise) {
///   await denoiser($0, $1)
/// }
/// ```
///
/// Every `Denoiser` is one that never suspends.
public protocol AsyncDenoiser<Tensor> {
  associatedtype Tensor: LinearSpace
  /// What a call may throw; `Never` for most.
  associatedtype Failure: Error = Never
  /// What the output is.
  var prediction: Prediction { get }
  /// The output for an input, in its shape.
  nonisolated(nonsending) func callAsFunction(
    _ input: Tensor, _ query: SamplingPlan.Query
  ) async throws(Failure) -> Tensor
}
