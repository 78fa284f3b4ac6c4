import SchedulersFixtures
import Testing

@testable import Schedulers

/// Grids of rectified flow against diffusers': `Fixtures/recipes/flow.py` says which options made
/// them.
@Suite struct FlowSpacingTests {
  private static let file = Result { try Safetensors("flow.safetensors") }
  private static let sizes = [256, 1024, 1536, 4096, 16384]
  private static let fluxMu = DynamicShift.flux.mu(tokens: 4096)

  private static let spacings: [(name: String, spacing: FlowSpacing, mu: Double?)] = [
    ("plain", FlowSpacing(), nil), ("sd3", .stableDiffusion3, nil),
    ("sd3/twice", FlowSpacing(shift: .fixed(3), last: try! FlowShift.fixed(3).shifted(0.001)), nil),
    ("flux", .flux, fluxMu), ("flux/small", .flux, DynamicShift.flux.mu(tokens: 1024)),
    ("linear", FlowSpacing(shift: .dynamic(DynamicShift(kind: .linear))), 1.75),
    ("ltx", .ltxVideo, DynamicShift.ltxVideo.mu(tokens: 1536)),
    ("karras", FlowSpacing(shift: .fixed(3), last: 0.001, respacing: .karras()), nil),
    ("exponential", FlowSpacing(shift: .fixed(3), last: 0.001, respacing: .exponential), nil),
    ("beta", FlowSpacing(times: .beta(), shift: .fixed(3), last: 0.001), nil),
    ("reversed", FlowSpacing(shift: .fixed(2), isReversed: true), nil),
  ]

  @Test(arguments: spacings.indices, [1, 2, 4, 10, 28])
  func `times and what the network is told are those of diffusers`(
    index: Int, steps: Int
  ) throws {
    let (name, spacing, mu) = Self.spacings[index]
    if spacing.terminal != nil, steps == 1 { return }
    let file = try Self.file.get()
    let grid = try SamplingGrid(flow: spacing, steps: steps, mu: mu)
    let (sigmas, timesteps) = (
      try file.doubles("grid/\(name)/\(steps).sigmas"), try file.doubles("grid/\(name)/\(steps).timesteps")
    )
    #expect(grid.steps == sigmas.count && grid.points.last == .clean)
    var worst = WorstRatio()
    for (i, point) in grid.points.dropLast().enumerated() {
      // diffusers holds t or 1 − t alone, within ten units of 1; SciPy's quantiles of beta are
      // within a few hundred.
      let tolerance = (name == "beta" ? 2048 : 64) * unit
      let (told, level) = (timesteps[i], point.level)
      worst.compare(
        spacing.isReversed ? level.signal : level.noise, with: sigmas[i], within: tolerance, at: "t of \(i)")
      worst.compare(level.signal + level.noise, with: 1, within: 8 * unit, at: "path at \(i)")
      worst.compare(point.timestep, with: told, within: 1000 * tolerance, at: "timestep of \(i)")
    }
    worst.expectWithin()
  }

  @Test func `mu is the line of the pipelines through two sizes`() throws {
    let rows = try Self.file.get().doubles("mu")
    for (i, tokens) in Self.sizes.enumerated() {
      // Their line has an intercept at 0 tokens: three roundings of numbers up to 5 on both sides.
      #expect(abs(DynamicShift.flux.mu(tokens: tokens) - rows[2 * i]) <= 32 * unit)
      #expect(abs(DynamicShift.ltxVideo.mu(tokens: tokens) - rows[2 * i + 1]) <= 64 * unit)
    }
    Comparisons.count(rows.count)
  }

  @Test func `a shift multiplies sigma`() throws {
    for (shift, mu, factor) in [
      (FlowShift.fixed(3), nil, 3), (.dynamic(.flux), Math.log(3), 3), (.dynamic(DynamicShift(kind: .linear)), 3, 3),
    ] as [(FlowShift, Double?, Double)] {
      let plain = try SamplingGrid(flow: FlowSpacing(last: 0.01), steps: 9)
      let shifted = try SamplingGrid(flow: FlowSpacing(shift: shift, last: 0.01), steps: 9, mu: mu)
      #expect(shifted.points[0].level == NoiseLevel(signal: 0, noise: 1))
      for (a, b) in zip(plain.points, shifted.points).dropFirst() {
        #expect(isClose(b.level.sigma, factor * a.level.sigma, relative: 32 * unit))
        #expect(isClose(try shift.shifted(a.level.noise, mu: mu), b.level.noise, relative: 32 * unit))
      }
    }
  }

  @Test func `given times are shifted as equal steps are`() throws {
    let given = try SamplingGrid(flow: .flux, times: [1, 0.75, 0.5, 0.25], mu: Self.fluxMu)
    #expect(given == (try SamplingGrid(flow: .flux, steps: 4, mu: Self.fluxMu)))
    let plain = try SamplingGrid(flow: FlowSpacing(timesteps: 1), times: [0.875, 0.25])
    #expect(plain.points.map(\.timestep) == [0.875, 0.25, -1])
    #expect(plain.points[0].level == NoiseLevel(signal: 0.125, noise: 0.875))
  }

  @Test func `mu missing where the shift is dynamic is an error that says how to get it`() throws {
    let error = #expect(throws: GridError.self) { try SamplingGrid(flow: .flux, steps: 4) }
    guard case .missing("mu", reason: let reason) = try #require(error) else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("mu(tokens:)") && "\(error!)".hasPrefix("mu is missing: the shift is dynamic"))
    #expect(throws: GridError.parameter("mu", 1, allowed: "left out where the shift is fixed")) {
      try SamplingGrid(flow: .stableDiffusion3, steps: 4, mu: 1)
    }
  }

  @Test func `options out of range are errors that name them`() throws {
    func name(_ spacing: FlowSpacing, steps: Int = 4, mu: Double? = nil) throws -> String {
      let error = try #require(throws: GridError.self) { try SamplingGrid(flow: spacing, steps: steps, mu: mu) }
      guard case .parameter(let name, _, allowed: _) = error else { return "\(error)" }
      return name
    }
    for value in [0, -1, .nan, .infinity] {
      #expect(try name(FlowSpacing(shift: .fixed(value))) == "shift")
      #expect(try name(FlowSpacing(last: value)) == "last")
      #expect(try name(FlowSpacing(last: value), steps: 1) == "last")
      #expect(try name(FlowSpacing(terminal: value)) == "terminal")
      #expect(try name(FlowSpacing(timesteps: value)) == "timesteps")
      #expect(try name(FlowSpacing(respacing: .karras(rho: value))) == "rho")
      #expect(try name(FlowSpacing(shift: .dynamic(DynamicShift(kind: .linear))), mu: value) == "mu")
    }
    for mu in [700, -700, .nan] { #expect(try name(.flux, mu: mu) == "mu") }
    for steps in [0, -1] { #expect(try name(FlowSpacing(), steps: steps) == "the number of steps") }
    #expect(try name(FlowSpacing(last: 1)) == "last" && name(FlowSpacing(terminal: 1)) == "terminal")
    #expect(try name(.ltxVideo, steps: 1, mu: 1) == "terminal")
    for times in [[], [1.5], [0], [.nan]] as [[Double]] {
      #expect(throws: GridError.self) { try SamplingGrid(flow: FlowSpacing(), times: times) }
    }
    let error = #expect(throws: GridError.self) { try SamplingGrid(flow: FlowSpacing(), times: [0.5, 0.75]) }
    #expect(
      "\(error!)" == "time 0.75 must be above 0 and below the one before it, 0.5; the last may be 0, for clean data at "
        + "the end")
  }

  @Test func `two sizes of one number of tokens have no line through them`() async {
    await #expect(processExitsWith: .failure) { _ = DynamicShift(tokens: 256...256) }
  }
}
