import ArgumentParser
import Schedulers

/// A run that starts from a picture instead of from noise.
struct ImageOptions: ParsableArguments {
  @Option(help: "Start from this PNG, dark ink on white paper, square with a side that is a multiple of 8.")
  var image: String?

  @Option(
    parsing: .unconditional,
    help: "The part of the steps taken from the picture, 0 (it stays) ... 1 (none of it is left). (default: 0.5)")
  var strength: Double?

  /// The picture as 8 × 8 values, if there is one.
  func digit() throws(Failure) -> [Double]? {
    guard let image else { return nil }
    return try DigitFile.read(image)
  }

  /// The part of a grid that is run.
  ///
  /// - Throws: `Failure` if the strength is NaN or outside 0 ... 1, or there is one without a
  ///   picture.
  func shortened(_ grid: SamplingGrid) throws -> SamplingGrid {
    if let strength {
      try check("--strength", strength, in: 0...1)
      if image == nil { throw Failure("--strength \(brief(strength)) needs a picture to start from; add --image") }
    }
    return image == nil ? grid : try grid.starting(strength: strength ?? 0.5)
  }
}
