import Schedulers
import SchedulersInterop

/// What the pipeline of an app asks of a scheduler: the shape of ml-stable-diffusion's protocol.
protocol Scheduler: AnyObject {
  var inferenceStepCount: Int { get }
  var initNoiseSigma: Float { get }
  var timeSteps: [Double] { get }
  func step(output: MLShapedArray<Float>, timeStep: Double, sample: MLShapedArray<Float>) -> MLShapedArray<Float>
  func addNoise(originalSample: MLShapedArray<Float>, noise: MLShapedArray<Float>) -> MLShapedArray<Float>
}

/// Any file of diffusers, whole or from a picture on.
final class PlanScheduler: Scheduler {
  let plan: SamplingPlan
  private var run: SamplingRun<MLShapedArray<Float>>?
  private var noise: GaussianNoise

  init(_ configuration: DiffusersConfiguration, steps: Int, strength: Double? = nil, seed: UInt64 = 0) throws {
    let arguments = RunArguments(strength: strength)
    plan = try configuration.plan(steps: steps, fidelity: .diffusers, with: arguments)
    noise = GaussianNoise(seed: seed)
  }

  var inferenceStepCount: Int { plan.steps.count }
  var initNoiseSigma: Float { Float(plan.start.noise) }
  var timeSteps: [Double] { plan.steps.map(\.query.timestep) }

  func step(output: MLShapedArray<Float>, timeStep: Double, sample: MLShapedArray<Float>) -> MLShapedArray<Float> {
    var run = run ?? SamplingRun(plan, from: sample)
    // The pipeline may have changed the sample since.
    run.sample = sample
    run.advance(output: output, using: &noise)
    self.run = run
    return run.sample
  }

  func addNoise(originalSample: MLShapedArray<Float>, noise: MLShapedArray<Float>) -> MLShapedArray<Float> {
    plan.start.mix(originalSample, with: noise)
  }
}
