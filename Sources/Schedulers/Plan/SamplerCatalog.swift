/// Every sampler of this library with what is declared of it. Tests, tool and documentation go through this list.
public enum SamplerCatalog {
  /// All of them, simplest first.
  public static let all: [Entry] = [
    Entry(
      name: "ddpm", title: "DDPM, fixed small variance", sampler: DDPM(), order: 1, evaluationsPerStep: 1,
      isStochastic: true, isInversion: false, use: "with hundreds of steps, to sample from the model as Ho et al. defined it",
      source: "https://arxiv.org/abs/2006.11239"),
    Entry(
      name: "ddpm-large", title: "DDPM, fixed large variance", sampler: DDPM(variance: .fixedLarge), order: 1,
      evaluationsPerStep: 1, isStochastic: true, isInversion: false, use: "the same, with all T steps only",
      source: "https://arxiv.org/abs/2006.11239"),
    Entry(
      name: "ddim", title: "DDIM", sampler: DDIM(), order: 1, evaluationsPerStep: 1, isStochastic: false,
      isInversion: false, use: "to compare with published work, to interpolate between noises, or for eta",
      source: "https://arxiv.org/abs/2010.02502"),
    Entry(
      name: "ddim-inversion", title: "DDIM inversion", sampler: DDIMInversion(), order: 1, evaluationsPerStep: 1,
      isStochastic: false, isInversion: true, use: "to find the noise of a given picture",
      source: "https://arxiv.org/abs/2010.02502"),
    Entry(
      name: "euler", title: "Euler", sampler: Euler(), order: 1, evaluationsPerStep: 1, isStochastic: false,
      isInversion: false, use: "to begin a port: the simplest method there is",
      source: "https://arxiv.org/abs/2206.00364"),
    Entry(
      name: "euler-ancestral", title: "Euler ancestral", sampler: EulerAncestral(), order: 1,
      evaluationsPerStep: 1, isStochastic: true, isInversion: false,
      use: "as DDIM with eta; most users know it by this name",
      source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "heun", title: "Heun", sampler: Heun(), order: 2, evaluationsPerStep: 2, isStochastic: false,
      isInversion: false, use: "for a reference solution, and with many calls",
      source: "https://arxiv.org/abs/2206.00364"),
    Entry(
      name: "dpm++1", title: "DPM-Solver++, order 1", sampler: DPMSolverPlusPlus(order: 1), order: 1,
      evaluationsPerStep: 1, isStochastic: false, isInversion: false, use: "in comparisons with the next line",
      source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++2m", title: "DPM-Solver++ 2M", sampler: DPMSolverPlusPlus(), order: 2, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "first: good pictures in 15 to 30 calls",
      source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++3m", title: "DPM-Solver++ 3M", sampler: DPMSolverPlusPlus(order: 3), order: 3, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "with 20 calls and more, and little guidance",
      source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++2m-sde", title: "SDE-DPM-Solver++ 2M", sampler: DPMSolverPlusPlus(eta: 1), order: 2,
      evaluationsPerStep: 1,
      isStochastic: true, isInversion: false, use: "as the first, where noise is wanted",
      source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++3m-sde", title: "SDE-DPM-Solver++ 3M", sampler: DPMSolverPlusPlus(order: 3, eta: 1), order: 2,
      evaluationsPerStep: 1,
      isStochastic: true, isInversion: false, use: "the same with more calls",
      source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++3m-sde-k", title: "DPM++ 3M SDE of k-diffusion",
      sampler: DPMSolverPlusPlus(order: 3, eta: 1, solverType: .heun, halvesCurvature: true), order: 2, evaluationsPerStep: 1,
      isStochastic: true, isInversion: false, use: "to reproduce pictures of k-diffusion, ComfyUI and others",
      source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "dpm2m", title: "DPM-Solver 2M", sampler: DPMSolver(), order: 2, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "in comparisons with `dpm++2m`: it extrapolates epsilon",
      source: "https://arxiv.org/abs/2206.00927"),
    Entry(
      name: "dpm3m", title: "DPM-Solver 3M", sampler: DPMSolver(order: 3), order: 3, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "the same",
      source: "https://arxiv.org/abs/2206.00927"),
    Entry(
      name: "dpm++2s", title: "DPM-Solver++ 2S", sampler: DPMSolverSinglestep(), order: 2, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "as `dpm++2m`, where nothing may be remembered between steps",
      source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm++3s", title: "DPM-Solver++ 3S", sampler: DPMSolverSinglestep(order: 3), order: 3, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "the same, on grids with equal steps of lambda",
      source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "dpm2s", title: "DPM-Solver 2S", sampler: DPMSolverSinglestep(estimate: .epsilon), order: 2,
      evaluationsPerStep: 1, isStochastic: false, isInversion: false, use: "in comparisons with `dpm++2s`",
      source: "https://arxiv.org/abs/2206.00927"),
    Entry(
      name: "dpm3s", title: "DPM-Solver 3S", sampler: DPMSolverSinglestep(order: 3, estimate: .epsilon), order: 3,
      evaluationsPerStep: 1, isStochastic: false, isInversion: false, use: "to reproduce DPM-Solver's paper",
      source: "https://arxiv.org/abs/2206.00927"),
    Entry(
      name: "unipc", title: "UniPC-2", sampler: UniPC(), order: 3, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "with 5 to 15 calls: a corrector raises the order, and costs no call",
      source: "https://arxiv.org/abs/2302.04867"),
    Entry(
      name: "unipc3", title: "UniPC-3", sampler: UniPC(order: 3), order: 4, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "without guidance",
      source: "https://arxiv.org/abs/2302.04867"),
    Entry(
      name: "sa-solver", title: "SA-Solver", sampler: SASolver(), order: 2, evaluationsPerStep: 1, isStochastic: true,
      isInversion: false, use: "with 20 calls and more, where noise is wanted, in an amount of one's choice",
      source: "https://arxiv.org/abs/2309.05019"),
    Entry(
      name: "deis", title: "DEIS, order 2 in log rho", sampler: DEIS(), order: 2, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "where a configuration asks for it",
      source: "https://arxiv.org/abs/2204.13902"),
    Entry(
      name: "deis3", title: "DEIS, order 3 in log rho", sampler: DEIS(order: 3), order: 3, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "the same; it is `dpm3m`",
      source: "https://arxiv.org/abs/2204.13902"),
    Entry(
      name: "lms", title: "Linear multistep, order 4", sampler: LMS(), order: 4, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "with many calls",
      source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "ipndm", title: "iPNDM, 4 steps", sampler: IPNDM(), order: 2, evaluationsPerStep: 1,
      isStochastic: false, isInversion: false, use: "where a configuration asks for it",
      source: "https://arxiv.org/abs/2202.09778"),
    Entry(
      name: "pndm", title: "PNDM, Runge-Kutta warm-up", sampler: PNDM(), order: 2, evaluationsPerStep: 1, warmUp: [3, 3, 3],
      isStochastic: false, isInversion: false, use: "where a configuration asks for it; its first three steps need a fine grid",
      source: "https://arxiv.org/abs/2202.09778"),
    Entry(
      name: "plms", title: "PNDM without Runge-Kutta (PLMS)", sampler: PNDM(skipsRungeKutta: true), order: 2,
      evaluationsPerStep: 1, warmUp: [1], isStochastic: false, isInversion: false,
      use: "the same; Stable Diffusion 1 was released with it",
      source: "https://arxiv.org/abs/2202.09778"),
    Entry(
      name: "kdpm2", title: "DPM2", sampler: KDPM2(), order: 2, evaluationsPerStep: 2, isStochastic: false,
      isInversion: false, use: "as `heun`; users of k-diffusion know it as DPM2",
      source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "kdpm2-ancestral", title: "DPM2 ancestral", sampler: KDPM2(eta: 1), order: 2, evaluationsPerStep: 2,
      isStochastic: true, isInversion: false, use: "as `euler-ancestral`, with more calls",
      source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "dpm++sde", title: "DPM-Solver++ SDE, 2 calls a step", sampler: DPMSolverSDE(), order: 2, evaluationsPerStep: 2,
      isStochastic: true, isInversion: false,
      use: "as `dpm++2m-sde`, where a configuration asks for it; users of k-diffusion know it as DPM++ SDE",
      source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "flow-heun", title: "Heun along straight lines", sampler: FlowHeun(), order: 2, evaluationsPerStep: 2,
      isStochastic: false, isInversion: false,
      use: "as `heun`, on rectified flow, and from pure noise or nearly, where `heun` magnifies a network's errors",
      source: "https://arxiv.org/abs/2206.00364"),
    Entry(
      name: "heun-churn", title: "Heun with churn", sampler: Churn(Heun(), amount: 40), order: 2, evaluationsPerStep: 2,
      isStochastic: true, isInversion: false, use: "with networks of EDM and hundreds of calls",
      source: "https://arxiv.org/abs/2206.00364"),
    Entry(
      name: "euler-churn", title: "Euler with churn", sampler: Churn(Euler(), amount: 40), order: 1, evaluationsPerStep: 1,
      isStochastic: true, isInversion: false, use: "as k-diffusion's Euler with `s_churn`",
      source: "https://github.com/crowsonkb/k-diffusion"),
    Entry(
      name: "gradient-estimation", title: "Gradient estimation, gamma 2", sampler: GradientEstimation(), order: 1,
      evaluationsPerStep: 1, isStochastic: false, isInversion: false, use: "in place of `ddim` at few calls",
      source: "https://arxiv.org/abs/2306.04848"),
    Entry(
      name: "dpm++2m-inversion", title: "DPM-Solver++ 2M inversion", sampler: DPMSolverInversion(), order: 2,
      evaluationsPerStep: 1, isStochastic: false, isInversion: true, use: "as `ddim-inversion`, for samples of `dpm++2m`",
      source: "https://arxiv.org/abs/2211.01095"),
    Entry(
      name: "lcm", title: "Latent consistency model", sampler: LCM(), order: 0, evaluationsPerStep: 1, isStochastic: true,
      isInversion: false, use: "with a latent consistency model, in 1 to 8 calls",
      source: "https://arxiv.org/abs/2310.04378"),
    Entry(
      name: "tcd", title: "Trajectory consistency", sampler: TCD(), order: 0, evaluationsPerStep: 1, isStochastic: true,
      isInversion: false, use: "with a network of trajectory consistency distillation, in 1 to 20 calls",
      source: "https://arxiv.org/abs/2402.19159"),
    Entry(
      name: "consistency", title: "Consistency model", sampler: ConsistencyModel(), order: 0, evaluationsPerStep: 1,
      isStochastic: true, isInversion: false,
      use: "with a consistency model, in 1 to 4 calls; with `leastSigma: 0` and a distilled network of rectified flow",
      source: "https://arxiv.org/abs/2303.01469"),
  ]

  /// The entry with a name of `all`.
  public static subscript(name: String) -> Entry? { all.first { $0.name == name } }
}
