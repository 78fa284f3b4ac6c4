// Whole runs: the loop that `SamplingRun` shows, for models that may throw or suspend.

extension SamplingPlan {
  /// Runs a plan that draws no noise.
  ///
  /// - Parameters:
  ///   - start: the sample at the plan's start level.
  ///   - model: the network, called with its input and what it is told; its answer has that shape.
  ///   - onStep: called after each step. To stop a run, throw from here or from the model.
  ///   - guidance: a classifier's gradient, called with the sample and what the network is told.
  /// - Precondition: `isStochastic` is false.
  public func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, model: (Tensor, Query) throws(Failure) -> Tensor,
    onStep: ((SamplingRun<Tensor>) throws(Failure) -> Void)? = nil,
    guidance: ((Tensor, Query) throws(Failure) -> ClassifierGuidance<Tensor>)? = nil
  ) throws(Failure) -> Tensor {
    var run = SamplingRun(self, from: start)
    run.keepsDenoised = onStep != nil
    while let query = run.query {
      run.advance(output: try model(run.nextInput(), query), guidance: try guidance?(run.sample, query))
      try onStep?(run)
    }
    return run.sample
  }

  /// Runs a plan as `sample(from:model:onStep:guidance:)` does, with noise where it draws some.
  ///
  /// - `noise`: the source, which moves on by one draw for each step that needs it.
  public func sample<Tensor: ScalarTensor, Failure: Error>(
    from start: Tensor, using noise: inout some NoiseSource,
    model: (Tensor, Query) throws(Failure) -> Tensor,
    onStep: ((SamplingRun<Tensor>) throws(Failure) -> Void)? = nil,
    guidance: ((Tensor, Query) throws(Failure) -> ClassifierGuidance<Tensor>)? = nil
  ) throws(Failure) -> Tensor {
    var run = SamplingRun(self, from: start)
    run.keepsDenoised = onStep != nil
    while let query = run.query {
      run.advance(output: try model(run.nextInput(), query), using: &noise, guidance: try guidance?(run.sample, query))
      try onStep?(run)
    }
    return run.sample
  }

  /// Runs a plan that draws no noise, with a model that suspends.
  ///
  /// - Precondition: `isStochastic` is false.
  public nonisolated(nonsending) func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    onStep: (nonisolated(nonsending) (SamplingRun<Tensor>) async throws(Failure) -> Void)? = nil,
    guidance: (nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> ClassifierGuidance<Tensor>)? = nil
  ) async throws(Failure) -> Tensor {
    var run = SamplingRun(self, from: start)
    run.keepsDenoised = onStep != nil
    while let query = run.query {
      run.advance(output: try await model(run.nextInput(), query), guidance: try await guidance?(run.sample, query))
      try await onStep?(run)
    }
    return run.sample
  }

  /// Runs a plan with a model that suspends, with noise from a source where the plan draws some.
  public nonisolated(nonsending) func sample<Tensor: ScalarTensor, Failure: Error>(
    from start: Tensor, using noise: inout some NoiseSource,
    model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    onStep: (nonisolated(nonsending) (SamplingRun<Tensor>) async throws(Failure) -> Void)? = nil,
    guidance: (nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> ClassifierGuidance<Tensor>)? = nil
  ) async throws(Failure) -> Tensor {
    var run = SamplingRun(self, from: start)
    run.keepsDenoised = onStep != nil
    while let query = run.query {
      run.advance(
        output: try await model(run.nextInput(), query), using: &noise, guidance: try await guidance?(run.sample, query)
      )
      try await onStep?(run)
    }
    return run.sample
  }

  /// Runs a plan in buffers that the caller lends: samples and outputs are written where they lie.
  ///
  /// ```swift
  /// plan.sample(in: &x, output: &buffer, using: &noise) { x, query, output in
  ///   unet(x, query.timestep, into: &output)
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - sample: the sample at the plan's start, then at its end, or the last if the model throws.
  ///   - output: in the sample's shape, or with twice its channels for a learned variance.
  ///   - noise: the source, which moves on by one draw for each step that needs it.
  ///   - threads: how many threads a step is spread over; `nil` for as many as pay.
  ///   - model: the network, called with its input, what it is told, and where to write.
  public func sample<Tensor: ContiguousTensor, Failure: Error>(
    in sample: inout Tensor, output: inout Tensor, using noise: inout some NoiseSource, threads: Int? = nil,
    model: (Tensor, Query, inout Tensor) throws(Failure) -> Void
  ) throws(Failure) {
    var run = SamplingRun(self, from: consume sample)
    run.keepsDenoised = false
    run.threads = threads
    defer { sample = run.sample }
    while let query = run.query {
      try model(run.nextInput(), query, &output)
      run.advance(output: output, using: &noise)
    }
  }
}
