import Schedulers

/// A product of one or two powers of a step's levels that tells coefficients from their own in
/// every step, or that they are.
struct CoefficientProduct {
  let words: String

  private typealias Base = (words: String, of: @Sendable (StepForms) -> Double)

  private static let bases: [Base] = [
    ("the signal", \.from.signal), ("the noise level", \.from.noise), ("the next signal", \.to.signal),
    ("the next noise level", \.to.noise),
    ("sqrt(sigma^2 + 1)", { ($0.from.sigma * $0.from.sigma + 1).squareRoot() }),
  ]
  private static let powers = [1, -1, 2, -2, 0.5, -0.5, 4, -4]

  /// - Parameter names: the terms that are wrong, all by the same product.
  ///
  /// A number says nothing by itself: three steps at least must agree in which the products are
  /// different ones.
  init?(_ view: CoefficientView, _ names: [String]) {
    let pairs = names.flatMap(view.terms).filter { $0.term.planned != 0 || abs($0.term.value) > $0.term.error }
    let telling = pairs.filter { $0.term.error < 0.01 * abs($0.term.value) }
    guard telling.count > 2, pairs.allSatisfy({ $0.row.from.signal > 0 && $0.row.from.noise > 0 }) else { return nil }
    func agrees(_ product: (StepForms) -> Double, _ of: (StepForms.Term) -> Double) -> Bool {
      let values = telling.map { product($0.row) }
      guard let least = values.min(), let most = values.max(), most > 1.05 * least else { return false }
      return pairs.allSatisfy { row, term in
        let expected = product(row) * of(term)
        return expected.isFinite && term.isClose(term.value, expected)
      }
    }
    for (words, product) in Self.products {
      for (sign, said) in [(1.0, ""), (-1, "minus ")] {
        if agrees(product, { sign * $0.planned }) {
          self.words = "is multiplied by \(said)\(words)"
          return
        }
        if names.count == 1, agrees(product, { _ in sign }) {
          self.words = "is \(said)\(words)"
          return
        }
      }
    }
    return nil
  }

  /// Simple ones first.
  private static let products: [(words: String, of: @Sendable (StepForms) -> Double)] = {
    func named(_ base: Base, _ power: Double) -> String {
      switch power {
      case 1: base.words
      case 0.5: "the root of \(base.words)"
      default: "\(base.words)^\(brief(power))"
      }
    }
    let singles = bases.indices.flatMap { base in powers.map { (base, $0) } }
    func raised(_ single: (Int, Double)) -> @Sendable (StepForms) -> Double {
      let of = bases[single.0].of
      return { Math.pow(of($0), single.1) }
    }
    var found: [(words: String, of: @Sendable (StepForms) -> Double)] = singles.map {
      (named(bases[$0.0], $0.1), raised($0))
    }
    for (first, one) in singles.enumerated() where abs(one.1) <= 2 {
      for other in singles[(first + 1)...] where other.0 > one.0 && abs(other.1) <= 2 {
        let (a, b) = (raised(one), raised(other))
        found.append(("\(named(bases[one.0], one.1)) times \(named(bases[other.0], other.1))", { a($0) * b($0) }))
      }
    }
    return found
  }()
}
