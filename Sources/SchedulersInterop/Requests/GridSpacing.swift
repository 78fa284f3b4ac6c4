import Schedulers

/// How the calls of a run lie along the process.
package enum GridSpacing: Hashable, Sendable {
  case timesteps(TimestepSpacing)
  case sigmas(SigmaSpacing)
  case aligned(AlignYourSteps)
  /// Timesteps between whole ones.
  case fractional(FractionalSpacing)
  case gits
  /// Rectified flow, which has no schedule.
  case flow
  /// The same with other times before the shift.
  case flowTimes(FlowSpacing.Times)
  /// Times of rectified flow that were optimised, and take no shift.
  case optimal(OptimalSteps)
  /// The process of EDM, which has none either.
  case edm

  package static let all: [GridSpacing] =
    (TimestepSpacing.all + [.ddimUniform, .distilled(), .oneMore(.leading()), .oneMore(.linspace)])
    .map(GridSpacing.timesteps) + FractionalSpacing.allCases.map(GridSpacing.fractional)
    + SigmaSpacing.all.map(GridSpacing.sigmas)
    + AlignYourSteps.allCases.map(GridSpacing.aligned) + [.gits, .flow]
    + [.simple(), .beta(), .linearQuadratic(), .logitNormal()].map(GridSpacing.flowTimes)
    + OptimalSteps.allCases.map(GridSpacing.optimal) + [.edm]

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
    case .aligned(.stableDiffusion11): "ays-11"
    case .aligned(.stableDiffusionXL11): "ays-xl-11"
    case .aligned(.stableDiffusion32): "ays-32"
    case .aligned(.stableDiffusionXL32): "ays-xl-32"
    case .fractional(let spacing): spacing.name
    case .gits: "gits"
    case .flow, .flowTimes(.equal): "flow"
    case .flowTimes(.simple): "flow-simple"
    case .flowTimes(.beta): "flow-beta"
    case .flowTimes(.linearQuadratic): "flow-linear-quadratic"
    case .flowTimes(.logitNormal): "flow-logit-normal"
    case .optimal(let family): "optimal-\(family.rawValue)"
    case .edm: "edm"
    }
  }

  /// Whether the process is the spacing's own, and no schedule's.
  package var hasOwnProcess: Bool { isFlow || self == .edm }

  /// Whether the process is rectified flow.
  package var isFlow: Bool {
    if case .optimal = self { true } else { hasShift }
  }

  /// Whether its times can be shifted.
  package var hasShift: Bool {
    if case .flowTimes = self { true } else { self == .flow }
  }

  /// What a network of that process usually predicts.
  package var usualPrediction: Prediction { isFlow ? .flow : .epsilon }

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
