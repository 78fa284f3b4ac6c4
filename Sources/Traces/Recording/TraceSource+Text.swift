import Schedulers
import SchedulersInterop
import SchedulersJSON

extension TraceSource {
  /// The configuration as JSON text, as Python reads it.
  var configurationText: String {
    get throws(TraceError) {
      switch self {
      case .diffusers(let configuration, _): return configuration.json
      case .guidedDiffusion(let configuration):
        do { return try JSONText.encode(configuration) } catch {
          throw .configuration(
            "eta \(configuration.eta) of \(GuidedDiffusionConfiguration.className) is not a number that JSON has")
        }
      case .kDiffusion(let configuration):
        do { return try JSONText.encode(configuration) } catch {
          throw .configuration("a number of \(KDiffusionConfiguration.className) is not one that JSON has")
        }
      case .plan(let plan): return plan.text
      }
    }
  }

  /// What the configuration is called in the metadata.
  var configurationKey: String { if case .plan = self { "plan" } else { "scheduler_config" } }

  /// What a plan is made from, for people: the configuration, the steps and what was given besides.
  ///
  /// - Throws: `TraceError` if a number of the configuration has no form in JSON.
  public func provenance(
    steps: Int, fidelity: Fidelity
  ) throws(TraceError) -> [String: DiffusersConfiguration.Value] {
    func value(_ text: String) throws(TraceError) -> DiffusersConfiguration.Value {
      do {
        return try JSONText.decode(DiffusersConfiguration.Value.self, from: Array(text.utf8), allowsNonFinite: true)
          .finite
      } catch {
        throw .configuration("\(name) has no form in JSON")
      }
    }
    var made: [String: DiffusersConfiguration.Value] = [
      "configuration": try value(configurationText), "steps": .integer(steps), "fidelity": .string(fidelity.rawValue),
    ]
    if let text = stepArgumentsText { made["arguments"] = try value(text) }
    for (key, text) in beginMetadata { made[key] = .string(text) }
    return made
  }

  /// Where the run begins, as the metadata say it.
  var beginMetadata: [String: String] {
    guard case .diffusers(_, let arguments) = self else { return [:] }
    var metadata: [String: String] = [:]
    if let begin = arguments.begin { metadata["first_step"] = "\(begin)" }
    if arguments.setsBeginIndex { metadata["begin_index"] = "true" }
    return metadata
  }

  /// The arguments of the steps as JSON text; nil if all are the defaults.
  var stepArgumentsText: String? {
    guard case .diffusers(_, let arguments) = self else { return nil }
    let usual = RunArguments()
    var values: [String: DiffusersConfiguration.Value] = [:]
    if let eta = arguments.eta { values["eta"] = .number(eta) }
    if let mu = arguments.mu { values["mu"] = .number(mu) }
    if let tokens = arguments.tokens { values["image_seq_len"] = .integer(tokens) }
    if let timesteps = arguments.timesteps { values["timesteps"] = .list(timesteps.map { .number($0) }) }
    if let sigmas = arguments.sigmas { values["sigmas"] = .list(sigmas.map { .number($0) }) }
    if let steps = arguments.originalSteps { values["original_inference_steps"] = .integer(steps) }
    if let strength = arguments.strength { values["strength"] = .number(strength) }
    if arguments.usesClippedModelOutput { values["use_clipped_model_output"] = true }
    if arguments.churn != usual.churn { values["s_churn"] = .number(arguments.churn) }
    if arguments.churnMinimum != usual.churnMinimum { values["s_tmin"] = .number(arguments.churnMinimum) }
    if arguments.churnMaximum != usual.churnMaximum { values["s_tmax"] = .number(arguments.churnMaximum) }
    if arguments.churnNoise != usual.churnNoise { values["s_noise"] = .number(arguments.churnNoise) }
    if arguments.order != usual.order { values["order"] = .integer(arguments.order) }
    if arguments.jumpLength != usual.jumpLength { values["jump_length"] = .integer(arguments.jumpLength) }
    if arguments.resamplings != usual.resamplings { values["jump_n_sample"] = .integer(arguments.resamplings) }
    return values.isEmpty ? nil : DiffusersConfiguration.Value.object(values).json
  }
}

extension DiffusersConfiguration.Value {
  /// The value with words for the numbers that JSON does not have.
  fileprivate var finite: Self {
    switch self {
    case .number(let number) where !number.isFinite: .string(json)
    case .notANumber: .string(json)
    case .list(let values): .list(values.map(\.finite))
    case .object(let values): .object(values.mapValues(\.finite))
    default: self
    }
  }
}
