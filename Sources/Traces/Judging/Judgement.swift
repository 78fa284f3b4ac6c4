/// What was found of a trace, step by step.
public struct Judgement: Hashable, Codable, Sendable {
  /// One step.
  public struct Step: Hashable, Codable, Sendable {
    /// Counted from 0.
    public let step: Int
    /// The timestep that the configuration has.
    public let timestep: Double
    /// The timestep that was recorded.
    public let recordedTimestep: Double
    /// Whether these are different.
    public let hasOtherTimestep: Bool
    /// The largest |library − recorded|; NaN where one of them is.
    public let difference: Double
    /// Where: the sample of the batch, then the place in it.
    public let element: [Int]
    /// The largest difference that is allowed.
    public let allowed: Double
    /// The tensor in which the step has a NaN or an infinity.
    public let notFinite: String?

    /// Whether the step is right.
    public var agrees: Bool { !hasOtherTimestep && notFinite == nil && difference <= allowed }
  }

  /// What a step takes of one of the things that it combines.
  public struct Coefficient: Hashable, Codable, Sendable {
    /// What it is of: the sample, the output, an earlier estimate, the noise.
    public let name: String
    /// As the recorded numbers have it.
    public let recorded: Double
    /// As the plan has it.
    public let planned: Double
  }

  /// The class that was recorded.
  public let source: String
  /// How it was judged: `diffusers` by what the source does, `corrected` by the mathematics.
  public let fidelity: String
  /// The tolerance, relative to the largest scalar of a step, or absolute where that is below 1.
  public let tolerance: Double
  /// Every step.
  public let steps: [Step]
  /// What is odd about the recording, or good to know of it, though no step need be wrong.
  public internal(set) var remarks: [String] = []
  /// What the first wrong step was made of, where it is linear.
  public internal(set) var coefficients: [Coefficient]?
  /// The mistake that explains what is wrong, if one does.
  public internal(set) var diagnosis: Diagnosis?

  /// Whether every step is right.
  public var agrees: Bool { steps.allSatisfy(\.agrees) }

  /// The first step that is wrong.
  public var first: Step? { steps.first { !$0.agrees } }

  /// How many steps are wrong.
  public var divergences: Int { steps.count { !$0.agrees } }

  /// The step that comes closest to its tolerance or exceeds it most.
  public var worst: Step? {
    steps.max { a, b in a.excess < b.excess }
  }
}

extension Judgement.Step {
  /// The difference in units of what is allowed; infinite for NaN.
  public var excess: Double { difference.isNaN ? .infinity : difference / allowed }
}

/// A mistake that, had it been made, would have given what was recorded.
public struct Diagnosis: Hashable, Codable, Sendable {
  /// The kind of mistake, as Docs/Verify.md lists it.
  public let mistake: String
  /// What was done instead of what, in words.
  public let text: String
  /// How many of the diverging steps are within tolerance if it was made; the first of them always
  /// is.
  public let explained: Int
  /// How many steps diverge.
  public let divergences: Int
}
