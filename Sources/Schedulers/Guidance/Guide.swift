/// What makes one output of a network's answers with a condition and without.
///
/// A guide is a function of outputs. Where these come from is up to the caller: two calls, one call
/// for a batch of twice the size, or two tasks.
///
/// ```swift
/// let guide = ClassifierFreeGuide(scale: 5, in: .sigmas(above: 0.3, through: 5))
/// let image = plan.sample(from: xT) { x, query in
///   let with = unet(x, query.timestep, caption)
///   return guide.isActive(at: query)
///     ? guide(with, unet(x, query.timestep, nil), at: query) : with
/// }
/// ```
///
/// The conditional output is always the first one given. It is the answer where the guide is not
/// active. `rescaled(like:by:)` of an `InnerProductSpace` brings the size of any answer back.
///
/// All outputs have one shape. Arrays, `SampleBatch` and every `ScalarTensor` end the program where
/// they do not.
public protocol Guide: Hashable, Sendable {
  /// Where it acts.
  var interval: GuidanceInterval { get }
  /// Whether its answer is the conditional output everywhere, as with a scale of 1.
  var isNeutral: Bool { get }
  /// Whether it needs more than the conditional output at a query. The other calls may be skipped
  /// where it does not.
  func isActive(at query: SamplingPlan.Query) -> Bool
}

extension Guide {
  public func isActive(at query: SamplingPlan.Query) -> Bool { !isNeutral && interval.contains(query) }

  /// Whether it is active; if so, ends the program where outputs differ in size, as far as their
  /// type knows it.
  func acts<Tensor: LinearSpace>(on outputs: [Tensor], at query: SamplingPlan.Query) -> Bool {
    guard isActive(at: query) else { return false }
    let sizes = outputs.compactMap { $0 as? any ScalarTensor }.map { ($0.sampleCount, $0.sampleSize) }
    for size in sizes {
      stop(
        unless: size == sizes[0],
        "guidance needs outputs of one shape; got \(sizes[0].0) × \(sizes[0].1) and \(size.0) × \(size.1) scalars")
    }
    return true
  }
}
