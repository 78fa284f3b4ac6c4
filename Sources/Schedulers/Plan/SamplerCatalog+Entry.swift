extension SamplerCatalog {
  /// A sampler and its properties.
  public struct Entry: Sendable {
    /// The name on the command line.
    public let name: String
    /// The name in the literature.
    public let title: String
    /// The sampler with its default options.
    public let sampler: any Sampler
    /// The order of convergence: the error falls as N^(−order). For stochastic samplers, that of the variance of the result; 0 if it
    /// stays.
    public let order: Int
    /// Evaluations of the network per step of the grid, except that the last step, to clean data, always takes one.
    public let evaluationsPerStep: Int
    /// Evaluations beyond these in the first step, the second and so on, unless it is the last.
    public let warmUp: [Int]
    /// Whether it draws noise with its default options.
    public let isStochastic: Bool
    /// Whether it goes from data to noise.
    public let isInversion: Bool
    /// When to take it, in a few words of Markdown.
    public let use: String
    /// The paper or the code that defines it.
    public let source: String

    /// An entry, of this catalog or of a longer one made with it.
    public init(
      name: String, title: String, sampler: any Sampler, order: Int, evaluationsPerStep: Int, warmUp: [Int] = [],
      isStochastic: Bool, isInversion: Bool, use: String, source: String
    ) {
      self.name = name
      self.title = title
      self.sampler = sampler
      self.order = order
      self.evaluationsPerStep = evaluationsPerStep
      self.warmUp = warmUp
      self.isStochastic = isStochastic
      self.isInversion = isInversion
      self.use = use
      self.source = source
    }

    /// The calls for N steps, to clean data, such as 2N − 1.
    public var calls: String {
      let more = warmUp.reduce(0, +) - evaluationsPerStep + 1
      return "\(evaluationsPerStep == 1 ? "" : "\(evaluationsPerStep)")N"
        + (more == 0 ? "" : more > 0 ? " + \(more)" : " − \(-more)")
    }

    /// How often the network is called on a grid of `steps` steps, 1 or more, that ends in clean data.
    public func evaluations(steps: Int) -> Int {
      evaluationsPerStep * (steps - 1) + warmUp.prefix(steps - 1).reduce(1, +)
    }

    /// The largest number of steps that call the network no more than `evaluations` times, which is 1 or more.
    public func steps(evaluations: Int) -> Int {
      var steps = (evaluations - 1) / evaluationsPerStep + 1
      while self.evaluations(steps: steps) > evaluations { steps -= 1 }
      return steps
    }
  }
}
