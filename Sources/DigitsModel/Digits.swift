import Foundation

/// 1,797 handwritten digits of 8×8 grey values.
///
/// Source: the test set of E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*,
/// UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49, under CC BY 4.0, as
/// scikit-learn ships it.
public struct Digits: Sendable {
  /// The height and the width of an image.
  public static let side = 8

  /// The images, row by row, each value in −1 (paper) ... 1 (ink), in steps of 1/8.
  public let images: [[Double]]
  /// The digit that each image shows, 0 ... 9.
  public let labels: [Int]

  /// Reads the embedded data set.
  ///
  /// - Throws: `DigitsResources.Failure` if the file is missing or damaged.
  public init() throws(DigitsResources.Failure) {
    let name = "digits.csv"
    let lines = try DigitsResources.data(name).split(separator: UInt8(ascii: "\n"))
    var images: [[Double]] = []
    var labels: [Int] = []
    for (number, line) in lines.enumerated().dropFirst() {
      var fields: [Int] = [0]
      for byte in line {
        if byte == UInt8(ascii: ",") {
          fields.append(0)
        } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), fields[fields.count - 1] < 100 {
          fields[fields.count - 1] = fields[fields.count - 1] * 10 + Int(byte - UInt8(ascii: "0"))
        } else {
          throw DigitsResources.Failure(description: "the data file \(name) is damaged at line \(number + 1)")
        }
      }
      guard fields.count == 1 + Self.side * Self.side, fields[0] <= 9, fields.dropFirst().allSatisfy({ $0 <= 16 })
      else {
        throw DigitsResources.Failure(description: "the data file \(name) is damaged at line \(number + 1)")
      }
      labels.append(fields[0])
      images.append(fields.dropFirst().map { Double($0) / 8 - 1 })
    }
    guard images.count == 1797 else {
      throw DigitsResources.Failure(
        description: "the data file \(name) is damaged: \(images.count) images instead of 1797")
    }
    self.images = images
    self.labels = labels
  }
}
