import Schedulers

/// A plan and what it was made from, as a file of the format `scheduler-plan/1` holds the two.
///
/// Provenance is for people, and no part of a plan: plans with the same numbers make the same
/// samples wherever they come from, and so they are equal and have one hash.
///
/// ```swift
/// let document = PlanDocument(
///   plan, provenance: ["sampler": "dpm++2m", "steps": 25])
/// let file = try JSONEncoder().encode(document)
/// ```
public struct PlanDocument: Hashable, Sendable {
  public let plan: SamplingPlan
  /// What it was made from, by names of the writer's choice; `nil` if the file does not say.
  public let provenance: [String: DiffusersConfiguration.Value]?

  public init(_ plan: SamplingPlan, provenance: [String: DiffusersConfiguration.Value]? = nil) {
    (self.plan, self.provenance) = (plan, provenance)
  }
}

extension PlanDocument: Codable {
  private enum CodingKeys: CodingKey { case provenance }

  public func encode(to encoder: any Encoder) throws {
    try plan.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(provenance, forKey: .provenance)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try SamplingPlan(from: decoder),
      provenance: try container.decodeIfPresent([String: DiffusersConfiguration.Value].self, forKey: .provenance))
  }
}
