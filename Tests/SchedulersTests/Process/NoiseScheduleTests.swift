import Schedulers
import Testing

@Suite struct NoiseScheduleTests {
  /// β = ½, ½, so that every table is a short fraction.
  private let halves = try! NoiseSchedule(betas: [0.5, 0.5])

  @Test func `the tables of a two-step process are the fractions that paper and pencil give`() {
    let root = 0.5.squareRoot()
    #expect(halves.timesteps == 2)
    #expect(halves.alphas == [0.5, 0.5])
    #expect(halves.alphaBars == [0.5, 0.25])
    #expect(halves.previousAlphaBars == [1, 0.5])
    #expect(halves.nextAlphaBars == [0.25, 0])
    #expect(halves.oneMinusAlphaBars == [0.5, 0.75])
    #expect(halves.signals == [root, 0.5])
    #expect(halves.noises == [root, 0.75.squareRoot()])
    #expect(halves.reciprocalSignals == [2.squareRoot(), 2])
    #expect(halves.sigmas == [1, 3.squareRoot()])
    #expect(halves.snr == [1, 1.0 / 3])
    #expect(halves.posteriorVariance == [0, 1.0 / 3])
    #expect(halves.posteriorSampleCoefficient[0] == 0)
    #expect(isClose(halves.posteriorX0Coefficient[0], 1, relative: unit))
    #expect(isClose(halves.posteriorX0Coefficient[1], root * 2 / 3, relative: 2 * unit))
    #expect(isClose(halves.posteriorSampleCoefficient[1], root * 2 / 3, relative: 2 * unit))
  }

  @Test func `the logarithms of a two-step process are those of its fractions`() {
    let (ln2, ln3) = (0.6931471805599453, 1.0986122886681098)
    #expect(halves.logAlphaBars == [-ln2, -2 * ln2])
    #expect(isClose(halves.logOneMinusAlphaBars[1], ln3 - 2 * ln2, relative: 4 * unit))
    #expect(halves.logSNR[0] == 0)
    #expect(isClose(halves.logSNR[1], -ln3, relative: 2 * unit))
    #expect(halves.posteriorLogVarianceClipped == [-ln3, -ln3])
  }

  @Test func `a schedule of one step has a clipped log variance of minus infinity`() throws {
    let schedule = try NoiseSchedule(.linear(), timesteps: 1)
    #expect(schedule.betas == [1e-4])
    #expect(schedule.posteriorLogVarianceClipped == [-.infinity])
    #expect(schedule.nextAlphaBars == [0])
    #expect(schedule.previousAlphaBars == [1])
  }

  @Test func `a level is the pair of square roots`() throws {
    let schedule = try NoiseSchedule(.cosine(), timesteps: 100)
    for t in 0..<100 {
      #expect(schedule[t].signal == schedule.signals[t])
      #expect(schedule[t].noise == schedule.noises[t])
    }
  }

  @Test func `named schedules have their published ends`() throws {
    let linear = try NoiseSchedule(.linear(), timesteps: 1000)
    #expect(linear.betas.first == 1e-4 && linear.betas.last == 0.02)
    let stable = try NoiseSchedule(.scaledLinear(), timesteps: 1000)
    #expect(stable.betas.first == 0.00085 && isClose(stable.betas[999], 0.012, relative: unit))
    let cosine = try NoiseSchedule(.cosine(), timesteps: 1000)
    #expect(cosine.betas.last == 0.999)
    let sigmoid = try NoiseSchedule(.sigmoid(), timesteps: 1001)
    #expect(isClose(sigmoid.betas[500], (1e-4 + 0.02) / 2, relative: 2 * unit))
    let scaled = try NoiseSchedule(.linear(scaledFrom: 1000), timesteps: 20)
    #expect(isClose(scaled.betas[0], 50 * 1e-4, relative: unit) && scaled.betas[19] == 1)
  }

  @Test(arguments: [1, 10, 1000]) func `cosine betas are the quotients of the squared cosine`(timesteps: Int) throws {
    let schedule = try NoiseSchedule(.cosine(), timesteps: timesteps)
    for (t, alphaBar) in schedule.alphaBars.enumerated().dropLast() {
      // The product telescopes to f(t+1)/f(0); cos by its half-angle sine keeps the reference
      // within a few units.
      let expected = squaredCosine(t + 1, timesteps) / squaredCosine(0, timesteps)
      #expect(isClose(alphaBar, expected, relative: Double(timesteps) * 8 * unit / expected.squareRoot()))
    }
  }

  private func squaredCosine(_ t: Int, _ count: Int) -> Double {
    let angle = (Double(t) / Double(count) + 0.008) / 1.008 * .pi / 2
    // cos x by its Taylor series, to 1e-17 for x ≤ π/2.
    var (sum, term) = (1.0, 1.0)
    for k in 1...14 {
      term *= -angle * angle / Double((2 * k - 1) * (2 * k))
      sum += term
    }
    return sum * sum
  }

  @Test func `signal and noise of every named schedule share the power`() throws {
    for formula in BetaSchedule.all {
      let schedule = try NoiseSchedule(formula, timesteps: 1000)
      for t in stride(from: 0, to: 1000, by: 37) {
        let level = schedule[t]
        #expect(isClose(level.signal * level.signal + level.noise * level.noise, 1, relative: 4 * unit))
      }
      #expect(zip(schedule.alphaBars, schedule.alphaBars.dropFirst()).allSatisfy { $0 > $1 })
    }
  }

  @Test func `ten thousand timesteps are no trouble`() throws {
    for formula in BetaSchedule.all {
      let schedule = try NoiseSchedule(formula, timesteps: 10_000)
      #expect(schedule.alphaBars.allSatisfy { $0 >= 0 && $0 < 1 })
      #expect(schedule.posteriorVariance.allSatisfy { $0 >= 0 && $0 <= 1 })
    }
  }

  @Test func `given alphaBars are kept to the bit and their betas multiply back to them`() throws {
    let alphaBars = [0.9, 0.7, 0.3, 0.01]
    let schedule = try NoiseSchedule(alphaBars: alphaBars)
    #expect(schedule.alphaBars == alphaBars)
    let again = try NoiseSchedule(betas: schedule.betas).alphaBars
    // Each beta is rounded once, which moves its alpha by at most unit/alpha; the smallest alpha is
    // 1/30.
    for (a, b) in zip(again, alphaBars) { #expect(isClose(a, b, relative: 4 * 30 * unit)) }
  }

  @Test func `rescaling to zero terminal SNR keeps the first step and empties the last`() throws {
    for formula in BetaSchedule.all {
      let schedule = try NoiseSchedule(formula, timesteps: 50)
      let rescaled = try schedule.rescaledToZeroTerminalSNR()
      #expect(rescaled.alphaBars[49] == 0)
      #expect(rescaled.betas[49] == 1)
      #expect(rescaled.sigmas[49] == .infinity)
      #expect(rescaled.logSNR[49] == -.infinity)
      #expect(isClose(rescaled.alphaBars[0], schedule.alphaBars[0], relative: 2 * unit))
      // In between, √ᾱ is shifted and stretched linearly: three points lie on one line.
      let (old, new) = (schedule.signals, rescaled.signals)
      let slope = new[0] / (old[0] - old[49])
      for t in 1..<49 { #expect(abs(new[t] - slope * (old[t] - old[49])) <= 50 * 4 * unit * slope) }
    }
  }

  @Test func `a first step too small to show in its alphaBar survives rescaling`() throws {
    let rescaled = try NoiseSchedule(betas: [1e-20, 0.5, 0.5]).rescaledToZeroTerminalSNR()
    #expect(rescaled.betas[0] == 1e-20)
    // √ᾱ = 1, √½, ½ becomes 1, (√½ − ½)/½ = √2 − 1, 0; the second beta is 1 − (√2 − 1)² = 2·√2 − 2.
    #expect(isClose(rescaled.betas[1], 2 * 2.squareRoot() - 2, relative: 4 * unit))
    #expect(rescaled.betas[2] == 1)
  }

  @Test func `every table has one value for each timestep`() throws {
    let schedule = try NoiseSchedule(.cosine(), timesteps: 7)
    #expect(NoiseSchedule.tables.count == 18)
    for table in NoiseSchedule.tables { #expect(table.values(schedule).count == 7) }
    #expect(Set(NoiseSchedule.tables.map(\.name)).count == NoiseSchedule.tables.count)
  }

  @Test func `a timestep outside the schedule is refused`() async {
    await #expect(processExitsWith: .failure) { _ = try NoiseSchedule(betas: [0.5])[1] }
    await #expect(processExitsWith: .failure) { _ = try NoiseSchedule(betas: [0.5])[-1] }
  }
}

@Suite struct ScheduleErrorTests {
  @Test(arguments: [0, -1, .nan, 1.0000001, .infinity])
  func `a beta outside its range is an error that names it and its place`(beta: Double) throws {
    let error = try #require(throws: ScheduleError.self) { try NoiseSchedule(betas: [0.1, beta]) }
    guard case .beta(_, timestep: 1) = error else {
      Issue.record("\(error)")
      return
    }
    #expect("\(error)".contains("\(beta)") && "\(error)".contains("timestep 1"))
  }

  @Test func `a schedule needs timesteps`() {
    #expect(throws: ScheduleError.timesteps(0, atLeast: 1)) { try NoiseSchedule(.linear(), timesteps: 0) }
    #expect(throws: ScheduleError.timesteps(-5, atLeast: 1)) { try NoiseSchedule(.cosine(), timesteps: -5) }
    #expect(throws: ScheduleError.timesteps(0, atLeast: 1)) { try NoiseSchedule(betas: []) }
    #expect(throws: ScheduleError.timesteps(0, atLeast: 1)) { try NoiseSchedule(alphaBars: []) }
    #expect(throws: ScheduleError.timesteps(1, atLeast: 2)) {
      try NoiseSchedule(.linear(), timesteps: 1).rescaledToZeroTerminalSNR()
    }
  }

  @Test func `the scaled linear schedule of guided-diffusion exists for T of 1 and from 20 on`() throws {
    for timesteps in 1...100 {
      if timesteps == 1 || timesteps >= 20 {
        #expect(try NoiseSchedule(.linear(scaledFrom: 1000), timesteps: timesteps).timesteps == timesteps)
      } else {
        #expect(throws: ScheduleError.self) { try NoiseSchedule(.linear(scaledFrom: 1000), timesteps: timesteps) }
      }
    }
  }

  @Test(arguments: [[0.5, 0.5], [0.5, 0.6], [1.0], [-0.1], [.nan], [0.5, .nan], [0.5, 0, 0]])
  func `alphaBars that do not decrease inside their range are an error`(alphaBars: [Double]) {
    #expect(throws: ScheduleError.self) { try NoiseSchedule(alphaBars: alphaBars) }
  }

  @Test(arguments: [
    (BetaSchedule.linear(start: 0), "start"), (.linear(start: -.infinity), "start"),
    (.linear(start: .infinity), "start"),
    (.linear(end: 0), "end"), (.linear(end: .nan), "end"), (.linear(end: .infinity), "end"),
    (.linear(scaledFrom: 0), "scaledFrom"), (.scaledLinear(start: -0.01), "start"), (.scaledLinear(start: 0), "start"),
    (.scaledLinear(end: 0), "end"), (.scaledLinear(end: 1.5), "end"), (.sigmoid(start: .nan), "start"),
    (.sigmoid(start: 1.5), "start"), (.sigmoid(end: 0), "end"), (.sigmoid(end: 2), "end"),
    (.cosine(offset: -0.5), "offset"),
    (.cosine(offset: 1.5), "offset"), (.cosine(offset: .nan), "offset"), (.cosine(maxBeta: 0), "maxBeta"),
    (.cosine(maxBeta: 1.5), "maxBeta"),
  ])
  func `a parameter of a named schedule that is out of range is an error that names it`(
    schedule: BetaSchedule, name: String
  )
    throws
  {
    let error = try #require(throws: ScheduleError.self) { try NoiseSchedule(schedule, timesteps: 100) }
    guard case .parameter(name, _, schedule: schedule.name, range: _) = error else {
      Issue.record("\(error)")
      return
    }
  }

  @Test(arguments: [
    BetaSchedule.linear(scaledFrom: 1), .scaledLinear(start: 1, end: 1), .sigmoid(start: 1, end: 1),
    .cosine(offset: 0, maxBeta: 1), .cosine(offset: 1),
  ])
  func `parameters at the ends of their ranges are taken`(schedule: BetaSchedule) {
    #expect(throws: Never.self) { try NoiseSchedule(schedule, timesteps: 100) }
  }
}
