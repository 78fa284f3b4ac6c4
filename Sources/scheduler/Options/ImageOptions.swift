import ArgumentParser
import Foundation
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

  private var part: Double { strength ?? 0.5 }

  /// The picture and the strength in a few words, if there is a picture.
  var title: String? {
    guard let name = image?.split(separator: "/").last else { return nil }
    let short = name.count > 40 ? name.prefix(37) + "..." : name
    return "\(short) at strength \(brief(part))"
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
    return image == nil ? grid : try grid.starting(strength: part)
  }

  /// What is to be said where the strength leaves no step of a grid, if somebody asked for one.
  ///
  /// - Parameters:
  ///   - grid: the whole grid, of one step or more.
  ///   - name: the sampler that runs on it.
  func remark(on grid: SamplingGrid, of name: String) throws -> String? {
    guard image != nil, part > 0, try shortened(grid).steps == 0 else { return nil }
    return "\(name) drew nothing: --strength \(brief(part)) of \(counted(grid.steps, "step")) is less than one; from "
      + "\(try Self.least(on: grid)) (1/\(grid.steps)) on it draws something"
  }

  /// A strength with three digits that leaves a step, just above 1/N: 49 times 1/49 is below 1.
  private static func least(on grid: SamplingGrid) throws -> String {
    let part = 1 / Double(grid.steps)
    let text = brief(part, digits: 3)
    guard let rounded = Double(text), try grid.starting(strength: min(rounded, 1)).steps == 0 else { return text }
    return brief(rounded + pow(10, floor(log10(part)) - 2), digits: 3)
  }
}
