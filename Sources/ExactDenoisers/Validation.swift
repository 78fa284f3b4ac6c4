import Schedulers

/// Checks of what comes from outside.
enum Validation {
  /// Rows of one length and of finite values, one after another.
  ///
  /// - Parameters:
  ///   - name: what a row is, for the message.
  ///   - length: the length that each must have; that of the first if `nil`.
  static func joined(
    _ rows: [[Double]], name: String, length: Int? = nil
  ) throws(ExactDenoiserError) -> (values: [Double], length: Int) {
    guard let first = rows.first else { throw .empty("\(name)s") }
    let length = length ?? first.count
    guard length > 0 else { throw .empty("values in \(name) 0") }
    var values: [Double] = []
    values.reserveCapacity(rows.count * length)
    for (i, row) in rows.enumerated() {
      guard row.count == length else { throw .count("\(name) \(i)", row.count, expected: length) }
      for (j, value) in row.enumerated() where !value.isFinite { throw .value(value, in: "value \(j) of \(name) \(i)") }
      values += row
    }
    return (values, length)
  }

  /// Weights that can be normalised; equal ones for `nil`.
  static func weights(
    _ weights: [Double]?, count: Int, of name: String
  ) throws(ExactDenoiserError) -> [Double] {
    guard let weights else { return Array(repeating: 1, count: count) }
    guard weights.count == count else {
      throw .count("the list of weights for \(count) \(name)", weights.count, expected: count)
    }
    for (i, weight) in weights.enumerated() where !(weight >= 0 && weight.isFinite) { throw .weight(weight, index: i) }
    guard weights.contains(where: { $0 > 0 }) else { throw .noWeight }
    return weights
  }

  /// A prediction that a level alone determines.
  static func prediction(_ prediction: Prediction) throws(ExactDenoiserError) -> Prediction {
    guard prediction != .previous else { throw .prediction(prediction) }
    return prediction
  }
}
