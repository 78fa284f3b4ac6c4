/// A difference between what a well-known library does and the mathematics of the papers.
///
/// `.diffusers` fidelity has those of diffusers 0.42.1, `.corrected` has none. One of them is
/// k-diffusion's too. `DiffusersConfiguration.deviations(steps:)` says which of them a
/// configuration meets. Those of guided-diffusion are differences from this library's own process.
///
/// Each is declared beside the code that deviates.
public struct Deviation: Hashable, Sendable {
  /// The name, by which documents and tests know it.
  public let name: String
  /// What the library does, and what the mathematics is.
  public let what: String
  /// The classes and options where it happens.
  public let place: String
  /// What it does to the numbers.
  public let effect: String
  /// Where it is discussed, or `nil` if nowhere that is known.
  public let issue: String?
  /// The libraries that have it.
  public let libraries: [String]

  init(
    _ name: String, of libraries: [String] = ["diffusers 0.42.1"], _ what: String, place: String, effect: String,
    issue: Int? = nil
  ) {
    (self.name, self.what, self.place, self.effect) = (name, what, place, effect)
    (self.issue, self.libraries) = (issue.map { "huggingface/diffusers/issues/\($0)" }, libraries)
  }

  /// Every deviation: of what classes share, of the classes, and of guided-diffusion.
  public static let all: [Deviation] = [
    .float32Tables, .infiniteX0, .almostZeroSNR, .trailingMinusOne, .missedTies, .oneStepFromTheEnd,
    .fractionalTimesteps, .timestepPastTheEnd, .duplicateStart, .betaOverSigmas, .lateChurn, .stridedPrevious,
    .idleLastStep, .epsilonBeforeClipping, .initialScaleWithoutData, .subsampledEnds, .roundedSigmaTimesteps,
    .oneMorePoint, .vOnStraightLines, .halvedCurvature, .missignedCurvature, .missingThirdOrder, .lastStepIsNoisy,
    .logarithmForVariance, .learnedRoot, .stridedInverse, .logLinearEnd, .ancestralNotANumber, .infiniteLastStep,
    .firstOutputUnused, .repeatedLate, .roundedMiddles, .lateConversion, .endsAtFirstTimestep, .shiftedTwice,
    .noiseForData, .halvedSlope, .churnOffTheLine, .leastSigmaNotANumber, .dataForSample, .notInverted,
    .droppedTimesteps, .lateJumps, .betasOfLaterSteps, .heldEnd, .unusedEta, .guidedSingleStep, .guidedUnclippedMean,
    .guidedFloat32,
  ]

  public static func == (a: Deviation, b: Deviation) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
