import SchedulersKernels

extension Network {
  /// Adds the gradient of a loss with respect to the parameters.
  ///
  /// - Parameters:
  ///   - tape: of the run whose output the loss judged; the parameters have not changed since.
  ///   - slope: the gradient of the loss with respect to the output, as `TrainingLoss` gives it.
  ///   - gradient: of all parameters, in their order.
  /// - Precondition: the slope has the size of the output, and there is a gradient for each
  ///   parameter.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func addGradient(of tape: Tape, slope: [Scalar], to gradient: inout [Scalar]) {
    precondition(
      slope.count == tape.output.count && gradient.count == parameters.count,
      "\(slope.count) slopes for an output of \(tape.output.count), \(gradient.count) gradients of \(parameters.count) "
        + "parameters"
    )
    let (width, size) = (architecture.outputs, gradient.count)
    // The first part adds to the gradient itself.
    var others = [Scalar](repeating: 0, count: size * (tape.parts.count - 1))
    gradient.withUnsafeMutableBufferPointer { first in
      others.withUnsafeMutableBufferPointer { others in
        nonisolated(unsafe) let (first, others) = (first.baseAddress!, others.baseAddress)
        Kernels.concurrently(tape.parts.count, parts: tape.threads, block: 1) { chosen in
          for (i, part) in zip(chosen, tape.parts[chosen]) {
            let slope = Array(slope[part.samples.lowerBound * width..<part.samples.upperBound * width])
            addGradient(of: part, slope: slope, to: i == 0 ? first : others! + (i - 1) * size)
          }
        }
        for i in 1..<tape.parts.count { Self.add(others! + (i - 1) * size, to: first, count: size) }
      }
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func addGradient(of part: Part, slope: [Scalar], to gradient: UnsafeMutablePointer<Scalar>) {
    addGradient(of: architecture.output, slope: slope, input: part.last.value, to: gradient)
    var h = Self.product(inputGradient(of: architecture.output, slope: slope), part.last.slope)
    var condition = [Scalar](repeating: 0, count: h.count)
    for ((up, down), block) in zip(architecture.residuals, part.blocks).reversed() {
      addGradient(of: down, slope: h, input: block.activation.value, to: gradient)
      let inner = Self.product(inputGradient(of: down, slope: h), block.activation.slope)
      addGradient(of: up, slope: inner, input: block.input, to: gradient)
      let shifted = inputGradient(of: up, slope: inner)
      condition = Self.sum(condition, shifted)
      h = Self.sum(h, shifted)
    }
    addGradient(of: architecture.input, slope: h, input: part.input, to: gradient)
    addLabelGradient(part.classes, slope: condition, to: gradient)
    addGradient(of: architecture.timeOut, slope: condition, input: part.time.value, to: gradient)
    let time = Self.product(inputGradient(of: architecture.timeOut, slope: condition), part.time.slope)
    addGradient(of: architecture.timeIn, slope: time, input: part.embedding, to: gradient)
  }
}
