extension SamplerCatalog {
  /// A sampler of the catalog for the page: Embedded Swift has no values of protocol type.
  public struct Entry: Sendable {
    public let name: String
    public let title: String
    public let order: Int
    public let source: String
    public let use: String
    /// The file that it stands in.
    public let file: String
    /// What the number given to `plan` is: `eta`, `churn` or nothing.
    public let option: String
    /// That number, where it is not chosen.
    public let usual: Double
    package let plan: @Sendable (SamplingGrid, Reading, Double) throws(PlanError) -> SamplingPlan

    init(
      name: String, title: String, sampler: some Sampler, order: Int, source: String, use: String,
      file: StaticString = #fileID
    ) {
      self.init(name, title, order, source, use, file, option: "", usual: 0) { _ in sampler }
    }

    init<Kind: EtaSampler>(
      name: String, title: String, sampler: Kind, order: Int, source: String, use: String,
      file: StaticString = #fileID
    ) {
      self.init(name, title, order, source, use, file, option: "eta", usual: sampler.eta) { eta in
        var other = sampler
        other.eta = eta
        return other
      }
    }

    init<Base>(
      name: String, title: String, sampler: Churn<Base>, order: Int, source: String, use: String,
      file: StaticString = #fileID
    ) {
      self.init(name, title, order, source, use, file, option: "churn", usual: sampler.amount) { amount in
        var other = sampler
        other.amount = amount
        return other
      }
    }

    private init(
      _ name: String, _ title: String, _ order: Int, _ source: String, _ use: String, _ file: StaticString,
      option: String, usual: Double, sampler: @escaping @Sendable (Double) -> some Sampler
    ) {
      (self.name, self.title, self.order, self.source, self.use) = (name, title, order, source, use)
      (self.file, self.option, self.usual) = (file.description, option, usual)
      plan = { grid, reading, value throws(PlanError) in
        switch reading {
        case .prediction(let prediction): try sampler(value).plan(over: grid, predicting: prediction)
        case .edm(let edm): try sampler(value).plan(over: grid, predicting: edm)
        }
      }
    }
  }

  /// What the network of a plan predicts.
  package enum Reading: Sendable {
    case prediction(Prediction)
    case edm(EDMPreconditioning)
  }
}
