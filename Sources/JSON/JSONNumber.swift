/// A number of a checked text: ±significand·10^exponent, as far as its digits fit.
struct JSONNumber {
  private var text: ArraySlice<UInt8> = []
  private var isNegative = false
  /// Without zeros at the end.
  private var significand: UInt64 = 0
  private var exponent = 0
  /// Whether the significand has all digits.
  private var isWhole = true

  /// - Parameter start: where a number begins, or NaN or an infinity.
  init(_ bytes: [UInt8], at start: Int) {
    var at = start
    var (zeros, fraction, isFraction) = (0, 0, false)
    func next() -> UInt8? { at < bytes.count ? bytes[at] : nil }
    if next() == UInt8(ascii: "-") { (isNegative, at) = (true, at + 1) }
    while let byte = next() {
      if byte == UInt8(ascii: "."), !isFraction {
        isFraction = true
      } else if case let digit = byte &- UInt8(ascii: "0"), digit < 10 {
        if isFraction { fraction += 1 }
        if digit == 0 {
          zeros += 1
        } else {
          append(digit, after: zeros)
          zeros = 0
        }
      } else {
        break
      }
      at += 1
    }
    exponent += zeros - fraction
    if let byte = next(), byte | 0x20 == UInt8(ascii: "e") {
      at += 1
      exponent += Self.exponent(bytes, &at)
    }
    // The rest of a word.
    while let byte = next(), byte | 0x20 >= UInt8(ascii: "a"), byte | 0x20 <= UInt8(ascii: "z") { at += 1 }
    text = bytes[start..<at]
  }

  /// Appends some zeros and a digit, if they fit.
  private mutating func append(_ digit: UInt8, after zeros: Int) {
    guard isWhole else { return }
    var longer = significand
    for _ in 0..<(longer == 0 ? 0 : zeros + 1) {
      (longer, isWhole) = Self.tenfold(longer)
      guard isWhole else { return }
    }
    let (sum, overflow) = longer.addingReportingOverflow(UInt64(digit))
    if overflow { isWhole = false }
    significand = sum
  }

  private static func tenfold(_ number: UInt64) -> (product: UInt64, fits: Bool) {
    let (product, overflow) = number.multipliedReportingOverflow(by: 10)
    return (product, !overflow)
  }

  /// An exponent; one beyond any number's is cut there.
  private static func exponent(_ bytes: [UInt8], _ at: inout Int) -> Int {
    let sign = bytes[at]
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { at += 1 }
    var size = 0
    while at < bytes.count, case let digit = bytes[at] &- UInt8(ascii: "0"), digit < 10 {
      size = min(10 * size + Int(digit), 1 << 40)
      at += 1
    }
    return sign == UInt8(ascii: "-") ? -size : size
  }
}

extension JSONNumber {
  /// The whole number that it is; nil if it is none, or none of the type.
  ///
  /// What is nearer to a whole number than Doubles are to each other counts as that, below 2⁵³.
  func integer<Integer: FixedWidthInteger>() -> Integer? {
    guard isFinite else { return nil }
    if isWhole, exponent >= 0 || significand == 0 {
      // One with more zeros than this has too many digits.
      guard significand == 0 || exponent < 20 else { return nil }
      var size = significand
      for _ in 0..<(significand == 0 ? 0 : exponent) {
        let (product, fits) = Self.tenfold(size)
        guard fits else { return nil }
        size = product
      }
      guard isNegative else { return Integer(exactly: size) }
      return size > 1 << 63 ? nil : Integer(exactly: Int64(truncatingIfNeeded: 0 &- size))
    }
    guard let double = double, double.magnitude < 0x1p53 else { return nil }
    return Integer(exactly: double)
  }

  /// The nearest Double; nil where it is too large for one.
  var double: Double? {
    // Both are exact then, and their product or quotient is rounded once.
    if isFinite, isWhole, significand <= 1 << 53, exponent.magnitude <= 22 {
      let size = Double(significand)
      let result = exponent < 0 ? size / Self.powers[-exponent] : size * Self.powers[exponent]
      return isNegative ? -result : result
    }
    return read()
  }

  /// The nearest Float; nil where it is too large for one.
  var float: Float? { read() }

  private static let powers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]

  /// Whether it is none of Python's words.
  private var isFinite: Bool { text.last.map { $0 <= UInt8(ascii: "9") } ?? false }

  private func read<Number: BinaryFloatingPoint & LosslessStringConvertible>() -> Number? {
    guard isFinite else { return text.first == UInt8(ascii: "N") ? .nan : isNegative ? -.infinity : .infinity }
    // Which rounds to the nearest, ties to even.
    guard let number = Number(String(decoding: text, as: UTF8.self)), number.isFinite else { return nil }
    return number
  }

  /// As it is written, for messages.
  var description: String {
    String(decoding: text.prefix(40), as: UTF8.self) + (text.count > 40 ? "..." : "")
  }
}
