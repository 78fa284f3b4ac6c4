func unet(_ x: SampleBatch<Float>, _ timestep: Double) -> SampleBatch<Float> { .combination([(0.1, x)]) }
