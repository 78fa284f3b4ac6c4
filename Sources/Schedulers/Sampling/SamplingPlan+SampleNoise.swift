// Whole runs on tensors that no source fills, as their scalars cannot be set from outside: those of
// MLX, s4nnc, Metal or CUDA. A closure makes the noise.

extension SamplingPlan {
  /// Runs a plan on tensors that no source fills, with noise that a closure makes.
  ///
  /// ```swift
  /// let image = plan.sample(
  ///   from: xT, noise: { x, _, _ in MLXRandom.normal(x.shape) },
  ///   model: { x, query in unet(x, query.timestep) })
  /// ```
  ///
  /// - `noise`: makes standard normal noise in the shape of a tensor, for the step from one sigma
  ///   to another; called for each step that needs it.
  public func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, noise: (_ shapeOf: Tensor, _ from: Double, _ to: Double) throws(Failure) -> Tensor,
    model: (Tensor, Query) throws(Failure) -> Tensor
  ) throws(Failure) -> Tensor {
    try run(
      from: start, hasNoise: true, isWatched: false, model, { _ throws(Failure) in }, { _, _ throws(Failure) in nil }
    ) { run, output, gradient throws(Failure) in
      run.advance(output: output, noise: try run.noise(by: noise), guidance: gradient)
    }
  }

  /// Runs a plan on tensors that no source fills, with noise that a closure makes, and shows each
  /// step.
  ///
  /// - `onStep`: called after each step. To stop a run, throw from here or from the model.
  public func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, noise: (_ shapeOf: Tensor, _ from: Double, _ to: Double) throws(Failure) -> Tensor,
    model: (Tensor, Query) throws(Failure) -> Tensor,
    onStep: (SamplingRun<Tensor>) throws(Failure) -> Void
  ) throws(Failure) -> Tensor {
    try run(from: start, hasNoise: true, isWatched: true, model, onStep, { _, _ throws(Failure) in nil }) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, noise: try run.noise(by: noise), guidance: gradient)
    }
  }

  /// Runs a plan on tensors that no source fills, with noise that a closure makes, guided by a
  /// classifier.
  ///
  /// - `guidance`: a gradient, called with the sample and what the network is told; `nil` for none.
  public func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, noise: (_ shapeOf: Tensor, _ from: Double, _ to: Double) throws(Failure) -> Tensor,
    model: (Tensor, Query) throws(Failure) -> Tensor,
    guidance: (Tensor, Query) throws(Failure) -> ClassifierGuidance<Tensor>?
  ) throws(Failure) -> Tensor {
    try run(from: start, hasNoise: true, isWatched: false, model, { _ throws(Failure) in }, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, noise: try run.noise(by: noise), guidance: gradient)
    }
  }

  /// Runs a plan on tensors that no source fills, with noise that a closure makes, and shows each
  /// step, guided by a classifier.
  public func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, noise: (_ shapeOf: Tensor, _ from: Double, _ to: Double) throws(Failure) -> Tensor,
    model: (Tensor, Query) throws(Failure) -> Tensor,
    onStep: (SamplingRun<Tensor>) throws(Failure) -> Void,
    guidance: (Tensor, Query) throws(Failure) -> ClassifierGuidance<Tensor>?
  ) throws(Failure) -> Tensor {
    try run(from: start, hasNoise: true, isWatched: true, model, onStep, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, noise: try run.noise(by: noise), guidance: gradient)
    }
  }

  /// Runs a plan on tensors that no source fills, with closures that suspend.
  public nonisolated(nonsending) func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor,
    noise: nonisolated(nonsending) (_ shapeOf: Tensor, _ from: Double, _ to: Double) async throws(Failure) -> Tensor,
    model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor
  ) async throws(Failure) -> Tensor {
    try await run(
      from: start, hasNoise: true, isWatched: false, model, { _ throws(Failure) in }, { _, _ throws(Failure) in nil }
    ) { run, output, gradient throws(Failure) in
      run.advance(output: output, noise: try await run.noise(by: noise), guidance: gradient)
    }
  }

  /// Runs a plan on tensors that no source fills, with closures that suspend, and shows each step.
  public nonisolated(nonsending) func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor,
    noise: nonisolated(nonsending) (_ shapeOf: Tensor, _ from: Double, _ to: Double) async throws(Failure) -> Tensor,
    model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    onStep: nonisolated(nonsending) (SamplingRun<Tensor>) async throws(Failure) -> Void
  ) async throws(Failure) -> Tensor {
    try await run(from: start, hasNoise: true, isWatched: true, model, onStep, { _, _ throws(Failure) in nil }) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, noise: try await run.noise(by: noise), guidance: gradient)
    }
  }

  /// Runs a plan on tensors that no source fills, with closures that suspend, guided by a
  /// classifier.
  public nonisolated(nonsending) func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor,
    noise: nonisolated(nonsending) (_ shapeOf: Tensor, _ from: Double, _ to: Double) async throws(Failure) -> Tensor,
    model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    guidance: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> ClassifierGuidance<Tensor>?
  ) async throws(Failure) -> Tensor {
    try await run(from: start, hasNoise: true, isWatched: false, model, { _ throws(Failure) in }, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, noise: try await run.noise(by: noise), guidance: gradient)
    }
  }

  /// Runs a plan on tensors that no source fills, with closures that suspend, and shows each step,
  /// guided by a classifier.
  public nonisolated(nonsending) func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor,
    noise: nonisolated(nonsending) (_ shapeOf: Tensor, _ from: Double, _ to: Double) async throws(Failure) -> Tensor,
    model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    onStep: nonisolated(nonsending) (SamplingRun<Tensor>) async throws(Failure) -> Void,
    guidance: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> ClassifierGuidance<Tensor>?
  ) async throws(Failure) -> Tensor {
    try await run(from: start, hasNoise: true, isWatched: true, model, onStep, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, noise: try await run.noise(by: noise), guidance: gradient)
    }
  }
}

extension SamplingRun {
  /// What a closure makes of the shape of the sample and the two sigmas of the next step, if that
  /// step draws noise.
  fileprivate func noise<Failure: Error>(
    by make: (Tensor, Double, Double) throws(Failure) -> Tensor
  ) throws(Failure) -> Tensor? {
    guard needsNoise, let step else { return nil }
    return try make(sample, step.query.level.sigma, step.arrival.sigma)
  }

  fileprivate nonisolated(nonsending) func noise<Failure: Error>(
    by make: nonisolated(nonsending) (Tensor, Double, Double) async throws(Failure) -> Tensor
  ) async throws(Failure) -> Tensor? {
    guard needsNoise, let step else { return nil }
    return try await make(sample, step.query.level.sigma, step.arrival.sigma)
  }
}
