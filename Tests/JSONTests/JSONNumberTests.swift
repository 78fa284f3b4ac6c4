import Foundation
import Testing

@testable import SchedulersJSON

/// Foundation's decoder and encoder are the reference.
@Suite struct `Numbers of JSON` {
  private static let texts =
    [
      "0", "-0", "0.0", "-0.0", "1", "-1", "1.0", "100", "1e2", "1E+2", "1.5e1", "15e-1", "100e-2", "0e999", "0.0e-999",
      "127", "128", "-128", "-129", "255", "256", "32767", "32768", "65535", "65536", "2147483647", "2147483648",
      "-2147483648", "-2147483649", "4294967295", "4294967296", "9007199254740991", "9007199254740992",
      "9007199254740993", "9007199254740993.0", "90071992547409930e-1", "9223372036854775807", "9223372036854775808",
      "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
      "184467440737095516150", "1e18", "1e19", "1e20", "-1e18", "1e22", "1e23", "1e300",
      "0.1", "0.30000000000000004", "1.7976931348623157e308", "1.7976931348623159e308", "1e308", "1e309", "1e999",
      "-1e999", "1e99999999999999999999", "5e-324", "3e-324", "4.9406564584124654e-324", "2.2250738585072014e-308",
      "2.2250738585072011e-308", "1.0000000000000001", "1.00000000000000011102230246251565404",
      "1.00000000000000011102230246251565405", "0.0000000000000000000000000000001e31", "9007199254740992e22",
      "9007199254740993e22", "123456789012345678901234567890", "7.2057594037927933e16", "1.00000005960464477539062500",
      "1.00000005960464477539062501", "1e39", "3.4028235677973366e38", "3.4028235677973362e38", "1e-45", "7e-46",
      "16777217",
      "0.00000000000000000000000000000000000000000000000000000000000000000000001",
      "1" + String(repeating: "0", count: 400), "0." + String(repeating: "0", count: 400) + "1e401",
      "1." + String(repeating: "0", count: 400), "1" + String(repeating: "0", count: 400) + "e-400",
    ]

  private func read<Number: Decodable>(_ type: Number.Type, _ text: String) -> Number? {
    try? JSONText.decode(type, from: Array(text.utf8))
  }

  private func reference<Number: Decodable>(_ type: Number.Type, _ text: String) -> Number? {
    try? JSONDecoder().decode(type, from: Data(text.utf8))
  }

  @Test(arguments: texts) func `are read as Foundation reads them`(text: String) {
    // Foundation refuses what is 0 only as a Float.
    let isTiny = reference(Double.self, text).map { $0 != 0 && Float($0) == 0 } ?? false
    func check<Number: Decodable & Equatable>(_ type: Number.Type) {
      let reference = reference(type, text) ?? (type == Float.self && isTiny ? Float(0) as? Number : nil)
      #expect(read(type, text) == reference, "\(type)")
      #expect(read([Number].self, "[\(text)]")?[0] == reference, "\(type)")
      #expect(read([String: Number].self, "{\"a\":\(text)}")?["a"] == reference, "\(type)")
    }
    check(Int.self)
    check(Int8.self)
    check(Int16.self)
    check(Int32.self)
    check(Int64.self)
    check(UInt.self)
    check(UInt8.self)
    check(UInt16.self)
    check(UInt32.self)
    check(UInt64.self)
    check(Double.self)
    check(Float.self)
    check(Bool.self)
    check(String.self)
    #expect(read(Double.self, text)?.bitPattern == reference(Double.self, text)?.bitPattern)
    if !isTiny { #expect(read(Float.self, text)?.bitPattern == reference(Float.self, text)?.bitPattern) }
  }

  @Test func `that are nearer to 0 than the smallest are 0, which Foundation refuses`() {
    for text in ["1e-400", "2e-324", "1e-99999999999999999999", "0.0001e-400"] {
      #expect(read(Double.self, text)?.bitPattern == 0)
      #expect(read(Double.self, "-" + text)?.bitPattern == (-0.0).bitPattern)
      #expect(reference(Double.self, text) == nil)
    }
    #expect(read(Float.self, "1e-46") == 0)
  }

  @Test func `are whole to the last digit, where Foundation cuts them`() {
    #expect(read(Int.self, "9007199254740993.5") == nil)
    #expect(reference(Int.self, "9007199254740993.5") == 9_007_199_254_740_993)
    #expect(
      read(UInt64.self, "18446744073709551615.0") == .max && reference(UInt64.self, "18446744073709551615.0") == nil)
    #expect(read(Int.self, "1.5") == nil && read(Int.self, "1e-1") == nil)
  }

  @Test func `of every kind come back to the bit, and as Foundation writes them`() throws {
    var generator = Splitmix(state: 7)
    let encoder = JSONEncoder()
    var hostile: [Double] = [
      0, -0.0, 1, -1, 0.1, 1e15, 1e16, 1e17, 123_456_789_012_345_680, 5e-324, -5e-324, .leastNormalMagnitude,
      .greatestFiniteMagnitude, .ulpOfOne, 1.0.nextUp, 1.0.nextDown, 0x1p53, 0x1p53 + 2, 0x1p63, 0x1p64, 1e22, 1e23,
      9_007_199_254_740_993, 1e-5, 1e-4, 2.5e-5, .pi,
    ]
    while hostile.count < 20_000 {
      let bits = generator.next()
      // Any bits; a few digits; Floats, as arrays of them are printed; whole numbers.
      let numbers = [
        Double(bitPattern: bits), Double(bits % 100_000) / 1000,
        Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))),
        Double(bits >> 10),
      ]
      hostile += numbers.filter(\.isFinite)
    }
    let text = try JSONText.encode(hostile)
    #expect(text == String(decoding: try encoder.encode(hostile), as: UTF8.self))
    let read = try JSONText.decode([Double].self, from: Array(text.utf8))
    #expect(read.map(\.bitPattern) == hostile.map(\.bitPattern))
    let floats = hostile.map { Float($0) }.filter(\.isFinite)
    let narrow = try JSONText.encode(floats)
    #expect(narrow == String(decoding: try encoder.encode(floats), as: UTF8.self))
    let narrowRead = try JSONText.decode([Float].self, from: Array(narrow.utf8))
    #expect(narrowRead.map(\.bitPattern) == floats.map(\.bitPattern))
    // As C prints them with too many digits.
    for number in hostile.prefix(5000) {
      let long = String(format: "%.25e", number)
      #expect(self.read(Double.self, long)?.bitPattern == number.bitPattern)
    }
  }

  @Test func `that JSON does not have are read and written where that is asked for`() throws {
    let read = try JSONText.decode(
      [Double].self, from: Array("[NaN, Infinity,-Infinity , 1]".utf8), allowsNonFinite: true)
    #expect(read[0].isNaN && read.dropFirst() == [.infinity, -.infinity, 1])
    let floats = try JSONText.decode([Float].self, from: Array("[NaN,-Infinity]".utf8), allowsNonFinite: true)
    #expect(floats[0].isNaN && floats[1] == -.infinity)
    for word in ["NaN", "Infinity", "-Infinity"] {
      #expect(throws: DecodingError.self) {
        try JSONText.decode(Int.self, from: Array(word.utf8), allowsNonFinite: true)
      }
      #expect(throws: JSONCheck.Failure.self) { try JSONText.decode(Double.self, from: Array(word.utf8)) }
    }
    let numbers: [Double] = [.nan, .infinity, -.infinity, 2]
    #expect(try JSONText.encode(numbers, nonFiniteAsWords: true) == #"["nan","inf","-inf",2]"#)
    #expect(try JSONText.encode(["a": -Float.infinity], nonFiniteAsWords: true) == #"{"a":"-inf"}"#)
    for number in numbers.dropLast() {
      let error = #expect(throws: EncodingError.self) { try JSONText.encode(["a": [1, number]]) }
      guard case .invalidValue(_, let context)? = error else { continue }
      #expect(context.codingPath.map(\.stringValue) == ["a", "Index 1"])
    }
  }

  /// SplitMix64, for numbers that are the same in every run.
  ///
  /// Source: Steele, Lea and Flood (2014), figure 2.
  private struct Splitmix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }
}
