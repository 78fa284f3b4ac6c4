import Schedulers

// The whole adapter, which adds in Float.
extension MLXArray: LinearSpace {
  static func combination(_ terms: [(coefficient: Double, value: MLXArray)]) -> MLXArray {
    let products = terms.map { MLXArray(Float($0.coefficient)) * $0.value.asType(.float32) }
    return products.dropFirst().reduce(products[0], +).asType(terms[0].value.dtype)
  }
}

let grid = try SamplingGrid(NoiseSchedule(.scaledLinear(), timesteps: 1000), steps: 12, spacing: .trailing)
let start = MLXArray.normal([1, 4, 4, 4], key: 1)
var keys: UInt64 = 1

// Ancestral noise, which a closure makes, in the shape of a tensor.
let plan = try EulerAncestral().plan(over: grid, predicting: .epsilon)
let image = plan.sample(
  from: start,
  noise: { x, from, to in
    keys += 1
    precondition(from > to)
    return MLXArray.normal(x.shape, key: keys)
  },
  model: { x, query in x.map { $0 * Float(query.level.noise / query.level.signal.squareRoot().squareRoot()) / 16 } })
// Nothing has been computed yet: the run has made a graph.
precondition(MLXArray.evaluations == 0, "the run evaluated \(MLXArray.evaluations) arrays")
precondition(image.eval().allSatisfy(\.isFinite) && keys == 12 && image.dtype == .float16)

// Async, guided, and watched by the caller's own variables.
let solver = try DPMSolverPlusPlus().plan(over: grid, predicting: .epsilon)
let guide = ClassifierFreeGuide(scale: 3, in: .steps(2..<9))
var calls = 0
var shown: [Double] = []
let guided = await solver.sample(from: start) { x, query in
  await Task.yield()
  calls += 1
  let with = x.map { $0 / 8 }
  guard guide.isActive(at: query) else { return with }
  calls += 1
  return guide(with, x.map { -$0 / 8 }, at: query)
} onStep: { run in
  shown.append(run.level.sigma)
}
precondition(calls == 12 + 7 && shown.count == 12 && shown.last == 0)
precondition(guided.eval().allSatisfy(\.isFinite))
print("lazy arrays: work")
