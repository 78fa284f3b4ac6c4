import ArgumentParser
import Schedulers
import SchedulersInterop

/// The process of rectified flow.
struct FlowOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "What flow spacing multiplies sigma/(1 - sigma) by; Stable Diffusion 3's is 3. (default: 1)")
  var shift: Double?

  @Option(
    parsing: .unconditional,
    help: "The logarithm of such a shift, which Flux and others take from the size of a picture.")
  var mu: Double?

  @Option(help: "The size of a picture in pixels, such as 1024x768, from which mu follows as for Flux.")
  var imageSize: String?

  @Option(
    parsing: .unconditional,
    help: "The time of the last call, to which all times of flow spacing are stretched; LTX-Video's is 0.1.")
  var shiftTerminal: Double?

  /// Throws for an option that another spacing does not have, or that another option excludes.
  func refuse(_ spacing: GridSpacing) throws(Failure) {
    let given = [
      ("--shift", shift.map { brief($0) }), ("--mu", mu.map { brief($0) }), ("--image-size", imageSize),
      ("--shift-terminal", shiftTerminal.map { brief($0) }),
    ]
    for (option, value) in given {
      try scheduler.refuse(
        option, value, unless: spacing.hasShift, because: "--spacing \(spacing.name)", instead: "--spacing flow")
    }
    let shifts = given.prefix(3).filter { $0.1 != nil }.map(\.0)
    guard shifts.count < 2 else {
      throw Failure("\(shifts[0]) and \(shifts[1]) are both shifts; drop one")
    }
    if let shift { try check("--shift", shift, in: 1e-3...1e3) }
    if let mu { try check("--mu", mu, in: -7...7) }
    if let shiftTerminal { try check("--shift-terminal", shiftTerminal, in: 1e-6...0.999) }
  }

  /// mu, from the size of a picture if that is given.
  func chosenMu() throws(Failure) -> Double? {
    try imageSize.map { size throws(Failure) in try Self.mu(imageSize: size) } ?? mu
  }

  private static func mu(imageSize: String) throws(Failure) -> Double {
    let sides = imageSize.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
    guard sides.count == 2, imageSize.filter({ $0 == "x" }).count == 1, sides.allSatisfy((16...16_384).contains) else {
      throw Failure("--image-size \(imageSize) must be a width and a height in 16 ... 16384, such as 1024x768")
    }
    return DynamicShift.flux.mu(tokens: sides[0] / 16 * (sides[1] / 16))
  }
}
