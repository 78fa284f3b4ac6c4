/// A network's output at one timestep on a range of one sample's scalars, as the kernels read it:
/// pointers and plain numbers. All arithmetic on it is in Double.
///
///     x̂0          = denoising.x·x + denoising.v·F, brought into limits
///     logVariance = offset + slope·v, or offset where the network does not say v
///
/// Pointers are such that index i is the same place in all of them.
package struct ReverseCall<Scalar>: @unchecked Sendable {
  package typealias Readout = StepCall<Scalar>.Readout

  package var range: Range<Int>
  /// x_t.
  package var sample: UnsafePointer<Scalar>
  /// F.
  package var output: UnsafePointer<Scalar>
  /// What the network says of the variance.
  package var variance: UnsafePointer<Scalar>?
  package var denoising: Readout
  package var limits: (low: Double, high: Double) = (-.infinity, .infinity)
  /// Factors of x_t and x̂0 in the mean.
  package var mean: Readout
  package var logVariance: (offset: Double, slope: Double)

  package init(
    range: Range<Int>, sample: UnsafePointer<Scalar>, output: UnsafePointer<Scalar>, variance: UnsafePointer<Scalar>?,
    denoising: Readout, mean: Readout, logVariance: (offset: Double, slope: Double)
  ) {
    self.range = range
    self.sample = sample
    self.output = output
    self.variance = variance
    self.denoising = denoising
    self.mean = mean
    self.logVariance = logVariance
  }

  /// Where the distribution's numbers go.
  package struct Distribution: @unchecked Sendable {
    package var mean, variance, logVariance, denoised: UnsafeMutablePointer<Scalar>
    package init(
      mean: UnsafeMutablePointer<Scalar>, variance: UnsafeMutablePointer<Scalar>,
      logVariance: UnsafeMutablePointer<Scalar>, denoised: UnsafeMutablePointer<Scalar>
    ) {
      self.mean = mean
      self.variance = variance
      self.logVariance = logVariance
      self.denoised = denoised
    }
  }

  /// The divergence of the distribution from q(x_{t−1} | x_t, x_0), and its gradients.
  package struct Divergence: @unchecked Sendable {
    package var x0: UnsafePointer<Scalar>
    package var posteriorLogVariance: Double
    /// The noise in x_t and the level of x_t, where errors are asked for.
    package var errors: (epsilon: UnsafePointer<Scalar>, signal: Double, noise: Double)?
    /// Where the gradients by F and by v go, and the factors of those by the mean of the
    /// distribution and by its log variance in them.
    package var outputGradient, varianceGradient: (values: UnsafeMutablePointer<Scalar>, factor: Double)?
    package init(x0: UnsafePointer<Scalar>, posteriorLogVariance: Double) {
      self.x0 = x0
      self.posteriorLogVariance = posteriorLogVariance
    }
  }

  /// Sums over the range.
  package struct Sums: Sendable {
    /// Of the divergences, in nats.
    package var nats: Double
    /// Of the squared errors of x̂0, and of the noise that it leaves in the sample.
    package var x0Errors, epsilonErrors: Double
    /// Whether all of the output is finite.
    package var isFinite: Bool
    package init(nats: Double, x0Errors: Double, epsilonErrors: Double, isFinite: Bool) {
      self.nats = nats
      self.x0Errors = x0Errors
      self.epsilonErrors = epsilonErrors
      self.isFinite = isFinite
    }
  }
}
