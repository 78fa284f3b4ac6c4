import Schedulers
import SchedulersInterop
import Testing

/// Options that a file has from another class: diffusers carries them along and does not look at
/// them.
@Suite struct ForeignOptionTests {
  typealias Value = DiffusersConfiguration.Value
  typealias Option = DiffusersConfiguration.Option

  /// Every option of any class, with a value that is not its default.
  private static let unusual: [String: Value] = {
    var values: [String: Value] = [
      "variance_type": "fixed_large", "beta_schedule": "squaredcos_cap_v2", "timestep_spacing": "trailing",
      "interpolation_type": "log_linear", "timestep_type": "continuous", "final_sigmas_type": "sigma_min",
      "prediction_type": "v_prediction", "algorithm_type": "dpmsolver", "solver_type": "heun",
      "sigma_schedule": "exponential",
      "time_shift_type": "linear", "lambda_min_clipped": -1, "disable_corrector": [0],
    ]
    for option in DiffusersConfiguration.Class.allCases.flatMap(Option.all) where values[option.name] == nil {
      switch option.standard {
      case .boolean(let value): values[option.name] = .boolean(!value)
      case .integer(let value): values[option.name] = .integer(value + 1)
      case .number(let value): values[option.name] = .number(value / 2)
      case .null: values[option.name] = option.name.hasPrefix("set_") ? true : 0.5
      default: break
      }
    }
    return values
  }()

  @Test(arguments: DiffusersConfiguration.Class.allCases)
  func `an option of another class has no effect`(schedulerClass: DiffusersConfiguration.Class) throws {
    // Some classes look for the ends of sigmas, or all options of another class.
    let own = schedulerClass.undeclaredKeys.union(Option.all(of: schedulerClass).map(\.name))
    let plain = try DiffusersConfiguration(schedulerClass)
    for (name, value) in Self.unusual where !own.contains(name) {
      let other = try DiffusersConfiguration(schedulerClass, [name: value])
      for fidelity in Fidelity.allCases {
        let plans = try? [plain, other].map { try $0.plan(steps: 7, fidelity: fidelity) }
        #expect(plans != nil && plans?[0] == plans?[1], "\(name) \(value.json) \(fidelity)")
      }
      #expect(other.deviations(steps: 7) == plain.deviations(steps: 7), "\(name) \(value.json)")
    }
  }
}
