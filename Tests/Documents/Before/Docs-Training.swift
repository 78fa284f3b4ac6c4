import Schedulers

var generator = PhiloxGenerator(seed: 1)
var noise = GaussianNoise(seed: 2)
let x0 = SampleBatch<Float>(zeros: [64, 2])
let epsilon = noise.next(like: x0)

func network(_ x: SampleBatch<Float>, _ times: [Double]) -> SampleBatch<Float> { x }
