import Testing

@testable import Schedulers

/// Grids that nobody means and anybody can make or read from a file.
@Suite struct OddGridTests {
  private static func point(_ timestep: Double, sigma: Double) -> SamplingGrid.Point {
    SamplingGrid.Point(timestep: timestep, level: .variancePreserving(sigma: sigma))
  }

  private static let grids: [SamplingGrid] = {
    let (pure, clean) = (point(999, sigma: .infinity), SamplingGrid.Point.clean)
    let (high, low) = (point(900, sigma: 10), point(10, sigma: 0.1))
    let (huge, tiny) = (point(2000, sigma: 1e300), point(0, sigma: 1e-300))
    let lists = [
      [clean], [high], [pure], [high, low], [pure, high], [pure, high, low, clean], [huge, high, low, tiny, clean],
      [huge, tiny],
      // Timesteps that rise, that fall below 0, and that are all the same.
      [high, point(901, sigma: 9), clean], [high, point(-3, sigma: 0.05), clean], [high, point(900, sigma: 5), clean],
      // On no path that there is.
      [SamplingGrid.Point(timestep: 5, level: NoiseLevel(signal: 1e-200, noise: 1e200)), low, clean],
      [SamplingGrid.Point(timestep: 5, level: NoiseLevel(signal: 3, noise: 30)), low, clean],
    ]
    return lists.map { try! SamplingGrid(points: $0) }
  }()

  @Test(arguments: SamplerCatalog.all)
  func `every sampler has a plan of finite numbers or an error on every grid`(entry: SamplerCatalog.Entry) throws {
    for grid in Self.grids {
      for prediction in Prediction.allCases {
        for plan in [
          try? entry.sampler.plan(over: grid, predicting: prediction),
          try? entry.sampler.plan(over: grid, predicting: EDMPreconditioning()),
        ] {
          #expect(plan?.steps.allSatisfy { $0.next.isFinite && $0.denoising.isFinite } ?? true)
        }
      }
    }
  }

  @Test func `a scale that leaves no finite input is an error`() {
    let level = NoiseLevel(signal: 1e200, noise: 1)
    for scale in [1e200, 0, -1, .nan] {
      let error = #expect(throws: GridError.self) {
        try SamplingGrid(points: [SamplingGrid.Point(timestep: 0, level: level, inputScale: scale)])
      }
      guard case .inputScale(_, index: 0) = error else { Issue.record("\(error!)"); continue }
    }
  }

  @Test func `between levels too far apart for squares there are others, and none where no path has them`() throws {
    let (far, near) = (NoiseLevel.variancePreserving(sigma: 1e200), NoiseLevel.variancePreserving(sigma: 1))
    let middle = try #require(NoiseLevel.between(far, near, sigma: 1e100))
    // Its share of the way is 1e-200, beside which the square of the quotient of the signals
    // vanishes.
    #expect(isClose(middle.sigma, 1e100, relative: 8 * unit) && isClose(middle.noise, 1, relative: 8 * unit))
    // 1/signal² would be below 0.
    let steep = NoiseLevel(signal: 1, noise: 2)
    #expect(NoiseLevel.between(steep, NoiseLevel(signal: 0.1, noise: 0.1), sigma: 4) == nil)
  }
}
