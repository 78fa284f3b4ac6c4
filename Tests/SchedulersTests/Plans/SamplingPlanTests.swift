import Foundation
import Testing

@testable import Schedulers

@Suite struct SamplingPlanTests {
  private let schedule = try! NoiseSchedule(.cosine(), timesteps: 50)

  @Test(arguments: SamplerCatalog.all, Spacing.allCases)
  func `every number of steps gives a finite plan with the calls of its entry`(
    entry: SamplerCatalog.Entry, spacing: Spacing
  ) throws {
    for steps in 1...50 {
      let grid = try spacing.grid(schedule, steps: steps)
      for prediction in [Prediction.epsilon, .x0, .v, .flow] {
        let plan = try entry.sampler.plan(over: grid, predicting: prediction)
        #expect(plan.steps.count == entry.evaluations(steps: steps))
        // What goes by time may draw nothing on the way to timestep 0.
        let mayDraw = entry.isStochastic && steps > 1
        let mustDraw = mayDraw && (!entry.readsTimesteps || grid.points[1].timestep > 0)
        #expect(plan.isStochastic ? mayDraw : !mustDraw)
        #expect(plan.steps.last?.arrival == (entry.isInversion ? grid.points[0].level : .clean))
        let numbers = plan.steps.flatMap { step in
          [step.denoising.sample, step.denoising.output, step.keeping.sample, step.keeping.output, step.next.noise]
            + step.next.samples + step.next.estimates
        }
        #expect(numbers.allSatisfy { $0.isFinite })
      }
    }
  }

  @Test(arguments: SamplerCatalog.all) func `a plan survives being saved`(entry: SamplerCatalog.Entry) throws {
    let grid = try SamplingGrid(schedule, steps: 7, spacing: TimestepSpacing.linspace)
    let plan = try entry.sampler.plan(over: grid, predicting: .v, clipping: .range(-1...1))
    #expect(try JSONDecoder().decode(SamplingPlan.self, from: JSONEncoder().encode(plan)) == plan)
    #expect(try JSONDecoder().decode(SamplingGrid.self, from: JSONEncoder().encode(grid)) == grid)
  }

  @Test func `a plan edited by hand into nonsense is an error, not a trap`() throws {
    let grid = try SamplingGrid(schedule, steps: 3, spacing: TimestepSpacing.linspace)
    let plan = try DPMSolverPlusPlus().plan(over: grid, predicting: .x0)
    let text = String(decoding: try JSONEncoder().encode(plan), as: UTF8.self)
    let start = try #require(text.range(of: "\"estimates\":["))
    let reaching = text.replacingCharacters(in: start, with: "\"estimates\":[1,1,1,1,1,1,")
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(SamplingPlan.self, from: Data(reaching.utf8)) }
    let level = text.replacingOccurrences(of: "\"noise\":0,\"signal\":1", with: "\"noise\":-1,\"signal\":1")
      .replacingOccurrences(of: "\"signal\":1,\"noise\":0", with: "\"signal\":1,\"noise\":-1")
    #expect(level != text)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(SamplingPlan.self, from: Data(level.utf8)) }
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(SamplingGrid.self, from: Data(#"{"points":[]}"#.utf8))
    }
  }

  @Test func `a saved plan has the keys of its format, and what has no number is null`() throws {
    // A start without signal, from which DDIM's step is x' = 0.8·x + 0.6·x̂0.
    let grid = try SamplingGrid(points: [
      .init(timestep: 9, level: NoiseLevel(signal: 0, noise: 1)),
      .init(timestep: 4, level: NoiseLevel(signal: 0.6, noise: 0.8)), .clean,
    ])
    let plan = try DDIM().plan(over: grid, predicting: .x0, clipping: .range(-2...1))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let step = { (timesteps: String, from: String, derived: String, arrival: String, next: String, folded: String) in
      #"{"arrival":{\#(arrival)},"denoised":{"output":1,"sample":0},"estimate":{"denoised":1,"sample":0},"#
        + #""explodingScale":\#(derived),"folded":{\#(folded)},"inputScale":1,"level":{\#(from)},"next":{"denoised":0,"#
        + #"\#(next)},\#(timesteps),"variance":null}"#
    }
    let middle = #""noise":0.8,"signal":0.6"#
    let text =
      #"{"clipping":{"kind":"range","lower":-2,"upper":1},"format":"scheduler-plan/1","initialScale":1,"#
      + #""learnsVariance":false,"library":"\#(SchedulersLibrary.version)","start":{"noise":1,"signal":0},"steps":["#
      + step(
        #""nextTimestep":4,"sigma":null,"timestep":9"#, #""noise":1,"signal":0"#, "null", middle,
        #""estimates":[0.6],"made":0,"noise":0,"output":0,"samples":[0.8]"#, #""output":0.6,"sample":0.8"#)
      + ","
      + step(
        #""nextTimestep":null,"sigma":\#(0.8 / 0.6),"timestep":4"#, middle, "\(1 / 0.6)", #""noise":0,"signal":1"#,
        #""estimates":[1],"made":0,"noise":0,"output":0,"samples":[]"#, #""output":1,"sample":0"#) + "]}"
    let saved = String(decoding: try encoder.encode(plan), as: UTF8.self)
    #expect(saved == text)
    #expect(try JSONDecoder().decode(SamplingPlan.self, from: Data(text.utf8)) == plan)
  }

  @Test(arguments: [
    (#""kind":"none""#, #""kind":"soft""#, #""soft" is unknown; known are none, range, dynamic"#),
    (#""kind":"none""#, #""kind":"range","lower":1,"upper":-1"#, "1.0 must be at most the upper bound, -1.0"),
    (#""kind":"none""#, #""kind":"dynamic","ratio":0,"maximum":1"#, "ratio 0 of dynamic clipping must be in (0, 1]"),
    (#""variance":null"#, #""variance":{"kind":"guess"}"#, #""guess" is unknown; known are fixed, learned, output"#),
    (#""inputScale":1"#, #""inputScale":0"#, "inputScale 0.0: both must be finite"),
    (#""estimates":[1]"#, #""estimates":[1,2,3,4]"#, "step 1 needs a sample or an estimate from before the start"),
    (#""estimates":[1]"#, #""estimates":[null]"#, "found null"),
    (#""estimates":[1]"#, #""estimates":["1"]"#, "found a string"),
    (#""estimates":[1]"#, #""estimates":[1e999]"#, "not valid JSON"), (#""made":0,"#, "", "made"),
  ])
  func `a saved plan that is no plan is an error that says why`(part: String, other: String, says: String) throws {
    let grid = try SamplingGrid(points: [
      .init(timestep: 9, level: NoiseLevel(signal: 0, noise: 1)),
      .init(timestep: 4, level: NoiseLevel(signal: 0.6, noise: 0.8)), .clean,
    ])
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(DDIM().plan(over: grid, predicting: .x0)), as: UTF8.self)
    let damaged = text.replacingOccurrences(of: part, with: other)
    #expect(damaged != text)
    let error = try #require(throws: DecodingError.self) {
      try JSONDecoder().decode(SamplingPlan.self, from: Data(damaged.utf8))
    }
    #expect("\(error)".contains(says), "\(error)")
  }

  @Test(arguments: [StepVariance.fixed(logarithm: -2.5), .learned(LogVariance(offset: -1, slope: 0.25)), .output])
  func `a variance survives being saved`(variance: StepVariance) throws {
    #expect(try JSONDecoder().decode(StepVariance.self, from: JSONEncoder().encode(variance)) == variance)
  }

  @Test(arguments: [Clipping.none, .range(-1...2), .dynamic(ratio: 0.9, maximum: 3)])
  func `a clipping survives being saved`(clipping: Clipping) throws {
    #expect(try JSONDecoder().decode(Clipping.self, from: JSONEncoder().encode(clipping)) == clipping)
  }

  @Test func `equal inputs give equal plans with equal hashes`() throws {
    let grid = try SamplingGrid(schedule, steps: 9, spacing: TimestepSpacing.trailing)
    let (a, b) = (try Heun().plan(over: grid, predicting: .v), try Heun().plan(over: grid, predicting: .v))
    #expect(a == b && a.hashValue == b.hashValue)
    #expect(try Heun().plan(over: grid, predicting: .epsilon) != a)
  }

  @Test(arguments: SamplerCatalog.denoising)
  func `epsilon prediction at zero terminal SNR is an error before the first call`(entry: SamplerCatalog.Entry) throws {
    let zero = try schedule.rescaledToZeroTerminalSNR()
    let grid = try SamplingGrid(zero, steps: 10, spacing: TimestepSpacing.trailing)
    let error = #expect(throws: PlanError.self) { try entry.sampler.plan(over: grid, predicting: .epsilon) }
    #expect(error == .singular("epsilon prediction", timestep: 49, sigma: .infinity))
    #expect("\(try #require(error))".contains("timestep 49"))
  }

  @Test(arguments: SamplerCatalog.denoising.filter { !$0.needsSignal }, [Prediction.v, .x0, .flow])
  func `what says something about the data can start at zero terminal SNR`(
    entry: SamplerCatalog.Entry, prediction: Prediction
  ) throws {
    let zero = try schedule.rescaledToZeroTerminalSNR()
    let grid = try SamplingGrid(zero, steps: 10, spacing: TimestepSpacing.trailing)
    // Where there is no middle of lambda, a step of several calls takes one.
    let plan = try entry.sampler.plan(over: grid, predicting: prediction)
    let missing = entry.evaluations(steps: 10) - plan.steps.count
    #expect(missing == 0 || entry.evaluations(steps: 10) == 9 * (missing + 1) + 1)
  }

  @Test(arguments: SamplerCatalog.denoising.filter(\.needsSignal))
  func `what extrapolates epsilon has no slope at infinite sigma, which is an error that says so`(
    entry: SamplerCatalog.Entry
  )
    throws
  {
    let zero = try schedule.rescaledToZeroTerminalSNR()
    let grid = try SamplingGrid(zero, steps: 10, spacing: TimestepSpacing.trailing)
    #expect(throws: PlanError.coefficient(step: 0, timestep: 49, sigma: .infinity)) {
      try entry.sampler.plan(over: grid, predicting: .v)
    }
  }

  @Test func `UniPC with bh1 has no correction after an infinite step, which is an error that says so`() throws {
    let zero = try schedule.rescaledToZeroTerminalSNR()
    let grid = try SamplingGrid(zero, steps: 10, spacing: TimestepSpacing.trailing)
    #expect(
      throws: PlanError.coefficient(step: 1, timestep: grid.points[1].timestep, sigma: grid.points[1].level.sigma)
    ) {
      try UniPC(step: .bh1).plan(over: grid, predicting: .v)
    }
    #expect(try UniPC(step: .bh1, corrects: false).plan(over: grid, predicting: .v).steps.count == 10)
  }

  @Test(arguments: [-0.1, 1.1, .nan, .infinity]) func `an eta outside its range is an error`(eta: Double) throws {
    let grid = try SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing)
    #expect(throws: PlanError.self) { try DDIM(eta: eta).plan(over: grid, predicting: .v) }
    #expect(throws: PlanError.self) { try EulerAncestral(eta: eta).plan(over: grid, predicting: .v) }
    #expect(throws: PlanError.self) { try KDPM2(eta: eta).plan(over: grid, predicting: .v) }
    #expect(throws: PlanError.self) { try DPMSolverPlusPlusSDE(eta: eta).plan(over: grid, predicting: .v) }
    #expect(throws: PlanError.self) { try TCD(eta: eta).plan(over: grid, predicting: .v) }
    #expect(throws: PlanError.self) { try DPMSolverPlusPlus(eta: eta).plan(over: grid, predicting: .v) }
  }

  @Test func `other options out of range are errors`() throws {
    let grid = try SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing)
    for order in [-1, 0, 5] {
      let samplers: [any Sampler] = [
        DPMSolverPlusPlus(order: order), DPMSolver(order: order), DPMSolverPlusPlus(order: order, eta: 1),
        DEIS(order: order),
        UniPC(order: order), DPMSolverSinglestep(order: order), SASolver(predictorOrder: order), LMS(order: order),
        IPNDM(order: order),
      ]
      for sampler in samplers { #expect(throws: PlanError.self) { try sampler.plan(over: grid, predicting: .v) } }
    }
    for order in [-2, 1, 5] {
      #expect(throws: PlanError.self) { try SASolver(correctorOrder: order).plan(over: grid, predicting: .v) }
    }
    for number in [0, -1, Double.nan, .infinity] {
      let samplers: [any Sampler] = [
        LCM(timestepScaling: number), LCM(sigmaData: number), ConsistencyModel(leastSigma: number == 0 ? -0.1 : number),
      ]
      for sampler in samplers { #expect(throws: PlanError.self) { try sampler.plan(over: grid, predicting: .v) } }
      for function in [
        ConsistencyFunction(sigmaData: number), ConsistencyFunction(leastSigma: number == 0 ? -0.1 : number),
      ] {
        #expect(throws: PlanError.self) { try ConsistencyModel().plan(over: grid, predicting: function) }
      }
    }
    for tau in [-0.1, .nan, .infinity] {
      #expect(throws: PlanError.self) { try SASolver(tau: tau).plan(over: grid, predicting: .v) }
    }
    #expect(throws: PlanError.option("order", 4, of: "DPMSolverPlusPlus", allowed: "1 ... 3")) {
      try DPMSolverPlusPlus(order: 4).plan(over: grid, predicting: .v)
    }
    for order in [0, 4] {
      #expect(throws: PlanError.self) { try DPMSolverPlusPlusInversion(order: order).plan(over: grid, predicting: .v) }
    }
    for sampler in [
      GradientEstimation(gamma: .nan), .init(gamma: .infinity), .init(mu: -0.1), .init(mu: 1), .init(mu: .nan),
    ] {
      #expect(throws: PlanError.self) { try sampler.plan(over: grid, predicting: .v) }
    }
    for value in [-1, .nan, .infinity] {
      #expect(throws: PlanError.self) { try Churn(Euler(), amount: value).plan(over: grid, predicting: .v) }
      #expect(throws: PlanError.self) { try Churn(Euler(), amount: 1, noise: value).plan(over: grid, predicting: .v) }
    }
    for clipping in [
      Clipping.dynamic(ratio: 0), .dynamic(ratio: 1.1), .dynamic(ratio: .nan), .dynamic(maximum: 0),
      .dynamic(maximum: -1), .dynamic(maximum: .infinity), .range(-Double.infinity...1), .range(-1 ... .infinity),
    ] {
      #expect(throws: PlanError.self) { try DDIM().plan(over: grid, predicting: .v, clipping: clipping) }
    }
  }

  @Test func `samplers that go by time refuse a time that is another one`() throws {
    let levels = [NoiseLevel(signal: 0.2, noise: 0.8), NoiseLevel(signal: 0.7, noise: 0.3)]
    func grid(_ timesteps: [Double]) throws -> SamplingGrid {
      try SamplingGrid(points: zip(timesteps, levels).map { .init(timestep: $0, level: $1) } + [.clean])
    }
    #expect(throws: PlanError.option("timestep", -0.5, of: "LCM", allowed: "[0, ∞)")) {
      try LCM().plan(over: grid([1, -0.5]), predicting: .v)
    }
    // Time that runs towards the data.
    for timesteps in [[200.0, 700], [-2, -1]] {
      #expect(throws: PlanError.self) { try TCD().plan(over: grid(timesteps), predicting: .v) }
    }
    #expect(try TCD(eta: 0).plan(over: grid([200, 700]), predicting: .v).steps.count == 2)
    #expect(try TCD().plan(over: grid([800, 300]), predicting: .v).steps.count == 2)
  }

  @Test func `previous prediction is the posterior's mean at the grid's next point`() throws {
    let grid = try SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing)
    let plan = try DDPM().plan(over: grid, predicting: .previous)
    // The network says the mean, so the sampler's mean must be the network's output itself: x has
    // no part in it.
    for step in plan.steps {
      let folded = step.folded
      #expect(abs(folded.sample) <= 16 * unit / max(step.next.estimates[0], 0.01))
      #expect(isClose(folded.output, 1, relative: 4 * unit))
    }
    // Heun asks at the last point too, which has no cleaner one after it.
    let open = try SamplingGrid(points: Array(grid.points.prefix(2)))
    #expect(throws: PlanError.self) { try Heun().plan(over: open, predicting: .previous) }
  }

  @Test func `the initial scale is the deviation at the start`() throws {
    let grid = try SamplingGrid(schedule, steps: 5, spacing: TimestepSpacing.trailing)
    #expect(isClose(try DDIM().plan(over: grid, predicting: .v).initialScale, 1, relative: 4 * unit))
    let exploding = try SamplingGrid(points: [
      .init(timestep: 9, level: NoiseLevel(signal: 1, noise: 10)), .init(timestep: -1, level: .clean),
    ])
    #expect(
      isClose(try Euler().plan(over: exploding, predicting: .x0).initialScale, 101.squareRoot(), relative: 2 * unit))
  }

  @Test func `a run keeps what later steps need and no more`() throws {
    let grid = try SamplingGrid(schedule, steps: 4, spacing: TimestepSpacing.trailing)
    func kept(_ sampler: some Sampler) throws -> [Int] {
      try sampler.plan(over: grid, predicting: .v).retention.map(\.estimates)
    }
    #expect(try kept(DDIM()) == [0, 0, 0, 0])
    #expect(try kept(Heun()) == [1, 0, 1, 0, 1, 0, 0])
    // The last step is of order 1.
    #expect(try kept(DPMSolverPlusPlus()) == [1, 1, 0, 0])
    #expect(try Heun().plan(over: grid, predicting: .v).retention.allSatisfy { $0.samples == 0 })
  }

  @Test func `a slice of the grid makes a plan that starts afresh`() throws {
    let grid = try SamplingGrid(schedule, steps: 10, spacing: TimestepSpacing.trailing)
    let whole = try DPMSolverPlusPlus().plan(over: grid, predicting: .v)
    let late = try DPMSolverPlusPlus().plan(over: grid.last(6), predicting: .v)
    #expect(late.steps.count == 6)
    #expect(late.steps[0].next.estimates.count == 1 && whole.steps[4].next.estimates.count == 2)
    #expect(late.steps[1...] == whole.steps[5...])
    #expect(try DDIM().plan(over: grid.last(0), predicting: .epsilon).steps.isEmpty)
  }

  @Test func `networks that were trained on scaled samples are asked with scaled samples`() throws {
    // The same points on the exploding path: x̄ = x/signal, which the network sees multiplied by
    // signal.
    let grid = try SamplingGrid(schedule, steps: 8, spacing: TimestepSpacing.leading(offset: 3))
    let exploding = try grid.exploding()
    let network = { (x: Real, query: SamplingPlan.Query) in Real(x.value.magnitude / (1 + query.timestep)) }
    for prediction in [Prediction.epsilon, .x0, .v, .flow] {
      for entry in SamplerCatalog.deterministic where !entry.followsPath {
        let a = try entry.sampler.plan(over: grid, predicting: prediction).sample(from: Real(0.7), model: network)
        let b = try entry.sampler.plan(over: exploding, predicting: prediction)
          .sample(from: Real(0.7 / grid.points[0].level.signal), model: network)
        #expect(isClose(a.value, b.value, relative: 1e-12), "\(entry.name) \(prediction)")
      }
    }
  }
}
