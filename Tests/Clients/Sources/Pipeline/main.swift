import Foundation
import Schedulers
import SchedulersInterop

// A text-to-image pipeline, whole: guidance in one batch, the factor of a VAE, a start from a
// picture, inpainting, base and refiner, ControlNet's range, cancellation, previews, and a run that
// is saved and goes on.

typealias Latents = SampleBatch<Float>

/// A network that knows what it draws: x̂0 is the caption's number everywhere, and 0 without a
/// caption.
struct Network: Sendable {
  let wish: Float

  /// Epsilon for a batch whose first half has no caption.
  func callAsFunction(_ batch: Latents, _ query: SamplingPlan.Query, control: Float = 0) -> Latents {
    let (signal, noise) = (Float(query.level.signal * query.inputScale), Float(query.level.noise * query.inputScale))
    let half = batch.scalars.count / 2
    return Latents(
      shape: batch.shape,
      scalars: batch.scalars.enumerated().map { i, x in (x - signal * (i < half ? 0 : wish + control)) / noise })
  }
}

/// What a window shows of a run.
@MainActor final class Previews {
  var means: [Float] = []
  func show(_ run: SamplingRun<Latents>) {
    if let denoised = run.denoised { means.append(denoised.scalars.reduce(0, +) / Float(denoised.scalars.count)) }
  }
}

struct Pipeline {
  /// Of Stable Diffusion's VAE.
  static let scalingFactor: Float = 0.18215

  let network = Network(wish: 0.25)
  let guide = ClassifierFreeGuide(scale: 2)
  let configuration: DiffusersConfiguration

  /// The guided answer of one call for both halves of a batch.
  func guided(_ x: Latents, _ query: SamplingPlan.Query, control: Float = 0) -> Latents {
    let both = network(Latents(concatenating: [x, x]), query, control: control)
    return guide(both[x.sampleCount...], both[..<x.sampleCount], at: query)
  }

  func start(_ plan: SamplingPlan, seeds: [UInt64], from picture: Latents? = nil) -> Latents {
    var noise = GaussianNoise(seeds: seeds)
    let drawn = noise.next(like: picture ?? Latents(zeros: [seeds.count, 4, 8, 8]))
    return picture.map { plan.start.mix($0, with: drawn) } ?? .combination([(plan.start.noise, drawn)])
  }

  func decode(_ latents: Latents) -> [Float] { latents.scalars.map { $0 / Self.scalingFactor } }
}

func check(_ condition: Bool, _ what: @autoclosure () -> String) {
  if !condition {
    print("pipeline: wrong: \(what())")
    exit(1)
  }
}
func isNear(_ latents: Latents, _ value: Float, _ tolerance: Float = 2e-3) -> Bool {
  latents.scalars.allSatisfy { abs($0 - value) <= tolerance }
}

let stable = try DiffusersConfiguration(
  .dpmSolverMultistep,
  ["beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "use_karras_sigmas": true])
let pipeline = Pipeline(configuration: stable)

// Two images, each with its own seed, in one batch or alone: the same to the bit.
let plan = try stable.plan(steps: 12)
let both = plan.sample(from: pipeline.start(plan, seeds: [7, 8])) { x, query in pipeline.guided(x, query) }
let second = plan.sample(from: pipeline.start(plan, seeds: [8])) { x, query in pipeline.guided(x, query) }
check(both[1].scalars == second.scalars, "an image depends on its neighbours")
// Twice the way to the wish, from where nothing is wished.
check(isNear(both, 0.5), "guidance leads to \(both.scalars[0])")
check(abs(pipeline.decode(both)[0] - 0.5 / 0.18215) < 0.02, "the VAE's factor")

// From a picture: fewer steps, and something of the picture is left where the network answers with
// it.
let late = try stable.plan(steps: 20, with: RunArguments(strength: 0.4))
check(late.steps.count == 8, "a strength of 0.4 makes \(late.steps.count) steps of 20")
let picture = Latents(shape: [1, 4, 8, 8], scalars: .init(repeating: 0.1, count: 256))
let changed = late.sample(from: pipeline.start(late, seeds: [7], from: picture)) { x, query in pipeline.guided(x, query)
}
check(isNear(changed, 0.5), "image to image")

// Inpainting: what is known is put back after each step, as noisy as the sample.
var known = GaussianNoise(seed: 9)
let knownNoise = known.next(like: picture)
var run = SamplingRun(plan, from: pipeline.start(plan, seeds: [7]))
while let query = run.query {
  run.advance(output: pipeline.guided(run.input, query))
  let kept = run.level.mix(picture, with: knownNoise)
  run.sample.scalars.replaceSubrange(0..<128, with: kept.scalars[0..<128])
}
check(run.sample.scalars[..<128].allSatisfy { abs($0 - 0.1) < 1e-6 }, "the known half")
check(run.sample.scalars[128...].allSatisfy { abs($0 - 0.5) < 2e-3 }, "the new half")

// Base and refiner meet: the end of one is the start of the other.
let base = try stable.plan(steps: 20, with: RunArguments(end: 14))
let refiner = try stable.plan(steps: 20, with: RunArguments(begin: 14))
check(base.steps.last!.arrival == refiner.start, "base and refiner do not meet")
let rough = base.sample(from: pipeline.start(base, seeds: [7])) { x, query in pipeline.guided(x, query) }
let refined = refiner.sample(from: rough) { x, query in pipeline.guided(x, query) }
check(isNear(refined, 0.5), "the refiner ends elsewhere")

// ControlNet acts in the first half of the steps.
var controlled = 0
_ = plan.sample(from: pipeline.start(plan, seeds: [7])) { x, query in
  let isControlled = Double(query.step) < 0.5 * Double(query.count)
  controlled += isControlled ? 1 : 0
  return pipeline.guided(x, query, control: isControlled ? 0.1 : 0)
}
check(controlled == 6, "control acted in \(controlled) steps")

// Previews for a window, from a task that is cancelled after three steps.
let previews = Previews()
let task = Task {
  try await plan.sample(from: pipeline.start(plan, seeds: [7])) { x, query in
    await Task.yield()
    try Task.checkCancellation()
    return pipeline.guided(x, query)
  } onStep: { run in
    previews.show(run)
    if run.evaluations == 3 { withUnsafeCurrentTask { $0?.cancel() } }
  }
}
do {
  _ = try await task.value
  check(false, "the run was not cancelled")
} catch is CancellationError {}
let shown = previews.means
check(shown.count == 3 && shown.allSatisfy { abs($0 - 0.5) < 0.05 }, "previews \(shown)")

// A run that is saved in its middle goes on to the same bits.
var first = SamplingRun(plan, from: pipeline.start(plan, seeds: [7]))
for _ in 0..<5 { first.advance(output: pipeline.guided(first.input, first.query!)) }
var resumed = try JSONDecoder().decode(SamplingRun<Latents>.self, from: JSONEncoder().encode(first))
while let query = resumed.query { resumed.advance(output: pipeline.guided(resumed.input, query)) }
while let query = first.query { first.advance(output: pipeline.guided(first.input, query)) }
check(resumed.sample.scalars == first.sample.scalars, "the saved run ends elsewhere")
print("pipeline: works")
