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
      .init(timestep: 8, level: NoiseLevel(signal: 0, noise: 1)), .init(timestep: 5, level: .variancePreserving(sigma: 4)),
      .init(timestep: 3, level: .variancePreserving(sigma: 1)), .clean,
    ])
    #expect(isClose(grid.timestepScale.sigma(timestep: 4), 2, relative: 8 * unit))
    #expect(isClose(grid.timestepScale.timestep(sigma: 2), 4, relative: 8 * unit))
    #expect(grid.timestepScale.timestep(sigma: 9) == 5 && grid.timestepScale.sigma(timestep: 0) == 1)
    let nothing = try SamplingGrid(points: [.clean]).timestepScale
    #expect(nothing.timestep(sigma: 1) == 0)
  }

  /// A level of sigma 1 between two, on the circle, at signal 1, and on the straight path of rectified flow.
  @Test func `a point between two is on their path`() throws {
    func middle(_ a: NoiseLevel, _ b: NoiseLevel, scales: (Double, Double) = (1, 1)) throws -> SamplingGrid.Point {
      let ends = [
        SamplingGrid.Point(timestep: 20, level: a, inputScale: scales.0),
        SamplingGrid.Point(timestep: 10, level: b, inputScale: scales.1),
      ]
      return try SamplingGrid(points: ends).timestepScale.point(sigma: 1, between: ends[0], and: ends[1])
    }
    let preserving = try middle(.variancePreserving(sigma: 4), .variancePreserving(sigma: 0.25))
    #expect(isClose(preserving.level.signal, 0.5.squareRoot(), relative: 4 * unit) && preserving.inputScale == 1)
    #expect(isClose(preserving.timestep, 15, relative: 8 * unit))
    let exploding = try middle(
      NoiseLevel(signal: 1, noise: 4), NoiseLevel(signal: 1, noise: 0.25),
      scales: (1 / 17.0.squareRoot(), 4 / 17.0.squareRoot()))
    #expect(exploding.level == NoiseLevel(signal: 1, noise: 1))
    #expect(isClose(exploding.inputScale, 0.5.squareRoot(), relative: 8 * unit))
    let flow = try middle(NoiseLevel(signal: 0.25, noise: 0.75), NoiseLevel(signal: 0.75, noise: 0.25))
    #expect(isClose(flow.level.signal, 0.5, relative: 4 * unit) && isClose(flow.level.noise, 0.5, relative: 4 * unit))
    #expect(flow.inputScale == 1)
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
    for schedule in [schedule, bars, try schedule.rescaledToZeroTerminalSNR(), try schedule.respaced(by: .ddim(50)).schedule] {
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
