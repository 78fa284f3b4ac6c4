import Foundation
import Schedulers
import SchedulersInterop
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct `Printed numbers` {
  let tool: Tool

  init() throws { tool = try Tool() }

  @Test(arguments: SamplerCatalog.all.map(\.name))
  func `of a plan in JSON are the plan itself`(_ name: String) throws {
    let outcome = try tool.run("plan", "--sampler", name, "--steps", "9", "--format", "json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let plan = try JSONDecoder().decode(SamplingPlan.self, from: outcome.output)
    let entry = try #require(SamplerCatalog[name])
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: entry.steps(evaluations: 9))
    #expect(plan == (try entry.sampler.plan(over: grid, predicting: .epsilon)))
    // Steps of three calls do not make nine.
    #expect(plan.steps.count == entry.evaluations(steps: entry.steps(evaluations: 9)) && plan.steps.count > 6)
  }

  @Test func `of a plan for a distilled network are at timesteps of its distillation`() throws {
    let outcome = try tool.run("plan", "--sampler", "lcm", "--spacing", "distilled", "--steps", "4", "--format", "json")
    let plan = try JSONDecoder().decode(SamplingPlan.self, from: outcome.output)
    #expect(plan.steps.map(\.query.timestep) == [999, 759, 499, 259])
    let more = try tool.run("plan", "--sampler", "lcm", "--spacing", "distilled", "--steps", "60")
    #expect(more.status != 0 && more.errors.contains("chooses among 50 timesteps, which are too few for 60 steps"))
  }

  /// Options, and the grid that they mean for four calls of a sampler with one call a step.
  private static var grids: [(options: [String], grid: SamplingGrid)] {
    get throws {
      let linear = try NoiseSchedule(.linear(), timesteps: 1000)
      let (least, most) = (linear.sigmas[0], linear.sigmas[999])
      let karras = SigmaSpacing.karras(rho: 5)
      return [
        (["--spacing", "flow"], try SamplingGrid(flow: FlowSpacing(), steps: 4)),
        (["--spacing", "flow", "--shift", "3"], try SamplingGrid(flow: FlowSpacing(shift: .fixed(3)), steps: 4)),
        (["--spacing", "flow", "--mu", "-0.5"], try SamplingGrid(flow: .flux, steps: 4, mu: -0.5)),
        // 40 × 25 tokens.
        (
          ["--spacing", "flow", "--image-size", "640x400", "--shift-terminal", "0.1"],
          try SamplingGrid(
            flow: FlowSpacing(shift: .dynamic(.flux), terminal: 0.1), steps: 4, mu: 0.5 + 0.65 * (1000 - 256) / 3840)
        ),
        (
          ["--spacing", "flow", "--shift", "2", "--sigmas", "1,0.5"],
          try SamplingGrid(flow: FlowSpacing(shift: .fixed(2)), times: [1, 0.5])
        ),
        (["--spacing", "edm"], try SamplingGrid(edm: EDMPreconditioning(), steps: 4)),
        (
          ["--spacing", "edm", "--sigma-min", "0.1", "--sigma-max", "10", "--rho", "5"],
          try SamplingGrid(edm: EDMPreconditioning(), steps: 4, spacing: karras, range: 0.1...10)
        ),
        (
          ["--spacing", "edm", "--sigmas", "9,2,0.25"],
          try SamplingGrid(edm: EDMPreconditioning(), sigmas: [9, 2, 0.25])
        ),
        (["--sigmas", "14.5,1e-1"], try SamplingGrid(linear, sigmas: [14.5, 0.1])),
        (["--spacing", "karras"], try SamplingGrid(linear, steps: 4, spacing: .karras())),
        (
          ["--spacing", "karras", "--rho", "5", "--sigma-min", "0.25"],
          try SamplingGrid(linear, steps: 4, spacing: karras, range: 0.25...most)
        ),
        (
          ["--spacing", "polyexponential", "--rho", "2", "--sigma-max", "8"],
          try SamplingGrid(linear, steps: 4, spacing: .polyexponential(rho: 2), range: least...8)
        ),
        (["--spacing", "beta"], try SamplingGrid(linear, steps: 4, spacing: TimestepSpacing.beta())),
        (["--spacing", "linspace+1"], try SamplingGrid(linear, steps: 4, spacing: .oneMore(.linspace))),
        (
          ["--spacing", "leading+1", "--offset", "1"],
          try SamplingGrid(linear, steps: 4, spacing: .oneMore(.leading(offset: 1)))
        ),
        (["--spacing", "sgm-uniform"], try SamplingGrid(linear, steps: 4, spacing: .sgmUniform)),
        (["--spacing", "ays"], try SamplingGrid(linear, steps: 4, alignedFor: .stableDiffusion)),
        (["--spacing", "ays-xl"], try SamplingGrid(linear, steps: 4, alignedFor: .stableDiffusionXL)),
        (["--spacing", "ays-video"], try SamplingGrid(linear, steps: 4, alignedFor: .stableVideoDiffusion)),
        (["--spacing", "ays-xl-32"], try SamplingGrid(linear, steps: 4, alignedFor: .stableDiffusionXL32)),
        (["--spacing", "simple"], try SamplingGrid(linear, steps: 4, spacing: .simple)),
        (["--spacing", "comfyui:karras"], try SamplingGrid(linear, steps: 4, spacing: .karras())),
        (["--spacing", "ddim-uniform"], try SamplingGrid(linear, steps: 4, spacing: .ddimUniform)),
        (["--spacing", "normal"], try SamplingGrid(linear, steps: 4, spacing: .normal)),
        (
          ["--spacing", "sgm-uniform-fractional"], try SamplingGrid(linear, steps: 4, spacing: .fractionalSGMUniform)
        ),
        (
          ["--spacing", "kl-optimal", "--sigma-max", "8"],
          try SamplingGrid(linear, steps: 4, spacing: .klOptimal, range: least...8)
        ),
        (["--spacing", "laplace"], try SamplingGrid(linear, steps: 4, spacing: .laplace())),
        (["--spacing", "gits"], try SamplingGrid(linear, gitsSteps: 4)),
        (["--schedule", "laplace"], try SamplingGrid(NoiseSchedule(.laplace(), timesteps: 1000), steps: 4)),
        (["--schedule", "exponential"], try SamplingGrid(NoiseSchedule(.exponential(), timesteps: 1000), steps: 4)),
        (
          ["--spacing", "flow-linear-quadratic", "--shift", "3"],
          try SamplingGrid(flow: FlowSpacing(times: .linearQuadratic(), shift: .fixed(3)), steps: 4)
        ),
        (["--spacing", "optimal-wan"], try SamplingGrid(optimalStepsFor: .wan, steps: 4)),
      ]
    }
  }

  @Test func `of a plan are on the grid that the options mean`() throws {
    for (options, grid) in try Self.grids {
      let steps = options.contains("--sigmas") ? [] : ["--steps", "4"]
      let outcome = try tool.run(["plan", "--sampler", "euler", "--format", "json"] + steps + options)
      #expect(outcome.status == 0, "\(options): \(outcome.errors)")
      let plan = try JSONDecoder().decode(SamplingPlan.self, from: outcome.output)
      let isFlow = options[1].hasPrefix("flow") || options[1].hasPrefix("optimal")
      let prediction = isFlow ? Prediction.flow : .epsilon
      #expect(plan == (try Euler().plan(over: grid, predicting: prediction)), "\(options)")
    }
  }

  @Test(arguments: [
    ("comfyui:dpmpp_2m_sde", "trailing", DPMSolverPlusPlus(eta: 1) as any Sampler),
    ("comfyui:euler_ancestral", "trailing", EulerAncestral()), ("comfyui:euler_ancestral", "flow", EulerAncestralRF()),
    ("sd.cpp:res_2s", "flow", SEEDS(.res2, eta: 0)),
  ]) func `of a plan may have the name of another program, which may mean another sampler on rectified flow`(
    name: String, spacing: String, sampler: any Sampler
  ) throws {
    func plan(_ grid: SamplingGrid, _ prediction: Prediction) throws -> SamplingPlan {
      try sampler.plan(over: grid, predicting: prediction)
    }
    let outcome = try tool.run(["plan", "--sampler", name, "--spacing", spacing, "--steps", "7", "--format", "json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let made = try JSONDecoder().decode(SamplingPlan.self, from: outcome.output)
    let steps = sampler is SEEDS ? 4 : 7
    let expected =
      spacing == "flow"
      ? try plan(SamplingGrid(flow: FlowSpacing(), steps: steps), .flow)
      : try plan(SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: steps, spacing: .trailing), .epsilon)
    #expect(made == expected)
  }

  @Test(arguments: [[], ["--spacing", "edm"], ["--spacing", "flow"]])
  func `of a plan over given sigmas are the same with a last 0 for the end`(_ options: [String]) throws {
    let plan = ["plan", "--sampler", "dpm++2m", "--format", "json"] + options
    let outcome = try tool.run(plan + ["--sigmas", "0.9,0.4,0.152,0"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    func read(_ output: Data) throws -> SamplingPlan { try JSONDecoder().decode(SamplingPlan.self, from: output) }
    #expect(try read(outcome.output) == read(tool.run(plan + ["--sigmas", "0.9,0.4,0.152"]).output))
  }

  /// Lee et al. lay the distribution over the timesteps, https://arxiv.org/abs/2407.12173; the
  /// numbers are those of SciPy's `beta.ppf`, rounded.
  @Test func `of a plan with beta spacing are equal shares of the distribution over timesteps`() throws {
    let options = ["--schedule", "scaled-linear", "--spacing", "beta", "--steps", "10", "--sampler", "euler"]
    let plan = try JSONDecoder().decode(
      SamplingPlan.self, from: tool.run(["plan", "--format", "json"] + options).output)
    #expect(plan.steps.map(\.query.timestep) == [999, 952, 854, 724, 576, 423, 275, 145, 47, 0])
  }

  @Test func `of a plan in text have one line for each call`() throws {
    let lines = try tool.run("plan", "--sampler", "ddpm", "--steps", "7", "--clip", "static").text.split(
      separator: "\n")
    #expect(lines.count == 8)
    #expect(lines[1].contains(" z"))
    #expect(!lines[7].contains(" z"))
  }

  @Test func `of all tables in CSV read back as the tables`() throws {
    let outcome = try tool.run(
      "table", "--timesteps", "50", "--schedule", "cosine", "--zero-terminal-snr", "--format", "csv")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let rows = outcome.text.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
    #expect(rows[0] == ["t"] + NoiseSchedule.tables.map(\.name))
    let schedule = try NoiseSchedule(.cosine(), timesteps: 50).rescaledToZeroTerminalSNR()
    for (column, table) in NoiseSchedule.tables.enumerated() {
      #expect(rows.dropFirst().map { Double($0[column + 1]) } == table.values(schedule), "\(table.name)")
    }
  }

  @Test func `of tables in JSON hold infinities as strings`() throws {
    let outcome = try tool.run(
      "table", "--timesteps", "3", "--zero-terminal-snr", "--table", "logSNR,sigmas", "--format", "json")
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let tables = try decoder.decode([String: [Double]].self, from: outcome.output)
    let schedule = try NoiseSchedule(.linear(), timesteps: 3).rescaledToZeroTerminalSNR()
    #expect(tables == ["logSNR": schedule.logSNR, "sigmas": schedule.sigmas])
    #expect(outcome.text.contains("\"-inf\"") && outcome.text.contains("\"inf\""))
  }

  /// A file of the repository.
  private func text(_ path: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  @Test func `of the list name every sampler`() throws {
    let lines = try tool.run("list").text.split(separator: "\n")
    #expect(lines.dropFirst().map { $0.split(separator: " ")[0] } == SamplerCatalog.all.map { $0.name[...] })
  }

  @Test func `of the list of deviations name each, and are the document as markdown`() throws {
    let lines = try tool.run("list", "deviations").text.split(separator: "\n")
    #expect(lines.dropFirst().map { $0.split(separator: " ")[0] } == Deviation.all.map { $0.name[...] })
    let made = try tool.run("list", "deviations", "--format", "markdown").text
    #expect(
      try text("Docs/Deviations.md") == made,
      "run `SCHEDULERS_TOOL=1 swift run scheduler list deviations --format markdown > Docs/Deviations.md`")
    for deviation in Deviation.all { #expect(made.contains("## `\(deviation.name)`")) }
  }

  @Test func `of the error chart put DPM-Solver++ 2M nearer to the solution than DDIM at 12 calls`() throws {
    let outcome = try tool.run("plot", "error", "--sampler", "ddim,dpm++2m", "--format", "csv")
    #expect(outcome.status == 0, "\(outcome.errors)")
    func error(of name: String) throws -> Double {
      let line = try #require(outcome.text.split(separator: "\n").first { $0.hasPrefix("\(name),12.0,") })
      return try #require(Double(line.split(separator: ",")[2]))
    }
    #expect(try error(of: "DPM-Solver++ 2M") < error(of: "DDIM"))
  }

  @Test func `of the error chart are those of six samplers, each number of calls once`() throws {
    let rows = try tool.run("plot", "error", "--format", "csv").text.split(separator: "\n").dropFirst()
    let places = rows.map { $0.prefix(upTo: $0.lastIndex(of: ",") ?? $0.startIndex) }
    #expect(Set(places).count == places.count)
    // A title may have a comma, and quotation marks then.
    #expect(Set(places.map { $0.prefix(upTo: $0.lastIndex(of: ",") ?? $0.startIndex) }).count == 6)
    let all = try tool.run("plot", "error", "--format", "csv", "--sampler", "all", "--timesteps", "5")
    let entries = SamplerCatalog.all.filter { !$0.isStochastic && !$0.isInversion }
    #expect(all.status == 0 && all.text.split(separator: "\n").count == 1 + entries.count, "\(all.errors)")
  }

  @Test(arguments: [
    ["--spacing", "flow", "--timesteps", "8"], ["--spacing", "flow", "--timesteps", "8", "--sampler", "all"],
    ["--spacing", "edm", "--timesteps", "8"], ["--spacing", "distilled", "--timesteps", "50"],
    ["--zero-terminal-snr", "--prediction", "v", "--timesteps", "8"], ["--spacing", "karras", "--timesteps", "8"],
    ["--zero-terminal-snr", "--prediction", "v", "--timesteps", "8", "--sampler", "all"],
  ])
  func `of the error chart are there on every process and grid`(_ options: [String]) throws {
    let outcome = try tool.run(["plot", "error", "--format", "csv"] + options)
    #expect(outcome.status == 0 && !outcome.text.contains("nan"), "\(outcome.errors)")
    #expect(outcome.text.split(separator: "\n").count > 10)
  }

  @Test func `of the likelihood add up to its total, in every format, with a chart beside`() throws {
    let options = ["likelihood", "--timesteps", "60", "--respacing", "20,5", "--schedule", "cosine", "--count", "3"]
    let csv = try tool.run(options + ["--format", "csv", "--output", "bits.svg"])
    #expect(csv.status == 0, "\(csv.errors)")
    let rows = csv.text.split(separator: "\n").dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
    #expect(rows.count == 25 && rows.first?[0] == 59 && rows.last?[0] == 0)
    let root = try XMLDocument(data: tool.data("bits.svg")).rootElement()
    #expect(root?.name == "svg")
    let title =
      "3 digits under the dataset model, predicting epsilon; cosine schedule, 60 timesteps respaced to 20,5; exact "
      + "decoder, seed 0"
    #expect(root?.elements(forName: "text").contains { $0.stringValue == title } == true)
    struct Report: Decodable { let prior: Double, totals: [Double] }
    let report = try JSONDecoder().decode(Report.self, from: tool.run(options + ["--format", "json"]).output)
    for k in 0..<2 {
      let sum = rows.reduce(report.prior) { $0 + $1[1 + k] }
      #expect(abs(sum - report.totals[k]) <= 1e-12 * sum)
    }
    let text = try tool.run(options).text
    #expect(text.hasPrefix("3 digits, 25 timesteps\n") && text.contains(String(format: "%.4f", report.totals[0])))
  }

  @Test func `the page of the samplers and the table of the article are what the catalog says`() throws {
    let made = try tool.run("list", "samplers", "--format", "markdown").text
    #expect(
      try text("Docs/Samplers.md") == made,
      "run `SCHEDULERS_TOOL=1 swift run scheduler list samplers --format markdown > Docs/Samplers.md`")
    let names = try tool.run("list", "names", "--format", "markdown").text
    #expect(
      try text("Docs/Names.md") == names,
      "run `SCHEDULERS_TOOL=1 swift run scheduler list names --format markdown > Docs/Names.md`")
    let table = try tool.run("list", "samplers", "--format", "docc").text
    #expect(
      try text("Sources/Schedulers/Schedulers.docc/ChoosingASampler.md").contains("\n\n" + table + "\n"),
      "put there what `SCHEDULERS_TOOL=1 swift run scheduler list samplers --format docc` prints")
  }
}
