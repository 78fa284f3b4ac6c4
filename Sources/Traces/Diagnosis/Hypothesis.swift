import Schedulers
import SchedulersInterop

/// A mistake that somebody may have made, as the numbers that it would have given.
struct Hypothesis {
  /// The kind, as Docs/Verify.md lists them.
  let mistake: Mistake
  /// What was done instead of what, in words.
  let text: String
  /// Makes the plan that was followed; nil where there is none, or where it is the right one. Made
  /// when it is asked for, as plans take time and the hypotheses before may explain everything.
  let plan: () -> SamplingPlan?
  /// The timesteps that were recorded; the plan's own if nil.
  var timesteps: [Double]?
  /// How the tensors were recorded.
  var reading = Reading()
  /// Whether the step to clean data is no number then.
  var isInfiniteAtEnd = false
}

/// The kinds of mistakes that the diagnosis knows. Where two explain a recording as well, the
/// earlier is named.
public enum Mistake: String, Hashable, Codable, CaseIterable, Sendable {
  case prediction
  case outputSign = "output-sign"
  case clipping
  case noiseMissing = "noise-missing"
  case noiseTwice = "noise-twice"
  case noiseOfAnotherStep = "noise-of-another-step"
  case noiseAtLastStep = "noise-at-last-step"
  case variance
  case channelsSwapped = "channels-swapped"
  case channels = "channels-exchanged"
  case samples = "samples-exchanged"
  case shared = "one-for-all"
  case finalAlpha = "final-alpha"
  case previousTimestep = "previous-timestep"
  case betasNotRespaced = "betas-not-respaced"
  case eta
  case epsilonFromClipped = "epsilon-from-clipped"
  case spacing
  case shiftedTimesteps = "shifted-timesteps"
  case reportedTimesteps = "reported-timesteps"
  case solverOrder = "solver-order"
  case slopeRule = "solver-type"
  case sampler
  case schedule
  case outputOfAnotherStep = "output-of-another-step"
  case scaledInput = "scaled-input"
  case axes
  case lateStart = "late-start"
  case shift
  case pipelineTimes = "pipeline-times"
  case precision
  case fidelity
  case coefficient
  case givenTimes = "given-times"
  case edited
}
