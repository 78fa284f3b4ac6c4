import Foundation
import Schedulers
import SchedulersInterop

// The loop of a pipeline, over several schedulers, from noise and from a picture. A perfect network
// of one picture must bring it back.
let shape = [1, 4, 8, 8]
let picture = MLShapedArray<Float>(scalars: (0..<256).map { sin(Float($0) / 20) }, shape: shape)
var source = GaussianNoise(seed: 3)
let noise = source.next(like: picture)

/// Epsilon or the flow that leads to the picture.
func network(_ x: MLShapedArray<Float>, _ query: SamplingPlan.Query, isFlow: Bool) -> MLShapedArray<Float> {
  let (signal, noise) = (query.level.signal * query.inputScale, query.level.noise * query.inputScale)
  let epsilon = MLShapedArray.combination([(1 / noise, x), (-signal / noise, picture)])
  return isFlow ? .combination([(1, epsilon), (-1, picture)]) : epsilon
}

let stable: [String: DiffusersConfiguration.Value] = [
  "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1,
]
let files: [(DiffusersConfiguration, isFlow: Bool)] = [
  (try DiffusersConfiguration(.pndm, stable.merging(["skip_prk_steps": true]) { $1 }), false),
  (try DiffusersConfiguration(.dpmSolverMultistep, stable), false),
  (try DiffusersConfiguration(.flowMatchEulerDiscrete, ["shift": 3.0]), true),
]
for (configuration, isFlow) in files {
  for (steps, strength) in [(10, nil), (20, nil), (20, 0.6)] as [(Int, Double?)] {
    let scheduler: any Scheduler = try PlanScheduler(configuration, steps: steps, strength: strength)
    let plan = (scheduler as! PlanScheduler).plan
    var latents =
      strength == nil
      ? MLShapedArray.combination([(Double(scheduler.initNoiseSigma), noise)])
      : scheduler.addNoise(originalSample: picture, noise: noise)
    for (i, timestep) in scheduler.timeSteps.enumerated() {
      let query = SamplingPlan.Query(plan.steps[i].query, step: i, count: plan.steps.count)
      let input = MLShapedArray.combination([(query.inputScale, latents)])
      latents = scheduler.step(
        output: network(input, query, isFlow: isFlow), timeStep: timestep, sample: latents)
    }
    let whole = plan.sample(
      from: strength == nil
        ? MLShapedArray.combination([(Double(scheduler.initNoiseSigma), noise)]) : plan.start.mix(picture, with: noise)
    ) { network($0, $1, isFlow: isFlow) }
    precondition(latents.scalars == whole.scalars, "the loop and the whole run differ")
    let off = zip(latents.scalars, picture.scalars).map { abs($0 - $1) }.max()!
    // The last level of a table is above 0, and PNDM ends there; its late start is diffusers' own.
    print(configuration.className, steps, strength ?? 1, off)
    precondition(
      off < (configuration.schedulerClass == .pndm ? 0.2 : 2e-3), "\(configuration.className) ends \(off) off")
  }
}
print("shaped arrays: work")
