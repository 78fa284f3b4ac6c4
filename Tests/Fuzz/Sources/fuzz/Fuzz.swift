import Foundation
import Schedulers
import SchedulersInterop
import SchedulersSafetensors
import SchedulersTraces

/// What libFuzzer calls: a file for the reader of safetensors and the judge of traces; text for the
/// readers of configurations, plans and traces, and for requests of the C interface; or, after a
/// percent sign, bytes that choose options. Any trap, hang or large allocation is a finding; an
/// error is not.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let data = start.map { Data(bytes: $0, count: count) } ?? Data()
  switch data.first {
  case UInt8(ascii: "{"):
    readConfiguration(data)
    request(data)
  case UInt8(ascii: "%"): chooseConfiguration(Choices(bytes: data.dropFirst()))
  default: readTrace(data)
  }
  return 0
}

private func readTrace(_ data: Data) {
  guard let file = try? SafetensorsFile(Array(data)) else { return }
  for tensor in file.tensors.values where tensor.count < 1000 { _ = file.doubles(tensor) }
  guard let trace = try? Trace(file) else { return }
  // Without a tolerance nothing is wrong but timesteps and NaN, so that few inputs cost a
  // diagnosis.
  _ = try? trace.judged(tolerance: 1e6)
  _ = try? Replay(trace.source, steps: trace.inferenceSteps).run(over: file, seed: 0)
}

private func readConfiguration(_ data: Data) {
  guard let text = String(validating: data, as: UTF8.self), let source = try? TraceSource(configuration: text) else {
    return
  }
  switch source {
  case .diffusers(let configuration, let arguments):
    for steps in [1, 2, 5, 7] { run(configuration, steps: steps, arguments) }
  case .guidedDiffusion(let configuration):
    for fidelity in Fidelity.allCases {
      if let plan = try? configuration.plan(fidelity: fidelity) { run(plan) }
    }
  case .kDiffusion(let configuration):
    for fidelity in Fidelity.allCases {
      if let plan = try? configuration.plan(fidelity: fidelity) { run(plan) }
    }
  case .plan(let plan): run(plan)
  }
}

/// A configuration of any class, of options that text would rarely hit, with any number of steps
/// and arguments.
private func chooseConfiguration(_ given: Choices) {
  var choices = given
  let schedulerClass = choices.one(of: DiffusersConfiguration.Class.allCases)
  let options = DiffusersConfiguration.Option.all(of: schedulerClass)
  // Long tables cost time, and show nothing that short ones do not.
  var values: [String: DiffusersConfiguration.Value] = [
    "num_train_timesteps": .integer(choices.one(of: [3, 1, 2, 10, 30, 1000]))
  ]
  let other = choices.one(of: DiffusersConfiguration.Class.allCases)
  let steps = choices.one(of: [5, 1, 2, 3, 4, 7, 10, 16, 0, 1000])
  var arguments = RunArguments()
  for _ in 0..<choices.one(of: Array(0..<8)) {
    let option = choices.one(of: options)
    values[option.name] = choices.value(like: option.standard, named: option.name)
  }
  while !choices.bytes.isEmpty {
    switch choices.one(of: Array(0..<11)) {
    case 0: arguments.eta = choices.number()
    case 1: arguments.churn = choices.number()
    case 2: arguments.churnMinimum = choices.number()
    case 3: arguments.churnMaximum = choices.number()
    case 4: arguments.churnNoise = choices.number()
    case 5: arguments.order = choices.whole()
    case 6: arguments.mu = choices.number()
    case 7: arguments.jumpLength = choices.whole()
    case 8: arguments.resamplings = choices.whole()
    case 9: arguments.sigmas = (arguments.sigmas ?? []) + [choices.number()]
    default: arguments.usesClippedModelOutput.toggle()
    }
  }
  guard let configuration = try? DiffusersConfiguration(schedulerClass, values) else { return }
  run(configuration, steps: steps, arguments)
  _ = configuration.converted(to: other)
}

/// What bytes choose, one each; the first of a list where there are no more.
private struct Choices {
  var bytes: Data

  mutating func one<Value>(of values: [Value]) -> Value { values[Int(bytes.popFirst() ?? 0) % values.count] }

  mutating func number() -> Double {
    one(of: [
      0.5, 0, 1, -1, 0.3, 2, 3, 7, 0.002, 0.999, 0.02, 15, 80, 1000, 1e-3, 1e-9, 1e-20, 1e-40, 5e-324, 1e9, 1e20,
      3.5e38, 1e154,
      1e300,
      -1e300, .greatestFiniteMagnitude, .infinity, -.infinity, .nan, -0.0, 1e16, 1.0.nextDown, 1.0.nextUp, -5,
    ])
  }

  mutating func whole() -> Int {
    one(of: [1, 0, 2, 3, 4, 5, -1, -2, 7, 10, 30, 50, 1000, 10_001, 1 << 31, 1 << 53, .max, .min, .max - 1, .max / 2])
  }

  mutating func value(like standard: DiffusersConfiguration.Value, named name: String) -> DiffusersConfiguration.Value {
    switch standard {
    case .boolean: return .boolean(one(of: [true, false]))
    case .integer: return .integer(whole())
    case .number: return .number(number())
    case .string:
      return .string(
        one(of: [
          "linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace", "exp", "epsilon", "sample",
          "v_prediction",
          "flow_prediction", "original_sample", "leading", "trailing", "linspace", "zero", "sigma_min", "dpmsolver",
          "dpmsolver++",
          "sde-dpmsolver", "sde-dpmsolver++", "deis", "midpoint", "heun", "logrho", "bh1", "bh2", "log_linear",
          "continuous",
          "discrete",
          "karras", "exponential", "data_prediction", "noise_prediction", "fixed_small", "fixed_small_log",
          "fixed_large",
          "fixed_large_log", "learned", "learned_range", "",
        ]))
    case .list: return .list((0..<one(of: Array(0..<12))).map { _ in .integer(whole()) })
    default:
      guard name == "trained_betas" else {
        return one(of: [.number(number()), .boolean(true), .null, .string("fixed_small")])
      }
      return .list((0..<one(of: Array(0..<12))).map { _ in .number(number()) })
    }
  }
}

private func run(_ configuration: DiffusersConfiguration, steps: Int, _ arguments: RunArguments) {
  for fidelity in Fidelity.allCases {
    if let plan = try? configuration.plan(steps: steps, fidelity: fidelity, with: arguments) { run(plan) }
    _ = try? configuration.timesteps(steps: steps, fidelity: fidelity, with: arguments)
    _ = try? configuration.grid(steps: steps, fidelity: fidelity, with: arguments)
    _ = try? configuration.schedule(fidelity: fidelity)
  }
  _ = try? configuration.sigmas(steps: steps, with: arguments)
  _ = configuration.deviations(steps: steps, with: arguments)
}

/// Runs a plan, whose numbers must all be numbers.
private func run(_ plan: SamplingPlan) {
  for step in plan.steps {
    precondition(step.query.timestep.isFinite && step.query.inputScale.isFinite, "the network is told \(step.query)")
  }
  let size = plan.learnsVariance ? 4 : 2
  var noise = GaussianNoise(seed: 0)
  var sampling = SamplingRun(plan, from: SampleBatch<Float>(shape: [1, 2], scalars: [0.5, -1]))
  while sampling.query != nil {
    sampling.advance(
      output: SampleBatch<Float>(shape: [1, size], scalars: Array(repeating: 0.25, count: size)), using: &noise)
  }
}
