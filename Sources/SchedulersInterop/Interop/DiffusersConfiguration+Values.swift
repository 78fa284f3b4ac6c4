import Schedulers

// The values that a class looks at. They were checked against the options' kinds when the configuration was made, so these always find what
// they look for.

extension DiffusersConfiguration {
  /// The value of an option; `nil` for one of another class, which the file may hold and the class does not look at.
  func honoured(_ name: String) -> Value? {
    // Every class that chooses sigmas takes these from the file, whether or not they are options of its own.
    let isEnd = name == "sigma_min" || name == "sigma_max"
    guard let option = Option.ofClass[schedulerClass]?[name] else { return isEnd ? values[name] : nil }
    return values[name] ?? option.standard
  }

  func boolean(_ name: String) -> Bool { honoured(name) == .boolean(true) }

  func integer(_ name: String) -> Int {
    guard case .integer(let value) = honoured(name) else { preconditionFailure("\(name) is no whole number") }
    return value
  }

  func number(_ name: String) -> Double? {
    guard case .number(let value) = honoured(name) else { return nil }
    return value
  }

  func string(_ name: String) -> String? {
    guard case .string(let value) = honoured(name) else { return nil }
    return value
  }

  /// The value of a text option as one of a list of names; the error says which there are.
  func choice<Choice>(_ name: String, _ choices: KeyValuePairs<String, Choice>) throws(ConfigurationError) -> Choice {
    let value = honoured(name) ?? .null
    for (key, choice) in choices where value == .string(key) { return choice }
    throw unsupported(name, remedy: "use one of \(choices.map(\.key).joined(separator: ", "))")
  }

  func unsupported(_ name: String, remedy: String) -> ConfigurationError {
    .option(name, value: (self[name] ?? .null).json, className: className, remedy: remedy)
  }

  /// What a body makes; its errors name the class, and the option where one is to blame.
  func naming<Result>(_ body: () throws -> Result) throws(ConfigurationError) -> Result {
    do { return try body() } catch { throw named(error) }
  }

  func named(_ error: any Error) -> ConfigurationError {
    switch error {
    case let error as ConfigurationError: return error
    case let error as ScheduleError:
      let isTrained = self["trained_betas"] ?? .null != .null
      return .schedule(error, option: isTrained ? "trained_betas" : "beta_start and beta_end", className: className)
    case GridError.parameter("offset", _, let allowed): return unsupported("steps_offset", remedy: "it must be \(allowed)")
    case GridError.parameter("terminal", _, let allowed): return unsupported("shift_terminal", remedy: "it must be \(allowed)")
    case PlanError.option("ratio", _, _, let allowed):
      return unsupported("dynamic_thresholding_ratio", remedy: "it must be in \(allowed)")
    case PlanError.option("maximum", _, _, let allowed):
      return unsupported("sample_max_value", remedy: "it must be in \(allowed)")
    case let error as GridError: return .grid(error, className: className)
    case let error as PlanError: return .plan(error, className: className)
    default: preconditionFailure("\(className) fails with an error of no part of it: \(error)")
    }
  }
}
