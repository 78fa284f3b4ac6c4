/// The squared error of a range of scalars, and its gradient. All arithmetic is in Double.
///
///     error    = F − (target.x0·x0 + target.epsilon·epsilon)
///     gradient = slope·error
package struct ErrorCall<Scalar>: @unchecked Sendable {
  package var range: Range<Int>
  package var output, x0, epsilon: UnsafePointer<Scalar>
  package var target: (x0: Double, epsilon: Double)
  package var gradient: UnsafeMutablePointer<Scalar>
  package var slope: Double

  package init(
    range: Range<Int>, output: UnsafePointer<Scalar>, x0: UnsafePointer<Scalar>, epsilon: UnsafePointer<Scalar>,
    target: (x0: Double, epsilon: Double), gradient: UnsafeMutablePointer<Scalar>, slope: Double
  ) {
    self.range = range
    self.output = output
    self.x0 = x0
    self.epsilon = epsilon
    self.target = target
    self.gradient = gradient
    self.slope = slope
  }
}
