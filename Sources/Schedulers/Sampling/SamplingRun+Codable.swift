/// A run saved between two steps continues as it would have.
extension SamplingRun: Codable where Tensor: Codable {
  private enum CodingKeys: CodingKey { case format, plan, sample, made, evaluations, samples, estimates, denoised }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.format, forKey: .format)
    try container.encode(plan, forKey: .plan)
    try container.encode(sample, forKey: .sample)
    try container.encodeIfPresent(made, forKey: .made)
    try container.encode(evaluations, forKey: .evaluations)
    try container.encode(history.samples, forKey: .samples)
    try container.encode(history.estimates, forKey: .estimates)
    try container.encodeIfPresent(denoised, forKey: .denoised)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try container.check(.format, is: Self.format, of: "run")
    let plan = try container.decode(SamplingPlan.self, forKey: .plan)
    if let lack = Self.lack(for: plan) { throw container.error(.plan, lack) }
    let evaluations = try container.decode(Int.self, forKey: .evaluations)
    let history = History(
      samples: try container.decode([Tensor].self, forKey: .samples),
      estimates: try container.decode([Tensor].self, forKey: .estimates))
    guard (0...plan.steps.count).contains(evaluations) else {
      throw container.error(.evaluations, "\(evaluations) evaluations of a plan that has \(plan.steps.count)")
    }
    let kept = evaluations == 0 ? SamplingPlan.Retention() : plan.retention[evaluations - 1]
    guard history.samples.count == kept.samples, history.estimates.count == kept.estimates else {
      throw container.error(
        .estimates,
        "\(history.samples.count) samples and \(history.estimates.count) estimates, where the plan needs "
          + "\(kept.samples) and \(kept.estimates) after \(evaluations) evaluations")
    }
    let sample = try container.decode(Tensor.self, forKey: .sample)
    let made = try container.decodeIfPresent(Tensor.self, forKey: .made)
    let denoised = try container.decodeIfPresent(Tensor.self, forKey: .denoised)
    let size = Self.size(of: sample)
    for tensor in history.samples + history.estimates + [made, denoised].compactMap({ $0 }) {
      guard Self.size(of: tensor) == size else {
        throw container.error(
          .sample,
          "the sample holds \(Self.text(size)), and a tensor that goes with it \(Self.text(Self.size(of: tensor)))")
      }
    }
    self.init(plan, sample: sample, made: made, evaluations: evaluations, history: history, denoised: denoised)
  }

  /// The name of the format of saved runs. Whoever changes its meaning raises the number.
  private static var format: String { "scheduler-run/1" }

  private static func text(_ size: [Int]?) -> String { size.map { "\($0[0]) × \($0[1]) scalars" } ?? "no scalars" }
}
