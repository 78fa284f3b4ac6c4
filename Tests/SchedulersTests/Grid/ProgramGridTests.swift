import SchedulersFixtures
import Testing

@testable import Schedulers

/// Grids against those of the programs that people know them from: `Fixtures/recipes/programs.py`
/// ran ComfyUI's and Forge's own files.
@Suite struct ProgramGridTests {
  private static let file = Result { try Safetensors("comfyui-grids.safetensors") }
  private static let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)
  private static let steps = [1, 2, 3, 7, 10, 20, 30, 50]

  private func compare(_ grid: SamplingGrid, with name: String, units: Double, isFlow: Bool = false) throws {
    try compare(grid, with: Self.file.get().doubles(name), name: name, units: units, isFlow: isFlow)
  }

  private func compare(
    _ grid: SamplingGrid, with expected: [Double], name: String, units: Double, isFlow: Bool = false
  ) throws {
    try #require(grid.points.count == expected.count, "\(name)")
    var worst = WorstRatio()
    for (point, sigma) in zip(grid.points, expected) {
      let ours = isFlow ? point.level.noise : point.level.sigma
      worst.compare(ours, with: sigma, within: units * unit * max(sigma, isFlow ? 1 : 0), at: name)
    }
    worst.expectWithin()
  }

  /// ComfyUI has the sigmas of the schedule, or interpolates their logarithms, which are 4 at most.
  @Test(arguments: steps) func `timesteps whole and fractional are ComfyUI's`(steps: Int) throws {
    for (name, spacing) in [("simple", TimestepSpacing.simple), ("ddim_uniform", .ddimUniform)] {
      let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: spacing)
      try compare(grid, with: "discrete/\(name)/\(steps)", units: 8)
    }
    for (name, spacing) in [("normal", FractionalSpacing.normal), ("sgm_uniform", .fractionalSGMUniform)] {
      let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: spacing)
      // A timestep of up to 999 is rounded, and ln σ climbs by 0.35 at most in one.
      try compare(grid, with: "discrete/\(name)/\(steps)", units: 999)
    }
    // ComfyUI's beta lacks the end, and drops what falls on a timestep twice.
    let expected = try Self.file.get().doubles("discrete/beta/\(steps)")
    if expected.count == steps + 1 {
      let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: .oneMore(.beta()))
      try compare(grid, with: expected, name: "beta", units: 8)
    }
  }

  @Test func `fractional timesteps are told to the network as they are`() throws {
    let grid = try SamplingGrid(Self.schedule, steps: 7, spacing: .normal)
    #expect(grid.points.map(\.timestep) == [999, 832.5, 666, 499.5, 333, 166.5, 0, -1])
    let open = try SamplingGrid(Self.schedule, steps: 4, spacing: .fractionalSGMUniform)
    #expect(open.points.map(\.timestep) == [999, 749.25, 499.5, 249.75, -1])
    for spacing in FractionalSpacing.allCases {
      for steps in [1, 2, 999, 1000] {
        let zero = try Self.schedule.rescaledToZeroTerminalSNR()
        #expect(try SamplingGrid(zero, steps: steps, spacing: spacing).points[0].level.signal == 0)
      }
      for steps in [0, 1001] {
        #expect(throws: GridError.steps(steps, timesteps: 1000)) {
          try SamplingGrid(Self.schedule, steps: steps, spacing: spacing)
        }
      }
    }
  }

  // An angle near π/2 has an error of a unit of it, which its tangent magnifies by 1 + σ².
  @Test(arguments: steps.dropFirst()) func `equal steps of the angle of sigma are ComfyUI's`(steps: Int) throws {
    let range = Self.schedule.sigmas[0]...Self.schedule.sigmas[999]
    let grid = try SamplingGrid(Self.schedule, steps: steps, spacing: .klOptimal, range: range)
    try compare(grid, with: "discrete/kl_optimal/\(steps)", units: 8 * 15)
  }

  // Each time is rounded a few times at the size of 1, and the shift multiplies by 3 at most.
  @Test(arguments: steps, [1, 3]) func `times of rectified flow are ComfyUI's`(steps: Int, shift: Int) throws {
    let fixed = FlowShift.fixed(Double(shift))
    // ComfyUI takes the shifted time of the first timestep for a time before the shift.
    let least = try fixed.shifted(0.001)
    let spacings: [(String, FlowSpacing)] = [
      ("simple", FlowSpacing(times: .simple(), shift: fixed)),
      ("normal", FlowSpacing(shift: fixed, last: least)),
      ("sgm_uniform", FlowSpacing(shift: fixed, last: (1 + Double(steps - 1) * least) / Double(steps))),
      ("linear_quadratic", FlowSpacing(times: .linearQuadratic())),
    ]
    for (name, spacing) in spacings where name != "normal" || steps > 1 {
      if name == "sgm_uniform", steps == 1 { continue }
      let grid = try SamplingGrid(flow: spacing, steps: steps)
      try compare(grid, with: "flow-\(shift)/\(name)/\(steps)", units: 32, isFlow: true)
    }
  }

  // ln σ of 4 at most, and ln t of 7, are rounded on the reference's side.
  @Test(arguments: [2, 3, 7, 10, 20, 40, 50]) func `searched steps are ComfyUI's`(steps: Int) throws {
    try compare(SamplingGrid(Self.schedule, gitsSteps: steps), with: "gits/\(steps)", units: 48)
    for family in OptimalSteps.allCases where steps > 2 {
      let grid = try SamplingGrid(optimalStepsFor: family, steps: steps)
      try compare(grid, with: "optimal/\(family.rawValue)/\(steps)", units: 16, isFlow: true)
    }
  }

  @Test func `numbers out of range are errors that name them`() {
    #expect(throws: GridError.parameter("the number of steps", 1, allowed: "2 or more")) { try GITS.sigmas(steps: 1) }
    #expect(throws: GridError.steps(1001, timesteps: 1000)) { try SamplingGrid(Self.schedule, gitsSteps: 1001) }
    #expect(throws: GridError.parameter("the number of steps", 0, allowed: "1 or more")) {
      try SamplingGrid(optimalStepsFor: .wan, steps: 0)
    }
    #expect(throws: GridError.parameter("timesteps", 0, allowed: "above 0 and finite")) {
      try SamplingGrid(optimalStepsFor: .wan, steps: 3, timesteps: 0)
    }
    let bad: [(FlowSpacing.Times, String, Double, String)] = [
      (.simple(timesteps: 3), "timesteps", 3, "4 or more, the number of steps"),
      (.linearQuadratic(threshold: 0), "threshold", 0, "above 0 and below 1"),
      (.linearQuadratic(threshold: 1), "threshold", 1, "above 0 and below 1"),
      (.logitNormal(mean: .infinity), "mean", .infinity, "finite"),
      (.logitNormal(deviation: 0), "deviation", 0, "above 0 and finite"),
    ]
    for (times, name, value, allowed) in bad {
      #expect(throws: GridError.parameter(name, value, allowed: allowed)) {
        try SamplingGrid(flow: FlowSpacing(times: times), steps: 4)
      }
    }
    #expect(
      throws: GridError.parameter("last", 0.5, allowed: "left out, as these times have a last of their own")
    ) { try SamplingGrid(flow: FlowSpacing(times: .simple(), last: 0.5), steps: 4) }
    for spacing in [SigmaSpacing.laplace(mu: .infinity), .laplace(scale: 0), .laplace(scale: .infinity)] {
      #expect(throws: GridError.self) { try SamplingGrid(Self.schedule, steps: 4, spacing: spacing) }
    }
  }

  @Test(arguments: [2, 5, 11, 25, 32]) func `tables of 11 and 32 sigmas are Forge's`(steps: Int) throws {
    let file = try Safetensors("forge-grids.safetensors")
    let families: [(AlignYourSteps, String)] = [
      (.stableDiffusion11, "11/stableDiffusion"), (.stableDiffusionXL11, "11/stableDiffusionXL"),
      (.stableDiffusion32, "32/stableDiffusion"), (.stableDiffusionXL32, "32/stableDiffusionXL"),
    ]
    for (family, name) in families {
      let grid = try SamplingGrid(Self.schedule, steps: steps, alignedFor: family)
      try compare(grid, with: file.doubles("ays/\(name)/\(steps)"), name: name, units: 48)
    }
  }
}
