import Schedulers

/// A tensor that can do nothing but what a run needs.
struct Point: LinearSpace {
  var x: Double
  static func combination(_ terms: [(coefficient: Double, value: Point)]) -> Point {
    Point(x: terms.reduce(0) { $0 + $1.coefficient * $1.value.x })
  }
}

let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 10), steps: 5, spacing: .trailing)
let drawing = try DDPM().plan(over: grid, predicting: .v)
let quiet = try DDIM().plan(over: grid, predicting: .v)

/// What to do, and a part of what the program is to say when it ends.
let cases: KeyValuePairs<String, (says: String, run: () throws -> Void)> = [
  "noise": ("step 0 of the plan, timestep 9, draws noise", { _ = drawing.sample(from: Point(x: 0)) { x, _ in x } }),
  "noise-by-hand": (
    "evaluation 0 draws noise",
    {
      var run = SamplingRun(drawing, from: Point(x: 0))
      run.advance(output: Point(x: 0))
    }
  ),
  "noise-shape": (
    "the noise of evaluation 0 has 3 × 2 scalars, where the sample has 2 × 3",
    {
      _ = drawing.sample(
        from: SampleBatch<Float>(zeros: [2, 3]), noise: { _, _, _ in SampleBatch(zeros: [3, 2]) }, model: { x, _ in x })
    }
  ),
  "clipping": (
    "Point does not conform to ClippableSpace",
    { _ = SamplingRun(try DDIM().plan(over: grid, predicting: .v, clipping: .range(-1...1)), from: Point(x: 0)) }
  ),
  "variance": (
    "Point does not conform to ChannelSpace and ElementwiseSpace",
    { _ = SamplingRun(try DDPM(variance: .learned).plan(over: grid, predicting: .v), from: Point(x: 0)) }
  ),
  "output-shape": (
    "an output of 1 × 1 scalars does not go with a sample of 1 × 2",
    { _ = quiet.sample(from: [0.0, 1]) { _, _ in [0] } }
  ),
  "guidance-shape": (
    "guidance needs outputs of one shape; got 1 × 2 and 1 × 1 scalars",
    { _ = quiet.sample(from: [0.0, 1]) { x, query in ClassifierFreeGuide(scale: 2)(x, [0], at: query) } }
  ),
  "end": (
    "the run is at its end, after 0 evaluations",
    {
      var run = SamplingRun(try DDIM().plan(over: SamplingGrid(points: [.clean]), predicting: .v), from: [0.0])
      run.advance(output: [0])
    }
  ),
]

switch CommandLine.arguments.dropFirst().first {
case nil: for (name, item) in cases { print(name, item.says, separator: "\t") }
case let name?:
  try cases.first { $0.key == name }?.value.run()
  print("\(name): went on")
}
