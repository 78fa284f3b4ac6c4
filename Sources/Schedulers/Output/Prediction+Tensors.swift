extension NoiseLevel {
  /// Forward noising: signal·x0 + noise·epsilon, a draw from q(x_t | x_0) for normal epsilon.
  ///
  /// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), equation 4.
  public func mix<Tensor: LinearSpace>(_ x0: Tensor, with epsilon: Tensor) -> Tensor {
    .combination([(signal, x0), (noise, epsilon)])
  }
}

extension Prediction {
  /// What a network should answer for the sample that `level.mix(x0, with: epsilon)` makes.
  ///
  /// - `previous`: the next level of the process, needed by `.previous` alone.
  /// - Precondition: for `.previous`, `previous` is given, has signal, and is cleaner than `level`.
  public func target<Tensor: LinearSpace>(
    x0: Tensor, epsilon: Tensor, at level: NoiseLevel, previous: NoiseLevel? = nil
  ) -> Tensor {
    guard let target = target(at: level, previous: previous) else {
      stop("the target of \(self) at \(level) needs the level it goes to, with signal and less noise")
    }
    return .combination([(target.x0, x0), (target.epsilon, epsilon)])
  }

  /// A network's output for a sample, as one of another kind.
  ///
  /// - Returns: `nil` where the sample and the output do not determine it, as
  ///   `conversion(to:at:previous:)` does.
  public func convert<Tensor: LinearSpace>(
    _ output: Tensor, to other: Prediction, sample: Tensor, at level: NoiseLevel, previous: NoiseLevel? = nil
  ) -> Tensor? {
    conversion(to: other, at: level, previous: previous).map {
      .combination([($0.sample, sample), ($0.output, output)])
    }
  }
}
