extension DiffusersConfiguration {
  /// A scheduler class of diffusers.
  public struct Class: Sendable {
    let type: any DiffusersClass.Type

    init(_ type: any DiffusersClass.Type) { self.type = type }

    /// The classes that are supported, each in its own file.
    public static let allCases: [Class] = [
      ddpm, ddim, ddimInverse, eulerDiscrete, eulerAncestralDiscrete, heunDiscrete, dpmSolverMultistep, uniPC, deis,
      lms, ipndm, pndm, dpmSolverSinglestep, kdpm2Discrete, kdpm2AncestralDiscrete, lcm, tcd, flowMatchEulerDiscrete,
      edmEuler, edmDPMSolverMultistep, saSolver, flowMatchHeunDiscrete, flowMatchLCM, consistency, dpmSolverSDE,
      dpmSolverMultistepInverse, rePaint, ltxEulerAncestralRF, cogVideoXDDIM, unCLIP, cosineDPMSolverMultistep,
      ddpmWuerstchen, scm, miniMaxH3,
    ]

    public static let ddpm = Self(DDPMScheduler.self)
    public static let ddim = Self(DDIMScheduler.self)
    public static let ddimInverse = Self(DDIMInverseScheduler.self)
    public static let eulerDiscrete = Self(EulerDiscreteScheduler.self)
    public static let eulerAncestralDiscrete = Self(EulerAncestralDiscreteScheduler.self)
    public static let heunDiscrete = Self(HeunDiscreteScheduler.self)
    public static let dpmSolverMultistep = Self(DPMSolverMultistepScheduler.self)
    public static let uniPC = Self(UniPCMultistepScheduler.self)
    public static let deis = Self(DEISMultistepScheduler.self)
    public static let lms = Self(LMSDiscreteScheduler.self)
    public static let ipndm = Self(IPNDMScheduler.self)
    public static let pndm = Self(PNDMScheduler.self)
    public static let dpmSolverSinglestep = Self(DPMSolverSinglestepScheduler.self)
    public static let kdpm2Discrete = Self(KDPM2DiscreteScheduler.self)
    public static let kdpm2AncestralDiscrete = Self(KDPM2AncestralDiscreteScheduler.self)
    public static let lcm = Self(LCMScheduler.self)
    public static let tcd = Self(TCDScheduler.self)
    public static let flowMatchEulerDiscrete = Self(FlowMatchEulerDiscreteScheduler.self)
    public static let edmEuler = Self(EDMEulerScheduler.self)
    public static let edmDPMSolverMultistep = Self(EDMDPMSolverMultistepScheduler.self)
    public static let saSolver = Self(SASolverScheduler.self)
    public static let flowMatchHeunDiscrete = Self(FlowMatchHeunDiscreteScheduler.self)
    public static let flowMatchLCM = Self(FlowMatchLCMScheduler.self)
    public static let consistency = Self(CMStochasticIterativeScheduler.self)
    public static let dpmSolverSDE = Self(DPMSolverSDEScheduler.self)
    public static let dpmSolverMultistepInverse = Self(DPMSolverMultistepInverseScheduler.self)
    public static let rePaint = Self(RePaintScheduler.self)
    public static let ltxEulerAncestralRF = Self(LTXEulerAncestralRFScheduler.self)
    public static let cogVideoXDDIM = Self(CogVideoXDDIMScheduler.self)
    public static let unCLIP = Self(UnCLIPScheduler.self)
    public static let cosineDPMSolverMultistep = Self(CosineDPMSolverMultistepScheduler.self)
    public static let ddpmWuerstchen = Self(DDPMWuerstchenScheduler.self)
    public static let scm = Self(SCMScheduler.self)
    public static let miniMaxH3 = Self(MiniMaxH3Scheduler.self)

    /// Its name in files.
    public var rawValue: String { type.names[0] }

    /// The class of a name; `DDPMParallelScheduler` and `DDIMParallelScheduler` mean DDPM's and
    /// DDIM's.
    public init?(named name: String) {
      guard let match = Self.allCases.first(where: { $0.type.names.contains(name) }) else { return nil }
      self = match
    }

    /// Every option, in the order in which the class reads them.
    public var options: [Option] { reader.options }
    /// The keys that it looks for in a file, though they are none of its constructor's.
    package var undeclaredKeys: Set<String> { reader.undeclared }

    /// What reading an empty file tells.
    private var reader: OptionReader {
      var reader = OptionReader()
      _ = type.init(&reader)
      return reader
    }

    /// The arguments of a run that the class takes, beside the number of steps and mu.
    package var takes: Set<RunArguments.Key> { type.takes }
    /// The eta of a run that does not name one.
    package var usualEta: Double { type.usualEta }
    /// Whether the noise of a recording is none that the corrected steps could have drawn.
    package var mixesNoise: Bool { type.mixesNoise }
    /// Whether the network is asked twice in a step, by Heun's method.
    package var asksTwice: Bool { type.asksTwice }
  }
}

extension DiffusersConfiguration.Class: Hashable, CaseIterable, RawRepresentable, Codable, CustomStringConvertible {
  public init?(rawValue: String) {
    self.init(named: rawValue)
    guard self.rawValue == rawValue else { return nil }
  }

  public static func == (a: Self, b: Self) -> Bool { a.type == b.type }
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
  public var description: String { rawValue }
}
