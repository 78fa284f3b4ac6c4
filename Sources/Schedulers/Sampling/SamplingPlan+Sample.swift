// Whole runs: the loop that `SamplingRun` shows, for models that may throw. No closure escapes, so
// that each may change what its caller may: an `inout` array, or what a `mutating` method may.

extension SamplingPlan {
  /// Runs a plan that draws no noise.
  ///
  /// - Parameters:
  ///   - start: the sample at the plan's start level.
  ///   - model: the network, called with its input and what it is told; its answer has that shape.
  /// - Precondition: `isStochastic` is false.
  public func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, model: (Tensor, Query) throws(Failure) -> Tensor
  ) throws(Failure) -> Tensor {
    try run(
      from: start, hasNoise: false, isWatched: false, model, { _ throws(Failure) in }, { _, _ throws(Failure) in nil }
    ) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, guidance: gradient)
    }
  }

  /// Runs a plan that draws no noise, and shows each step.
  ///
  /// - `onStep`: called after each step. To stop a run, throw from here or from the model.
  /// - Precondition: `isStochastic` is false.
  public func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, model: (Tensor, Query) throws(Failure) -> Tensor,
    onStep: (SamplingRun<Tensor>) throws(Failure) -> Void
  ) throws(Failure) -> Tensor {
    try run(from: start, hasNoise: false, isWatched: true, model, onStep, { _, _ throws(Failure) in nil }) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, guidance: gradient)
    }
  }

  /// Runs a plan that draws no noise, guided by a classifier.
  ///
  /// - `guidance`: a gradient, called with the sample and what the network is told; `nil` for none.
  /// - Precondition: `isStochastic` is false.
  public func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, model: (Tensor, Query) throws(Failure) -> Tensor,
    guidance: (Tensor, Query) throws(Failure) -> ClassifierGuidance<Tensor>?
  ) throws(Failure) -> Tensor {
    try run(from: start, hasNoise: false, isWatched: false, model, { _ throws(Failure) in }, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, guidance: gradient)
    }
  }

  /// Runs a plan that draws no noise, and shows each step, guided by a classifier.
  ///
  /// - Precondition: `isStochastic` is false.
  public func sample<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, model: (Tensor, Query) throws(Failure) -> Tensor,
    onStep: (SamplingRun<Tensor>) throws(Failure) -> Void,
    guidance: (Tensor, Query) throws(Failure) -> ClassifierGuidance<Tensor>?
  ) throws(Failure) -> Tensor {
    try run(from: start, hasNoise: false, isWatched: true, model, onStep, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, guidance: gradient)
    }
  }

  /// Runs a plan, with noise from a source where it draws some.
  ///
  /// - `noise`: the source, which moves on by one draw for each step that needs it.
  public func sample<Tensor: ScalarTensor, Failure: Error>(
    from start: Tensor, using noise: inout some NoiseSource, model: (Tensor, Query) throws(Failure) -> Tensor
  ) throws(Failure) -> Tensor {
    try run(
      from: start, hasNoise: true, isWatched: false, model, { _ throws(Failure) in }, { _, _ throws(Failure) in nil }
    ) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, using: &noise, guidance: gradient)
    }
  }

  /// Runs a plan, with noise from a source where it draws some, and shows each step.
  ///
  /// - `onStep`: called after each step. To stop a run, throw from here or from the model.
  public func sample<Tensor: ScalarTensor, Failure: Error>(
    from start: Tensor, using noise: inout some NoiseSource, model: (Tensor, Query) throws(Failure) -> Tensor,
    onStep: (SamplingRun<Tensor>) throws(Failure) -> Void
  ) throws(Failure) -> Tensor {
    try run(from: start, hasNoise: true, isWatched: true, model, onStep, { _, _ throws(Failure) in nil }) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, using: &noise, guidance: gradient)
    }
  }

  /// Runs a plan, with noise from a source where it draws some, guided by a classifier.
  ///
  /// - `guidance`: a gradient, called with the sample and what the network is told; `nil` for none.
  public func sample<Tensor: ScalarTensor, Failure: Error>(
    from start: Tensor, using noise: inout some NoiseSource, model: (Tensor, Query) throws(Failure) -> Tensor,
    guidance: (Tensor, Query) throws(Failure) -> ClassifierGuidance<Tensor>?
  ) throws(Failure) -> Tensor {
    try run(from: start, hasNoise: true, isWatched: false, model, { _ throws(Failure) in }, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, using: &noise, guidance: gradient)
    }
  }

  /// Runs a plan, with noise from a source where it draws some, and shows each step, guided by a
  /// classifier.
  public func sample<Tensor: ScalarTensor, Failure: Error>(
    from start: Tensor, using noise: inout some NoiseSource, model: (Tensor, Query) throws(Failure) -> Tensor,
    onStep: (SamplingRun<Tensor>) throws(Failure) -> Void,
    guidance: (Tensor, Query) throws(Failure) -> ClassifierGuidance<Tensor>?
  ) throws(Failure) -> Tensor {
    try run(from: start, hasNoise: true, isWatched: true, model, onStep, guidance) {
      run, output, gradient throws(Failure) in
      run.advance(output: output, using: &noise, guidance: gradient)
    }
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

  /// The loop of all of them; they differ in how a step is taken.
  ///
  /// - `hasNoise`: whether there is noise for steps that draw some.
  func run<Tensor: LinearSpace, Failure: Error>(
    from start: Tensor, hasNoise: Bool, isWatched: Bool, _ model: (Tensor, Query) throws(Failure) -> Tensor,
    _ onStep: (SamplingRun<Tensor>) throws(Failure) -> Void,
    _ guidance: (Tensor, Query) throws(Failure) -> ClassifierGuidance<Tensor>?,
    step: (inout SamplingRun<Tensor>, Tensor, ClassifierGuidance<Tensor>?) throws(Failure) -> Void
  ) throws(Failure) -> Tensor {
    checkNoise(hasNoise)
    var run = SamplingRun(self, from: start)
    run.keepsDenoised = isWatched
    while let query = run.query {
      let output = try model(run.nextInput(), query)
      try step(&run, output, try guidance(run.sample, query))
      try onStep(run)
    }
    return run.sample
  }

  /// Ends the program before the first call of the network if noise will be missing.
  func checkNoise(_ hasNoise: Bool) {
    guard !hasNoise, let step = steps.firstIndex(where: { $0.next.noise != 0 }) else { return }
    stop(
      "step \(step) of the plan, timestep \(steps[step].query.timestep.plain), draws noise; give the run a source of "
        + "it, sample(from:using:model:), or a closure, sample(from:noise:model:)")
  }
}
