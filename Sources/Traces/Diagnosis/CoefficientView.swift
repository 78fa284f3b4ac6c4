import Schedulers

/// The diverging steps in one form, and the terms that are not the plan's there.
struct CoefficientView {
  typealias Term = StepForms.Term

  let basis: StepForms.Basis
  let rows: [StepForms]
  let forms: [[Term]]
  /// The terms that differ in some step.
  let names: [String]

  init?(_ basis: StepForms.Basis, _ rows: [StepForms]) {
    let forms = rows.compactMap { $0.terms(basis) }
    guard forms.count == rows.count else { return nil }
    (self.basis, self.rows, self.forms) = (basis, rows, forms)
    let differing = Set(forms.flatMap { $0.filter(\.differs).map(\.name) })
    var names: [String] = []
    for term in forms.joined() where differing.contains(term.name) && !names.contains(term.name) {
      names.append(term.name)
    }
    guard !names.isEmpty else { return nil }
    self.names = names
  }

  /// A term in every step that has it, with that step.
  func terms(_ name: String) -> [(row: StepForms, term: Term)] {
    zip(rows, forms).compactMap { row, form in form.first { $0.name == name }.map { (row, $0) } }
  }

  /// Whether a term's coefficient is what a function says in every step that has it.
  func holds(_ name: String, _ expected: (StepForms, Term) -> Double?) -> Bool {
    let terms = terms(name)
    return !terms.isEmpty
      && terms.allSatisfy { row, term in
        expected(row, term).map { $0.isFinite && term.isClose(term.value, $0) } ?? false
      }
  }

  /// Whether two steps at least tell terms well enough to compare them with many things.
  func isTold(_ names: [String], within share: Double) -> Bool {
    names.allSatisfy { name in
      terms(name).count { $0.term.error < share * max(abs($0.term.value), abs($0.term.planned)) } > 1
    }
  }

  /// How far a term's coefficients are from what a function says, in units of their errors.
  func misfit(_ name: String, _ expected: (StepForms, Term) -> Double?) -> Double {
    terms(name).reduce(0) { most, pair in
      let (value, error) = (pair.term.value, pair.term.error + 1e-5 * abs(pair.term.value) + 0x1p-100)
      return expected(pair.row, pair.term).map { max(most, abs(value - $0) / error) } ?? most
    }
  }

  private func said(_ names: [String]) -> String {
    names.count == 1 ? "the coefficient of \(names[0])" : "the coefficients of \(names.joined(separator: " and "))"
  }

  /// One term is wrong, or two in the same way.
  var single: String? {
    guard names.count <= 2 else { return nil }
    if let words = CoefficientRelation.multipliers(among: self, names) {
      return names.count == 1 ? "\(said(names)) \(words)" : "\(said(names)) are wrong: each \(words)"
    }
    guard names.count == 1 else { return nil }
    return CoefficientRelation.absolute(in: self, names[0]).map { "\(said(names)) \($0)" }
  }

  /// The noise is wrong, and epsilon what is left beside it.
  var deviation: String? {
    let (epsilon, noise) = ("epsilon", Recovery.Symbol.noise.name)
    guard basis == .dataAndNoise, Set(names) == [epsilon, noise] else { return nil }
    let drawn = Dictionary(uniqueKeysWithValues: terms(noise).map { ($0.row.step, $0.term.value) })
    let isRest = holds(epsilon) { row, _ in
      drawn[row.step].map { max(row.to.noise * row.to.noise - $0 * $0, 0).squareRoot() }
    }
    guard isRest,
      let words = CoefficientRelation.multipliers(among: self, [noise])
        ?? CoefficientRelation.absolute(in: self, noise) ?? CoefficientProduct(self, [noise])?.words
    else { return nil }
    return "the deviation of the noise, which epsilon follows, \(words)"
  }

  /// Several terms are wrong by one number, or are those of a neighbouring step.
  var together: String? {
    guard names.count > 1 else { return nil }
    if names.count > 2, let words = CoefficientRelation.numbers(among: self, names) {
      return "\(said(names)) are wrong: each \(words)"
    }
    for (offset, words) in [(-1, "before"), (1, "after")] {
      let known = names.flatMap(terms).compactMap { row, term in
        row.planned(term.name, basis: basis, offset: offset).map { (term, $0) }
      }
      if known.count > names.count, known.count >= names.flatMap(terms).count - names.count,
        known.allSatisfy({ $0.isClose($0.value, $1) })
      {
        return "\(said(names)) are those of the step \(words)"
      }
    }
    return nil
  }

  /// Two or three terms are wrong, each in its own way.
  var several: String? {
    guard (2...3).contains(names.count), rows.count > 1 else { return nil }
    var found: [String] = []
    for name in names {
      guard
        let words = CoefficientRelation.numbers(among: self, [name]) ?? CoefficientRelation.absolute(in: self, name)
          ?? CoefficientRelation.multipliers(among: self, [name]) ?? CoefficientProduct(self, [name])?.words
      else { return nil }
      found.append("\(said([name])) \(words)")
    }
    return found.joined(separator: ", and ")
  }

  /// Terms have each other's coefficients.
  var rearranged: String? {
    guard names.count >= 2 else { return nil }
    let kept = forms.map { $0.filter(\.isEstimate) }
    if names.count == 2, names.allSatisfy({ name in kept.allSatisfy { $0.contains { $0.name == name } } }) {
      // One takes the place of the other, which is left out.
      for (gone, other) in [(names[0], names[1]), (names[1], names[0])] {
        let sums = zip(terms(gone), terms(other)).map { $0.term.planned + $1.term.planned }
        if holds(gone, { _, _ in 0 }), zip(terms(other), sums).allSatisfy({ $0.term.isClose($0.term.value, $1) }) {
          return "\(other) is taken in the place of \(gone)"
        }
      }
    }
    if names.count == 2 {
      let (first, second) = (terms(names[0]), terms(names[1]))
      let isExchanged =
        first.count == second.count
        && zip(first, second).allSatisfy {
          $0.term.isClose($0.term.value, $1.term.planned) && $1.term.isClose($1.term.value, $0.term.planned)
        }
      if isExchanged { return "\(said(names)) are exchanged" }
    }
    // Where a call is repeated there are estimates that no step takes.
    let isReversed = kept.map { $0.filter { $0.planned != 0 } }.allSatisfy { terms in
      terms.count > 1
        && terms.map(\.planned).reversed().enumerated().allSatisfy { terms[$0].isClose(terms[$0].value, $1) }
    }
    return isReversed && rows.count > 1 ? "the estimates are in the opposite order" : nil
  }

  /// The estimates share the whole as they do in another step, of another order.
  var weights: String? {
    guard basis == .sampleAndData || basis == .sampleAndNoise, names.count > 1 else { return nil }
    /// Weights that are not 0, in their order: where a call is repeated they are further back.
    func own(_ other: Int) -> [Double] {
      let names = forms[0].filter(\.isEstimate).map(\.name)
      let weights = names.map { rows[0].planned($0, basis: basis, offset: other - rows[0].step) ?? 0 }
      let whole = weights.reduce(0, +)
      return weights.filter { abs($0) > 1e-6 * abs(whole) }.map { $0 / whole }
    }
    for other in 0..<rows[0].step {
      let shares = own(other)
      // Of one step, two numbers beside their sum say enough.
      guard shares.count + rows.count > 3 else { continue }
      let agrees = forms.allSatisfy { form in
        let terms = form.filter(\.isEstimate)
        let sum = terms.reduce(0) { $0 + $1.planned }
        let used = terms.filter { !$0.isClose($0.value, 0) }
        return used.count == shares.count && form.allSatisfy { $0.isEstimate || !$0.differs }
          && zip(used, shares).allSatisfy { $0.isClose($0.value, $1 * sum) }
      }
      if agrees { return "the estimates have the weights of step \(other): is the order that of its step?" }
    }
    return nil
  }

  /// A product of powers of levels tells the term, or two terms alike, from their own.
  var product: String? {
    guard names.count <= 2, let product = CoefficientProduct(self, names) else { return nil }
    return names.count == 1 ? "\(said(names)) \(product.words)" : "\(said(names)) are wrong: each \(product.words)"
  }

  /// The same number in every step.
  var factor: String? {
    let pairs = names.flatMap(terms)
    // The best told one says it best.
    func error(_ term: Term) -> Double { term.planned == 0 ? .infinity : term.error / abs(term.planned) }
    guard names.count <= 2, rows.count > 2, isTold(names, within: 0.02),
      let first = pairs.map(\.term).min(by: { error($0) < error($1) })
    else { return nil }
    let factor = first.value / first.planned
    guard names.allSatisfy({ name in holds(name) { _, term in factor * term.planned } }) else { return nil }
    return (names.count == 1 ? said(names) : "\(said(names)) are wrong: each") + " is \(brief(factor)) times its own"
  }

  /// One term is wrong, and nothing tells by what rule.
  var alone: String? {
    guard names.count == 1, rows.count > 1, basis != .data, basis != .noise, basis != .dataBesideNoise else {
      return nil
    }
    let values = terms(names[0]).map(\.term)
    if let first = values.first?.value, values.allSatisfy({ $0.isClose($0.value, first) }) {
      return "\(said(names)) is \(brief(first)) in every step"
    }
    return "\(said(names)) alone is wrong, in each step by another factor"
  }

  /// A term that the plan does not have.
  var unplanned: String? {
    guard names.count == 1, terms(names[0]).allSatisfy({ $0.term.planned == 0 }) else { return nil }
    return "there is a term in \(names[0]) that should not be"
  }
}
