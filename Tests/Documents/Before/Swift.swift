import Foundation
import Schedulers

let schedulerConfig = URL(fileURLWithPath: "scheduler_config.json")
let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
let t = 500
let x0 = SampleBatch<Float>(zeros: [1, 1, 2, 2])
let epsilon = SampleBatch<Float>(shape: [1, 1, 2, 2], scalars: [1, -1, 0.5, 0])
