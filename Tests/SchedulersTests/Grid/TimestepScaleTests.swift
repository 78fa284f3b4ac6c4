import Foundation
import Testing

@testable import Schedulers

@Suite struct TimestepScaleTests {
  private let schedule = try! NoiseSchedule(.scaledLinear(), timesteps: 1000)

  @Test func `sigmas and timesteps belong to each other, in the table and between`() throws {
    let scale = try SamplingGrid(schedule, timesteps: [900, 100]).timestepScale
    let sigmas = schedule.sigmas
    for t in [0, 1, 20, 500, 998, 999] {
      #expect(isClose(scale.sigma(timestep: Double(t)), sigmas[t], relative: 16 * unit))
    }
    let between = scale.sigma(timestep: 300.25)
    let logarithm = 0.75 * Math.log(sigmas[300]) + 0.25 * Math.log(sigmas[301])
    #expect(isClose(between, Math.exp(logarithm), relative: 16 * unit))
    // The table climbs by 2e-3 in ln σ there.
    #expect(abs(scale.timestep(sigma: between) - 300.25) <= 16 * unit / 2e-3)
    #expect(scale.timestep(sigma: 1e5) == 999 && scale.timestep(sigma: 1e-9) == 0)
    #expect(scale.sigma(timestep: -1) == scale.sigma(timestep: 0))
  }

  @Test func `points without a schedule are their own scale`() throws {
    let grid = try SamplingGrid(points: [
      .init(timestep: 8, level: NoiseLevel(signal: 0, noise: 1)),
      .init(timestep: 5, level: .variancePreserving(sigma: 4)),
      .init(timestep: 3, level: .variancePreserving(sigma: 1)), .clean,
    ])
    #expect(isClose(grid.timestepScale.sigma(timestep: 4), 2, relative: 8 * unit))
    #expect(isClose(grid.timestepScale.timestep(sigma: 2), 4, relative: 8 * unit))
    #expect(grid.timestepScale.timestep(sigma: 9) == 5 && grid.timestepScale.sigma(timestep: 0) == 1)
    // Noise alone has no sigma, and is no end of the scale.
    #expect(grid.timestepScale.sigma(timestep: 7) == grid.timestepScale.sigma(timestep: 5))
    let nothing = try SamplingGrid(points: [.clean]).timestepScale
    #expect(nothing.timestep(sigma: 1) == 0)
  }

  @Test func `timesteps of rectified flow are linear in the noise, whichever way time runs`() throws {
    func scale(_ timestep: (Double) -> Double) throws -> TimestepScale {
      try SamplingGrid(
        points: [1, 0.75, 0.25, 0].map { .init(timestep: timestep($0), level: NoiseLevel(signal: 1 - $0, noise: $0)) }
      ).timestepScale
    }
    let (down, up) = (try scale { 1000 * $0 }, try scale { 1000 * (1 - $0) })
    #expect(
      isClose(down.timestep(sigma: 1), 500, relative: 4 * unit)
        && isClose(down.sigma(timestep: 500), 1, relative: 8 * unit))
    #expect(
      isClose(up.timestep(sigma: 1.5), 400, relative: 8 * unit)
        && isClose(up.sigma(timestep: 400), 1.5, relative: 8 * unit))
    // Noise alone is on the line too, where there is no sigma.
    #expect(
      isClose(up.timestep(sigma: 99), 10, relative: 256 * unit)
        && isClose(down.timestep(sigma: 4), 800, relative: 8 * unit))
    #expect(down.sigma(timestep: 1000) == .infinity && up.sigma(timestep: 999) == down.sigma(timestep: 1))
  }

  /// A level of sigma 1 between two: on the circle, at signal 1, as networks of Karras et al. are
  /// given it, on the straight path.
  @Test func `a point between two is on their path`() throws {
    func middle(_ level: (Double) -> NoiseLevel, scale: (Double) -> Double = { _ in 1 }) throws -> SamplingGrid.Point {
      let ends = [4, 0.25].map { SamplingGrid.Point(timestep: 5 * $0, level: level($0), inputScale: scale($0)) }
      return try SamplingGrid(points: ends).timestepScale.point(sigma: 1, between: ends[0], and: ends[1])
    }
    func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 8 * unit * abs(b) }
    let preserving = try middle(NoiseLevel.variancePreserving(sigma:))
    #expect(isClose(preserving.level.signal, 0.5.squareRoot()) && isClose(preserving.inputScale, 1))
    #expect(isClose(preserving.level.noise, 0.5.squareRoot()) && isClose(preserving.timestep, 10.625))
    for deviation in [1, 0.5] {
      let exploding = try middle(
        { NoiseLevel(signal: 1, noise: $0) }, scale: { 1 / ($0 * $0 + deviation * deviation).squareRoot() })
      #expect(isClose(exploding.level.signal, 1) && isClose(exploding.level.noise, 1))
      #expect(isClose(exploding.inputScale, 1 / (1 + deviation * deviation).squareRoot()))
    }
    let flow = try middle { NoiseLevel(signal: 1 / (1 + $0), noise: $0 / (1 + $0)) }
    #expect(isClose(flow.level.signal, 0.5) && isClose(flow.level.noise, 0.5) && isClose(flow.inputScale, 1))
  }

  @Test func `an exploding grid asks the network what the grid it is made of asks`() throws {
    let grid = try SamplingGrid(schedule, steps: 4, spacing: TimestepSpacing.trailing)
    let exploding = try grid.exploding()
    for (a, b) in zip(grid.points, exploding.points) {
      #expect(b.level.signal == 1 && b.timestep == a.timestep)
      #expect(isClose(b.level.noise * b.inputScale, a.level.noise, relative: 4 * unit))
    }
    #expect(exploding.schedule == schedule)
    let zero = try SamplingGrid(schedule.rescaledToZeroTerminalSNR(), steps: 4, spacing: TimestepSpacing.trailing)
    #expect(throws: GridError.parameter("the largest sigma", .infinity, allowed: "finite")) { try zero.exploding() }
  }

  @Test func `a slice keeps its schedule`() throws {
    let grid = try SamplingGrid(schedule, steps: 9, spacing: SigmaSpacing.karras())
    #expect(try grid.last(3).schedule == schedule)
    #expect(try grid.starting(strength: 0.5).timestepScale == grid.timestepScale)
  }

  @Test func `schedules survive being saved to the bit, however they were made`() throws {
    let bars = try NoiseSchedule(alphaBars: schedule.alphaBars)
    for schedule in [
      schedule, bars, try schedule.rescaledToZeroTerminalSNR(), try schedule.respaced(by: .ddim(50)).schedule,
    ] {
      #expect(try JSONDecoder().decode(NoiseSchedule.self, from: JSONEncoder().encode(schedule)) == schedule)
    }
    #expect(bars != schedule)
  }

  @Test(arguments: [
    #"{}"#, #"{"betas":[]}"#, #"{"betas":[0.1,2]}"#, #"{"betas":["a"]}"#, #"{"alphaBars":[[0.5,0],[0.6,0]]}"#,
    #"{"alphaBars":[[0.5]]}"#,
    #"{"alphaBars":[[0.5,0.25]]}"#, #"{"alphaBars":[]}"#,
  ])
  func `a saved schedule that is none is an error`(text: String) {
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(NoiseSchedule.self, from: Data(text.utf8)) }
  }
}
