import SchedulersFixtures

/// The rows of `likelihood.safetensors` and `guided-likelihood.safetensors`, seven numbers each.
enum LikelihoodFixtures {
  private static let exact = Result { try Safetensors("likelihood.safetensors") }
  private static let guided = Result { try Safetensors("guided-likelihood.safetensors") }

  static func exact(_ name: String) throws -> [[Double]] { try rows(exact.get(), name) }
  static func guided(_ name: String) throws -> [[Double]] { try rows(guided.get(), name) }

  private static func rows(_ file: Safetensors, _ name: String) throws -> [[Double]] {
    let numbers = try file.doubles(name)
    return stride(from: 0, to: numbers.count, by: 7).map { Array(numbers[$0..<$0 + 7]) }
  }
}
