import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// What diffusers' `set_timesteps` takes and what it refuses, class by class.
@Suite struct PipelineArgumentsTests {
  struct Row: Decodable, CustomTestStringConvertible, Sendable {
    let name: String
    let schedulerClass: String
    let config: [String: DiffusersConfiguration.Value]
    let arguments: [String: DiffusersConfiguration.Value]
    let error: Failure?
    let timesteps: [Double]?
    let run: [String: DiffusersConfiguration.Value]?
    var testDescription: String { name }

    /// What diffusers raises, or the NaN that comes of it.
    var failure: String? { error?.type ?? (run?["nan"] == nil ? nil : "no error, and makes NaN") }

    struct Failure: Decodable { let type: String }
    enum CodingKeys: String, CodingKey {
      case name, config, arguments, error, timesteps, run
      case schedulerClass = "class"
    }

    /// The timesteps of this library under `.diffusers`.
    func made() throws -> [Double] {
      var given = arguments
      var steps: Int?
      if case .integer(let count)? = given.removeValue(forKey: "num_inference_steps") { steps = count }
      given.merge((run ?? [:]).filter { $0.key != "step" && $0.key != "nan" }) { $1 }
      let text = Data(DiffusersConfiguration.Value.object(given).json.utf8)
      let arguments = try JSONDecoder().decode(RunArguments.self, from: text)
      let configuration = try DiffusersConfiguration(schedulerClass, config)
      _ = try configuration.plan(steps: steps, fidelity: .diffusers, with: arguments)
      return try configuration.timesteps(steps: steps, fidelity: .diffusers, with: arguments)
    }
  }

  private static let all: [Row] = {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return (try? decoder.decode([Row].self, from: Fixtures.data("pipeline-refusals.json"))) ?? []
  }()

  @Test func `rows are there`() { #expect(Self.all.count > 400) }

  /// Taken here though diffusers raises: a number of steps that the given times make, and
  /// `set_begin_index` of classes that have no such method, which changes nothing.
  private static func isHarmless(_ row: Row) -> Bool {
    guard case .integer(let steps)? = row.arguments["num_inference_steps"] else { return false }
    if case .list(let times)? = row.arguments["timesteps"], times.count == steps { return true }
    return row.run?["begin_index"] == true && row.error?.type == "AttributeError"
  }

  /// Refused here though diffusers takes it, each with the words that say why: no steps, or more
  /// than the network has timesteps; times that it was not trained at, that are cut to whole ones,
  /// or stand still; a start within a step; a strength that leaves nothing; times of which only
  /// their number counts.
  private static let reasons = [
    "the number of steps must be in", "it must be in", "it must be a whole number",
    "it must be below the one before it",
    "the first timestep occurs twice", "a step begins with every second call", "give one for each step", "they make ",
    "leave them out; use_flow_sigmas chooses the times", "timestep_spacing \"middle\"", "there must be at most",
    "it leaves none of", "has a coefficient that is not finite", "diffusers divides by the sigma",
  ]

  @Test(arguments: all) func `what diffusers refuses is refused, and what it takes is taken`(row: Row) throws {
    switch Result(catching: { try row.made() }) {
    case .success(let timesteps):
      #expect(row.failure == nil || Self.isHarmless(row), "taken, where diffusers raises \(row.failure!)")
      guard row.failure == nil, let recorded = row.timesteps else { return }
      let isClose = zip(recorded, timesteps).allSatisfy { abs($0 - $1) <= 2e-2 }
      #expect(recorded.count == timesteps.count && isClose, "\(timesteps), recorded \(recorded)")
    case .failure(let error):
      let isSaid = Self.reasons.contains { "\(error)".contains($0) }
      #expect(row.failure != nil || isSaid, "refused: \(error)")
    }
  }
}
