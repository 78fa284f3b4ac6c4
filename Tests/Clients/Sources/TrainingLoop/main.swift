import Foundation
import Schedulers

// Rectified flow, trained with a time for each sample on points of a line in the plane, then
// sampled.

let (hidden, batch) = (24, 64)
var generator = PhiloxGenerator(seed: 5)
var noise = GaussianNoise(seed: 6)
func weights(_ count: Int, _ inputs: Int, _ noise: inout GaussianNoise) -> [Float] {
  noise.next(like: [Float](repeating: 0, count: count)).map { $0 / Float(inputs).squareRoot() }
}
// x, y, t and 1, twice through a hidden layer.
var layers = [
  weights(hidden * 4, 4, &noise), weights(hidden * hidden, hidden, &noise), weights(2 * hidden, hidden, &noise),
]

func network(_ x: SampleBatch<Float>, _ times: [Double], _ layers: [Value]) -> Value {
  let rows = times.enumerated().flatMap { n, time -> [Float] in
    [x.scalars[2 * n], x.scalars[2 * n + 1], Float(time), 1]
  }
  return Value(rows).times(layers[0], inputs: 4).rectified().times(layers[1], inputs: hidden).rectified()
    .times(layers[2], inputs: hidden)
}

var (means, squares) = (layers.map { $0.map { _ in Float(0) } }, layers.map { $0.map { _ in Float(0) } })
var losses: [Float] = []
for step in 1...600 {
  let points = (0..<batch).flatMap { _ in
    let way = Float.random(in: -1...1, using: &generator)
    return [way, 0.5 * way]
  }
  let x0 = SampleBatch<Float>(shape: [batch, 2], scalars: points)
  let epsilon = noise.next(like: x0)
  let times = (0..<batch).map { _ in Double.random(in: 0.001...1, using: &generator) }
  let levels = times.map { NoiseLevel(signal: 1 - $0, noise: $0) }

  let values = layers.map { Value($0) }
  let answer = network(levels.mix(x0, with: epsilon), times, values)
  let target: SampleBatch<Float> = Prediction.flow.target(x0: x0, epsilon: epsilon, at: levels)
  let off = zip(answer.numbers, target.scalars).map { $0 - $1 }
  losses.append(off.reduce(0) { $0 + $1 * $1 } / Float(off.count))
  answer.backward(off.map { 2 * $0 / Float(off.count) })

  let rate = Float(0.01)
  for (l, value) in values.enumerated() {
    for i in layers[l].indices {
      means[l][i] += 0.1 * (value.gradient[i] - means[l][i])
      squares[l][i] += 0.01 * (value.gradient[i] * value.gradient[i] - squares[l][i])
      let mean = means[l][i] / (1 - pow(0.9, Float(step)))
      let square = squares[l][i] / (1 - pow(0.99, Float(step)))
      layers[l][i] -= rate * mean / (square.squareRoot() + 1e-8)
    }
  }
}
func mean(_ numbers: ArraySlice<Float>) -> Float { numbers.reduce(0, +) / Float(numbers.count) }
let (before, after) = (mean(losses[..<20]), mean(losses[580...]))

let plan = try Euler().plan(over: SamplingGrid(flow: FlowSpacing(timesteps: 1), steps: 20), predicting: .flow)
let trained = layers.map { Value($0) }
let made = plan.sample(from: noise.next(like: SampleBatch<Float>(zeros: [256, 2]))) { x, query in
  let times = [Double](repeating: query.timestep, count: x.sampleCount)
  return SampleBatch(scalars: network(x, times, trained).numbers, like: x)
}
// How far points are from the line, which noise is by 0.9 on average.
let off = mean((0..<256).map { abs(made.scalars[2 * $0 + 1] - 0.5 * made.scalars[2 * $0]) }[...])
print("loss \(before) to \(after), \(off) off the line")
// The loss has a floor: from x alone nobody knows which point and which noise made it.
guard after < 0.7 * before, off < 0.1 else {
  print("training loop: the loss is too high, or samples are too far off")
  exit(1)
}
print("training loop: works")
