import Schedulers
import SchedulersInterop
import SchedulersJSON

/// What `schedulers_schedule_create` is asked for.
enum ScheduleRequest {
  private static let lengths = 1...100_000

  static func schedule(_ json: String) throws -> NoiseSchedule {
    var request = try Request(json)
    return try schedule(&request)
  }

  private static func schedule(_ request: inout Request) throws -> NoiseSchedule {
    let ways = ["schedule", "betas", "alphaBars", "configuration"].filter(request.has)
    guard ways.count == 1 else {
      throw Refusal.request(
        "the request has \(ways.isEmpty ? "none" : ways.joined(separator: " and ")) of the keys schedule, betas, "
          + "alphaBars and configuration; give one of them")
    }
    if ways[0] == "configuration" {
      let configuration = request.value("configuration") ?? .null
      let fidelity = try request.choice(
        "fidelity", of: "fidelity", among: Fidelity.allCases.map(\.rawValue), Fidelity.init(rawValue:))
      try request.finish()
      return try JSONText.decode(
        DiffusersConfiguration.self, from: Array(configuration.json.utf8), allowsNonFinite: true
      ).schedule(fidelity: fidelity ?? .corrected)
    }
    if ways[0] == "schedule" {
      let schedule = try named(&request)
      try request.finish()
      return schedule
    }
    let numbers = try request.numbers(ways[0], atMost: lengths.upperBound) ?? []
    let isZero = try request.boolean("zeroTerminalSNR") ?? false
    try request.finish()
    let schedule = try ways[0] == "betas" ? NoiseSchedule(betas: numbers) : NoiseSchedule(alphaBars: numbers)
    return isZero ? try schedule.rescaledToZeroTerminalSNR() : schedule
  }

  /// The schedule under the key of a sampler's request, a name or a request of its own, and its
  /// name; linear if there is none, without a name if the process has no schedule.
  static func ofSampler(_ request: inout Request, hasSchedule: Bool) throws -> (NoiseSchedule, name: String?) {
    if !hasSchedule, let key = ["schedule", "timesteps", "zeroTerminalSNR"].first(where: request.has) {
      throw Refusal.request("the spacing has a process of its own and no schedule; drop \"\(key)\"")
    }
    if case .object(let values)? = request.peek("schedule") {
      _ = request.value("schedule")
      var inner = Request(values)
      return (try schedule(&inner), nil)
    }
    let name = request.peek("schedule").flatMap { if case .string(let name) = $0 { name } else { nil } } ?? "linear"
    return (try named(&request), hasSchedule ? name : nil)
  }

  private static func named(_ request: inout Request) throws -> NoiseSchedule {
    let formula =
      try request.choice("schedule", of: "schedule", among: BetaSchedule.all.map(\.name)) { name in
        BetaSchedule.all.first { $0.name == name }
      } ?? .linear()
    let schedule = try NoiseSchedule(formula, timesteps: request.whole("timesteps", in: lengths) ?? 1000)
    return try request.boolean("zeroTerminalSNR") == true ? schedule.rescaledToZeroTerminalSNR() : schedule
  }
}
