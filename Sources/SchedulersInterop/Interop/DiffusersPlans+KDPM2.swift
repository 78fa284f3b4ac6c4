import Schedulers

// DPM2 and its ancestral form: from each sigma to the middle of two logarithms, and with the slope there to the next.

extension DiffusersConfiguration {
  func kdpm2Moves(_ setting: Setting, _ tables: Tables) throws(ConfigurationError) -> [Move] {
    let isAncestral = schedulerClass == .kdpm2AncestralDiscrete
    let logarithms = tables.sigmas.map(NumPy.log)
    return try midpointMoves(setting) { i, interval, from, to throws(ConfigurationError) in
      let (up, down) = isAncestral ? try ancestralSigmas(from, to, step: i, timestep: interval.from.timestep) : (0, to)
      let middle = Float(Math.exp((Math.log(Double(from)) + Math.log(Double(down))) / 2))
      let point = SamplingGrid.Point(
        timestep: Double(Float(Self.timestep(of: Double(middle), in: logarithms))), sigma: Double(middle))
      let (half, run) = (Double(middle - from), Double(down - from))
      return [
        Move(at: interval.from, to: point.level, estimate: .epsilon, next: .sample + half * .estimate()),
        Move(
          at: point, to: interval.to.level, estimate: .epsilon,
          next: .made - half * .estimate(ago: 1) + run * .estimate() + Double(up) * .noise),
      ]
    }
  }

  /// The steps of a method that makes those between two sigmas by a point between them; the last, to clean data, is Euler's.
  func midpointMoves(
    _ setting: Setting,
    _ body: (_ i: Int, _ interval: (from: SamplingGrid.Point, to: SamplingGrid.Point), _ from: Float, _ to: Float)
      throws(ConfigurationError) -> [Move]
  ) throws(ConfigurationError) -> [Move] {
    var moves: [Move] = []
    for (i, interval) in sigmaGrid(setting).intervals.enumerated() {
      let (from, to) = (Float(interval.from.level.noise), Float(interval.to.level.noise))
      if to > 0 {
        moves += try body(i, interval, from, to)
      } else {
        let next = Euler.step(from: interval.from.level, to: interval.to.level, denoised: .estimate())
        moves.append(Move(at: interval.from, to: interval.to.level, estimate: .x0, next: next))
      }
    }
    return moves
  }

  /// diffusers' float32 σ_up and σ_down, whose difference of squares loses what is left of σ_down where σ is large.
  func ancestralSigmas(
    _ from: Float, _ to: Float, step: Int, timestep: Double
  ) throws(ConfigurationError) -> (up: Float, down: Float) {
    let up = root(to * to * (from * from - to * to) / (from * from))
    let down = root(to * to - up * up)
    // DPM2 takes the logarithm of σ_down.
    guard up.isFinite, down.isFinite, down > 0 || schedulerClass == .eulerAncestralDiscrete else {
      throw .notFinite(
        step: step, timestep: timestep, className: className,
        reason: "diffusers' sigma_down is \(down) from sigma \(from) to \(to); use more steps or another spacing")
    }
    return (up, down)
  }
}
