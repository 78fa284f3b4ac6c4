import Schedulers

/// A mistake that the recovered coefficients show: in some form of the step, all are the plan's but
/// one or two, which have to their own the same relation in every diverging step.
struct CoefficientMistake {
  let text: String

  /// The mistake in the steps that are wrong, if there is one.
  init?(_ recovery: Recovery, wrong: [Int]) {
    var rows: [StepForms] = []
    for step in wrong {
      guard let solution = recovery.solve(step: step), solution.residual <= 5e-5 * max(solution.size, 1) else {
        return nil
      }
      rows.append(StepForms(recovery.plan, step, solution))
    }
    guard let first = rows.first else { return nil }
    for basis in first.forms.map(\.name) {
      let forms = rows.compactMap { row in row.forms.first { $0.name == basis } }
      guard forms.count == rows.count, let text = Self.text(forms, rows) else { continue }
      self.text = text
      return
    }
    return nil
  }

  private static func text(_ forms: [StepForms.Form], _ rows: [StepForms]) -> String? {
    let names = Set(forms.flatMap { form in form.terms.filter(\.differs).map(\.name) })
    let sorted = forms.flatMap(\.terms).map(\.name).filter(names.contains)
    if names.count > 1, let text = reversal(forms) { return text }
    guard (1...2).contains(names.count), let first = sorted.first else { return nil }
    if let factor = multiplier(forms, rows, names) {
      return "\(said(first, sorted.first { $0 != first })) \(factor)"
    }
    guard names.count == 1 else { return nil }
    let terms = forms.map { form in form.terms.first { $0.name == first } }
    guard terms.allSatisfy({ $0 != nil }) else { return nil }
    let pairs = terms.map { $0! }
    for (words, of) in absolutes {
      let expected = zip(rows, pairs).map { of($0, $1) }
      guard expected.allSatisfy({ $0 != nil }) else { continue }
      if zip(pairs, expected).allSatisfy({ $0.isClose($0.value, $1!) }) { return "\(said(first, nil)) \(words)" }
    }
    for (offset, words) in [(-1, "is that of the step before"), (1, "is that of the step after")] {
      let others = rows.map { $0.planned(first, basis: forms[0].name, offset: offset) }
      let known = zip(pairs, others).filter { $1 != nil }
      if known.count > 1, known.count >= pairs.count - 1, known.allSatisfy({ $0.isClose($0.value, $1!) }) {
        return "\(said(first, nil)) \(words)"
      }
    }
    if pairs.allSatisfy({ $0.planned == 0 }) { return "there is a term in \(first) that should not be" }
    return nil
  }

  private static func said(_ name: String, _ other: String?) -> String {
    other.map { "the coefficients of \(name) and \($0) are wrong: each" } ?? "the coefficient of \(name)"
  }

  /// What the coefficients are multiplied by, if it is the same thing in every step.
  private static func multiplier(
    _ forms: [StepForms.Form], _ rows: [StepForms], _ names: Set<String>
  ) -> String? {
    func holds(_ factor: (StepForms, StepForms.Term) -> Double?) -> Bool {
      zip(forms, rows).allSatisfy { form, row in
        form.terms.filter { names.contains($0.name) }.allSatisfy { term in
          factor(row, term).map { $0.isFinite && term.isClose(term.value, $0 * term.planned) } ?? false
        }
      }
    }
    for (words, value) in [
      ("has the opposite sign", -1.0), ("is missing", 0), ("is twice its own", 2), ("is half its own", 0.5),
    ]
    where holds({ _, _ in value }) { return words }
    for (words, power) in [("is squared", 1.0), ("is the root of its own", -0.5), ("is upside down", -2)]
    where holds({ _, term in term.planned == 0 ? nil : Math.pow(abs(term.planned), power) }) { return words }
    guard forms.count > 1 else { return nil }
    for (words, of) in quantities {
      if holds({ row, _ in of(row) }) { return "is multiplied by \(words)" }
      if holds({ row, _ in of(row).map { 1 / $0 } }) { return "is divided by \(words)" }
    }
    let factors = zip(forms, rows).flatMap { form, _ in
      form.terms.filter { names.contains($0.name) }.map { $0.value / $0.planned }
    }
    guard forms.count > 2, let factor = factors.first, holds({ _, _ in factor }) else { return nil }
    return "is \(brief(factor)) times its own"
  }

  private typealias Quantity = (words: String, of: @Sendable (StepForms) -> Double?)
  private typealias Absolute = (words: String, of: @Sendable (StepForms, StepForms.Term) -> Double?)

  /// What ports take too often or not often enough.
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
  ]

  private static let absolutes: [Absolute] = [
    ("is 1", { _, _ in 1 }), ("is the next noise level", { row, _ in row.to.noise }),
    ("is that of a step that adds no noise", { row, term in row.plain(term.name) }),
    (
      "has the next noise level in x0",
      { row, term in
        term.name == StepForms.ownOutput && row.from.noise > 0 ? term.planned * row.to.noise / row.from.noise : nil
      }
    ),
  ]

  /// Whether estimates are taken in the opposite order.
  private static func reversal(_ forms: [StepForms.Form]) -> String? {
    for form in forms {
      let kept = form.terms.filter(\.isEstimate)
      guard kept.count > 1,
        kept.map(\.planned).reversed().enumerated().allSatisfy({ kept[$0].isClose(kept[$0].value, $1) })
      else { return nil }
    }
    return "the estimates are in the opposite order"
  }
}

/// The forms in which a step's coefficients can be seen: of two of sample, output, x̂0 and epsilon,
/// and of the rest; of the network's part in x̂0 alone; of differences of estimates.
struct StepForms {
  struct Term {
    let name: String
    let value: Double
    let planned: Double
    let error: Double
    var isEstimate = false

    var differs: Bool { !isClose(value, planned) }
    func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= error + 1e-3 * max(abs(a), abs(b)) + 2e-5 }
  }

  struct Form {
    let name: String
    let terms: [Term]
  }

  static let ownSample = "the sample in x0"
  static let ownOutput = "the output in x0"

  let plan: SamplingPlan
  let step: Int
  let from: NoiseLevel
  let to: NoiseLevel
  let forms: [Form]

  init(_ plan: SamplingPlan, _ step: Int, _ solution: Recovery.Solution) {
    (self.plan, self.step) = (plan, step)
    (from, to) = (plan.steps[step].query.level, plan.steps[step].arrival)
    forms = Self.Basis.allCases.compactMap { basis in
      Self.terms(basis, plan.steps[step], solution).map { Form(name: basis.rawValue, terms: $0) }
    }
  }

  private enum Basis: String, CaseIterable {
    case sampleAndOutput, dataAndNoise, sampleAndData, sampleAndNoise, dataDifferences, noiseDifferences, reading,
      readingBeside
  }

  private static func terms(
    _ basis: Basis, _ step: SamplingPlan.Step, _ solution: Recovery.Solution
  ) -> [Term]? {
    let (read, level, all) = (step.denoising, step.query.level, solution.terms)
    guard all.count >= 2 else { return nil }
    let estimates = all.dropFirst(2).filter { if case .estimate = $0.symbol { true } else { false } }
    let rest = all.dropFirst(2).map {
      Term(
        name: $0.symbol.name, value: $0.value, planned: $0.planned, error: $0.error,
        isEstimate: { if case .estimate = $0 { true } else { false } }($0.symbol))
    }
    func two(_ names: (String, String), _ convert: (Double, Double) -> (Double, Double)) -> [Term] {
      let (made, own) = (convert(all[0].value, all[1].value), convert(all[0].planned, all[1].planned))
      let zero = convert(0, 0)
      let (first, second) = (convert(all[0].error, 0), convert(0, all[1].error))
      let error = (
        abs(first.0 - zero.0) + abs(second.0 - zero.0), abs(first.1 - zero.1) + abs(second.1 - zero.1)
      )
      return [
        Term(name: names.0, value: made.0, planned: own.0, error: error.0),
        Term(name: names.1, value: made.1, planned: own.1, error: error.1, isEstimate: true),
      ] + rest
    }
    guard basis != .sampleAndOutput else { return two(("the sample", "the output")) { ($0, $1) } }
    guard read.output != 0, level.signal > 0, level.noise > 0 else { return nil }
    func data(_ x: Double, _ f: Double) -> (Double, Double) { (x - f * read.sample / read.output, f / read.output) }
    func noise(_ x: Double, _ f: Double) -> (Double, Double) {
      let (x, x0) = data(x, f)
      return (x + x0 / level.signal, -x0 * level.noise / level.signal)
    }
    /// The last estimate's coefficient with those of all before added, as differences have it.
    func total(_ terms: [Term], _ name: String) -> [Term]? {
      guard !estimates.isEmpty else { return nil }
      let sum = Term(
        name: name, value: terms[1].value + estimates.reduce(0) { $0 + $1.value },
        planned: terms[1].planned + estimates.reduce(0) { $0 + $1.planned },
        error: terms[1].error + estimates.reduce(0) { $0 + $1.error })
      let differences = rest.map {
        $0.isEstimate
          ? Term(name: "the difference of estimates", value: $0.value, planned: $0.planned, error: $0.error) : $0
      }
      return estimates.count > 1 ? nil : [terms[0], sum] + differences
    }
    let own = data(all[0].planned, all[1].planned)
    switch basis {
    case .sampleAndOutput: return nil
    case .dataAndNoise:
      return two(("x0", "epsilon")) { x, f in
        let (x, x0) = data(x, f)
        return (x0 + x * level.signal, x * level.noise)
      }
    case .sampleAndData: return two(("the sample", "x0"), data)
    case .sampleAndNoise: return two(("the sample", "epsilon"), noise)
    case .dataDifferences:
      return step.keeping.output == 1 && step.keeping.sample == 0
        ? total(two(("the sample", "x0"), data), "all estimates") : nil
    case .noiseDifferences:
      return step.keeping.output == 1 && step.keeping.sample == 0
        ? nil : total(two(("the sample", "epsilon"), noise), "all estimates")
    case .reading:
      guard own.1 != 0 else { return nil }
      return two((ownSample, ownOutput)) { (($0 - own.0) / own.1, $1 / own.1) }
    case .readingBeside:
      // A step that reads epsilon off the output on its own, and x̂0 beside it.
      let (share, epsilon) = (own.1 + own.0 * level.signal, own.0 * level.noise)
      guard share != 0 else { return nil }
      let (x, f) = ((1 - level.signal * read.sample) / level.noise, -level.signal * read.output / level.noise)
      return two((ownSample, ownOutput)) { (($0 - epsilon * x) / share, ($1 - epsilon * f) / share) }
    }
  }

  /// The plan's coefficient of a term in a neighbouring step.
  func planned(_ name: String, basis: String, offset: Int) -> Double? {
    let other = step + offset
    guard plan.steps.indices.contains(other) else { return nil }
    let made = plan.steps[other]
    if name == Recovery.Symbol.noise.name { return made.next.noise }
    var terms: [(symbol: Recovery.Symbol, value: Double, error: Double, planned: Double)] = [
      (.sample, made.folded.sample, 0, made.folded.sample), (.output, made.folded.output, 0, made.folded.output),
    ]
    for ago in made.next.estimates.indices.dropFirst() {
      terms.append((.estimate(ago: ago), made.next.estimates[ago], 0, made.next.estimates[ago]))
    }
    let solution = Recovery.Solution(terms: terms, residual: 0, size: 1)
    return Basis(rawValue: basis).flatMap { Self.terms($0, made, solution) }?.first { $0.name == name }?.value
  }

  /// λ' − λ.
  var length: Double? {
    let h = to.lambda - from.lambda
    return h.isFinite ? h : nil
  }

  /// The length of the step before by that of this.
  var ratio: Double? {
    guard step > 0, let length else { return nil }
    let before = from.lambda - plan.steps[step - 1].query.level.lambda
    return before.isFinite ? before / length : nil
  }

  /// The coefficient of a term in the deterministic step between the same levels.
  func plain(_ name: String) -> Double? {
    guard from.noise > 0 else { return nil }
    let ratio = to.noise / from.noise
    let (x, x0) = (ratio, to.signal - ratio * from.signal)
    let read = plan.steps[step].denoising
    switch name {
    case "the sample": return x + x0 * read.sample
    case "the output": return x0 * read.output
    case "epsilon": return to.noise
    case "x0": return to.signal
    default: return nil
    }
  }
}
