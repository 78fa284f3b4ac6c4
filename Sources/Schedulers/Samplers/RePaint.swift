/// Inpainting with a network that was not trained for it: DDIM's steps towards the data, now and
/// then back towards noise, so that what is filled in can agree with what is known.
///
///     x' = a·(DDIM's x') + √(noise'² − a²·noise_down²)·z,    a = signal'/signal_down
///
/// is a step that is followed by a jump back; the others are those of DDIM.
///
/// The run itself knows nothing of the picture. After every step, the known part of the sample is
/// replaced by the known data with the noise of the level:
///
/// ```swift
/// let plan = try RePaint().plan(over: grid, predicting: .epsilon)
/// var run = SamplingRun(plan, from: noise.next(like: known))
/// while let query = run.query {
///   run.advance(output: unet(run.input, query.timestep), using: &noise)
///   run.sample = blend(
///     run.level.mix(known, with: noise.next(like: known)), run.sample)
/// }
/// ```
///
/// The paper makes each step r times, and the forward process leads back over it in between; in the
/// authors' code, over j steps. With t = T − 1, ..., 0 at the T noisy points and −1 at clean data,
///
///     t ← t − 1    by a step of DDIM, after which the known part is replaced
///     t ← t + j    by the forward process, r − 1 times, if j divides t and t < T − j
///
/// A jump and the noise of the step before it are one draw, and the known part is noised once, at
/// the level where the jump ends: the same distribution as replacing it before the jump. The
/// network is called nearly N·`resamplings` times.
///
/// Source: [Lugmayr et al. 2022](https://arxiv.org/abs/2201.09865), algorithm 1 with equation 8a;
/// the jumps are those of the authors' <https://github.com/andreas128/RePaint>,
/// `get_schedule_jump`.
public struct RePaint: EtaSampler {
  public var eta: Double
  /// j: how many steps a jump goes back.
  public var jumpLength: Int
  /// r: how often a stretch of so many steps is made.
  public var resamplings: Int

  /// RePaint, with the steps of DDPM unless `eta` is below 1.
  public init(eta: Double = 1, jumpLength: Int = 10, resamplings: Int = 10) {
    (self.eta, self.jumpLength, self.resamplings) = (eta, jumpLength, resamplings)
  }

  public func moves(over grid: SamplingGrid) throws(PlanError) -> [Move] {
    try check("jumpLength", Double(jumpLength), .closed(1...1000))
    try check("resamplings", Double(resamplings), .closed(1...1000))
    let steps = try DDIM(eta: eta).moves(over: grid)
    var moves: [Move] = []
    var index = 0
    for next in visits(steps: grid.steps).dropFirst() {
      if next > index {
        moves.append(steps[index])
      } else {
        moves.append(moves.removeLast().jumping(to: grid.points[next].level))
      }
      index = next
    }
    return moves
  }

  /// The indices of the points that a run of N steps comes to; a jump ends at a smaller one.
  func visits(steps: Int) -> [Int] {
    var visits = [0]
    // How many jumps are left at each t.
    var jumps: [Int: Int] = [:]
    while let index = visits.last, index < steps {
      visits.append(index + 1)
      let t = steps - 1 - (index + 1)
      guard t >= 0, t.isMultiple(of: jumpLength), t < steps - jumpLength else { continue }
      let left = jumps[t, default: resamplings - 1]
      jumps[t] = left - 1
      if left > 0 { visits.append(index + 1 - jumpLength) }
    }
    return visits
  }

  static let entry = SamplerCatalog.Entry(
    name: "repaint", title: "RePaint", sampler: RePaint(), order: 1, source: "https://arxiv.org/abs/2201.09865",
    use: "to fill in a part of a picture with a network that was not trained for it")
}
