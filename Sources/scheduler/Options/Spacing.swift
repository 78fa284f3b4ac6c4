import Schedulers

/// How the calls of a run lie along the process.
enum Spacing: Hashable {
  case timesteps(TimestepSpacing)
  case sigmas(SigmaSpacing)
  case aligned(AlignYourSteps)
  /// Rectified flow, which has no schedule.
  case flow
  /// The process of EDM, which has none either.
  case edm

  static let all: [Spacing] =
    (TimestepSpacing.all + [.distilled(), .oneMore(.leading()), .oneMore(.linspace)]).map(Spacing.timesteps)
    + SigmaSpacing.all.map(Spacing.sigmas)
    + AlignYourSteps.allCases.map(Spacing.aligned) + [.flow, .edm]

  /// - Throws: `Failure` for an unknown name.
  init(named name: String) throws(Failure) {
    guard let found = Self.all.first(where: { $0.name == name }) else {
      throw Failure.unknown("spacing", name, known: Self.all.map(\.name))
    }
    self = found
  }

  /// The name on the command line.
  var name: String {
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
  var hasOwnProcess: Bool { self == .flow || self == .edm }

  /// What a network of that process usually predicts.
  var usualPrediction: Prediction { self == .flow ? .flow : .epsilon }

  /// Whether it lies between two sigmas that can be chosen.
  var hasEnds: Bool {
    if case .sigmas = self { true } else { self == .edm }
  }

  /// Whether it has an exponent.
  var hasRho: Bool {
    switch self {
    case .sigmas(.karras), .sigmas(.polyexponential), .edm: true
    default: false
    }
  }
}
