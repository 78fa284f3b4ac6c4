import Schedulers

/// What ports take too often, not often enough, or in the place of something else.
enum CoefficientRelation {
  private typealias Quantity = (words: String, of: @Sendable (StepForms) -> Double?)
  private typealias Absolute = (words: String, of: @Sendable (StepForms, StepForms.Basis, StepForms.Term) -> Double?)

  /// What the coefficients are multiplied by, if it is the same thing in every step.
  static func multipliers(among view: CoefficientView, _ names: [String]) -> String? {
    numbers(among: view, names) ?? quantities(among: view, names)
  }

  private static func holds(
    _ view: CoefficientView, _ names: [String], _ factor: (StepForms, StepForms.Term) -> Double?
  ) -> Bool {
    names.allSatisfy { name in view.holds(name) { row, term in factor(row, term).map { $0 * term.planned } } }
  }

  /// The same number, or a power of their own.
  static func numbers(among view: CoefficientView, _ names: [String]) -> String? {
    for (words, value) in [
      ("has the opposite sign", -1.0), ("is missing", 0), ("is twice its own", 2), ("is half its own", 0.5),
    ]
    where holds(view, names, { _, _ in value }) { return words }
    for (words, power) in [("is squared", 1.0), ("is the root of its own", -0.5), ("is upside down", -2)]
    where holds(view, names, { _, term in term.planned == 0 ? nil : Math.pow(abs(term.planned), power) }) {
      return words
    }
    return nil
  }

  /// Something that the levels say.
  private static func quantities(among view: CoefficientView, _ names: [String]) -> String? {
    guard view.isTold(names, within: 0.15) else { return nil }
    // Where errors are large several hold: the nearest is named.
    var best: (words: String, misfit: Double)?
    for (words, of) in quantities {
      for (how, power) in [("multiplied", 1.0), ("divided", -1)] {
        func factor(_ row: StepForms, _ term: StepForms.Term) -> Double? {
          of(row).map { Math.pow($0, power) * term.planned }
        }
        guard names.allSatisfy({ view.holds($0, factor) }) else { continue }
        let misfit = names.map { view.misfit($0, factor) }.max() ?? 0
        if misfit < 0.9 * (best?.misfit ?? .infinity) { best = ("is \(how) by \(words)", misfit) }
      }
    }
    return best?.words
  }

  /// What the coefficient is instead, if it is the same thing in every step.
  static func absolute(in view: CoefficientView, _ name: String) -> String? {
    guard view.rows.count == 1 || view.isTold([name], within: 0.15) else { return nil }
    for (words, of) in absolutes where view.holds(name, { of($0, view.basis, $1) }) { return words }
    for (offset, words) in [(-1, "is that of the step before"), (1, "is that of the step after")] {
      let known = view.terms(name).compactMap { row, term in
        row.planned(name, basis: view.basis, offset: offset).map { (term, $0) }
      }
      if known.count > 1, known.count >= view.rows.count - 1,
        known.allSatisfy({ $0.isClose($0.value, $1) })
      {
        return words
      }
    }
    return nil
  }

  private static let quantities: [Quantity] = [
    ("the signal", { $0.from.signal }), ("the square of the signal", { $0.from.signal * $0.from.signal }),
    ("the noise level", { $0.from.noise }), ("the next signal", { $0.to.signal }),
    ("the next noise level", { $0.to.noise }), ("signal / next signal", { $0.from.signal / $0.to.signal }),
    ("noise level / next noise level", { $0.to.noise > 0 ? $0.from.noise / $0.to.noise : nil }),
    ("the next sigma / sigma", { $0.to.sigma / $0.from.sigma }), ("sigma", { $0.from.sigma }),
    ("the next sigma", { $0.to.sigma }),
    ("sqrt(sigma^2 + 1)", { ($0.from.sigma * $0.from.sigma + 1).squareRoot() }),
    ("the square of r0, so that r0 is upside down", { $0.ratio.map { $0 * $0 } }), ("r0", { $0.ratio }),
    ("h", { $0.length }),
    ("(1 - signal) / noise level", { (1 - $0.from.signal) / $0.from.noise }),
    ("(1 - next signal) / next noise level", { $0.to.noise > 0 ? (1 - $0.to.signal) / $0.to.noise : nil }),
    (
      "sqrt(1 - signal) / noise level: the signal is not squared",
      { $0.from.signal < 1 ? (1 - $0.from.signal).squareRoot() / $0.from.noise : nil }
    ),
    (
      "sqrt(1 - next signal) / next noise level: the signal is not squared",
      { $0.to.noise > 0 && $0.to.signal < 1 ? (1 - $0.to.signal).squareRoot() / $0.to.noise : nil }
    ),
  ]

  private static let absolutes: [Absolute] = [
    ("is 1", { _, _, _ in 1 }), ("is the next noise level", { row, _, _ in row.to.noise }),
    (
      "is that of a step that adds no noise",
      { row, basis, term in row.plan.steps[row.step].next.noise != 0 ? row.plain(term.name, basis) : nil }
    ),
    (
      "is that of a step of first order from this level",
      { row, basis, term in row.plan.steps[row.step].next.noise == 0 ? row.plain(term.name, basis) : nil }
    ),
    (
      "has the next noise level in x0",
      { row, _, term in
        term.name == StepForms.ownOutput && row.from.noise > 0 ? term.planned * row.to.noise / row.from.noise : nil
      }
    ),
    (
      "has e^-h where e^-2h belongs",
      { row, _, term in
        guard term.name == Recovery.Symbol.noise.name, let h = row.length, h > 0 else { return nil }
        return row.to.noise * (1 - Math.exp(-h)).squareRoot()
      }
    ),
    (
      "is not rooted beside the next noise level",
      { row, _, term in
        term.name == Recovery.Symbol.noise.name && row.to.noise > 0 ? term.planned * term.planned / row.to.noise : nil
      }
    ),
  ]
}
