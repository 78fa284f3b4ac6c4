import Schedulers
import SchedulersCHeader
import SchedulersInterop
import SchedulersJSON
import SchedulersTraces

/// What `schedulers_plan_create` is asked for.
struct PlanRequest {
  /// The plan and what it was made from.
  let document: PlanDocument
  /// Whether the library whose configuration it was draws noise at every step.
  let drawsAlways: Bool

  /// What a request asks for.
  ///
  /// - Throws: what says why there is no such plan.
  init(_ json: String) throws {
    var request = try Request(json)
    if request.has("format") {
      document = try JSONText.decode(PlanDocument.self, from: Array(json.utf8), allowsNonFinite: true)
      drawsAlways = false
      return
    }
    let ways = ["configuration", "preset", "sampler"].filter(request.has)
    guard ways.count == 1 else {
      throw Refusal.request(
        "the request has \(ways.isEmpty ? "none" : ways.joined(separator: " and ")) of the keys configuration, preset "
          + "and sampler, or a plan's format; give one of them")
    }
    guard ways[0] != "sampler" else {
      (document, drawsAlways) = (try Self.sampled(&request), false)
      return
    }
    let run = try ways[0] == "preset" ? Self.preset(&request) : Self.configured(&request)
    document = try run.document()
    if case .diffusers(let configuration, let arguments) = run.source {
      drawsAlways = try configuration.drawsAlways(steps: run.asked, with: arguments)
    } else {
      drawsAlways = false
    }
  }

  private static let steps = 1...100_000

  private static func fidelity(_ request: inout Request) throws(Refusal) -> Fidelity {
    try request.choice(
      "fidelity", of: "fidelity", among: Fidelity.allCases.map(\.rawValue), Fidelity.init(rawValue:)) ?? .corrected
  }

  private static func configured(_ request: inout Request) throws -> ConfiguredRun {
    guard let configuration = request.value("configuration"), case .object = configuration else {
      throw Refusal(SCHEDULERS_JSON, "\"configuration\" of the request must be an object, a scheduler_config.json")
    }
    let (arguments, steps) = (request.value("arguments"), try request.whole("steps", in: steps))
    let fidelity = try fidelity(&request)
    let processors = ["amd": TorchArithmetic(isOnAMD: true), "other": TorchArithmetic()]
    let torch = try request.choice("processor", of: "processor", among: processors.keys.sorted()) { processors[$0] }
    try request.finish()
    let source = try TraceSource(configuration: configuration.json, stepArguments: arguments?.json)
    return try ConfiguredRun(source, steps: steps, fidelity: fidelity, in: torch)
  }

  private static func preset(_ request: inout Request) throws -> ConfiguredRun {
    guard
      let preset = try request.choice(
        "preset", of: "preset", among: ModelPreset.all.map(\.name), ModelPreset.named)
    else { throw Refusal.request("\"preset\" of the request is null; name one") }
    let (arguments, asked) = (request.value("arguments"), try request.whole("steps", in: steps))
    let tokens = try request.whole("tokens", in: 1...1 << 40)
    let fidelity = try fidelity(&request)
    try request.finish()
    guard tokens == nil || arguments == nil else {
      throw Refusal.request("\"tokens\" and \"arguments\" of the request both say what the pipeline gives; drop one")
    }
    let given = try arguments.map {
      try TraceSource(configuration: preset.configuration.json, stepArguments: $0.json)
    }
    let run = preset.run(steps: asked, tokens: tokens, following: given)
    return try ConfiguredRun(run.source, steps: run.steps, fidelity: fidelity)
  }

  private static func sampled(_ request: inout Request) throws -> PlanDocument {
    let grid = try GridRequest(&request)
    guard let called = try request.text("sampler") else {
      throw Refusal.request("\"sampler\" of the request is null; name one")
    }
    let entry = try SamplerCatalog.entry(named: called, on: grid.spacing)
    let (schedule, name) = try ScheduleRequest.ofSampler(&request, hasSchedule: !grid.spacing.hasOwnProcess)
    let prediction =
      try request.choice("prediction", of: "prediction", among: Prediction.ofOneLevel.map(\.rawValue)) { name in
        Prediction.ofOneLevel.first { $0.rawValue == name }
      } ?? grid.spacing.usualPrediction
    let clipping =
      try request.choice("clipping", of: "clipping", among: Clipping.named.map(\.name)) { name in
        Clipping.named.first { $0.name == name }?.clipping
      } ?? .none
    let sampler = try sampler(of: entry, eta: request.number("eta", in: 0...1))
    let learnsVariance = try request.boolean("learnsVariance") ?? false
    let strength = try request.number("strength", in: 0...1)
    let calls = try request.whole("steps", in: 1...schedule.timesteps)
    try request.finish()
    guard calls == nil || grid.sigmas == nil else {
      throw Refusal.request("\"sigmas\" of the request say how many steps there are; drop \"steps\"")
    }
    let steps = entry.steps(evaluations: calls ?? min(25, schedule.timesteps))
    var points = try grid.points(schedule, steps: steps)
    if let strength { points = try points.starting(strength: strength) }
    let plan = try sampler.plan(
      over: points, predicting: prediction, clipping: clipping, learnsVariance: learnsVariance)
    var made: [String: Request.Value] = [
      "sampler": .string(entry.name), "prediction": .string(prediction.rawValue),
      "spacing": .string(grid.spacing.name), "steps": .integer(plan.steps.count),
    ]
    if let name { made["schedule"] = .string(name) }
    return PlanDocument(plan, provenance: made)
  }

  private static func sampler(of entry: SamplerCatalog.Entry, eta: Double?) throws(Refusal) -> any Sampler {
    guard let eta else { return entry.sampler }
    if let sampler = entry.sampler(eta: eta) { return sampler }
    let able = SamplerCatalog.withEta.map(\.name).joined(separator: " or ")
    throw .request("eta \(eta) cannot be set for \(entry.name); drop it, or choose \(able)")
  }
}
