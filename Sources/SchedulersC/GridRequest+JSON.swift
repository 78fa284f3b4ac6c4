import Schedulers
import SchedulersInterop

extension GridRequest {
  private static let sigmaRange = 1e-6...1e6

  /// The grid that a request speaks of.
  ///
  /// - Throws: `Refusal` for a value out of its range, and for a key that the spacing has not.
  init(_ request: inout Request) throws(Refusal) {
    self.init()
    if let name = try request.text("spacing") {
      do { spacing = try .known(name) } catch { throw Refusal(error) }
    }
    let isLeading =
      switch spacing {
      case .timesteps(.leading), .timesteps(.oneMore(.leading)): true
      default: false
      }
    try Self.refuse(["offset"], of: request, unless: isLeading, because: spacing, instead: "leading")
    try Self.refuse(
      ["sigmaMin", "sigmaMax"], of: request, unless: spacing.hasEnds, because: spacing, instead: "karras")
    try Self.refuse(["rho"], of: request, unless: spacing.hasRho, because: spacing, instead: "karras")
    try Self.refuse(
      ["shift", "mu", "shiftTerminal"], of: request, unless: spacing.hasShift, because: spacing, instead: "flow")
    try Self.refuse(
      ["sigmas"], of: request, unless: [.timesteps(.trailing), .flow, .edm].contains(spacing), because: spacing,
      instead: "flow or edm, or none")
    offset = try request.whole("offset", in: 0...100_000) ?? 0
    sigmaMin = try request.number("sigmaMin", in: Self.sigmaRange)
    sigmaMax = try request.number("sigmaMax", in: Self.sigmaRange)
    rho = try request.number("rho", in: 0.1...100)
    sigmas = try request.numbers("sigmas", atMost: 100_000)
    shift = try request.number("shift", in: 1e-3...1e3)
    mu = try request.number("mu", in: -7...7)
    shiftTerminal = try request.number("shiftTerminal", in: 1e-6...0.999)
    if shift != nil, mu != nil { throw .request("\"shift\" and \"mu\" of the request are both shifts; drop one") }
    if sigmas != nil, sigmaMin ?? sigmaMax ?? rho != nil {
      throw .request("\"sigmas\" of the request are all sigmas of a run; drop sigmaMin, sigmaMax and rho")
    }
  }

  private static func refuse(
    _ keys: [String], of request: Request, unless isKnown: Bool, because spacing: GridSpacing, instead: String
  ) throws(Refusal) {
    guard !isKnown, let key = keys.first(where: request.has) else { return }
    throw .request("\"\(key)\" means nothing for spacing \(spacing.name); drop it, or choose spacing \(instead)")
  }

  /// The points of a number of steps.
  func points(_ schedule: NoiseSchedule, steps: Int) throws -> SamplingGrid {
    do { return try grid(schedule, steps: steps) } catch let failure as GridRequest.Failure {
      switch failure {
      case .ends(let least, let most):
        throw Refusal.request(
          "the smallest sigma, \(least), must be below the largest, \(most); see sigmaMin and sigmaMax")
      case .noLargest:
        throw Refusal.request(
          "spacing \(spacing.name) needs a largest sigma, and a schedule without signal at its end has none; give "
            + "sigmaMax, use trailing, or drop zeroTerminalSNR")
      case .distilled(let originalSteps):
        throw Refusal.request(
          "spacing distilled chooses among \(originalSteps) timesteps, which are too few for \(steps) steps or too "
            + "many for the \(schedule.timesteps) of the schedule; ask for fewer steps, or use trailing")
      }
    }
  }
}
