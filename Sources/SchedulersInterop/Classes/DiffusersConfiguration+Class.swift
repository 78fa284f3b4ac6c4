extension DiffusersConfiguration {
  /// A scheduler class of diffusers.
  public struct Class: Sendable {
    let type: any DiffusersClass.Type

    init(_ type: any DiffusersClass.Type) { self.type = type }

    /// The classes that are supported. Each declares itself in its own file.
    public static let allCases: [Class] = [
      ddpm,
      ddim,
      ddimInverse,
      eulerDiscrete,
      eulerAncestralDiscrete,
      heunDiscrete,
      dpmSolverMultistep,
      uniPC,
      deis,
      lms,
      ipndm,
      pndm,
      dpmSolverSinglestep,
      kdpm2Discrete,
      kdpm2AncestralDiscrete,
      lcm,
      tcd,
      flowMatchEulerDiscrete,
      edmEuler,
      edmDPMSolverMultistep,
      saSolver,
      flowMatchHeunDiscrete,
      flowMatchLCM,
      consistency,
      dpmSolverSDE,
      dpmSolverMultistepInverse,
      rePaint,
    ]

    /// Its name in files.
    public var rawValue: String { type.names[0] }

    /// The class that a name means; that of `DDPMParallelScheduler` and `DDIMParallelScheduler` is the
    /// one without "Parallel".
    public init?(named name: String) {
      guard let match = Self.allCases.first(where: { $0.type.names.contains(name) }) else { return nil }
      self = match
    }

    /// Every option, in the order in which the class reads them.
    public var options: [Option] {
      var reader = OptionReader(className: rawValue)
      _ = type.init(&reader)
      return reader.options
    }

    /// The arguments of a run that the class takes, beside the number of steps and mu.
    package var takes: Set<RunArguments.Key> { type.takes }
    /// Whether the noise of a recording is none that the corrected steps could have drawn.
    package var mixesNoise: Bool { type.mixesNoise }
    /// Whether a run may have fewer steps than were asked for.
    package var dropsSteps: Bool { type.dropsSteps }
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
