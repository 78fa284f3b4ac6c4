import Schedulers

/// The forms in which a step's coefficients can be seen, each beside the plan's: of two of sample,
/// output, x̂0 and epsilon, and of the rest; of what x̂0 or epsilon is made of alone; of differences
/// of estimates.
struct StepForms: Sendable {
  struct Term: Sendable {
    let name: String
    var value: Double
    var planned: Double
    var error: Double
    var isEstimate = false

    var differs: Bool { !isClose(value, planned) }
    func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= error + 1e-3 * max(abs(a), abs(b)) + 2e-5 }
  }

  enum Basis: String, CaseIterable {
    case sampleAndOutput, dataAndNoise, sampleAndData, sampleAndNoise, differences, data, noise, dataBesideNoise, start
  }

  static let ownSample = "the sample in x0"
  static let ownOutput = "the output in x0"
  static let differenceNames = ["all estimates", "the difference of estimates", "the second difference of estimates"]

  let plan: SamplingPlan
  let step: Int
  let from: NoiseLevel
  let to: NoiseLevel
  private let solution: Recovery.Solution
  /// The largest difference from the combination.
  var residual: Double { solution.residual }

  init(_ plan: SamplingPlan, _ step: Int, _ solution: Recovery.Solution) {
    (self.plan, self.step, self.solution) = (plan, step, solution)
    (from, to) = (plan.steps[step].query.level, plan.steps[step].arrival)
  }

  /// The terms of a form; nil where the step has none of the kind.
  func terms(_ basis: Basis) -> [Term]? {
    let (read, level) = (plan.steps[step].denoising, from)
    let all = solution.terms.map { term in
      Term(
        name: term.symbol.name, value: term.value, planned: term.planned, error: term.error,
        isEstimate: { if case .estimate = $0 { true } else { false } }(term.symbol))
    }
    if solution.value(of: .estimate(ago: 0)) != nil {
      switch basis {
      case .sampleAndOutput: return all
      case .differences: return differences(of: all.filter(\.isEstimate)).map { $0 + all.filter { !$0.isEstimate } }
      default: return nil
      }
    }
    func own(_ symbol: Recovery.Symbol) -> Term {
      let index = solution.terms.firstIndex { $0.symbol == symbol }
      return index.map { all[$0] } ?? Term(name: symbol.name, value: 0, planned: 0, error: 0)
    }
    let (sample, output) = (own(.sample), own(.output))
    let rest = all.filter { $0.name != sample.name && $0.name != output.name }
    /// Two terms that are combinations of the sample's and the output's.
    func two(_ names: (String, String), _ convert: (Double, Double) -> (Double, Double)) -> [Term] {
      let (made, own, zero) = (
        convert(sample.value, output.value), convert(sample.planned, output.planned), convert(0, 0)
      )
      let (first, second) = (convert(sample.error, 0), convert(0, output.error))
      return [
        Term(
          name: names.0, value: made.0, planned: own.0, error: abs(first.0 - zero.0) + abs(second.0 - zero.0)),
        Term(
          name: names.1, value: made.1, planned: own.1, error: abs(first.1 - zero.1) + abs(second.1 - zero.1),
          isEstimate: true),
      ]
    }
    guard basis != .sampleAndOutput else { return two(("the sample", "the output")) { ($0, $1) } + rest }
    guard read.output != 0, level.signal > 0, level.noise > 0 else { return nil }
    func data(_ x: Double, _ f: Double) -> (Double, Double) { (x - f * read.sample / read.output, f / read.output) }
    func noise(_ x: Double, _ f: Double) -> (Double, Double) {
      let (x, x0) = data(x, f)
      return (x + x0 / level.signal, -x0 * level.noise / level.signal)
    }
    func both(_ x: Double, _ f: Double) -> (Double, Double) {
      let (x, x0) = data(x, f)
      return (x0 + x * level.signal, x * level.noise)
    }
    let isOfData = plan.steps[step].keeping.output == 1 && plan.steps[step].keeping.sample == 0
    // epsilon over the sample and the output.
    let epsilon = ((1 - level.signal * read.sample) / level.noise, -level.signal * read.output / level.noise)
    switch basis {
    case .sampleAndOutput: return nil
    case .dataAndNoise: return two(("x0", "epsilon"), both) + rest
    case .sampleAndData: return two(("the sample", "x0"), data) + rest
    case .sampleAndNoise: return two(("the sample", "epsilon"), noise) + rest
    case .differences:
      let pair = two(("the sample", Self.differenceNames[0]), isOfData ? data : noise)
      return differences(of: [pair[1]] + rest.filter(\.isEstimate)).map {
        [pair[0]] + $0 + rest.filter { !$0.isEstimate }
      }
    case .start:
      // A second call in a step goes on from the sample before it.
      guard step > 0, plan.steps[step].next.estimates.count > 1, let before = rest.first(where: \.isEstimate) else {
        return nil
      }
      let last = plan.steps[step - 1].next
      guard last.samples.count == 1, last.estimates.count <= 1, last.predicted == 0, last.output == 0, last.noise == 0,
        last.made == 0
      else { return nil }
      let pair = two(("the sample", "the estimate"), isOfData ? data : noise)
      let (x, e) = (last.samples[0], last.estimates.first ?? 0)
      return [
        Term(
          name: "the sample before", value: pair[0].value * x, planned: pair[0].planned * x,
          error: pair[0].error * abs(x)),
        pair[1],
        Term(
          name: before.name, value: before.value + pair[0].value * e, planned: before.planned + pair[0].planned * e,
          error: before.error + pair[0].error * abs(e), isEstimate: true),
      ] + rest.filter { $0.name != before.name }
    case .data:
      let share = data(sample.planned, output.planned)
      guard share.1 != 0 else { return nil }
      return two((Self.ownSample, Self.ownOutput)) { (($0 - share.0) / share.1, $1 / share.1) } + rest
    case .noise, .dataBesideNoise:
      // A step that reads epsilon off the output on its own, and x̂0 beside it.
      let (x0, own) = both(sample.planned, output.planned)
      if basis == .noise {
        guard own != 0 else { return nil }
        return two(("the sample in epsilon", "the output in epsilon")) {
          (($0 - x0 * read.sample) / own, ($1 - x0 * read.output) / own)
        } + rest
      }
      guard x0 != 0 else { return nil }
      return two((Self.ownSample, Self.ownOutput)) { (($0 - own * epsilon.0) / x0, ($1 - own * epsilon.1) / x0) } + rest
    }
  }

  /// The level that a step goes back to, if it does, and else its own.
  private var origin: NoiseLevel {
    let samples = plan.steps[step].next.samples
    guard samples.first == 0, let ago = samples.firstIndex(where: { $0 != 0 }) else { return from }
    return plan.steps[step - ago].query.level
  }

  /// The coefficients e of estimates E at λ as a solver has them, Σ e·E = c0·E0 + c1·E0′ + c2·E0″,
  /// with derivatives at the origin: c_m is Σ e·(λ − λ0)^m / m!.
  private func differences(of estimates: [Term]) -> [Term]? {
    guard estimates.count <= Self.differenceNames.count else { return nil }
    let lengths = estimates.indices.map { ago in plan.steps[step - ago].query.level.lambda - origin.lambda }
    guard lengths.allSatisfy(\.isFinite) else { return nil }
    var factorial = 1.0
    return estimates.indices.map { power in
      factorial *= Double(max(power, 1))
      func sum(_ part: (Term) -> Double) -> Double {
        estimates.indices.reduce(0) { $0 + part(estimates[$1]) * Math.pow(lengths[$1], Double(power)) / factorial }
      }
      let error = estimates.indices.reduce(0) {
        $0 + estimates[$1].error * abs(Math.pow(lengths[$1], Double(power))) / factorial
      }
      return Term(
        name: Self.differenceNames[power], value: sum(\.value), planned: sum(\.planned), error: error,
        isEstimate: true)
    }
  }

  /// The plan's coefficient of a term in a neighbouring step.
  func planned(_ name: String, basis: Basis, offset: Int) -> Double? {
    let other = step + offset
    guard plan.steps.indices.contains(other) else { return nil }
    let made = plan.steps[other]
    if name == Recovery.Symbol.noise.name { return made.next.noise }
    var terms: [Recovery.Solution.Term] = [
      (.sample, made.folded.sample, 0, made.folded.sample), (.output, made.folded.output, 0, made.folded.output),
    ]
    for ago in made.next.estimates.indices.dropFirst() {
      terms.append((.estimate(ago: ago), made.next.estimates[ago], 0, made.next.estimates[ago]))
    }
    let solution = Recovery.Solution(terms: terms, residual: 0, size: 1)
    return StepForms(plan, other, solution).terms(basis)?.first { $0.name == name }?.value
  }

  /// λ' − λ.
  var length: Double? {
    let h = to.lambda - from.lambda
    return h.isFinite ? h : nil
  }

  /// The length of the step before by that of this; where a step goes back, that to its middle by
  /// the whole.
  var ratio: Double? {
    guard step > 0, let length else { return nil }
    if origin != from {
      let part = (from.lambda - origin.lambda) / (to.lambda - origin.lambda)
      return part.isFinite ? part : nil
    }
    let before = from.lambda - plan.steps[step - 1].query.level.lambda
    return before.isFinite ? before / length : nil
  }

  /// The coefficient of a term in the deterministic step of first order between the same levels.
  func plain(_ name: String, _ basis: Basis) -> Double? {
    guard from.noise > 0, from.signal > 0 else { return nil }
    let (ratio, share) = (to.noise / from.noise, to.signal - to.noise / from.noise * from.signal)
    let read = plan.steps[step].denoising
    switch (basis, name) {
    case (.sampleAndOutput, "the sample"): return ratio + share * read.sample
    case (.sampleAndOutput, "the output"): return share * read.output
    case (.sampleAndData, "the sample"): return ratio
    case (.sampleAndData, "x0"): return share
    case (.sampleAndNoise, "the sample"): return to.signal / from.signal
    case (.sampleAndNoise, "epsilon"): return to.noise - from.noise * to.signal / from.signal
    case (.dataAndNoise, "epsilon"): return to.noise
    case (.dataAndNoise, "x0"): return to.signal
    default: return nil
    }
  }
}
