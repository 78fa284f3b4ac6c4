import Schedulers
import SchedulersInterop
import SchedulersJSON
import SchedulersSafetensors

/// Whose run a trace records: a scheduler of diffusers, a process of guided-diffusion or a sampler
/// of k-diffusion, with its options, or a plan.
public enum TraceSource: Hashable, Sendable {
  /// A scheduler class of diffusers, and the arguments of its `step`.
  case diffusers(DiffusersConfiguration, RunArguments)
  /// guided-diffusion's `GaussianDiffusion`.
  case guidedDiffusion(GuidedDiffusionConfiguration)
  /// A sampler of k-diffusion, ComfyUI, A1111 or stable-diffusion.cpp, and its sigmas.
  case kDiffusion(KDiffusionConfiguration)
  /// Anything that has a plan of this library, in any language.
  case plan(SamplingPlan)

  /// Reads a configuration and the arguments of its steps.
  ///
  /// - Parameters:
  ///   - configuration: JSON text with a `_class_name`, as Python writes it.
  ///   - stepArguments: a JSON object; none if nil.
  ///   - firstStep: the call with which the run begins.
  ///   - setsBeginIndex: whether the pipeline told the scheduler so.
  /// - Throws: `TraceError` for text that is no such JSON, an unsupported class, or a value that
  ///   does not fit.
  public init(
    configuration: String, stepArguments: String? = nil, firstStep: Int = 0, setsBeginIndex: Bool = false
  ) throws(TraceError) {
    let key = "scheduler_config"
    let name = try Self.decode(Named.self, from: configuration, key: key).className
    if [GuidedDiffusionConfiguration.className, KDiffusionConfiguration.className].contains(name) {
      let arguments = try Self.decode([String: Ignored].self, from: stepArguments ?? "{}", key: "step_arguments")
      if let argument = arguments.keys.min() {
        throw .configuration(
          "the step argument \(argument.quoted) of \(name) is not supported; the configuration holds them all")
      }
      guard firstStep == 0 else {
        throw .metadata("first_step", reason: "is \(firstStep); runs of \(name) are judged from their beginning")
      }
      self =
        name == KDiffusionConfiguration.className
        ? .kDiffusion(try Self.decode(KDiffusionConfiguration.self, from: configuration, key: key))
        : .guidedDiffusion(try Self.decode(GuidedDiffusionConfiguration.self, from: configuration, key: key))
    } else {
      var arguments = try Self.decode(RunArguments.self, from: stepArguments ?? "{}", key: "step_arguments")
      if firstStep > 0 { arguments.begin = firstStep }
      arguments.setsBeginIndex = arguments.setsBeginIndex || setsBeginIndex
      self = .diffusers(try Self.decode(DiffusersConfiguration.self, from: configuration, key: key), arguments)
    }
  }

  /// Reads a plan of the format `scheduler-plan/1`.
  ///
  /// - Throws: `TraceError` for text that is none.
  init(plan text: String) throws(TraceError) {
    self = .plan(try Self.decode(SamplingPlan.self, from: text, key: "plan"))
  }

  private struct Named: Decodable {
    let className: String
    enum CodingKeys: String, CodingKey { case className = "_class_name" }
  }

  private struct Ignored: Decodable {
    init(from decoder: any Decoder) {}
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, from text: String, key: String
  ) throws(TraceError) -> Value {
    do {
      return try JSONText.decode(type, from: Array(text.utf8), allowsNonFinite: true)
    } catch let failure as JSONCheck.Failure {
      throw .metadata(key, reason: "has \(failure)")
    } catch let error as ConfigurationError {
      throw .configuration("\(error)")
    } catch let error as DecodingError {
      throw .metadata(key, reason: Self.reason(error))
    } catch {
      throw .metadata(key, reason: "cannot be read")
    }
  }

  /// What is wrong with JSON, as the end of a sentence about it.
  package static func reason(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, _): "has no \(key.stringValue.quoted)"
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
      // A number that does not fit its place comes without it.
      "has a value that does not fit its place: \(context.debugDescription)"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      context.codingPath.isEmpty
        ? "must be a JSON object"
        : "has an unusable \(context.codingPath.map(\.stringValue).joined(separator: ".").quoted): "
          + context.debugDescription
    @unknown default: "cannot be read"
    }
  }
}

extension TraceSource {
  /// What the source's arithmetic leaves uncertain of each step, beside the roundings of its few
  /// operations.
  func roundings(steps: Int) -> [[Rounding]] {
    guard case .diffusers(let configuration, let arguments) = self else { return [] }
    return (try? configuration.roundings(steps: steps, with: arguments)) ?? []
  }

  /// The class, for guided-diffusion with the method, and for k-diffusion with the sampler.
  public var name: String {
    switch self {
    case .diffusers(let configuration, _): configuration.className
    case .guidedDiffusion(let configuration):
      "\(GuidedDiffusionConfiguration.className).\(configuration.sampler.rawValue)"
    case .kDiffusion(let configuration): "\(KDiffusionConfiguration.className).\(configuration.sampler)"
    case .plan: "a plan"
    }
  }

  /// The keys of the configuration that have no effect.
  public var ignoredKeys: [String] {
    switch self {
    case .diffusers(let configuration, _): configuration.ignoredKeys
    case .guidedDiffusion(let configuration): configuration.ignoredKeys
    case .kDiffusion(let configuration): configuration.ignoredKeys
    case .plan: []
    }
  }

  /// Where a run departs from the mathematics, as far as it is known which options lead there.
  public func deviations(steps: Int?) -> [Deviation] {
    switch self {
    case .diffusers(let configuration, let arguments): configuration.deviations(steps: steps, with: arguments)
    case .guidedDiffusion, .plan: []
    case .kDiffusion(let configuration): configuration.deviations
    }
  }

  /// The plan of a run.
  ///
  /// - Parameters:
  ///   - steps: `num_inference_steps`; guided-diffusion's is what its respacing keeps, and
  ///     k-diffusion's one less than it has sigmas.
  ///   - fidelity: `.diffusers` for what the source does, whichever it is;
  ///     `.corrected` for the mathematics.
  /// - Throws: `TraceError` if the configuration has no such run.
  public func plan(steps: Int, fidelity: Fidelity = .diffusers) throws(TraceError) -> SamplingPlan {
    try plan(steps: steps, fidelity: fidelity, in: Trace.arithmetic)
  }

  /// The same, where the source runs in a given arithmetic.
  func plan(steps: Int, fidelity: Fidelity, in torch: TorchArithmetic) throws(TraceError) -> SamplingPlan {
    do {
      switch self {
      case .diffusers(let configuration, let arguments):
        guard fidelity == .diffusers || !configuration.schedulerClass.mixesNoise else {
          throw TraceError.configuration(
            "a trace of \(configuration.className) is judged with --fidelity diffusers alone")
        }
        return try configuration.plan(steps: steps, fidelity: fidelity, with: arguments, in: torch)
      case .guidedDiffusion(let configuration):
        let plan = try configuration.plan(fidelity: fidelity, in: torch)
        guard plan.steps.count == steps else {
          throw ConfigurationError.steps(
            steps, className: GuidedDiffusionConfiguration.className, reason: "its respacing makes \(plan.steps.count)")
        }
        return plan
      case .kDiffusion(let configuration):
        guard fidelity == .diffusers || !configuration.mixesNoise else {
          throw TraceError.configuration("a trace of \(name) is judged with --fidelity diffusers alone")
        }
        let plan = try configuration.plan(fidelity: fidelity, in: torch)
        guard configuration.steps == steps else {
          throw ConfigurationError.steps(
            steps, className: KDiffusionConfiguration.className,
            reason: "its \(configuration.sigmas.count) sigmas make \(configuration.steps)")
        }
        return plan
      case .plan(let plan):
        guard plan.steps.count == steps else {
          throw TraceError.configuration("num_inference_steps is \(steps), where the plan has \(plan.steps.count)")
        }
        return plan
      }
    } catch let error as TraceError {
      throw error
    } catch {
      throw .configuration("\(error)")
    }
  }
}
