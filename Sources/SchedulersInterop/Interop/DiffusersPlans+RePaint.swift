import Schedulers

// RePaint: DDIM's steps, and jumps back to noise that are drawn together with the step before them.

extension DiffusersConfiguration {
  /// A run has at most about as many evaluations, so that arguments cannot ask for more time and memory than there is.
  private static let largestRun = 100_000

  /// The sampler with the file's eta and the arguments' jumps.
  func rePaint(steps: Int, _ arguments: StepArguments) throws(ConfigurationError) -> RePaint {
    let (eta, resamplings) = (number("eta")!, arguments.resamplings)
    guard eta >= 0, eta <= 1 else { throw unsupported("eta", remedy: "it must be in 0 ... 1") }
    for (name, value) in [("jump_length", arguments.jumpLength), ("jump_n_sample", resamplings)] {
      guard (1...1000).contains(value) else {
        throw .argument(name, value: Double(value), className: className, remedy: "it must be in 1 ... 1000")
      }
    }
    guard steps * resamplings <= Self.largestRun else {
      throw .argument(
        "jump_n_sample", value: Double(resamplings), className: className,
        remedy: "times the number of steps, \(steps), it must be at most \(Self.largestRun)")
    }
    return RePaint(eta: eta, jumpLength: arguments.jumpLength, resamplings: resamplings)
  }

  /// diffusers' steps. A jump follows the step from the timestep where the authors' begins, and has the betas that come after those of
  /// the way that it goes.
  func rePaintMoves(
    _ setting: Setting, _ tables: Tables, _ arguments: StepArguments
  ) throws(ConfigurationError) -> Moves {
    let steps = setting.timesteps.count
    let (sampler, stride) = (try rePaint(steps: steps, arguments), tables.betas.count / steps)
    guard self["trained_betas"] == .null else {
      throw unsupported("trained_betas", remedy: "diffusers takes an array of NumPy alone; read it with .corrected")
    }
    var moves: [Move] = []
    var left: [Int: Int] = [:]
    var index = steps
    while index > 0 {
      index -= 1
      var move = try rePaintStep(index * stride, stride, tables, eta: sampler.eta, step: moves.count)
      let jumps = left[index, default: sampler.resamplings - 1]
      if index.isMultiple(of: sampler.jumpLength), index < steps - sampler.jumpLength, jumps > 0 {
        left[index] = jumps - 1
        let end = index + sampler.jumpLength
        var (factor, variance) = (1.0, 0.0)
        for beta in tables.betas[index * stride..<end * stride] {
          factor *= Double(root(1 - beta))
          variance = variance * Double(1 - beta) + Double(beta)
        }
        let drawn = factor * move.next.noise
        move.next = factor * move.next + ((drawn * drawn + variance).squareRoot() - drawn) * .noise
        move.arrival = level(tables.alphaBars[(end - 1) * stride])
        index = end
      }
      moves.append(move)
    }
    return Moves(moves: moves, start: unitLevel(try alphaBar(setting.timesteps[0], tables, step: 0)))
  }

  /// A step of DDIM in float32, whose epsilon is what the network said, whether x̂0 was clipped or not.
  private func rePaintStep(
    _ timestep: Int, _ stride: Int, _ tables: Tables, eta: Double, step: Int
  ) throws(ConfigurationError) -> Move {
    let bar = tables.alphaBars[timestep]
    let next = timestep >= stride ? tables.alphaBars[timestep - stride] : 1
    try check(bar, timestep: Double(timestep), step: step)
    let point = SamplingGrid.Point(timestep: Double(timestep), level: level(bar))
    return try ddimMove(point, bar, to: next, epsilon: .output, eta: eta, step: step)
  }
}
