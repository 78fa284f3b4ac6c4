import Schedulers

/// Why a configuration cannot be read or followed.
public enum ConfigurationError: Error, Hashable, Sendable {
  /// A scheduler class that is not supported.
  case unsupportedClass(String)
  /// An option whose value has the wrong type.
  case type(option: String, value: String, className: String, expected: String)
  /// An option whose value is not supported, or refused by the scheduler itself.
  case option(String, value: String, className: String, remedy: String)
  /// An argument of a step that is not supported.
  case argument(String, value: Double, className: String, remedy: String)
  /// A number of steps that the scheduler cannot make.
  case steps(Int, className: String, reason: String)
  /// A step at which the scheduler fails or divides by zero.
  case notFinite(step: Int, timestep: Double, className: String, reason: String)
  /// The scheduler has no table of betas: its network is told times between 0 and 1.
  case continuous(className: String)
  /// An option, or several, makes no schedule.
  case schedule(ScheduleError, option: String, className: String)
  /// The schedule has no such grid.
  case grid(GridError, className: String)
  /// The grid has no such plan.
  case plan(PlanError, className: String)
}

extension ConfigurationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unsupportedClass(let name):
      "the scheduler class \(name) is not supported; supported are "
        + DiffusersConfiguration.Class.allCases.map(\.rawValue).joined(separator: ", ")
    case .type(let option, let value, let className, let expected):
      "\(option) of \(className) must be \(expected), not \(value)"
    case .option(let option, let value, let className, let remedy):
      "\(option) \(value) of \(className) is not supported: \(remedy)"
    case .argument(let argument, let value, let className, let remedy):
      "\(argument) \(value.plain) of \(className).step is not supported: \(remedy)"
    case .steps(let steps, let className, let reason): "\(steps) steps of \(className): \(reason)"
    case .notFinite(let step, let timestep, let className, let reason):
      "step \(step) of \(className), timestep \(timestep.plain): \(reason)"
    case .continuous(let className): "\(className) has no table of betas: its network is told times in 0 ... 1"
    case .schedule(let error, let option, let className): "\(option) of \(className): \(error)"
    case .grid(let error, let className): "\(className): \(error)"
    case .plan(let error, let className): "\(className): \(error)"
    }
  }
}

/// Why a class refuses what a file or a run asks for. It does not say which class.
enum Refusal: Error {
  case option(String, value: String, String)
  case argument(String, Double, String)
  case steps(Int, String)
  case notFinite(step: Int, timestep: Double, String)
  case schedule(ScheduleError, option: String)
}

/// Throws unless a step of diffusers is finite.
func require(_ isFinite: Bool, step: Int, timestep: Double, _ reason: @autoclosure () -> String) throws {
  try require(isFinite, .notFinite(step: step, timestep: timestep, reason()))
}

/// Throws a refusal unless a condition holds.
func require(_ condition: Bool, _ refusal: @autoclosure () -> Refusal) throws { if !condition { throw refusal() } }

extension ConfigurationError {
  /// What a body makes. What it refuses, and what makes no grid or no plan, is said of the class.
  static func naming<Result>(_ className: String, _ body: () throws -> Result) throws(Self) -> Result {
    do { return try body() } catch {
      let named: Self =
        switch error {
        case let error as Self: error
        case let error as ScheduleError: .schedule(error, option: "the schedule", className: className)
        case let error as GridError: .grid(error, className: className)
        case let error as PlanError: .plan(error, className: className)
        case Refusal.option(let option, let value, let remedy):
          .option(option, value: value, className: className, remedy: remedy)
        case Refusal.argument(let argument, let value, let remedy):
          .argument(argument, value: value, className: className, remedy: remedy)
        case Refusal.steps(let steps, let reason): .steps(steps, className: className, reason: reason)
        case Refusal.notFinite(let step, let timestep, let reason):
          .notFinite(step: step, timestep: timestep, className: className, reason: reason)
        case Refusal.schedule(let error, let option): .schedule(error, option: option, className: className)
        default: preconditionFailure("\(className) fails with an error of no part of it: \(error)")
        }
      throw named
    }
  }
}
