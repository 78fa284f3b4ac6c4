import Foundation

func unet(_ x: SampleBatch<Float>, _ timestep: Double) -> SampleBatch<Float> { .combination([(0.1, x)]) }

let schedulerConfig = URL(fileURLWithPath: "scheduler_config.json")
let t = 500
let x0 = SampleBatch<Float>(zeros: [1, 1, 2, 2])
let epsilon = SampleBatch<Float>(shape: [1, 1, 2, 2], scalars: [1, -1, 0.5, 0])
