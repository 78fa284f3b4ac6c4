import Foundation
import Testing

@testable import SchedulersJSON

/// Foundation's encoder is the reference, with sorted keys.
@Suite struct `JSON that is written` {
  private func expectAsFoundation<Value: Encodable>(_ value: Value) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    #expect(try JSONText.encode(value) == String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  private struct Point: Codable, Hashable {
    var name: String, x: Double, y: Float?, flags: [Bool], ints: [String: Int8], inner: [Point], big: UInt64
  }

  /// Every way of an encoder, in an order that no text has.
  private struct Every: Encodable {
    private enum Keys: String, CodingKey { case b, a, c, d, e, nested }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(1, forKey: .a)
      var list = container.nestedUnkeyedContainer(forKey: .b)
      try list.encode(Int16(-3))
      try list.encodeNil()
      var inner = list.nestedContainer(keyedBy: Keys.self)
      var innermost = list.nestedUnkeyedContainer()
      try list.encode("after")
      try inner.encode(true, forKey: .c)
      try innermost.encode(UInt64.max)
      let parent = list.superEncoder()
      #expect(parent.codingPath.last?.stringValue == "Index 5")
      var value = parent.singleValueContainer()
      try value.encode([0.5])
      try container.encode(2, forKey: .a)
      var nested = container.nestedContainer(keyedBy: Keys.self, forKey: .nested)
      try nested.encode(Float(0.1), forKey: .b)
      var again = container.nestedContainer(keyedBy: Keys.self, forKey: .nested)
      try again.encodeNil(forKey: .a)
      #expect(again.codingPath.map(\.stringValue) == ["nested"])
      var single = container.superEncoder().singleValueContainer()
      try single.encodeNil()
      var keyed = container.superEncoder(forKey: .e).container(keyedBy: Keys.self)
      try keyed.encode([Int?](arrayLiteral: 1, nil), forKey: .d)
      try container.encodeIfPresent(Int?.none, forKey: .d)
    }
  }

  private struct Nothing: Encodable { func encode(to encoder: any Encoder) {} }

  @Test func `is Foundation's`() throws {
    let point = Point(
      name: "a/\"b\"", x: -0.0, y: nil, flags: [true, false], ints: ["b": -1, "a": 2, "a10": 3, "a2": 4, "B": 5],
      inner: [],
      big: .max)
    var outer = point
    outer.inner = [point, point]
    outer.y = 0.1
    try expectAsFoundation(outer)
    try expectAsFoundation(Every())
    try expectAsFoundation([Nothing()])
    try expectAsFoundation(["a": Nothing()])
    try expectAsFoundation([[[Int]]]())
    try expectAsFoundation([String: Int]())
    try expectAsFoundation([1: 2, 10: 3, 9: 4])
    try expectAsFoundation([Double?](arrayLiteral: nil, 1))
    try expectAsFoundation(Int?.none)
    try expectAsFoundation("text")
    try expectAsFoundation(true)
    try expectAsFoundation(1.5)
    try expectAsFoundation(Float(1))
    try expectAsFoundation([Int8.min, .max])
    try expectAsFoundation([UInt32.min, .max])
    try expectAsFoundation([Int64.min, .max])
    try expectAsFoundation(["": 0, "é": 1, "e\u{301}f": 2, "z": 3, "\u{FFFF}": 4, "😀": 5, "a\u{0}": 6, "a": 7, "_": 8])
    #expect(throws: EncodingError.self) { try JSONText.encode(Nothing()) }
  }

  @Test func `escapes what Foundation escapes, and comes back`() throws {
    let text = String(String.UnicodeScalarView((0..<0x200).compactMap(Unicode.Scalar.init))) + "\u{2028}\u{FEFF}😀/"
    try expectAsFoundation(text)
    try expectAsFoundation([text: text])
    #expect(try JSONText.decode([String: String].self, from: Array(JSONText.encode([text: text]).utf8)) == [text: text])
  }
}
