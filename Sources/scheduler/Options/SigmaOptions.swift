import ArgumentParser
import Schedulers
import SchedulersInterop

/// Spacings of sigmas, and the process of EDM.
struct SigmaOptions: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "The smallest sigma of a spacing of sigmas. (default: the schedule's; 0.002 for edm)"
  )
  var sigmaMin: Double?

  @Option(
    parsing: .unconditional, help: "The largest sigma of a spacing of sigmas. (default: the schedule's; 80 for edm)")
  var sigmaMax: Double?

  @Option(
    parsing: .unconditional,
    help: "The exponent of karras, edm and polyexponential. (default: 7; 1 for polyexponential)")
  var rho: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Sigmas of your own, largest first and separated by commas, in the place of --steps and of a spacing: with \
      --spacing edm its sigmas, with --spacing flow its times, 1 and less.
      """)
  var sigmas: String?

  private static let allowed = 1e-6...1e6

  /// Throws for an option that a spacing does not have.
  func refuse(_ spacing: GridSpacing) throws(Failure) {
    let other = "--spacing \(spacing.name)"
    for (option, value) in [("--sigma-min", sigmaMin), ("--sigma-max", sigmaMax)] {
      try scheduler.refuse(
        option, value.map { brief($0) }, unless: spacing.hasEnds, because: other,
        instead: "\(SigmaSpacing.all.map(\.name).joined(separator: ", ")) or edm")
      if let value { try check(option, value, in: Self.allowed) }
    }
    try scheduler.refuse(
      "--rho", rho.map { brief($0) }, unless: spacing.hasRho, because: other, instead: "karras, polyexponential or edm")
    if let rho { try check("--rho", rho, in: 0.1...100) }
    // The spacing that is the default was most likely not meant.
    try scheduler.refuse(
      "--sigmas", sigmas, unless: [.timesteps(.trailing), .flow, .edm].contains(spacing), because: other,
      instead: "flow or edm, or no --spacing")
    if sigmas != nil, sigmaMin ?? sigmaMax ?? rho != nil {
      throw Failure("--sigmas are all sigmas of a run; drop --sigma-min, --sigma-max and --rho")
    }
  }

  /// The given sigmas, if there are any.
  ///
  /// - Throws: `Failure` for what are no numbers, or too many. Their order is the grid's affair.
  func given() throws(Failure) -> [Double]? {
    guard let sigmas else { return nil }
    let parts = sigmas.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0) }
    guard numbers.count == parts.count, numbers.count <= 100_000 else {
      throw Failure(
        "--sigmas \(sigmas.prefix(60)) must be at most 100000 numbers separated by commas, such as 14.6,3,0.5")
    }
    return numbers
  }
}
