extension SamplerCatalog {
  /// A sampler of the catalog, for Embedded Swift, which has no values of protocol type.
  public struct Entry: Sendable {
    public let name: String
    package let plan: @Sendable (SamplingGrid, Prediction) -> SamplingPlan?

    init(name: String, title: String, sampler: some Sampler, order: Int, source: String, use: String) {
      self.name = name
      plan = { try? sampler.plan(over: $0, predicting: $1) }
    }
  }
}
