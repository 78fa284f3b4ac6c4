import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

@Suite struct TimestepSpacingTests {
  private let schedule = try! NoiseSchedule(.linear(), timesteps: 1000)

  private func timesteps(_ spacing: TimestepSpacing, _ steps: Int) throws -> [Int] {
    try SamplingGrid(schedule, steps: steps, spacing: spacing).points.dropLast().map { Int($0.timestep) }
  }

  @Test(arguments: TimestepSpacing.all)
  func `every number of steps gives exactly that many timesteps, falling, inside the schedule`(spacing: TimestepSpacing)
    throws
  {
    for steps in 1...1000 {
      let grid = try SamplingGrid(schedule, steps: steps, spacing: spacing)
      let timesteps = grid.points.dropLast().map(\.timestep)
      #expect(grid.steps == steps && timesteps.count == steps)
      #expect(zip(timesteps, timesteps.dropFirst()).allSatisfy { $0 > $1 })
      #expect(timesteps.allSatisfy { $0 >= 0 && $0 <= 999 && $0 == $0.rounded() })
      #expect(grid.points.dropLast().allSatisfy { $0.level == schedule[Int($0.timestep)] && $0.inputScale == 1 })
      #expect(grid.points.last == .clean)
    }
  }

  @Test func `the spacings are those of the papers`() throws {
    // Lin et al. 2023, table 2, counted from 0: T = 1000, N = 10.
    #expect(try timesteps(.leading(), 10) == [900, 800, 700, 600, 500, 400, 300, 200, 100, 0])
    #expect(try timesteps(.leading(offset: 1), 10) == [901, 801, 701, 601, 501, 401, 301, 201, 101, 1])
    #expect(try timesteps(.trailing, 10) == [999, 899, 799, 699, 599, 499, 399, 299, 199, 99])
    #expect(try timesteps(.linspace, 10) == [999, 888, 777, 666, 555, 444, 333, 222, 111, 0])
  }

  @Test func `the spacings have the names that other libraries give them`() {
    #expect(TimestepSpacing.all.map(\.name) == ["leading", "trailing", "linspace", "sgm-uniform", "simple", "beta"])
    #expect(TimestepSpacing.oneMore(.linspace).name == "linspace+1")
    #expect(
      SigmaSpacing.all.map(\.name) == ["karras", "exponential", "polyexponential", "linear", "kl-optimal", "laplace"])
    #expect(FractionalSpacing.allCases.map(\.name) == ["normal", "sgm-uniform-fractional"])
  }

  @Test func `ties are rounded to even`() throws {
    // 1000 − 1000·i/16 = ... 937.5, 812.5 ...: 938 − 1 and 812 − 1.
    #expect(try timesteps(.trailing, 16)[1] == 937)
    #expect(try timesteps(.trailing, 16)[3] == 811)
    // i·999/6 = 166.5, 499.5, 832.5: to 166, 500 and 832.
    #expect(try timesteps(.linspace, 7) == [999, 832, 666, 500, 333, 166, 0])
  }

  @Test func `one step begins where its spacing begins`() throws {
    #expect(try timesteps(.linspace, 1) == [999])
    #expect(try timesteps(.trailing, 1) == [999])
    #expect(try timesteps(.leading(), 1) == [0])
  }

  @Test func `an offset that would leave the schedule is an error`() {
    #expect(throws: GridError.self) { try timesteps(.leading(offset: 1), 1000) }
    #expect(throws: GridError.self) { try timesteps(.leading(offset: -1), 10) }
    #expect(throws: GridError.self) { try timesteps(.leading(offset: 100), 10) }
    #expect(throws: Never.self) { try timesteps(.leading(offset: 99), 10) }
    #expect(throws: GridError.self) { try timesteps(.leading(offset: .max), 10) }
  }

  @Test(arguments: [0, -3, 1001, .max, .min]) func `a number of steps that does not fit is an error`(steps: Int) {
    for spacing in TimestepSpacing.all {
      #expect(throws: GridError.steps(steps, timesteps: 1000)) {
        try SamplingGrid(schedule, steps: steps, spacing: spacing)
      }
    }
    for spacing in SigmaSpacing.all {
      #expect(throws: GridError.steps(steps, timesteps: 1000)) {
        try SamplingGrid(schedule, steps: steps, spacing: spacing)
      }
    }
  }

  @Test func `distilled timesteps are some of those of the distillation, from the last one on`() throws {
    let grid = try SamplingGrid(schedule, steps: 4, spacing: .distilled(originalSteps: 10))
    #expect(grid.points.dropLast().map(\.timestep) == [999, 799, 499, 299])
    let all = try SamplingGrid(schedule, steps: 50, spacing: .distilled())
    let distilled = (1...50).map { Double(1000 - 20 * ($0 - 1) - 1) }
    #expect(all.points.dropLast().map(\.timestep) == distilled)
    let every = try SamplingGrid(schedule, steps: 4, spacing: .distilled(originalSteps: 1000))
    #expect(every.points.dropLast().map(\.timestep) == [999, 749, 499, 249])
    for (steps, original) in [(51, 50), (1, 0), (1, 1001), (2, -1)] {
      #expect(throws: GridError.self) {
        try SamplingGrid(schedule, steps: steps, spacing: .distilled(originalSteps: original))
      }
    }
  }

  @Test func `custom timesteps are taken as they are`() throws {
    let grid = try SamplingGrid(schedule, timesteps: [999, 500, 3])
    #expect(grid.points.map(\.timestep) == [999, 500, 3, -1])
  }

  @Test(arguments: [[], [1000], [-1], [5, 5], [3, 7], [10, -2]]) func `custom timesteps must fall inside the schedule`(
    timesteps: [Int]
  ) {
    #expect(throws: GridError.self) { try SamplingGrid(schedule, timesteps: timesteps) }
  }

  @Test func `a custom timestep that does not fall is an error with its place`() {
    #expect(throws: GridError.timestep(5, index: 2, allowed: "0 or more and below 5")) {
      try SamplingGrid(schedule, timesteps: [900, 5, 5])
    }
    #expect(throws: GridError.timestep(1000, index: 0, allowed: "0 or more and below 1000")) {
      try SamplingGrid(schedule, timesteps: [1000])
    }
  }
}

@Suite struct SigmaSpacingTests {
  private let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)

  @Test(arguments: SigmaSpacing.all)
  func `sigmas run from the schedule's largest to its smallest`(spacing: SigmaSpacing) throws {
    for steps in [1, 2, 3, 10, 50, 999, 1000] {
      let grid = try SamplingGrid(schedule, steps: steps, spacing: spacing)
      #expect(grid.steps == steps)
      #expect(isClose(grid.points[0].level.sigma, schedule.sigmas[999], relative: 4 * unit))
      #expect(grid.points[0].timestep == 999)
      if steps > 1 {
        #expect(isClose(grid.points[steps - 1].level.sigma, schedule.sigmas[0], relative: 4 * unit))
        #expect(grid.points[steps - 1].timestep == 0)
      }
    }
  }

  @Test(arguments: SigmaSpacing.all)
  func `every number of steps gives exactly that many sigmas, falling, with timesteps inside the schedule`(
    spacing: SigmaSpacing
  ) throws {
    for steps in 1...1000 {
      let grid = try SamplingGrid(schedule, steps: steps, spacing: spacing)
      let points = grid.points.dropLast()
      #expect(grid.steps == steps && grid.points.last == .clean)
      #expect(
        zip(points, points.dropFirst()).allSatisfy { $0.level.sigma > $1.level.sigma && $0.timestep > $1.timestep })
      #expect(points.allSatisfy { $0.timestep >= 0 && $0.timestep <= 999 })
    }
  }

  @Test func `each spacing is equal in its own scale`() throws {
    let range = 0.1...10.0
    func sigmas(_ spacing: SigmaSpacing) throws -> [Double] {
      try SamplingGrid(schedule, steps: 5, spacing: spacing, range: range).points.dropLast().map(\.level.sigma)
    }
    for (i, sigma) in try sigmas(.linear).enumerated() {
      #expect(abs(sigma - (10 - 9.9 / 4 * Double(i))) <= 10 * 16 * unit)
    }
    // ln σ in equal steps: the ratio of neighbours is 100^(1/4).
    let exponential = try sigmas(.exponential)
    for i in 1..<5 {
      #expect(isClose(exponential[i - 1] / exponential[i], 10.squareRoot(), relative: 64 * unit))
    }
    // σ^(1/2) in equal steps.
    let karras = try sigmas(.karras(rho: 2))
    for (i, sigma) in karras.enumerated() {
      let root = 10.squareRoot() + Double(i) / 4 * (0.1.squareRoot() - 10.squareRoot())
      #expect(isClose(sigma, root * root, relative: 64 * unit))
    }
  }

  @Test func `a sigma of the table is told as its timestep, one between as a fraction by its logarithm`() throws {
    let table = schedule.sigmas
    let grid = try SamplingGrid(schedule, sigmas: [table[700], (table[300] * table[301]).squareRoot(), table[20]])
    #expect(abs(grid.points[0].timestep - 700) < 1e-9)
    #expect(abs(grid.points[1].timestep - 300.5) < 1e-9)
    #expect(abs(grid.points[2].timestep - 20) < 1e-9)
  }

  @Test func `sigmas beyond the schedule are told as its ends`() throws {
    let grid = try SamplingGrid(schedule, sigmas: [1000, 1e-5])
    #expect(grid.points.map(\.timestep) == [999, 0, -1])
  }

  @Test func `at zero terminal SNR sigmas beyond the last finite one are told as its timestep`() throws {
    // Every finite ln σ is a share of 0 on the way to an infinite one.
    let zero = try schedule.rescaledToZeroTerminalSNR()
    let sigmas = zero.sigmas
    let grid = try SamplingGrid(zero, sigmas: [1e9, sigmas[998] * 2, sigmas[998] * 1.0001, sigmas[500]])
    #expect(grid.points.dropLast(2).map(\.timestep) == [998, 998, 998])
    // ln σ is rounded at a size below 8, and the table climbs by more than 1e-3 in a timestep.
    #expect(abs(grid.points[3].timestep - 500) <= 8 * 4 * unit / 1e-3)
  }

  @Test(arguments: [[], [.nan], [1, 1], [1, 2], [0], [-1], [.infinity, 1]]) func `sigmas must be positive and fall`(
    sigmas: [Double]
  ) {
    #expect(throws: GridError.self) { try SamplingGrid(schedule, sigmas: sigmas) }
  }

  @Test func `a range that is no range of sigmas is an error that names its end`() throws {
    let zero = try schedule.rescaledToZeroTerminalSNR()
    for (schedule, spacing, range, name) in [
      (schedule, SigmaSpacing.linear, 0...1, "the smallest sigma"), (schedule, .linear, -1...1, "the smallest sigma"),
      (schedule, .linear, 1 ... .infinity, "the largest sigma"), (zero, .karras(), nil, "the largest sigma"),
      (schedule, .karras(rho: 0), nil, "rho"), (schedule, .karras(rho: -1), nil, "rho"),
      (schedule, .karras(rho: .nan), nil, "rho"), (schedule, .karras(rho: .infinity), nil, "rho"),
    ] as [(NoiseSchedule, SigmaSpacing, ClosedRange<Double>?, String)] {
      let error = try #require(throws: GridError.self) {
        try SamplingGrid(schedule, steps: 5, spacing: spacing, range: range)
      }
      guard case .parameter(name, _, allowed: _) = error else {
        Issue.record("\(error)")
        continue
      }
    }
  }

  @Test func `no sigmas and no timesteps are errors of the number of steps`() {
    #expect(throws: GridError.steps(0, timesteps: 1000)) { try SamplingGrid(schedule, sigmas: []) }
    #expect(throws: GridError.steps(0, timesteps: 1000)) { try SamplingGrid(schedule, timesteps: []) }
  }

  @Test func `a sigma that does not fall is an error with its place and the one before it`() {
    #expect(throws: GridError.sigma(0, index: 1, previous: 0.5)) { try SamplingGrid(schedule, sigmas: [0.5, 0, 0]) }
    #expect(throws: GridError.sigma(0.5, index: 1, previous: 0.5)) { try SamplingGrid(schedule, sigmas: [0.5, 0.5]) }
    #expect(throws: GridError.sigma(0, index: 0, previous: .infinity)) { try SamplingGrid(schedule, sigmas: [0]) }
    // Levels whose sigma is exact: 1 and 3/4.
    #expect(throws: GridError.sigma(1, index: 2, previous: 0.75)) {
      try SamplingGrid(
        points: [
          NoiseLevel(signal: 1, noise: 2), NoiseLevel(signal: 0.5, noise: 0.375), NoiseLevel(signal: 1, noise: 1),
        ]
        .map { .init(timestep: 0, level: $0) })
    }
  }
}

@Suite struct GridSlicingTests {
  private let grid = try! SamplingGrid(
    NoiseSchedule(.linear(), timesteps: 1000), steps: 30, spacing: TimestepSpacing.trailing)

  @Test func `strength keeps the last part of the steps, rounded down`() throws {
    #expect(try grid.starting(strength: 1) == grid)
    #expect(try grid.starting(strength: 0).steps == 0)
    #expect(try grid.starting(strength: 0.6).points == Array(grid.points.suffix(19)))
    #expect(try grid.starting(strength: 0.66).steps == 19)
  }

  /// Both its points, noise alone and data alone, lie on the straight path too.
  @Test func `a schedule's single step from noise alone is rounded as a schedule's`() throws {
    let grid = try SamplingGrid(
      NoiseSchedule(.linear(), timesteps: 10).rescaledToZeroTerminalSNR(), steps: 1, spacing: .trailing)
    #expect(grid.points.allSatisfy { $0.level.signal + $0.level.noise == 1 })
    #expect(try grid.starting(strength: 0.5).steps == 0)
    let straight = try SamplingGrid(flow: FlowSpacing(), steps: 1)
    #expect(try straight.starting(strength: 0.5).steps == 1)
  }

  @Test func `a strength leaves as many steps as the pipelines make`() throws {
    let file = try Safetensors("grids.safetensors")
    let schedule = try NoiseSchedule(.scaledLinear(), timesteps: 1000)
    for kind in ["flow", "discrete"] {
      let rows = try file.doubles("strength/\(kind)")
      for row in stride(from: 0, to: rows.count, by: 3) {
        let (steps, strength, left) = (Int(rows[row]), rows[row + 1], Int(rows[row + 2]))
        let grid =
          try kind == "flow"
          ? SamplingGrid(flow: .stableDiffusion3, steps: steps)
          : SamplingGrid(schedule, steps: steps, spacing: .trailing)
        #expect(try grid.starting(strength: strength).steps == left, "\(kind): \(steps) steps, strength \(strength)")
      }
      Comparisons.count(rows.count / 3)
    }
    // 28 steps at 0.6 are 17 calls from timestep 607.
    let late = try SamplingGrid(flow: FlowSpacing(), steps: 28).starting(strength: 0.6)
    #expect(late.steps == 17 && Int(late.points[0].timestep) == 607)
  }

  @Test func `a last sigma of 0 is the end`() throws {
    let schedule = try NoiseSchedule(.scaledLinear(), timesteps: 1000)
    #expect(try SamplingGrid(schedule, sigmas: [5, 1, 0]) == SamplingGrid(schedule, sigmas: [5, 1]))
    #expect(
      try SamplingGrid(edm: EDMPreconditioning(), sigmas: [5, 1, 0])
        == SamplingGrid(edm: EDMPreconditioning(), sigmas: [5, 1]))
    #expect(
      try SamplingGrid(flow: .stableDiffusion3, times: [1, 0.5, 0])
        == SamplingGrid(flow: .stableDiffusion3, times: [1, 0.5]))
    let error = #expect(throws: GridError.self) { try SamplingGrid(schedule, sigmas: [5, 0, 1]) }
    #expect("\(error!)" == "sigma 0 at step 1 must be finite and above 0; the last may be 0, for clean data at the end")
    #expect(throws: GridError.self) { try SamplingGrid(schedule, sigmas: [0]) }
  }

  @Test func `the last steps of a grid that goes nowhere at its end are a grid too`() throws {
    let configuration = try DiffusersConfiguration(.edmDPMSolverMultistep, ["final_sigmas_type": "sigma_min"])
    let grid = try configuration.grid(steps: 10, fidelity: .diffusers)
    #expect(!(grid.points[10].level.sigma < grid.points[9].level.sigma))
    #expect(try grid.last(4).points == Array(grid.points.suffix(5)))
  }

  @Test(arguments: [-0.01, 1.01, .nan, .infinity]) func `a strength outside its range is an error`(strength: Double) {
    #expect(throws: GridError.self) { try grid.starting(strength: strength) }
  }

  @Test func `a number of steps keeps that many`() throws {
    for count in 0...30 { #expect(try grid.last(count).points == Array(grid.points.suffix(count + 1))) }
    #expect(throws: GridError.self) { try grid.last(31) }
    #expect(throws: GridError.self) { try grid.last(-1) }
  }

  @Test func `a noise level keeps the points that have no more noise`() throws {
    #expect(try grid.starting(at: grid.points[12].level) == grid.last(18))
    let between = NoiseLevel.variancePreserving(sigma: grid.points[12].level.sigma * 0.9999)
    #expect(try grid.starting(at: between) == grid.last(17))
    #expect(try grid.starting(at: .clean).steps == 0)
    let late = try SamplingGrid(points: Array(grid.points.prefix(5)))
    #expect(throws: GridError.self) { try late.starting(at: .clean) }
  }

  @Test func `points must fall in sigma and be finite`() {
    let point = SamplingGrid.Point(timestep: 3, level: NoiseLevel(signal: 0.6, noise: 0.8))
    #expect(throws: GridError.noPoints) { try SamplingGrid(points: []) }
    #expect(throws: GridError.self) { try SamplingGrid(points: [point, point]) }
    #expect(throws: GridError.self) { try SamplingGrid(points: [.clean, point]) }
    #expect(throws: GridError.self) { try SamplingGrid(points: [.init(timestep: .nan, level: .clean)]) }
    #expect(throws: GridError.self) { try SamplingGrid(points: [.init(timestep: 0, level: .clean, inputScale: 0)]) }
  }
}
