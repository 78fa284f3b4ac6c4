import Schedulers

/// `UnCLIPScheduler`: DDPM's steps between the timesteps of a run, each of which is told the next,
/// as the pipelines of Karlo and Kandinsky tell it with `prev_timestep`.
///
/// Source: [Ho et al. 2020](https://arxiv.org/abs/2006.11239), equations 6 and 7, which the class
/// of diffusers 0.42.1 names.
struct UnCLIPScheduler: DiscreteClass {
  static let takes: Set<RunArguments.Key> = [.nextTimestep]

  let table: Betas
  private let variance: NamedChoice<Variance>
  let output: Output
  let spacing: Spacing? = Spacing(fixed: .linspace)

  init(_ o: inout OptionReader) {
    let timesteps = TrainingTimesteps(&o)
    variance = o.choice(
      "variance_type", "fixed_small_log", ["fixed_small_log": .fixedSmall, "learned_range": .learnedRange])
    output = Output(&o, ["epsilon": .epsilon, "sample": .x0], clips: true)
    table = Betas(cosine: &o, timesteps)
  }

  var learnsVariance: Bool { variance.name == "learned_range" }
  func sampler(_ run: Run) throws -> any Sampler { DDPM(variance: try variance.get()) }

  /// The timesteps in NumPy's arithmetic, which divides by one less than the number of steps.
  func setting(_ run: Run) throws -> Setting {
    try require(run.steps > 1, .steps(run.steps, "diffusers divides by one less; make 2 or more"))
    let stride = Double(try table.timesteps.count() - 1) / Double(run.steps - 1)
    let timesteps = (0..<run.steps).reversed().map { (Double($0) * stride).rounded(.toNearestOrEven) }
    try check(run, timesteps)
    return Setting(timesteps: timesteps)
  }

  func grid(_ run: Run) throws -> SamplingGrid {
    let grid = try SamplingGrid(table.schedule(), steps: run.steps, spacing: spacing!.exact())
    try check(run, grid.points.map(\.timestep))
    return grid
  }

  /// Throws where a step is told another timestep than the next of the run.
  private func check(_ run: Run, _ timesteps: [Double]) throws {
    guard let told = run.nextTimestep, run.first + 1 < timesteps.count else { return }
    let next = timesteps[run.first + 1]
    try require(
      Double(told) == next,
      .argument(
        RunArguments.Key.nextTimestep.rawValue, Double(told), "the first step goes to \(next.plain); leave it out"))
  }

  /// In float32, where α = 1 − β keeps fewer digits than ᾱ/ᾱ'.
  func faithful(_ run: Run) throws -> Recipe {
    let (discrete, timesteps, kind) = (try Discrete(self, run), try begun(run).timesteps, try variance.get())
    let moves = try timesteps.enumerated().map { i, timestep in
      let bar = try discrete.divisor(timestep, step: i)
      let next = i + 1 < timesteps.count ? timesteps[i + 1] : timestep - 1
      let nextBar = next >= 0 ? try discrete.alphaBar(next, step: i) : 1
      let beta = next == timestep - 1 ? discrete.tables.betas[Int(timestep)] : 1 - bar / nextBar
      let x0 = run.root(nextBar) * beta / (1 - bar)
      let sample = run.root(1 - beta) * (1 - nextBar) / (1 - bar)
      let small = (1 - nextBar) / (1 - bar) * beta
      let logarithm = Float(Math.log(Double(max(small, 1e-20))))
      let noise = timestep == 0 ? 0 : kind == .fixedSmall ? Math.exp(Double(logarithm / 2)) : 1
      return Move(
        at: discrete.point(timestep, bar), to: discrete.level(nextBar), estimate: .x0,
        next: Double(x0) * .estimate() + Double(sample) * .sample + noise * .noise,
        variance: timestep == 0
          ? nil : kind.stepVariance(small: Math.log(Double(small)), large: Math.log(Double(beta))))
    }
    return try recipe(moves, discrete, of: run)
  }

  func deviations(_ run: Run, _ setting: Setting) throws -> [Deviation] {
    try timestepDeviations(run, setting.timesteps)
  }

  func rule(_ run: RunArguments, _ fidelity: Fidelity) -> (any Sampler)? { DDPM(variance: .fixedSmall) }
}
