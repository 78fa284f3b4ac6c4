import Schedulers

/// A difference between what a well-known library does and the mathematics of the papers.
///
/// `.diffusers` fidelity has those of diffusers 0.42.1, `.corrected` has none. One of them is k-diffusion's too. `DiffusersConfiguration.deviations(steps:)` says which
/// of them a configuration meets. Those of guided-diffusion are differences from this library's own process.
public enum Deviation: String, Hashable, Codable, CaseIterable, Sendable {
  case float32Tables
  case trailingMinusOne
  case missedTies
  case oneStepFromTheEnd
  case fractionalTimesteps
  case timestepPastTheEnd
  case stridedPrevious
  case roundedMiddles
  case stridedInverse
  case lastStepIsNoisy
  case logarithmForVariance
  case learnedRoot
  case epsilonBeforeClipping
  case infiniteX0
  case almostZeroSNR
  case initialScaleWithoutData
  case ancestralNotANumber
  case subsampledEnds
  case betaOverSigmas
  case logLinearEnd
  case roundedSigmaTimesteps
  case duplicateStart
  case oneMorePoint
  case halvedCurvature
  case missignedCurvature
  case missingThirdOrder
  case idleLastStep
  case infiniteLastStep
  case firstOutputUnused
  case lateConversion
  case shiftedTwice
  case endsAtFirstTimestep
  case vOnStraightLines
  case halvedSlope
  case lateChurn
  case churnOffTheLine
  case noiseForData
  case leastSigmaNotANumber
  case dataForSample
  case notInverted
  case droppedTimesteps
  case lateJumps
  case betasOfLaterSteps
  case guidedSingleStep
  case guidedUnclippedMean
  case guidedFloat32

  /// What is known of a deviation.
  public struct Details: Hashable, Sendable {
    /// What the library does, and what the mathematics is.
    public let what: String
    /// The classes and options where it happens.
    public let place: String
    /// What it does to the numbers.
    public let effect: String
    /// Where it is discussed, or `nil` if nowhere that is known.
    public let issue: String?
  }

  /// The libraries that have it.
  public var libraries: [String] {
    switch self {
    case .guidedSingleStep, .guidedUnclippedMean, .guidedFloat32: ["guided-diffusion 22e0df8"]
    case .halvedCurvature: ["diffusers 0.42.1", "k-diffusion 0.1.1"]
    default: ["diffusers 0.42.1"]
    }
  }
}

extension Deviation {
  /// Every deviation in a document: `Docs/Deviations.md`.
  public static var markdown: String {
    let entries = allCases.map { deviation in
      let details = deviation.details
      let rows = [
        "## `\(deviation.rawValue)`", "", "*\(deviation.libraries.joined(separator: ", ")): \(details.place)*", "",
        details.what, "",
        "Effect: \(details.effect)",
      ]
      return (rows + (details.issue.map { ["", "Discussed in <https://github.com/\($0)>."] } ?? [])).joined(separator: "\n")
    }
    return header + "\n" + entries.joined(separator: "\n\n") + "\n"
  }

  private static let header = """
    # Deviations

    Where well-known libraries do something else than the papers say. Reading a `scheduler_config.json` with `fidelity: .diffusers`
    reproduces those of diffusers; `.corrected`, the default, has none of them. `DiffusersConfiguration.deviations(steps:)` says which
    apply. Numbers are those of `Fixtures/Data/diffusers-deviations.json`, which diffusers made; a *perfect network* is one that knows
    the datum behind every sample. Every deviation has a test of that name in `Tests/SchedulersTests/Interop`.

    `scheduler list deviations --format markdown` prints this document.

    """
}
