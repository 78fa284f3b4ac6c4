import Schedulers

/// A tensor that gives no scalars away, as those of MLX are: a class that remembers what is to be
/// computed, and computes it when it is asked for a sum.
final class Lazy: InnerProductSpace {
  private let computation: () -> [[Double]]
  /// The samples, for tests to read.
  private(set) lazy var samples = computation()

  private init(computation: @escaping () -> [[Double]]) { self.computation = computation }

  convenience init(_ samples: [[Double]]) { self.init { samples } }

  static func combination(_ terms: [(coefficient: Double, value: Lazy)]) -> Lazy {
    Lazy {
      terms[0].value.samples.indices.map { n in
        terms[0].value.samples[n].indices.map { i in terms.reduce(0) { $0 + $1.coefficient * $1.value.samples[n][i] } }
      }
    }
  }

  static func innerProducts(_ a: Lazy, _ b: Lazy) -> [Double] {
    zip(a.samples, b.samples).map { zip($0, $1).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  /// As torch and MLX have it if told so: divided by one less than the number.
  var standardDeviations: [Double] {
    samples.map { sample in
      let mean = sample.reduce(0, +) / Double(sample.count)
      return (sample.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(sample.count - 1)).squareRoot()
    }
  }

  static func combination(bySample terms: [(coefficients: [Double], value: Lazy)]) -> Lazy {
    Lazy {
      terms[0].coefficients.indices.map { n in
        terms[0].value.samples[n].indices.map { i in
          terms.reduce(0) { $0 + $1.coefficients[n] * $1.value.samples[n][i] }
        }
      }
    }
  }
}
