import Schedulers

extension KDiffusionConfiguration {
  /// A sampler of the four programs, by its name in ComfyUI, which is k-diffusion's where that has
  /// it.
  package enum Method: String, CaseIterable, Sendable {
    case euler
    case eulerAncestral = "euler_ancestral"
    case heun
    case dpm2 = "dpm_2"
    case dpm2Ancestral = "dpm_2_ancestral"
    case lms
    case dpmpp2sAncestral = "dpmpp_2s_ancestral"
    case dpmppSDE = "dpmpp_sde"
    case dpmpp2m = "dpmpp_2m"
    case dpmpp2mSDE = "dpmpp_2m_sde"
    case dpmpp2mSDEHeun = "dpmpp_2m_sde_heun"
    case dpmpp3mSDE = "dpmpp_3m_sde"
    case ddpm, ddim, lcm, ipndm
    case resMultistep = "res_multistep"
    case gradientEstimation = "gradient_estimation"

    /// The default of `eta`; nil for a method without.
    package var usualEta: Double? {
      switch self {
      case .eulerAncestral, .dpm2Ancestral, .dpmpp2sAncestral, .dpmppSDE, .dpmpp2mSDE, .dpmpp2mSDEHeun, .dpmpp3mSDE: 1
      case .ddim: 0
      default: nil
      }
    }

    var takesChurn: Bool { [.euler, .heun, .dpm2].contains(self) }
    var takesNoiseFactor: Bool { (usualEta != nil && self != .ddim) || self == .lcm }
  }

  /// The method that a name of any of the programs stands for.
  ///
  /// - Throws: `ConfigurationError` that lists the methods, for any other name.
  package static func method(named name: String) throws(ConfigurationError) -> Method {
    if let method = methods[key(of: name)] { return method }
    throw .option(
      "sampler", value: DiffusersConfiguration.Value.string(name).json, className: className,
      remedy: "use one of \(Method.allCases.map(\.rawValue).joined(separator: ", "))")
  }

  /// The sampler that a name of any of the programs stands for, with its defaults.
  ///
  /// Names are those of k-diffusion (`sample_dpmpp_2m`), ComfyUI (`dpmpp_2m_sde_gpu`), A1111
  /// (`DPM++ 2M Karras`, of which the scheduler says nothing that the sigmas do not) and
  /// stable-diffusion.cpp (`DPMPP2S_A_SAMPLE_METHOD`, `dpm++2s_a`).
  ///
  /// - Throws: `ConfigurationError` that lists the supported names, for any other.
  public static func sampler(named name: String) throws(ConfigurationError) -> any Sampler {
    let method = try method(named: name)
    return KDiffusionConfiguration(sampler: name, sigmas: []).sampler(method, fidelity: .diffusers)
  }

  func method() throws(ConfigurationError) -> Method { try Self.method(named: sampler) }

  /// Names without what the programs write differently.
  private static let methods: [String: Method] = {
    var methods = [
      "eulera": Method.eulerAncestral, "dpm2a": .dpm2Ancestral, "dpmpp2sa": .dpmpp2sAncestral,
      "dpmpp2msdebt": .dpmpp2mSDE, "ddimtrailing": .ddim, "eulerge": .gradientEstimation,
    ]
    for method in Method.allCases {
      let key = key(of: method.rawValue)
      methods[key] = method
      methods[key + "gpu"] = [.dpmppSDE, .dpmpp2mSDE, .dpmpp2mSDEHeun, .dpmpp3mSDE].contains(method) ? method : nil
    }
    return methods
  }()

  /// The schedulers that A1111's labels end in.
  private static let schedulers = [
    "automatic", "uniform", "karras", "exponential", "polyexponential", "sgm uniform", "kl optimal", "align your steps",
    "simple", "normal", "ddim uniform", "beta", "turbo",
  ]

  private static func key(of name: String) -> String {
    var name = name.lowercased()
    if let scheduler = schedulers.filter({ name.hasSuffix(" " + $0) }).max(by: { $0.count < $1.count }) {
      name.removeLast(scheduler.count + 1)
    }
    for prefix in ["sample_", "k_"] where name.hasPrefix(prefix) { name.removeFirst(prefix.count) }
    if name.hasSuffix("_sample_method") { name.removeLast("_sample_method".count) }
    return name.reduce(into: "") { key, character in
      if character == "+" { key.append("p") } else if !" _-".contains(character) { key.append(character) }
    }
  }
}
