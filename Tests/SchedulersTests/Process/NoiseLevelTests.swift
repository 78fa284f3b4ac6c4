import Foundation
import Schedulers
import Testing

@Suite struct NoiseLevelTests {
  @Test func `every name of a level follows from its pair`() {
    let level = NoiseLevel(signal: 0.75, noise: 1)
    #expect(level.sigma == 1 / 0.75)
    #expect(level.snr == 0.5625)
    #expect(isClose(level.lambda, -0.28768207245178085, relative: 4 * unit))  // ln(3/4)
    #expect(level.logSNR == 2 * level.lambda)
  }

  @Test func `clean data and pure noise have infinite ratios, not NaN`() {
    #expect(NoiseLevel.clean.sigma == 0)
    #expect(NoiseLevel.clean.snr == .infinity)
    #expect(NoiseLevel.clean.lambda == .infinity)
    let noise = NoiseLevel(signal: 0, noise: 1)
    #expect(noise.sigma == .infinity)
    #expect(noise.snr == 0)
    #expect(noise.lambda == -.infinity)
  }

  @Test func `lambda keeps its digits where signal and noise balance`() {
    // ln(1 + x) = x − x²/2 + x³/3 with x = 2⁻³⁰ exactly representable in the pair.
    let x = 0x1p-30
    let level = NoiseLevel(signal: 0.5 * (1 + x), noise: 0.5)
    #expect(isClose(level.lambda, x - x * x / 2 + x * x * x / 3, relative: 4 * unit))
  }

  @Test(arguments: [0, 1e-300, 1e-3, 0.5, 1, 2, 157.4, 1e200, .infinity])
  func `the variance-preserving level of a sigma has that sigma and unit power`(sigma: Double) {
    let level = NoiseLevel.variancePreserving(sigma: sigma)
    #expect(isClose(level.sigma, sigma, relative: 4 * unit))
    #expect(isClose(level.signal * level.signal + level.noise * level.noise, 1, relative: 6 * unit))
    let exact = level.exact
    let power = exact.signal * exact.signal + exact.noise * exact.noise
    #expect(abs((power - 1).high) <= 0x1p-100 && level.description.count < 80)
  }

  @Test func `scaling a level scales both factors and keeps sigma`() {
    let level = NoiseLevel(signal: 0.6, noise: 0.8)
    #expect(level.scaled(by: 0.5) == NoiseLevel(signal: 0.3, noise: 0.4))
    #expect(level.scaled(by: 1) == level)
    #expect(level.scaled(by: 2) == NoiseLevel(signal: 1.2, noise: 1.6))
  }

  @Test func `mixing is the forward process`() {
    let mixed = NoiseLevel(signal: 0.5, noise: 2).mix([1.0, -2.0], with: [3.0, 0.25])
    #expect(mixed == [6.5, -0.5])
  }

  @Test func `a grid that is decoded runs to the same bits, as its levels know what rounding left`() throws {
    let grid = try SamplingGrid(NoiseSchedule(.scaledLinear(), timesteps: 1000), steps: 50, spacing: .trailing)
    let decoded = try JSONDecoder().decode(SamplingGrid.self, from: JSONEncoder().encode(grid))
    let plan = try DPMSolverPlusPlus().plan(over: grid, predicting: .epsilon)
    #expect(try DPMSolverPlusPlus().plan(over: decoded, predicting: .epsilon) == plan)
    // The factors alone are equal levels, which do not know it.
    let points = grid.points.map { point in
      let level = NoiseLevel(signal: point.level.signal, noise: point.level.noise)
      return SamplingGrid.Point(timestep: point.timestep, level: level)
    }
    let rounded = try SamplingGrid(points: points, schedule: grid.schedule)
    #expect(rounded == grid && rounded.points[3].level.hashValue == grid.points[3].level.hashValue)
    #expect(try DPMSolverPlusPlus().plan(over: rounded, predicting: .epsilon) != plan)
    // What a plan holds are numbers, and so it is saved.
    #expect(!String(decoding: try JSONEncoder().encode(plan), as: UTF8.self).contains("Low"))
  }

  @Test(arguments: ["1e-15", "-1e-15", "1", "0.6"]) func `a low part that changes its factor is refused`(low: String) {
    let text = #"{"signal": 0.8, "noise": 0.6, "signalLow": \#(low)}"#
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(NoiseLevel.self, from: Data(text.utf8)) }
  }

  @Test func `a level that is not one is refused with its values`() async {
    await #expect(processExitsWith: .failure) { _ = NoiseLevel(signal: .nan, noise: 1) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevel(signal: 1, noise: -0.1) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevel(signal: 0, noise: 0) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevel(signal: .infinity, noise: 0) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevel.variancePreserving(sigma: -1) }
  }
}
