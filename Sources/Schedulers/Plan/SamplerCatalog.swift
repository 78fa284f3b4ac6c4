/// Every sampler of this library with what is declared of it. Tests, tool and documentation go through this list.
public enum SamplerCatalog {
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
    /// The paper or the code that defines it.
    public let source: String

    /// An entry, of this catalog or of a longer one made with it.
    public init(
      name: String, title: String, sampler: any Sampler, order: Int, evaluationsPerStep: Int, warmUp: [Int] = [],
      isStochastic: Bool, isInversion: Bool, source: String
    ) {
      self.name = name
      self.title = title
      self.sampler = sampler
      self.order = order
      self.evaluationsPerStep = evaluationsPerStep
      self.warmUp = warmUp
      self.isStochastic = isStochastic
      self.isInversion = isInversion
      self.source = source
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

  /// All of them, simplest first.
  public static let all: [Entry] = [
    Entry(
      name: "ddpm", title: "DDPM, fixed small variance", sampler: DDPM(), order: 1, evaluationsPerStep: 1,
      isStochastic: true, isInversion: false, source: "https://arxiv.org/abs/2006.11239"),
    Entry(
      name: "ddpm-large", title: "DDPM, fixed large variance", sampler: DDPM(variance: .fixedLarge), order: 1,
      evaluationsPerStep: 1, isStochastic: true, isInversion: false, source: "https://arxiv.org/abs/2006.11239"),
    Entry(
      name: "ddim", title: "DDIM", sampler: DDIM(), order: 1, evaluationsPerStep: 1, isStochastic: false,
      isInversion: false, source: "https://arxiv.org/abs/2010.02502"),
    Entry(
      name: "ddim-inversion", title: "DDIM inversion", sampler: DDIMInversion(), order: 1, evaluationsPerStep: 1,
      isStochastic: false, isInversion: true, source: "https://arxiv.org/abs/2010.02502"),
    Entry(
      name: "euler", title: "Euler", sampler: Euler(), order: 1, evaluationsPerStep: 1, isStochastic: false,
      isInversion: false, source: "https://arxiv.org/abs/2206.00364"),
    Entry(
      name: "euler-ancestral", title: "Euler ancestral", sampler: EulerAncestral(), order: 1,
      evaluationsPerStep: 1, isStochastic: true, isInversion: false,
      source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "heun", title: "Heun", sampler: Heun(), order: 2, evaluationsPerStep: 2, isStochastic: false,
      isInversion: false, source: "https://arxiv.org/abs/2206.00364"),
    Entry(
      name: "dpm++1", title: "DPM-Solver++, order 1", sampler: DPMSolverPlusPlus(order: 1), order: 1,
      evaluationsPerStep: 1, isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++2m", title: "DPM-Solver++ 2M", sampler: DPMSolverPlusPlus(), order: 2, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++3m", title: "DPM-Solver++ 3M", sampler: DPMSolverPlusPlus(order: 3), order: 3, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++2m-sde", title: "SDE-DPM-Solver++ 2M", sampler: SDEDPMSolverPlusPlus(), order: 2, evaluationsPerStep: 1,
      isStochastic: true, isInversion: false, source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++3m-sde", title: "SDE-DPM-Solver++ 3M", sampler: SDEDPMSolverPlusPlus(order: 3), order: 2,
      evaluationsPerStep: 1,
      isStochastic: true, isInversion: false, source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "dpm2m", title: "DPM-Solver 2M", sampler: DPMSolver(), order: 2, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2206.00927"),
    Entry(
      name: "dpm3m", title: "DPM-Solver 3M", sampler: DPMSolver(order: 3), order: 3, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2206.00927"),
    Entry(
      name: "dpm++2s", title: "DPM-Solver++ 2S", sampler: DPMSolverSinglestep(), order: 2, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++3s", title: "DPM-Solver++ 3S", sampler: DPMSolverSinglestep(order: 3), order: 3, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm2s", title: "DPM-Solver 2S", sampler: DPMSolverSinglestep(estimate: .epsilon), order: 2,
      evaluationsPerStep: 1, isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2206.00927"),
    Entry(
      name: "dpm3s", title: "DPM-Solver 3S", sampler: DPMSolverSinglestep(order: 3, estimate: .epsilon), order: 3,
      evaluationsPerStep: 1, isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2206.00927"),
    Entry(
      name: "unipc", title: "UniPC-2", sampler: UniPC(), order: 3, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2302.04867"),
    Entry(
      name: "unipc3", title: "UniPC-3", sampler: UniPC(order: 3), order: 4, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2302.04867"),
    Entry(
      name: "sa-solver", title: "SA-Solver", sampler: SASolver(), order: 2, evaluationsPerStep: 1, isStochastic: true,
      isInversion: false, source: "https://arxiv.org/abs/2309.05019"),
    Entry(
      name: "deis", title: "DEIS, order 2 in log rho", sampler: DEIS(), order: 2, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2204.13902"),
    Entry(
      name: "deis3", title: "DEIS, order 3 in log rho", sampler: DEIS(order: 3), order: 3, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2204.13902"),
    Entry(
      name: "lms", title: "Linear multistep, order 4", sampler: LMS(), order: 4, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "ipndm", title: "iPNDM, 4 steps", sampler: IPNDM(), order: 2, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2202.09778"),
    Entry(
      name: "pndm", title: "PNDM, Runge-Kutta warm-up", sampler: PNDM(), order: 2, evaluationsPerStep: 1, warmUp: [3, 3, 3],
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2202.09778"),
    Entry(
      name: "plms", title: "PNDM without Runge-Kutta (PLMS)", sampler: PNDM(skipsRungeKutta: true), order: 2,
      evaluationsPerStep: 1, warmUp: [1], isStochastic: false, isInversion: false,
      source: "https://arxiv.org/abs/2202.09778"),
    Entry(
      name: "kdpm2", title: "DPM2", sampler: KDPM2(), order: 2, evaluationsPerStep: 2, isStochastic: false,
      isInversion: false, source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "kdpm2-ancestral", title: "DPM2 ancestral", sampler: KDPM2(eta: 1), order: 2, evaluationsPerStep: 2,
      isStochastic: true, isInversion: false, source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "dpm++sde", title: "DPM-Solver++ SDE, 2 calls a step", sampler: DPMSolverSDE(), order: 2, evaluationsPerStep: 2,
      isStochastic: true, isInversion: false, source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "lcm", title: "Latent consistency model", sampler: LCM(), order: 0, evaluationsPerStep: 1, isStochastic: true,
      isInversion: false, source: "https://arxiv.org/abs/2310.04378"),
    Entry(
      name: "tcd", title: "Trajectory consistency", sampler: TCD(), order: 0, evaluationsPerStep: 1, isStochastic: true,
      isInversion: false, source: "https://arxiv.org/abs/2402.19159"),
    Entry(
      name: "consistency", title: "Consistency model", sampler: ConsistencyModel(), order: 0, evaluationsPerStep: 1,
      isStochastic: true, isInversion: false, source: "https://arxiv.org/abs/2303.01469"),
    Entry(
      name: "flow-heun", title: "Heun along straight lines", sampler: FlowHeun(), order: 2, evaluationsPerStep: 2,
      isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2206.00364"),
    Entry(
      name: "heun-churn", title: "Heun with churn", sampler: Churn(Heun(), amount: 40), order: 2, evaluationsPerStep: 2,
      isStochastic: true, isInversion: false, source: "https://arxiv.org/abs/2206.00364"),
    Entry(
      name: "euler-churn", title: "Euler with churn", sampler: Churn(Euler(), amount: 40), order: 1, evaluationsPerStep: 1,
      isStochastic: true, isInversion: false, source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "gradient-estimation", title: "Gradient estimation, gamma 2", sampler: GradientEstimation(), order: 1,
      evaluationsPerStep: 1, isStochastic: false, isInversion: false, source: "https://arxiv.org/abs/2306.04848"),
    Entry(
      name: "dpm++2m-inversion", title: "DPM-Solver++ 2M inversion", sampler: DPMSolverInversion(), order: 2,
      evaluationsPerStep: 1, isStochastic: false, isInversion: true, source: "https://arxiv.org/abs/2211.01095"),
  ]

  /// The entry with a name of `all`.
  public static subscript(name: String) -> Entry? { all.first { $0.name == name } }
}
