import Schedulers

extension DiffusersConfiguration {
  /// One option of a scheduler's constructor.
  public struct Option: Hashable, Sendable {
    /// What its value may be.
    enum Kind: Hashable {
      case boolean, integer, number, string, integers, numbers, nothing
    }

    /// The name in the file.
    public let name: String
    /// diffusers' default.
    public let standard: Value
    let kind: Kind
    /// Whether it may be null.
    public let isOptional: Bool

    private static func boolean(_ name: String, _ standard: Bool, isOptional: Bool = false) -> Option {
      Option(name: name, standard: .boolean(standard), kind: .boolean, isOptional: isOptional)
    }
    private static func integer(_ name: String, _ standard: Int) -> Option {
      Option(name: name, standard: .integer(standard), kind: .integer, isOptional: false)
    }
    private static func number(_ name: String, _ standard: Double?, isOptional: Bool = false) -> Option {
      Option(
        name: name, standard: standard.map(Value.number) ?? .null, kind: .number, isOptional: isOptional || standard == nil)
    }
    private static func string(_ name: String, _ standard: String?) -> Option {
      Option(name: name, standard: standard.map(Value.string) ?? .null, kind: .string, isOptional: standard == nil)
    }

    /// The value in the form of this option, or `nil` if it has the wrong type.
    func fitting(_ value: Value) -> Value? {
      switch (kind, value) {
      case (_, .null): isOptional ? .null : nil
      case (.boolean, .boolean), (.integer, .integer), (.number, .number), (.string, .string): value
      case (.number, .integer(let whole)): .number(Double(whole))
      case (.numbers, .list(let values)): Self.numbers(values).map { .list($0.map(Value.number)) }
      case (.integers, .list(let values)) where values.allSatisfy({ if case .integer = $0 { true } else { false } }): value
      default: nil
      }
    }

    static func numbers(_ values: [Value]) -> [Double]? {
      var numbers: [Double] = []
      for value in values {
        switch value {
        case .number(let number): numbers.append(number)
        case .integer(let whole): numbers.append(Double(whole))
        default: return nil
        }
      }
      return numbers
    }

    /// What the value must be, in words.
    var expected: String {
      let type =
        switch kind {
        case .boolean: "true or false"
        case .integer: "a whole number"
        case .number: "a number"
        case .string: "text"
        case .numbers: "a list of numbers"
        case .integers: "a list of whole numbers"
        case .nothing: "nothing"
        }
      return isOptional ? "\(type) or null" : type
    }
  }
}

extension DiffusersConfiguration.Option {
  /// Every option of a class, in the order of its constructor.
  public static func all(of schedulerClass: DiffusersConfiguration.Class) -> [Self] {
    switch schedulerClass {
    case .ddpm: process() + [string("variance_type", "fixed_small")] + clipping + ddpmEnd
    case .ddim: process() + [boolean("set_alpha_to_one", true)] + clipping + ddpmEnd
    case .ddimInverse:
      process() + [
        boolean("set_alpha_to_one", true), .init(name: "set_alpha_to_zero", standard: nil, kind: .boolean, isOptional: true),
      ]
        + rangeClipping(true) + [string("prediction_type", "epsilon")] + spacing("leading") + [rescaling]
    case .eulerDiscrete:
      process() + [string("prediction_type", "epsilon"), string("interpolation_type", "linear")] + sigmas(isOptional: true)
        + [number("sigma_min", nil), number("sigma_max", nil), string("timestep_type", "discrete")] + spacing("linspace")
        + [rescaling, string("final_sigmas_type", "zero")]
    case .eulerAncestralDiscrete:
      process() + [string("prediction_type", "epsilon")] + spacing("linspace") + [rescaling]
    case .heunDiscrete:
      process(start: 0.00085, end: 0.012) + [string("prediction_type", "epsilon")] + sigmas(isOptional: false)
        + rangeClipping(false) + spacing("linspace")
    case .dpmSolverMultistep:
      process() + solver + [string("algorithm_type", "dpmsolver++"), string("solver_type", "midpoint")]
        + [boolean("euler_at_final", false), string("final_sigmas_type", "zero"), number("lambda_min_clipped", -.infinity)]
        + [string("variance_type", nil), boolean("use_lu_lambdas", false), rescaling]
    case .dpmSolverMultistepInverse:
      process() + solver.filter { !["use_dynamic_shifting", "time_shift_type"].contains($0.name) }
        + [string("algorithm_type", "dpmsolver++"), string("solver_type", "midpoint"), boolean("euler_at_final", false)]
        + [number("lambda_min_clipped", -.infinity), string("variance_type", nil)]
    case .uniPC:
      process() + solver + [boolean("predict_x0", true), string("solver_type", "bh2")]
        + [.init(name: "disable_corrector", standard: .list([]), kind: .integers, isOptional: false)]
        + [.init(name: "solver_p", standard: .null, kind: .nothing, isOptional: true)]
        + [string("final_sigmas_type", "zero"), rescaling]
        + ["sigma_min", "sigma_max", "shift_terminal"].map { number($0, nil) }
    case .deis: process() + solver + [string("algorithm_type", "deis"), string("solver_type", "logrho")]
    case .saSolver:
      process() + solver.filter { !["solver_order", "use_dynamic_shifting", "time_shift_type"].contains($0.name) }
        + [integer("predictor_order", 2), integer("corrector_order", 2), string("algorithm_type", "data_prediction")]
        + [.init(name: "tau_func", standard: .null, kind: .nothing, isOptional: true)]
        + [number("lambda_min_clipped", -.infinity), string("variance_type", nil)]
    case .lms:
      process() + sigmas(isOptional: false) + [string("prediction_type", "epsilon")] + spacing("linspace")
    case .pndm:
      process() + [boolean("skip_prk_steps", false), boolean("set_alpha_to_one", false)]
        + [string("prediction_type", "epsilon")] + spacing("leading")
    case .dpmSolverSinglestep:
      // It has no spacing of timesteps.
      process() + solver.filter { !["lower_order_final", "timestep_spacing", "steps_offset"].contains($0.name) }
        + [boolean("lower_order_final", false), string("algorithm_type", "dpmsolver++"), string("solver_type", "midpoint")]
        + [string("final_sigmas_type", "zero"), number("lambda_min_clipped", -.infinity), string("variance_type", nil)]
    case .kdpm2Discrete, .kdpm2AncestralDiscrete:
      process(start: 0.00085, end: 0.012) + sigmas(isOptional: false) + [string("prediction_type", "epsilon")]
        + spacing("linspace")
    case .lcm, .tcd:
      process(start: 0.00085, end: 0.012, schedule: "scaled_linear") + [integer("original_inference_steps", 50)]
        + rangeClipping(false) + thresholding + [boolean("set_alpha_to_one", true), number("timestep_scaling", 10)] + ddpmEnd
    case .flowMatchEulerDiscrete:
      flowMatching(isOptional: false) + [boolean("stochastic_sampling", false)]
    case .flowMatchHeunDiscrete: [integer("num_train_timesteps", 1000), number("shift", 1)]
    case .flowMatchLCM:
      flowMatching(isOptional: true) + [
        .init(name: "scale_factors", standard: .null, kind: .numbers, isOptional: true), string("upscale_mode", "bicubic"),
      ]
    case .consistency:
      [integer("num_train_timesteps", 40), number("sigma_min", 0.002), number("sigma_max", 80), number("sigma_data", 0.5)]
        + [number("s_noise", 1), number("rho", 7), boolean("clip_denoised", true)]
    case .dpmSolverSDE:
      process(start: 0.00085, end: 0.012) + [string("prediction_type", "epsilon")] + sigmas(isOptional: false)
        + [.init(name: "noise_sampler_seed", standard: .null, kind: .integer, isOptional: true)] + spacing("linspace")
    case .edmEuler: edm
    case .edmDPMSolverMultistep:
      edm + [integer("solver_order", 2)] + thresholding + [
        boolean("lower_order_final", true), boolean("euler_at_final", false),
      ]
        + [string("algorithm_type", "dpmsolver++"), string("solver_type", "midpoint")]
    case .rePaint: process() + [number("eta", 0), boolean("clip_sample", true)]
    case .ipndm: process().filter { ["num_train_timesteps", "trained_betas"].contains($0.name) }
    }
  }

  /// The options of each class by name.
  static let ofClass = Dictionary(
    uniqueKeysWithValues: DiffusersConfiguration.Class.allCases.map { schedulerClass in
      (schedulerClass, Dictionary(uniqueKeysWithValues: all(of: schedulerClass).map { ($0.name, $0) }))
    })

  /// The options of all classes by name.
  static let ofAnyClass = Dictionary(
    DiffusersConfiguration.Class.allCases.flatMap { all(of: $0) }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }
  )

  private static func process(start: Double = 1e-4, end: Double = 0.02, schedule: String = "linear") -> [Self] {
    [
      integer("num_train_timesteps", 1000), number("beta_start", start), number("beta_end", end),
      string("beta_schedule", schedule), .init(name: "trained_betas", standard: nil, kind: .numbers, isOptional: true),
    ]
  }
  private static func spacing(_ standard: String) -> [Self] {
    [string("timestep_spacing", standard), integer("steps_offset", 0)]
  }
  private static func rangeClipping(_ standard: Bool) -> [Self] {
    [boolean("clip_sample", standard), number("clip_sample_range", 1)]
  }
  private static let thresholding = [
    boolean("thresholding", false), number("dynamic_thresholding_ratio", 0.995), number("sample_max_value", 1),
  ]
  private static let clipping = rangeClipping(true) + thresholding
  private static let rescaling = boolean("rescale_betas_zero_snr", false)
  private static let ddpmEnd = [string("prediction_type", "epsilon")] + spacing("leading") + [rescaling]
  private static func sigmas(isOptional: Bool) -> [Self] {
    ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"].map { boolean($0, false, isOptional: isOptional) }
  }
  /// What the classes that solve in lambda have in common.
  private static let solver =
    [integer("solver_order", 2), string("prediction_type", "epsilon")] + thresholding + [boolean("lower_order_final", true)]
    + sigmas(isOptional: false) + flow + spacing("linspace")
  private static let edm =
    [number("sigma_min", 0.002), number("sigma_max", 80), number("sigma_data", 0.5), string("sigma_schedule", "karras")]
    + [integer("num_train_timesteps", 1000), string("prediction_type", "epsilon"), number("rho", 7)]
    + [string("final_sigmas_type", "zero")]
  /// What two classes of rectified flow have in common; one has null for choices of sigmas, the other for bounds of the shift.
  private static func flowMatching(isOptional: Bool) -> [Self] {
    [integer("num_train_timesteps", 1000), number("shift", 1), boolean("use_dynamic_shifting", false)]
      + [number("base_shift", 0.5, isOptional: !isOptional), number("max_shift", 1.15, isOptional: !isOptional)]
      + [integer("base_image_seq_len", 256), integer("max_image_seq_len", 4096), boolean("invert_sigmas", false)]
      + [number("shift_terminal", nil)] + sigmas(isOptional: isOptional) + [string("time_shift_type", "exponential")]
  }
  private static let flow = [
    boolean("use_flow_sigmas", false), number("flow_shift", 1), boolean("use_dynamic_shifting", false),
    string("time_shift_type", "exponential"),
  ]
}
