/// Two sums over data x and noise e on a range of one sample's scalars, as the kernels take them.
///
///     mixed  = data·x + noise·(e + perturbation·z)
///     target = data·x + noise·e, of other factors
///
/// Pointers are such that index i is the same place in all of them.
package struct MixCall<Scalar>: @unchecked Sendable {
  /// A sum that is written.
  package struct Written {
    package var values: UnsafeMutablePointer<Scalar>
    /// The factors of x and of the noise.
    package var data, noise: Double
    package init(to values: UnsafeMutablePointer<Scalar>, data: Double, noise: Double) {
      self.values = values
      self.data = data
      self.noise = noise
    }
  }

  /// Normals: what was drawn before, or an address to make them from.
  package enum Noise {
    case values(UnsafePointer<Scalar>)
    case address(NormalAddress)
  }

  package var range: Range<Int>
  /// The index of the scalar that has element 0 of addresses; at most the lower bound of the range.
  package var origin = 0
  package var data: UnsafePointer<Scalar>
  package var noise: Noise
  /// What is added to all noise of the range: factor·value.
  package var offset: (factor: Double, value: Double)?
  /// More noise, for the mixed sample alone.
  package var perturbation: (factor: Double, noise: Noise)?
  package var mixed: Written
  package var target: Written?

  package init(range: Range<Int>, data: UnsafePointer<Scalar>, noise: Noise, mixed: Written) {
    self.range = range
    self.data = data
    self.noise = noise
    self.mixed = mixed
  }
}
