/// A framework of seventy lines, as one's own would be: values, and how each changes what it is
/// made of.
final class Value {
  let numbers: [Float]
  private(set) var gradient: [Float]
  private let parents: [Value]
  private let pull: ([Float]) -> [[Float]]

  init(_ numbers: [Float], from parents: [Value] = [], pull: @escaping ([Float]) -> [[Float]] = { _ in [] }) {
    (self.numbers, self.parents, self.pull) = (numbers, parents, pull)
    gradient = [Float](repeating: 0, count: numbers.count)
  }

  /// x·Wᵀ of rows of `inputs` numbers.
  func times(_ weights: Value, inputs: Int) -> Value {
    let (rows, outputs) = (numbers.count / inputs, weights.numbers.count / inputs)
    var made = [Float](repeating: 0, count: rows * outputs)
    for r in 0..<rows {
      for o in 0..<outputs {
        for i in 0..<inputs { made[r * outputs + o] += numbers[r * inputs + i] * weights.numbers[o * inputs + i] }
      }
    }
    return Value(made, from: [self, weights]) { [numbers] up in
      var (x, w) = ([Float](repeating: 0, count: numbers.count), [Float](repeating: 0, count: weights.numbers.count))
      for r in 0..<rows {
        for o in 0..<outputs {
          for i in 0..<inputs {
            x[r * inputs + i] += up[r * outputs + o] * weights.numbers[o * inputs + i]
            w[o * inputs + i] += up[r * outputs + o] * numbers[r * inputs + i]
          }
        }
      }
      return [x, w]
    }
  }

  func rectified() -> Value {
    Value(numbers.map { max($0, 0) }, from: [self]) { [numbers] up in [zip(numbers, up).map { $0 > 0 ? $1 : 0 }] }
  }

  /// Adds its part to the gradient of everything that it is made of.
  func backward(_ gradient: [Float]) {
    var order: [Value] = []
    var seen: Set<ObjectIdentifier> = []
    func visit(_ value: Value) {
      guard seen.insert(ObjectIdentifier(value)).inserted else { return }
      value.parents.forEach(visit)
      order.append(value)
    }
    visit(self)
    self.gradient = gradient
    for value in order.reversed() {
      for (parent, part) in zip(value.parents, value.pull(value.gradient)) {
        for i in part.indices { parent.gradient[i] += part[i] }
      }
    }
  }
}
