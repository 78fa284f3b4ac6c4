// The same runs, with models that suspend. They stay on the caller's actor.

extension SamplingPlan {
  /// Runs a plan that draws no noise, with a model that suspends.
  ///
  /// - Precondition: `isStochastic` is false.
  public nonisolated(nonsending) func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor
  ) async throws(Failure) -> Tensor {
    try await run(
      from: start, hasNoise: false, isWatched: false, model, { _ throws(Failure) in }, { _, _ throws(Failure) in nil }
    ) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, guidance: gradient)
    }
  }

  /// Runs a plan that draws no noise, with a model that suspends, and shows each step.
  ///
  /// - Precondition: `isStochastic` is false.
  public nonisolated(nonsending) func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    onStep: nonisolated(nonsending) (SamplingRun<Tensor>) async throws(Failure) -> Void
  ) async throws(Failure) -> Tensor {
    try await run(from: start, hasNoise: false, isWatched: true, model, onStep, { _, _ throws(Failure) in nil }) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, guidance: gradient)
    }
  }

  /// Runs a plan that draws no noise, with a model that suspends, guided by a classifier.
  ///
  /// - Precondition: `isStochastic` is false.
  public nonisolated(nonsending) func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    guidance: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> ClassifierGuidance<Tensor>?
  ) async throws(Failure) -> Tensor {
    try await run(from: start, hasNoise: false, isWatched: false, model, { _ throws(Failure) in }, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, guidance: gradient)
    }
  }

  /// Runs a plan that draws no noise, with a model that suspends, and shows each step, guided by a
  /// classifier.
  ///
  /// - Precondition: `isStochastic` is false.
  public nonisolated(nonsending) func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    onStep: nonisolated(nonsending) (SamplingRun<Tensor>) async throws(Failure) -> Void,
    guidance: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> ClassifierGuidance<Tensor>?
  ) async throws(Failure) -> Tensor {
    try await run(from: start, hasNoise: false, isWatched: true, model, onStep, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, guidance: gradient)
    }
  }

  /// Runs a plan with a model that suspends, with noise from a source where the plan draws some.
  public nonisolated(nonsending) func sample<Tensor: ScalarTensor, Failure: Error>(
    from start: Tensor, using noise: inout some NoiseSource,
    model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor
  ) async throws(Failure) -> Tensor {
    try await run(
      from: start, hasNoise: true, isWatched: false, model, { _ throws(Failure) in }, { _, _ throws(Failure) in nil }
    ) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, using: &noise, guidance: gradient)
    }
  }

  /// Runs a plan with a model that suspends, with noise from a source where the plan draws some,
  /// and shows each step.
  public nonisolated(nonsending) func sample<Tensor: ScalarTensor, Failure: Error>(
    from start: Tensor, using noise: inout some NoiseSource,
    model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    onStep: nonisolated(nonsending) (SamplingRun<Tensor>) async throws(Failure) -> Void
  ) async throws(Failure) -> Tensor {
    try await run(from: start, hasNoise: true, isWatched: true, model, onStep, { _, _ throws(Failure) in nil }) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, using: &noise, guidance: gradient)
    }
  }

  /// Runs a plan with a model that suspends, with noise from a source where the plan draws some,
  /// guided by a classifier.
  public nonisolated(nonsending) func sample<Tensor: ScalarTensor, Failure: Error>(
    from start: Tensor, using noise: inout some NoiseSource,
    model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    guidance: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> ClassifierGuidance<Tensor>?
  ) async throws(Failure) -> Tensor {
    try await run(from: start, hasNoise: true, isWatched: false, model, { _ throws(Failure) in }, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, using: &noise, guidance: gradient)
    }
  }

  /// Runs a plan with a model that suspends, with noise from a source where the plan draws some,
  /// and shows each step, guided by a classifier.
  public nonisolated(nonsending) func sample<Tensor: ScalarTensor, Failure: Error>(
    from start: Tensor, using noise: inout some NoiseSource,
    model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    onStep: nonisolated(nonsending) (SamplingRun<Tensor>) async throws(Failure) -> Void,
    guidance: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> ClassifierGuidance<Tensor>?
  ) async throws(Failure) -> Tensor {
    try await run(from: start, hasNoise: true, isWatched: true, model, onStep, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, using: &noise, guidance: gradient)
    }
  }

  nonisolated(nonsending) func run<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, hasNoise: Bool, isWatched: Bool,
    _ model: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> Tensor,
    _ onStep: nonisolated(nonsending) (SamplingRun<Tensor>) async throws(Failure) -> Void,
    _ guidance: nonisolated(nonsending) (Tensor, Query) async throws(Failure) -> ClassifierGuidance<Tensor>?,
    step:
      nonisolated(nonsending) (inout SamplingRun<Tensor>, Tensor, ClassifierGuidance<Tensor>?)
      async throws(Failure) -> Void
  ) async throws(Failure) -> Tensor {
    checkNoise(hasNoise)
    var run = SamplingRun(self, from: start)
    run.keepsDenoised = isWatched
    while let query = run.query {
      let output = try await model(run.nextInput(), query)
      try await step(&run, output, try await guidance(run.sample, query))
      try await onStep(run)
    }
    return run.sample
  }
}
