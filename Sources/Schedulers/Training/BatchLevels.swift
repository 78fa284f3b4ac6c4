import SchedulersKernels

// Training on any path, with a noise level for each sample of a batch: what is mixed, what a
// network is to answer, and how much its error counts.

extension [NoiseLevel] {
  /// Forward noising with a level for each sample: signal·x0 + noise·epsilon.
  ///
  /// ```swift
  /// // t = σ/(1 + σ) of rectified flow, logit-normal.
  /// let sigmas = try LogNormalSigma(mean: 0, deviation: 1).draw(
  ///   count: 64, using: &generator)
  /// let levels = sigmas.map {
  ///   NoiseLevel(signal: 1 / (1 + $0), noise: $0 / (1 + $0))
  /// }
  /// let x = levels.mix(x0, with: epsilon)
  /// let target = Prediction.flow.target(x0: x0, epsilon: epsilon, at: levels)
  /// ```
  ///
  /// - Precondition: there is a level for each sample, and the two tensors have one size.
  public func mix<Tensor: BatchSpace>(_ x0: Tensor, with epsilon: Tensor) -> Tensor {
    .combination(bySample: [(map(\.signal), x0), (map(\.noise), epsilon)])
  }
}

extension [NoiseLevel] {
  /// The same, where the caller has room for it.
  ///
  /// - `sample`: a tensor of the data's size, whose numbers do not matter.
  /// - `threads`: how many threads it is spread over; `nil` for as many as pay.
  public func mix<Tensor: ContiguousTensor>(
    _ x0: Tensor, with epsilon: Tensor, into sample: inout Tensor, threads: Int? = nil
  ) {
    guard let loops = Tensor.Scalar._loops(of: Kernels.table) else { return sample = mix(x0, with: epsilon) }
    stop(unless: count == x0.sampleCount, "\(count) levels for a batch of \(x0.sampleCount) samples")
    let size = x0.sampleSize
    x0.withScalars { x in
      epsilon.withScalars { e in
        sample.withMutableScalars { z in
          stop(
            unless: x.count == count * size && e.count == x.count && z.count == x.count,
            "data, noise and room of \(x.count), \(e.count) and \(z.count) scalars do not go together")
          guard let x = x.baseAddress, let e = e.baseAddress, let room = z.baseAddress else { return }
          loops.combine(x, e, into: room, count: z.count, size: size, threads: threads) { n in
            SamplingPlan.Readout(sample: self[n].signal, output: self[n].noise)
          }
        }
      }
    }
  }
}

extension Prediction {
  /// What a network should answer for the samples that `levels.mix(x0, with: epsilon)` makes.
  ///
  /// - `previous`: the next level of each sample's process, needed by `.previous` alone.
  /// - Precondition: there is a level for each sample, and for `.previous` one that follows it,
  ///   with signal and less noise.
  public func target<Tensor: BatchSpace>(
    x0: Tensor, epsilon: Tensor, at levels: [NoiseLevel], previous: [NoiseLevel]? = nil
  ) -> Tensor {
    .combination(of: targets(at: levels, previous: previous), x0, epsilon)
  }

  func targets(at levels: [NoiseLevel], previous: [NoiseLevel]?) -> [Target] {
    checkCount(previous, for: levels)
    return levels.indices.map { n in
      guard let target = target(at: levels[n], previous: previous?[n]) else {
        stop("the target of \(self) at \(levels[n]) needs the level it goes to, with signal and less noise")
      }
      return target
    }
  }
}

extension LossWeighting {
  /// The weight of each sample's squared error, as `weight(at:for:previous:)` gives it.
  public func weights(at levels: [NoiseLevel], for prediction: Prediction, previous: [NoiseLevel]? = nil) -> [Double] {
    checkCount(previous, for: levels)
    return levels.indices.map { weight(at: levels[$0], for: prediction, previous: previous?[$0]) }
  }

  /// The weight of each sample's squared error for a network of EDM.
  public func weights(at levels: [NoiseLevel], for edm: EDMPreconditioning) -> [Double] {
    levels.map { weight(at: $0, for: edm) }
  }
}

// EDM: the network F is given c_in·x̄ and told c_noise. Its error counts by λ·c_out², which is 1 for
// the paper's λ, `LossWeighting.edm`.
extension EDMPreconditioning {
  /// What F should answer for a sample of a level: (x0 − c_skip·x̄)/c_out.
  ///
  ///     F = σ/(σ_data·√(σ² + σ_data²))·x0 − σ_data/√(σ² + σ_data²)·epsilon
  ///
  /// Source: [Karras et al. 2022](https://arxiv.org/abs/2206.00364), equation 8.
  public func target(at level: NoiseLevel) -> Prediction.Target {
    let spread = Math.hypot(level.noise, sigmaData * level.signal)
    return Prediction.Target(x0: level.noise / (sigmaData * spread), epsilon: -sigmaData * level.signal / spread)
  }

  /// What F should answer for the sample that `level.mix(x0, with: epsilon)` makes.
  public func target<Tensor: LinearSpace>(x0: Tensor, epsilon: Tensor, at level: NoiseLevel) -> Tensor {
    let target = target(at: level)
    return .combination([(target.x0, x0), (target.epsilon, epsilon)])
  }

  /// What F should answer for the samples that `levels.mix(x0, with: epsilon)` makes.
  public func target<Tensor: BatchSpace>(x0: Tensor, epsilon: Tensor, at levels: [NoiseLevel]) -> Tensor {
    .combination(of: levels.map { target(at: $0) }, x0, epsilon)
  }

  /// What the network is given for samples, each at a level of its own: c_in·x̄.
  ///
  /// - Precondition: there is a level with signal and noise for each sample.
  public func input<Tensor: BatchSpace>(_ samples: Tensor, at levels: [NoiseLevel]) -> Tensor {
    .combination(bySample: [(levels.map { query(at: SamplingGrid.Point(timestep: 0, level: $0)).inputScale }, samples)])
  }

  /// What the network is told of each sample: c_noise.
  ///
  /// - Precondition: every level has signal and noise.
  public func timesteps(at levels: [NoiseLevel]) -> [Double] {
    levels.map { query(at: SamplingGrid.Point(timestep: 0, level: $0)).timestep }
  }
}

extension BatchSpace {
  fileprivate static func combination(of targets: [Prediction.Target], _ x0: Self, _ epsilon: Self) -> Self {
    combination(bySample: [(targets.map(\.x0), x0), (targets.map(\.epsilon), epsilon)])
  }
}

private func checkCount(_ previous: [NoiseLevel]?, for levels: [NoiseLevel]) {
  stop(
    unless: previous == nil || previous!.count == levels.count,
    "\(previous!.count) levels that follow \(levels.count); give one for each")
}
