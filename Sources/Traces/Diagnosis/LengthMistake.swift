import Schedulers

/// A wrong λ in the exponentials of DPM-Solver: of another base, of another sign, or of the noise
/// alone.
///
/// Over h = λ' − λ and h0 = λ − λ0, with λ = ln(signal/noise), a step takes E(h) of all estimates
/// and E(h)·h/h0 of their difference, where E(h) is one of four.
enum LengthMistake {
  /// What E(h) is, and what the sample and the noise are multiplied by.
  private enum Family: CaseIterable {
    case data, noise, stochasticData, stochasticNoise

    func whole(_ row: StepForms, _ h: Double) -> Double {
      switch self {
      case .data: row.to.signal * (1 - Math.exp(-h))
      case .noise: -row.to.noise * (Math.exp(h) - 1)
      case .stochasticData: row.to.signal * (1 - Math.exp(-2 * h))
      case .stochasticNoise: -2 * row.to.noise * (Math.exp(h) - 1)
      }
    }

    /// The share of the difference, by either rule for the slope.
    func slopes(_ row: StepForms, _ h: Double) -> [Double] {
      let power = self == .stochasticData ? 2 * h : h
      let exact =
        self == .data || self == .stochasticData
        ? (Math.exp(-power) - 1) / power + 1 : (Math.exp(h) - 1) / h - 1
      return [whole(row, h), exact]
    }

    func sample(_ h: Double) -> Double { self == .stochasticData ? Math.exp(-h) : 1 }
    func deviation(_ h: Double) -> Double {
      switch self {
      case .data, .noise: 1
      case .stochasticData: (1 - Math.exp(-2 * h)).squareRoot()
      case .stochasticNoise: (Math.exp(2 * h) - 1).squareRoot()
      }
    }
  }

  /// λ of the next level, of this and of the one before, as somebody had them.
  private typealias Lambdas = (words: String, of: @Sendable (StepForms) -> (to: Double, from: Double, before: Double))

  static func text(_ view: CoefficientView) -> String? {
    let whole = StepForms.differenceNames[0]
    guard view.basis == .differences, view.names.contains(whole),
      view.rows.count == 1 || view.isTold([whole], within: 0.15)
    else { return nil }
    guard
      let family = Family.allCases.first(where: { family in
        zip(view.rows, view.forms).allSatisfy { row, form in
          guard let h = row.length, form.count > 1 else { return false }
          return form[1].isClose(form[1].planned, family.whole(row, h))
        }
      })
    else { return nil }
    // One step says little: the first mistake alone is simple enough.
    for (words, of) in view.rows.count > 1 ? candidates : Array(candidates.prefix(1)) {
      for rule in 0...1 {
        let holds = zip(view.rows, view.forms).allSatisfy { row, form in
          explains(form, row, of(row), family, rule)
        }
        if holds { return words }
      }
    }
    return nil
  }

  private static func explains(
    _ form: [StepForms.Term], _ row: StepForms, _ lambdas: (to: Double, from: Double, before: Double), _ family: Family,
    _ rule: Int
  ) -> Bool {
    guard let h = row.length else { return false }
    let other = lambdas.to - lambdas.from
    return form.allSatisfy { term in
      let expected: Double
      switch term.name {
      case StepForms.differenceNames[0]: expected = family.whole(row, other)
      case StepForms.differenceNames[1]:
        guard row.step > 0 else { return false }
        let before = row.from.lambda - row.plan.steps[row.step - 1].query.level.lambda
        let share = family.slopes(row, other)[rule] / family.slopes(row, h)[rule]
        expected = term.planned * share * (other / h) * (before / (lambdas.from - lambdas.before))
      case Recovery.Symbol.sample.name: expected = term.planned * family.sample(other) / family.sample(h)
      case Recovery.Symbol.noise.name: expected = term.planned * family.deviation(other) / family.deviation(h)
      default: return !term.differs
      }
      return expected.isFinite && term.isClose(term.value, expected)
    }
  }

  private static let candidates: [Lambdas] = {
    let own: @Sendable (StepForms) -> [Double] = { row in
      [row.to.lambda, row.from.lambda, row.step > 0 ? row.plan.steps[row.step - 1].query.level.lambda : 0]
    }
    let noises: @Sendable (StepForms) -> [Double] = { row in
      [row.to.noise, row.from.noise, row.step > 0 ? row.plan.steps[row.step - 1].query.level.noise : 1]
        .map { -Math.log($0) }
    }
    var found: [Lambdas] = [
      ("h has the opposite sign", { row in (2 * own(row)[1] - own(row)[0], own(row)[1], own(row)[2]) }),
      ("lambda has the opposite sign", { row in (-own(row)[0], -own(row)[1], -own(row)[2]) }),
      ("lambda is twice its own, as of squares", { row in (2 * own(row)[0], 2 * own(row)[1], 2 * own(row)[2]) }),
      ("lambda is half its own", { row in (own(row)[0] / 2, own(row)[1] / 2, own(row)[2] / 2) }),
    ]
    let places = [
      ("lambda", [0, 1, 2]), ("lambda of the next level", [0]), ("lambda of this level", [1]),
      ("lambda of the level before", [2]), ("lambda of this and the next level", [0, 1]),
      ("lambda of this level and the one before", [1, 2]), ("lambda of the next level and the one before", [0, 2]),
    ]
    func changed(_ words: String, _ indices: [Int], _ other: @escaping @Sendable (StepForms) -> [Double]) -> Lambdas {
      (
        words,
        { row in
          var lambdas = own(row)
          let others = other(row)
          for i in indices { lambdas[i] = others[i] }
          return (lambdas[0], lambdas[1], lambdas[2])
        }
      )
    }
    for (place, indices) in places {
      found.append(changed("\(place) is of logarithms to base 10", indices) { own($0).map { $0 / Math.log(10) } })
      found.append(changed("\(place) is of logarithms to base 2", indices) { own($0).map { $0 / Math.log(2) } })
      found.append(changed("\(place) is minus the logarithm of the noise, without the signal's", indices, noises))
    }
    return found
  }()
}
