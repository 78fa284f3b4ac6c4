import DigitsModel
import Foundation
import SchedulersCharts
import SchedulersJSON
import SchedulersSafetensors

/// A picture of a digit, read for image-to-image.
enum DigitFile {
  /// The 8 × 8 values of a PNG, −1 for white paper to 1 for black ink, each the mean of a block.
  ///
  /// - Throws: `Failure` if the file cannot be read, is no PNG, or is not a square with a side that
  ///   is a multiple of 8.
  static func read(_ path: String) throws(Failure) -> [Double] {
    let data = try InputFile.read(path, option: "--image", kind: "PNG")
    let picture: Picture
    do {
      picture = try PNG.decode(data)
    } catch {
      throw Failure("cannot read --image \(path) as a PNG: \(reason(data, error))")
    }
    guard picture.width == picture.height, picture.width.isMultiple(of: Digits.side) else {
      throw Failure(
        "--image \(path) is \(picture.width) x \(picture.height) pixels; it must be square with a side that is a "
          + "multiple of 8"
      )
    }
    return blockMeans(of: picture)
  }

  /// What lies in the place of a PNG, and the remedy.
  private static func reason(_ data: Data, _ error: PNG.Failure) -> String {
    let kind = FileKind(Array(data.prefix(4096)))
    switch kind {
    case nil:
      let text = "\(error)"
      return "\(text.prefix(1).lowercased())\(text.dropFirst()); save it as a PNG again"
    // What is asked for in the place of other formats is no picture.
    case .byteOrderMark?, .utf16?, .archive?, .pickle?, .gguf?, .hdf5?, .safetensors?, .json?:
      return "\(kind.map { "\($0)" }?.prefix { $0 != ";" } ?? ""); name a PNG"
    case .some(let kind): return "\(kind)"
    }
  }

  private static func blockMeans(of picture: Picture) -> [Double] {
    let block = picture.width / Digits.side
    return (0..<Digits.side * Digits.side).map { i in
      let (left, top) = (i % Digits.side * block, i / Digits.side * block)
      var sum = 0
      for y in top..<top + block {
        for x in left..<left + block { sum += Int(picture[x, y]) }
      }
      return Picture.value(Double(sum) / Double(block * block))
    }
  }
}
