// Mistakes about what is what: noise, outputs and samples that are not those of the step, or not in
// the order that they are taken for.

extension Suspicions {
  func readings() -> [Hypothesis] {
    var suspicions: [Hypothesis] = []
    if plan.isStochastic {
      suspicions += suspicion(.noiseMissing, "no noise is added", reading: Reading(noiseFactor: 0))
      suspicions += suspicion(.noiseTwice, "the noise is added twice", reading: Reading(noiseFactor: 2))
      suspicions += suspicion(.noiseTwice, "the noise of the step before is used again", reading: Reading(noiseLag: 1))
      suspicions += suspicion(.noiseOfAnotherStep, "the noise is subtracted", reading: Reading(noiseFactor: -1))
    }
    suspicions += suspicion(
      .outputOfAnotherStep, "the model's output is that of the step before", reading: Reading(outputLag: 1))
    suspicions += suspicion(.outputSign, "the model's output has the opposite sign", reading: Reading(outputFactor: -1))
    if trace.hasVariance {
      suspicions += suspicion(
        .channelsSwapped, "the variance is taken for the prediction: the halves of the output's channels are swapped",
        reading: Reading(swapsHalves: true))
    }
    if plan.steps.contains(where: { $0.query.inputScale != 1 }) {
      suspicions += suspicion(
        .scaledInput, "the samples are stored as the model was given them, divided by sqrt(sigma^2 + 1)",
        reading: Reading(samplesAreInputs: true))
    }
    return suspicions + orderings()
  }

  /// Dimensions stored in another order, such as channels last. More than four would be many
  /// orders, and are no picture.
  private func orderings() -> [Hypothesis] {
    let dimensions = trace.shape.count - 1
    guard (2...4).contains(dimensions) else { return [] }
    return Self.orders(of: Array(0..<dimensions)).filter { $0 != Array(0..<dimensions) }.flatMap { order in
      let tensors: [(String, [Trace.Role])] = [
        ("model outputs are", [.outputs]), ("noise is", [.noises]),
        ("model outputs and the noise are", [.outputs, .noises]),
        ("samples are", [.samples]),
      ]
      return tensors.flatMap { subject, roles in
        suspicion(
          .axes, "the \(subject) stored with the axes in the order \(order.map { $0 + 1 })",
          reading: Reading(order: Dictionary(uniqueKeysWithValues: roles.map { ($0, order) })))
      }
    }
  }

  private static func orders(of elements: [Int]) -> [[Int]] {
    guard let first = elements.first, elements.count > 1 else { return [elements] }
    return orders(of: Array(elements.dropFirst())).flatMap { rest in
      (0...rest.count).map { Array(rest[..<$0]) + [first] + rest[$0...] }
    }
  }
}
