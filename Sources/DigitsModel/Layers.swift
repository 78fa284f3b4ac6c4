import Schedulers

// What the network's two directions are made of. These loops are compiled for Float and for Double; as generic code they would be
// a hundred times slower.

extension Network {
  /// W·x + b for each sample.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func apply(_ layer: Architecture.Linear, to x: [Scalar]) -> [Scalar] {
    let count = x.count / layer.inputs
    return [Scalar](unsafeUninitializedCapacity: count * layer.outputs) { y, initialized in
      parameters.withUnsafeBufferPointer { p in
        for n in 0..<count {
          for k in 0..<layer.outputs { y.initializeElement(at: n * layer.outputs + k, to: p[layer.bias + k]) }
        }
        Scalar.multiply(
          x, transposed: false, p.baseAddress! + layer.weight, transposed: true, rows: count, inner: layer.inputs,
          columns: layer.outputs, beta: 1, into: y.baseAddress!)
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
  func addGradient(of layer: Architecture.Linear, slope: [Scalar], input x: [Scalar], to gradient: inout [Scalar]) {
    let count = x.count / layer.inputs
    gradient.withUnsafeMutableBufferPointer { g in
      Scalar.multiply(
        slope, transposed: true, x, transposed: false, rows: layer.outputs, inner: count, columns: layer.inputs, beta: 1,
        into: g.baseAddress! + layer.weight)
      for n in 0..<count {
        for k in 0..<layer.outputs { g[layer.bias + k] += slope[n * layer.outputs + k] }
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
    let width = architecture.hidden
    for (n, label) in classes.enumerated() {
      for k in 0..<width { condition[n * width + k] += parameters[architecture.labels + label * width + k] }
    }
  }

  /// Adds to the embedding of each class the gradient of its samples.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func addLabelGradient(_ classes: [Int], slope: [Scalar], to gradient: inout [Scalar]) {
    let width = architecture.hidden
    for (n, label) in classes.enumerated() {
      for k in 0..<width { gradient[architecture.labels + label * width + k] += slope[n * width + k] }
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  static func silu(_ u: [Scalar]) -> Activation {
    var value = u
    var slope = u
    for i in u.indices {
      let logistic = 1 / (1 + Scalar(Math.exp(-Double(u[i]))))
      value[i] = u[i] * logistic
      slope[i] = logistic * (1 + u[i] * (1 - logistic))
    }
    return Activation(value: value, slope: slope)
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  static func sum(_ a: [Scalar], _ b: [Scalar]) -> [Scalar] {
    var sum = a
    for i in sum.indices { sum[i] += b[i] }
    return sum
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  static func product(_ a: [Scalar], _ b: [Scalar]) -> [Scalar] {
    var product = a
    for i in product.indices { product[i] *= b[i] }
    return product
  }
}
