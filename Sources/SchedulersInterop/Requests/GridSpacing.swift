import Schedulers

/// How the calls of a run lie along the process.
package enum GridSpacing: Hashable, Sendable {
  case timesteps(TimestepSpacing)
  case sigmas(SigmaSpacing)
  case aligned(AlignYourSteps)
  /// Rectified flow, which has no schedule.
  case flow
  /// The process of EDM, which has none either.
  case edm

  package static let all: [GridSpacing] =
    (TimestepSpacing.all + [.distilled(), .oneMore(.leading()), .oneMore(.linspace)]).map(GridSpacing.timesteps)
    + SigmaSpacing.all.map(GridSpacing.sigmas)
    + AlignYourSteps.allCases.map(GridSpacing.aligned) + [.flow, .edm]

  /// The spacing of a name; `nil` if there is none.
  package static func named(_ name: String) -> GridSpacing? { all.first { $0.name == name } }

  /// The name on the command line and in requests.
  package var name: String {
    switch self {
    case .timesteps(let spacing): spacing.name
    case .sigmas(let spacing): spacing.name
    case .aligned(.stableDiffusion): "ays"
    case .aligned(.stableDiffusionXL): "ays-xl"
    case .aligned(.stableVideoDiffusion): "ays-video"
    case .flow: "flow"
    case .edm: "edm"
    }
  }

  /// Whether the process is the spacing's own, and no schedule's.
  package var hasOwnProcess: Bool { self == .flow || self == .edm }

  /// What a network of that process usually predicts.
  package var usualPrediction: Prediction { self == .flow ? .flow : .epsilon }

  /// Whether it lies between two sigmas that can be chosen.
  package var hasEnds: Bool {
    if case .sigmas = self { true } else { self == .edm }
  }

  /// Whether it has an exponent.
  package var hasRho: Bool {
    switch self {
    case .sigmas(.karras), .sigmas(.polyexponential), .edm: true
    default: false
    }
  }
}
