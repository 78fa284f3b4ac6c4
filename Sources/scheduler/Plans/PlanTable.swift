import Schedulers

/// The coefficients of a plan, one line for each call of the model.
struct PlanTable {
  private let plan: SamplingPlan

  init(_ plan: SamplingPlan) { self.plan = plan }

  /// The lines, each ended by a line feed.
  var description: String {
    // Other libraries round the two to Float.
    let isFlow = plan.steps.allSatisfy { abs($0.query.level.signal + $0.query.level.noise - 1) < 1e-6 }
    let scalesInput = plan.steps.contains { $0.query.inputScale != 1 }
    let numbers = ["step", "timestep", "sigma", "signal", "noise"] + (scalesInput ? ["input"] : [])
    var table = TextTable(
      numbers + ["x0", "E", "next x"], textColumns: Set(numbers.count..<numbers.count + 3))
    for (i, step) in plan.steps.enumerated() {
      let (query, level) = (step.query, step.query.level)
      let values = [query.timestep, isFlow ? level.noise : level.sigma, level.signal, level.noise]
      table.append(
        ["\(i)"] + (values + (scalesInput ? [query.inputScale] : [])).map { brief($0) } + [
          Self.sum([(step.denoising.sample, "x"), (step.denoising.output, "F")]),
          Self.sum([(step.keeping.sample, "x"), (step.keeping.output, "x0")]),
          Self.sum(Self.terms(of: step.next)),
        ])
    }
    return table.description
  }

  private static func terms(of form: LinearForm) -> [(Double, String)] {
    func named(_ factors: [Double], _ symbol: String) -> [(Double, String)] {
      factors.enumerated().map { ago, factor in (factor, ago == 0 ? symbol : "\(symbol)[-\(ago)]") }
    }
    // x⁺, what a step made before somebody replaced it; x where nobody did.
    return named(form.samples, "x") + [(form.made, "x⁺")] + named(form.estimates, "E") + [
      (form.predicted, "x0 unclipped"), (form.output, "F"), (form.noise, "z"),
    ]
  }

  private static func sum(_ terms: [(factor: Double, symbol: String)]) -> String {
    var text = ""
    for term in terms where term.factor != 0 {
      let magnitude = brief(abs(term.factor))
      let product = magnitude == "1" ? term.symbol : "\(magnitude) \(term.symbol)"
      let sign = text.isEmpty ? (term.factor < 0 ? "-" : "") : (term.factor < 0 ? " - " : " + ")
      text += sign + product
    }
    return text.isEmpty ? "0" : text
  }
}
