extension Network {
  /// Adds the gradient of a loss with respect to the parameters.
  ///
  /// - Parameters:
  ///   - tape: of the run whose output the loss judged; the parameters have not changed since.
  ///   - slope: the gradient of the loss with respect to the output, as `TrainingLoss` gives it.
  ///   - gradient: of all parameters, in their order.
  /// - Precondition: the slope has the size of the output, and there is a gradient for each parameter.
  public func addGradient(of tape: Tape, slope: [Scalar], to gradient: inout [Scalar]) {
    precondition(
      slope.count == tape.output.count && gradient.count == parameters.count,
      "\(slope.count) slopes for an output of \(tape.output.count), \(gradient.count) gradients of \(parameters.count) parameters"
    )
    addGradient(of: architecture.output, slope: slope, input: tape.last.value, to: &gradient)
    var h = Self.product(inputGradient(of: architecture.output, slope: slope), tape.last.slope)
    var condition = [Scalar](repeating: 0, count: h.count)
    for ((up, down), block) in zip(architecture.residuals, tape.blocks).reversed() {
      addGradient(of: down, slope: h, input: block.activation.value, to: &gradient)
      let inner = Self.product(inputGradient(of: down, slope: h), block.activation.slope)
      addGradient(of: up, slope: inner, input: block.input, to: &gradient)
      let shifted = inputGradient(of: up, slope: inner)
      condition = Self.sum(condition, shifted)
      h = Self.sum(h, shifted)
    }
    addGradient(of: architecture.input, slope: h, input: tape.input, to: &gradient)
    addLabelGradient(tape.classes, slope: condition, to: &gradient)
    addGradient(of: architecture.timeOut, slope: condition, input: tape.time.value, to: &gradient)
    let time = Self.product(inputGradient(of: architecture.timeOut, slope: condition), tape.time.slope)
    addGradient(of: architecture.timeIn, slope: time, input: tape.embedding, to: &gradient)
  }
}
