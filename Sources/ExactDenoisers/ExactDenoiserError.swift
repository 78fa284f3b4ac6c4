import Schedulers

/// Why numbers do not make an exact denoiser.
public enum ExactDenoiserError: Error, Hashable, Sendable {
  /// There is none of what at least one is needed.
  case empty(String)
  /// A row, or another list, that does not have as many values as it must.
  case count(String, Int, expected: Int)
  /// A value that is infinite or NaN.
  case value(Double, in: String)
  /// A weight that is negative, infinite or NaN.
  case weight(Double, index: Int)
  /// Weights that are all zero.
  case noWeight
  /// A label that no point has.
  case label(Int, known: [Int])
  /// A covariance whose entry differs from its mirror image.
  case asymmetric(row: Int, column: Int, Double, mirror: Double)
  /// A covariance with a negative eigenvalue.
  case indefinite(eigenvalue: Double, largest: Double)
  /// A prediction that a query does not say enough about.
  case prediction(Prediction)
  /// A failure inside LAPACK.
  case lapack(routine: String, info: Int)
}

extension ExactDenoiserError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .empty(let what):
      "there are no \(what): give at least one"
    case .count(let what, let count, let expected):
      "\(what) has \(count) values and must have \(expected)"
    case .value(let value, let place):
      "\(place) is \(value): it must be finite"
    case .weight(let weight, let index):
      "weight \(weight) at index \(index) must be finite and 0 or more"
    case .noWeight:
      "all weights are 0: at least one must be above"
    case .label(let label, let known):
      "no point has the label \(label): choose one of \(known.map(String.init).joined(separator: ", "))"
    case .asymmetric(let row, let column, let value, let mirror):
      "the covariance is not symmetric: \(value) at row \(row), column \(column), but \(mirror) at row \(column), "
        + "column \(row); where that is rounding, take the mean of the matrix and its transpose"
    case .indefinite(let eigenvalue, let largest):
      "the covariance has the eigenvalue \(eigenvalue) beside a largest of \(largest): none may be negative; where "
        + "that is rounding, add \(-eigenvalue) to the diagonal"
    case .prediction(let prediction):
      "\(prediction) prediction needs the next level, which a query does not tell: choose epsilon, x0, v or flow, or "
        + "call output(for:at:previous:as:)"
    case .lapack(let routine, let info):
      info < 0
        ? "LAPACK's \(routine) refuses its argument \(-info)"
        : "LAPACK's \(routine) does not converge, info \(info): scale the covariance nearer to 1"
    }
  }
}
