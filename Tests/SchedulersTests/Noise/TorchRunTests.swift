import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

@Suite struct TorchRunTests {
  @Test func `a DDPM run of diffusers follows from its seed and the network's outputs alone`() throws {
    let file = try Safetensors("torch-run.safetensors")
    let shape = try file.shape("start")
    let schedule = try NoiseSchedule(betas: file.doubles("betas"))
    let grid = try SamplingGrid(schedule, steps: 20, spacing: .leading())
    #expect(try grid.points.compactMap(\.timestep).map { Int($0) }.starts(with: file.integers("timesteps")))
    let plan = try DDPM().plan(over: grid, predicting: .epsilon)

    var noise = TorchNoise(seed: 0)
    let start = noise.next(like: SampleBatch<Double>(zeros: shape))
    #expect(try start.scalars == file.floats("start").map { Double($0) })
    let (outputs, samples) = (try file.floats("outputs"), try file.floats("samples"))
    let count = start.scalars.count
    var run = SamplingRun(plan, from: start)
    var bound = RunningBound(count: count)
    for (k, step) in plan.steps.enumerated() {
      let x = run.sample.scalars
      let output = outputs[k * count..<(k + 1) * count].map { Double($0) }
      var draw = noise
      let drawn = run.needsNoise ? draw.next(like: start).scalars : Array(repeating: 0, count: count)
      run.advance(output: SampleBatch(shape: shape, scalars: output), using: &noise)
      bound.advance(
        step, clipping: .none, sampleSize: count / 2, sample: x, output: output,
        denoised: try #require(run.denoised).scalars,
        noise: drawn, delta: delta(step, alphaBars: schedule.alphaBars))
      for i in 0..<count {
        let expected = Double(samples[k * count + i])
        let difference = abs(run.sample.scalars[i] - expected)
        #expect(difference <= bound.sample[i] + 2 * single * abs(expected), "step \(k), element \(i)")
        // A wrong normal would be off by about the deviation of the noise, 0.1 in all but the last
        // steps.
        #expect(difference < 1e-3)
      }
      Comparisons.count(count)
    }
    #expect(run.query == nil)
  }

  /// The rounding unit of Float.
  private let single = 0x1p-24

  /// The relative error of a coefficient of diffusers, with tables in float32: `TrajectoryTests`
  /// derives it.
  private func delta(_ step: SamplingPlan.Step, alphaBars: [Double]) -> Double {
    func table(_ t: Int) -> Double {
      guard t >= 0 else { return 0 }
      let e = Double(2 * (t + 1)) * single
      return e + e / (1 - alphaBars[t]) + single
    }
    let t = Int(step.query.timestep)
    let s = step.arrival.noise == 0 ? -1 : t - 50
    let q = alphaBars[t] / (s >= 0 ? alphaBars[s] : 1)
    let beta = (Double(2 * (t - s) + 4) * q / (1 - q) + 1) * single
    return 2 * (table(t) + table(s) + beta) + 32 * single
  }
}
