import Foundation
import SchedulersInterop
import Testing

@testable import SchedulersJSON

/// Foundation's decoder is the reference, for values and for what is said of misfits.
@Suite struct `Values in JSON` {
  /// What a decoder made of a text: a value, or the kind of an error and its coding path.
  private func outcome<Value: Decodable>(_ body: () throws -> Value) -> String {
    do { return "\(try body())" } catch let error as DecodingError {
      func path(_ keys: [any CodingKey]) -> String {
        keys.map { $0.stringValue + ($0.intValue.map { "#\($0)" } ?? "") }.joined(separator: "/")
      }
      switch error {
      case .typeMismatch(let type, let context):
        return "mismatch \(type) at \(path(context.codingPath)): \(context.debugDescription)"
      case .valueNotFound(let type, let context):
        return "no \(type) at \(path(context.codingPath)): \(context.debugDescription)"
      case .keyNotFound(let key, let context):
        return "no key \(key.stringValue) at \(path(context.codingPath)): \(context.debugDescription)"
      case .dataCorrupted: return "corrupted"
      @unknown default: return "\(error)"
      }
    } catch { return "\(error)" }
  }

  private func expectAsFoundation<Value: Decodable>(_ type: Value.Type, _ text: String) {
    let own = outcome { try JSONText.decode(type, from: Array(text.utf8)) }
    #expect(own == outcome { try JSONDecoder().decode(type, from: Data(text.utf8)) }, "\(type) of \(text)")
  }

  private struct Point: Codable, Hashable { var x: Int, y: [Double?]?, name: String? }

  private static let values = [
    "null", "true", "false", "0", "1", "1.0", "-2.5", "\"\"", "\"a\"", "\"1\"", "\"true\"", "[]", "{}", "[1]", "[null]",
    "[true,false]", "[\"a\",\"é\\n\"]", "[[1,2],[3]]", "[[1],2]", "[1,\"a\"]", "[1,null,2.5]", "{\"a\":1}",
    "{\"a\":null}",
    "{\"x\":1}", "{\"x\":1.5}", "{\"x\":null}", "{\"x\":\"1\"}", "{\"x\":1,\"y\":null}", "{\"x\":1,\"y\":[1,null,2]}",
    "{\"x\":1,\"y\":[1,true]}", "{\"x\":1,\"y\":{}}", "{\"x\":1,\"name\":[]}",
    "{\"y\":[],\"x\":2,\"z\":{\"x\":[{}]},\"name\":\"n\"}",
    "[{\"x\":1},{\"x\":true}]", "[{\"x\":1},{}]", "[{\"x\":1},3]", "{\"3\":{\"x\":1},\"a\":{\"x\":\"b\"}}",
    "{\"1\":1,\"2\":2}", " [ { \"x\" : 1 , \"y\" : [ 0.5 ] } ] ",
  ]

  @Test(arguments: values) func `are read as Foundation reads them`(text: String) {
    expectAsFoundation(Bool.self, text)
    expectAsFoundation(String.self, text)
    expectAsFoundation(Int.self, text)
    expectAsFoundation(UInt8.self, text)
    expectAsFoundation(Double.self, text)
    expectAsFoundation(Float.self, text)
    expectAsFoundation(Int?.self, text)
    expectAsFoundation([Bool].self, text)
    expectAsFoundation([String].self, text)
    expectAsFoundation([Int].self, text)
    expectAsFoundation([UInt16].self, text)
    expectAsFoundation([Double].self, text)
    expectAsFoundation([Double?].self, text)
    expectAsFoundation([[Double]].self, text)
    expectAsFoundation([[Int]].self, text)
    expectAsFoundation([Point].self, text)
    expectAsFoundation(Point.self, text)
    expectAsFoundation(Point?.self, text)
    expectAsFoundation(Set<Int>.self, text)
    expectAsFoundation(Steps.self, text)
    // A dictionary of several keys meets them in no order.
    if text.filter({ $0 == ":" }).count < 2 {
      expectAsFoundation([String: Int].self, text)
      expectAsFoundation([String: [Double]].self, text)
      expectAsFoundation([String: Point].self, text)
      expectAsFoundation([Int: Int].self, text)
    }
  }

  /// A type that asks its containers in every way.
  private struct Steps: Decodable, CustomStringConvertible {
    private(set) var description = ""
    private enum Keys: String, CodingKey, CaseIterable { case a, x, y, z, name, one = "1" }

    init(from decoder: any Decoder) throws {
      func note(_ text: Any) { description += "\(text);" }
      let value = try decoder.singleValueContainer()
      note(value.decodeNil())
      note(value.codingPath.count)
      if let container = try? decoder.container(keyedBy: Keys.self) {
        note(container.allKeys.map(\.rawValue).sorted())
        for key in Keys.allCases {
          note(container.contains(key))
          note((try? container.decodeNil(forKey: key)) as Any)
          note(try container.decodeIfPresent(Absorbing.self, forKey: key) as Any)
          note(try container.superDecoder(forKey: key).codingPath.map(\.stringValue))
          note((try? container.nestedUnkeyedContainer(forKey: key).count) as Any)
          note((try? container.nestedContainer(keyedBy: Keys.self, forKey: key).codingPath.count) as Any)
        }
        let parent = try container.superDecoder()
        note(parent.codingPath.map(\.stringValue))
        note(try parent.singleValueContainer().decodeNil())
        _ = try container.nestedContainer(keyedBy: Keys.self, forKey: .z)
        _ = try container.decode([Int].self, forKey: .one)
      }
      var list = try decoder.unkeyedContainer()
      note(list.count as Any)
      while !list.isAtEnd {
        note(list.currentIndex)
        if try list.decodeNil() { continue }
        if let number = try? list.decode(Double.self) { note(number); continue }
        if let flag = try? list.decode(Bool.self) { note(flag); continue }
        if var inner = try? list.nestedUnkeyedContainer() {
          note(inner.codingPath.map(\.stringValue))
          note(try inner.superDecoder().codingPath.map(\.stringValue))
          continue
        }
        if let inner = try? list.nestedContainer(keyedBy: Keys.self) { note(inner.allKeys.count); continue }
        note(try list.decode(String.self))
      }
      note(list.currentIndex)
      note((try? list.decodeNil()) as Any)
      _ = try list.decode(Point.self)
    }
  }

  private struct Absorbing: Decodable { init(from decoder: any Decoder) {} }

  @Test func `that are classes have their superclass's values beside their own`() throws {
    let text = #"{"super":{"a":1},"b":2}"#
    let read = try JSONText.decode(Inherited.self, from: Array(text.utf8))
    #expect(read.a == 1 && read.b == 2)
    #expect(try JSONText.encode(read) == #"{"b":2,"super":{"a":1}}"#)
    let error = #expect(throws: DecodingError.self) {
      try JSONText.decode(Inherited.self, from: Array(#"{"b":2}"#.utf8))
    }
    guard case .valueNotFound(_, let context)? = error else { Issue.record("\(error!)"); return }
    #expect(context.codingPath.map(\.stringValue) == ["super"])
  }

  private class Base: Codable { var a = 0 }
  private final class Inherited: Base {
    var b = 0
    private enum Keys: String, CodingKey { case b }
    required init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Keys.self)
      b = try container.decode(Int.self, forKey: .b)
      try super.init(from: container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(b, forKey: .b)
      try super.encode(to: container.superEncoder())
    }
  }

  @Test func `have their place named where a number does not fit, which Foundation leaves out`() throws {
    for (text, path) in [
      (#"{"x":1e300}"#, ["x"]), (#"{"x":1,"y":[0,1e999]}"#, ["y", "Index 1"]), (#"{"x":0.5}"#, ["x"]),
    ] {
      let error = #expect(throws: DecodingError.self) { try JSONText.decode(Point.self, from: Array(text.utf8)) }
      guard case .dataCorrupted(let context)? = error else { Issue.record("\(error!)"); continue }
      #expect(context.codingPath.map(\.stringValue) == path)
    }
    let long = "1" + String(repeating: "0", count: 100_000)
    let error = #expect(throws: DecodingError.self) { try JSONText.decode(Int.self, from: Array(long.utf8)) }
    #expect("\(error!)".count < 300)
  }

  @Test func `that are strings come out of their escapes`() throws {
    let text = #""\"\\\/\b\f\n\r\t\u0000\u00e9\uD83D\ude00\u2028 é😀""#
    let read = try JSONText.decode(String.self, from: Array(text.utf8))
    #expect(read == "\"\\/\u{8}\u{C}\n\r\t\u{0}é😀\u{2028} é😀")
    #expect(read == (try JSONDecoder().decode(String.self, from: Data(text.utf8))))
    let keys = try JSONText.decode([String: Int].self, from: Array(#"{"\u0061\n":1,"b\"":2}"#.utf8))
    #expect(keys == ["a\n": 1, "b\"": 2])
  }

  @Test func `have keys in the order of the text, and those that are one String once`() throws {
    struct Keys: Decodable {
      let keys: [String]
      private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
      }
      init(from decoder: any Decoder) throws {
        keys = try decoder.container(keyedBy: Key.self).allKeys.map(\.stringValue)
      }
    }
    for count in [3, 30] {
      let names = (0..<count).map { "k\($0 * 7 % 31)" }
      let text = "{" + names.map { "\"\($0)\":[[],{}]" }.joined(separator: ",") + "}"
      #expect(try JSONText.decode(Keys.self, from: Array(text.utf8)).keys == names)
    }
    let filling = (0..<20).map { ",\"k\($0)\":0" }.joined()
    for filling in ["", filling] {
      let read = try JSONText.decode([String: Int].self, from: Array("{\"\u{E9}\":1,\"e\u{301}\":2\(filling)}".utf8))
      #expect(read["é"] == 1)
    }
  }

  @Test func `of a configuration are those that Python wrote`() throws {
    typealias Value = DiffusersConfiguration.Value
    let text = """
      {"a": null, "b": [true, 1, 1.5, "x", NaN, -Infinity, {}], "c": {"d": [[0.25], []]}, "e": 1e20, "f": -0.5e-3}
      """
    let read = try JSONText.decode(Value.self, from: Array(text.utf8), allowsNonFinite: true)
    #expect(
      read
        == .object([
          "a": .null, "b": .list([true, 1, 1.5, "x", .notANumber, .number(-.infinity), .object([:])]),
          "c": .object(["d": .list([.list([0.25]), .list([])])]), "e": .number(1e20), "f": .number(-0.0005),
        ]))
    #expect(try JSONText.decode(Value.self, from: Array(read.json.utf8), allowsNonFinite: true) == read)
    for text in ["1e999", "[1, {\"a\": -1e400}]"] {
      let error = #expect(throws: DecodingError.self) { try JSONText.decode(Value.self, from: Array(text.utf8)) }
      #expect("\(error!)".contains("a number that is larger than a Double can be"))
    }
  }

  @Test func `in long lists are read in the time of their length`() throws {
    let numbers = (0..<50_000).map { Double($0) / 7 }
    let text = Array("[\(numbers.map { "[\($0)]" }.joined(separator: " , "))]".utf8)
    let read = try JSONText.decode([[Double]].self, from: text)
    #expect(read.map { $0[0] } == numbers)
  }

  @Test(arguments: 0..<64) func `may be damaged anywhere, without a trap`(round: Int) {
    let whole = Array(#"{"x":1,"y":[1.5e3,null,"\u00e9\ud83d\ude00"],"z":{"x":[{}]},"name":"né"}"#.utf8)
    for at in whole.indices where at % 8 == round % 8 {
      for byte in stride(from: UInt8(round / 8), through: 240, by: 8) {
        var damaged = whole
        damaged[at] = byte
        _ = try? JSONText.decode(Point.self, from: damaged)
        _ = try? JSONText.decode(DiffusersConfiguration.Value.self, from: damaged)
        _ = try? JSONText.decode(DiffusersConfiguration.Value.self, from: Array(damaged.prefix(at)))
        _ = try? JSONText.decode([String: DiffusersConfiguration.Value].self, from: Array(damaged.suffix(at)))
      }
    }
  }
}
