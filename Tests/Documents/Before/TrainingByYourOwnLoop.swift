import Schedulers

var generator = PhiloxGenerator(seed: 1)
var noise = GaussianNoise(seed: 2)
let batch = 4
let x0 = SampleBatch<Float>(zeros: [batch, 2])
let epsilon = noise.next(like: x0)

func network(_ x: SampleBatch<Float>, _ times: [Double]) -> SampleBatch<Float> { x }
