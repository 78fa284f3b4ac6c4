import Schedulers

// What the network's two directions are made of. These loops are compiled for Float and for Double;
// as generic code they would be a hundred times slower. They run over plain memory, since a check
// of each index would keep them from being vectorised.

extension Network {
  /// W·x + b for each sample.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func apply(_ layer: Architecture.Linear, to x: [Scalar]) -> [Scalar] {
    let count = x.count / layer.inputs
    return [Scalar](unsafeUninitializedCapacity: count * layer.outputs) { y, initialized in
      let y = y.baseAddress!
      parameters.withUnsafeBufferPointer { p in
        let p = p.baseAddress!
        for n in 0..<count { (y + n * layer.outputs).initialize(from: p + layer.bias, count: layer.outputs) }
        Scalar.multiply(
          x, transposed: false, p + layer.weight, transposed: true, rows: count, inner: layer.inputs,
          columns: layer.outputs, beta: 1, into: y)
      }
      initialized = count * layer.outputs
    }
  }

  /// Adds the gradients of a layer's parameters.
  ///
  /// - Parameters:
  ///   - slope: the gradient with respect to the layer's output.
  ///   - x: the layer's input.
  ///   - gradient: of all parameters.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func addGradient(
    of layer: Architecture.Linear, slope: [Scalar], input x: [Scalar], to gradient: UnsafeMutablePointer<Scalar>
  ) {
    let count = x.count / layer.inputs
    Scalar.multiply(
      slope, transposed: true, x, transposed: false, rows: layer.outputs, inner: count, columns: layer.inputs, beta: 1,
      into: gradient + layer.weight)
    slope.withUnsafeBufferPointer { slope in
      for n in 0..<count {
        Self.add(slope.baseAddress! + n * layer.outputs, to: gradient + layer.bias, count: layer.outputs)
      }
    }
  }

  /// The gradient with respect to a layer's input, Wᵀ·slope.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func inputGradient(of layer: Architecture.Linear, slope: [Scalar]) -> [Scalar] {
    let count = slope.count / layer.outputs
    return [Scalar](unsafeUninitializedCapacity: count * layer.inputs) { x, initialized in
      parameters.withUnsafeBufferPointer { p in
        Scalar.multiply(
          slope, transposed: false, p.baseAddress! + layer.weight, transposed: false, rows: count, inner: layer.outputs,
          columns: layer.inputs, beta: 0, into: x.baseAddress!)
      }
      initialized = count * layer.inputs
    }
  }

  /// Adds to each sample the embedding of its class.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func addLabels(_ classes: [Int], to condition: inout [Scalar]) {
    let (width, start) = (architecture.hidden, architecture.labels)
    condition.withUnsafeMutableBufferPointer { condition in
      parameters.withUnsafeBufferPointer { p in
        for (n, label) in classes.enumerated() {
          Self.add(p.baseAddress! + start + label * width, to: condition.baseAddress! + n * width, count: width)
        }
      }
    }
  }

  /// Adds to the embedding of each class the gradient of its samples.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func addLabelGradient(_ classes: [Int], slope: [Scalar], to gradient: UnsafeMutablePointer<Scalar>) {
    let (width, start) = (architecture.hidden, architecture.labels)
    slope.withUnsafeBufferPointer { slope in
      for (n, label) in classes.enumerated() {
        Self.add(slope.baseAddress! + n * width, to: gradient + start + label * width, count: width)
      }
    }
  }

  @inline(__always)
  static func add(_ row: UnsafePointer<Scalar>, to sum: UnsafeMutablePointer<Scalar>, count: Int) {
    for k in 0..<count { sum[k] += row[k] }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  static func silu(_ u: [Scalar]) -> Activation {
    var slope = [Scalar](repeating: 0, count: u.count)
    let value = [Scalar](unsafeUninitializedCapacity: u.count) { value, initialized in
      slope.withUnsafeMutableBufferPointer { slope in
        u.withUnsafeBufferPointer { u in
          for i in 0..<u.count {
            let logistic = 1 / (1 + Scalar.exponential(-u[i]))
            value[i] = u[i] * logistic
            slope[i] = logistic * (1 + u[i] * (1 - logistic))
          }
        }
      }
      initialized = u.count
    }
    return Activation(value: value, slope: slope)
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  static func sum(_ a: [Scalar], _ b: [Scalar]) -> [Scalar] { elementwise(a, b, +) }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  static func product(_ a: [Scalar], _ b: [Scalar]) -> [Scalar] { elementwise(a, b, *) }

  @inline(__always)
  private static func elementwise(_ a: [Scalar], _ b: [Scalar], _ operation: (Scalar, Scalar) -> Scalar) -> [Scalar] {
    precondition(a.count == b.count, "\(a.count) values against \(b.count)")
    return [Scalar](unsafeUninitializedCapacity: a.count) { result, initialized in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          for i in 0..<a.count { result[i] = operation(a[i], b[i]) }
        }
      }
      initialized = a.count
    }
  }
}
