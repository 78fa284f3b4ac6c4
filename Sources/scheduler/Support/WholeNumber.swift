import ArgumentParser

/// A whole number on the command line, of any size, so that one which is too large is answered like
/// any other out of its range.
struct WholeNumber: ExpressibleByArgument, ExpressibleByIntegerLiteral {
  private let text: String

  init?(argument: String) {
    let digits = argument.drop { $0 == "-" || $0 == "+" }
    guard argument.count - digits.count <= 1, !digits.isEmpty, digits.allSatisfy({ "0"..."9" ~= $0 }) else {
      return nil
    }
    text = argument
  }

  init(integerLiteral value: Int) { text = "\(value)" }

  var defaultValueDescription: String { text }

  /// The number, if it is in a range.
  ///
  /// - Throws: `Failure` that names the option, the number and the range, followed by `remedy`.
  func value<Number: FixedWidthInteger>(
    of option: String, in range: ClosedRange<Number>, remedy: String = ""
  ) throws(Failure) -> Number {
    guard let number = Number(text), range.contains(number) else {
      throw Failure("\(option) \(text) must be in \(range.lowerBound) ... \(range.upperBound)\(remedy)")
    }
    return number
  }
}

/// A number that fits is written as one, and any other as what was typed.
extension WholeNumber: Encodable {
  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let number = UInt64(text) { try container.encode(number) } else { try container.encode(text) }
  }
}

/// Throws unless a number is in a range; NaN is in none. The message ends with the remedy.
func check(_ option: String, _ number: Double, in range: ClosedRange<Double>, remedy: String = "") throws(Failure) {
  guard range.contains(number) else {
    throw Failure(
      "\(option) \(brief(number)) must be in \(brief(range.lowerBound)) ... \(brief(range.upperBound))\(remedy)")
  }
}
