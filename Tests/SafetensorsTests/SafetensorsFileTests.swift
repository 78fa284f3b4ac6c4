import Foundation
import SchedulersFixtures
import SchedulersJSON
import Testing

@testable import SchedulersSafetensors

@Suite struct SafetensorsFileTests {
  private static let header = #"{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#

  private func reason(_ header: String, body: [UInt8] = bytes([1, 2] as [Float])) -> String {
    do {
      _ = try SafetensorsFile(safetensors(header, body: body))
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  @Test func `tensors and metadata are read`() throws {
    let file = try SafetensorsFile(safetensors(Self.header, body: bytes([1.5, -2])))
    let x = try #require(file.tensors["x"])
    #expect(file.metadata == ["a": "b"] && file.tensors.count == 1)
    #expect(x.shape == [2] && x.count == 2 && x.type == .float32)
    #expect(file.doubles(x) == [1.5, -2])
    #expect(file.doubles(x, 1..<2) == [-2])
  }

  /// Bytes, and the numbers that IEEE 754 and two's complement say they are.
  private static let elements: [(ElementType, [UInt8], Double)] = [
    (.float64, [0, 0, 0, 0, 0, 0, 0xF8, 0x3F], 1.5), (.float32, [0, 0, 0xC0, 0xBF], -1.5), (.float16, [0, 0x3E], 1.5),
    (.float16, [1, 0x80], -0x1p-24), (.float16, [0, 0xFC], -.infinity), (.float16, [0xFF, 0x7B], 65504),
    (.bfloat16, [0xC0, 0x3F], 1.5), (.int64, [0xFE, 255, 255, 255, 255, 255, 255, 255], -2),
    (.int32, [0xFE, 255, 255, 255], -2),
    (.int16, [0xFE, 255], -2), (.int8, [0xFE], -2), (.uint64, [0xFE, 0, 0, 0, 0, 0, 0, 0], 254),
    (.uint32, [0, 0, 0, 0x80], 0x1p31),
    (.uint16, [0, 0x80], 32768), (.uint8, [0xFE], 254), (.bool, [1], 1),
  ]

  @Test(arguments: elements)
  func `every type of element is read`(type: ElementType, raw: [UInt8], value: Double) throws {
    let header = #"{"x":{"dtype":"\#(type.rawValue)","shape":[],"data_offsets":[0,\#(raw.count)]}}"#
    let file = try SafetensorsFile(safetensors(header, body: raw))
    #expect(file.doubles(try #require(file.tensors["x"])) == [value])
  }

  @Test func `gaps, empty tensors and tensors in any order are allowed`() throws {
    let header = """
      {"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
       "e":{"dtype":"F32","shape":[0,5],"data_offsets":[4,4]}}
      """
    let file = try SafetensorsFile(safetensors(header, body: bytes([1, 2, 3, 4] as [Float])))
    #expect(file.doubles(try #require(file.tensors["b"])) == [3])
    #expect(file.doubles(try #require(file.tensors["e"])) == [])
  }

  private static let lies: [(String, String)] = [
    ("", "an end where a value should be"), ("[]", "form"), ("{", "no key"), ("{}x", "something after the end"),
    (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}"#, "outside the 8 bytes"),
    (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "outside"),
    (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, "outside"),
    (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, "outside"),
    (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}}"#, "form"),
    (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,1e300]}}"#, "form"),
    (#"{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, "8 bytes, where F32 [3] takes 12"),
    (#"{"x":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}"#, "impossible shape [-1, -2]"),
    (#"{"x":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,8]}}"#, "impossible shape"),
    (#"{"x":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}"#, "impossible shape"),
    (#"{"x":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}"#, #"unknown type "F31""#),
    (#"{"x":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}"#, "form"),
    (#"{"x":{"dtype":"F32","shape":[2]}}"#, "x.data_offsets"),
    (
      #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
      "lies over"
    ),
    (
      #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      "second time"
    ),
    (
      #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
        + #""\u0078":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      "second time"
    ),
    (#"{"__metadata__":{"a":1}}"#, "__metadata__.a"), (#"{"__metadata__":{"a":"1","a":"2"}}"#, "second time"),
    (#"{"__metadata__":[]}"#, "__metadata__"),
    (#"{"x":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}"#, "no JSON value"),
    ("{'x':{}}", "no key"), ("{x:{}}", "no key"), ("{\"x\":{},}", "no key"), ("{} // comment", "something after"),
    ("{\"\u{1}\":{}}", "control character"), (#"{"\ud800":{}}"#, "surrogate"), (#"{"\x41":{}}"#, "escape"),
  ]

  @Test(arguments: lies) func `a header that lies or is no JSON is refused, and the message says why`(
    header: String, excerpt: String
  ) {
    #expect(reason(header).contains(excerpt), "\(reason(header))")
  }

  @Test func `a header that is not UTF-8 is refused`() {
    #expect(throws: SafetensorsError.self) { try SafetensorsFile([2, 0, 0, 0, 0, 0, 0, 0, 0x22, 0xFF]) }
  }

  @Test func `a hundred thousand brackets are refused, not followed`() {
    for bracket in ["[", "{\"a\":", "{\"x\":["] {
      #expect(reason(String(repeating: bracket, count: 100_000)).contains("more than 64 nested brackets"))
    }
    let deepest = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(reason(deepest).contains("form"))
    #expect(reason("[" + deepest + "]").contains("nested"))
  }

  @Test(arguments: [0, 1, 7, UInt64(1) << 62, UInt64.max]) func `a length beyond the file is refused`(extra: UInt64) {
    let length = extra > 100 ? extra : UInt64(Self.header.utf8.count) + 9 + extra
    #expect(throws: SafetensorsError.self) {
      try SafetensorsFile(safetensors(Self.header, body: bytes([1, 2] as [Float]), length: length))
    }
  }

  @Test func `a header longer than eight megabytes is refused before it is read`() {
    let failure = #expect(throws: SafetensorsError.self) {
      try SafetensorsFile(safetensors("{}", body: Array(repeating: 0, count: 9 << 20), length: 9 << 20))
    }
    #expect("\(failure!)".contains("at most 8388608"))
  }

  @Test func `a truncated file is refused at every length`() {
    let whole = safetensors(Self.header, body: bytes([1, 2] as [Float]))
    for length in 0..<whole.count {
      #expect(throws: SafetensorsError.self) { try SafetensorsFile(Array(whole.prefix(length))) }
    }
  }

  @Test func `what is no regular file is refused, without waiting for it`() {
    for path in ["", "/", "/dev/zero", "/no/such/file", "a\0b"] {
      #expect(throws: SafetensorsError.self) { try SafetensorsFile(contentsOf: path) }
    }
  }

  @Test func `what lies in the place of a file is said`() {
    for (text, kind): (String, FileKind) in [
      ("Entry not found", .serverAnswer("Entry not found")), ("\n<!DOCTYPE html>\n<html></html>", .webPage),
      ("", .empty), (" {\"a\": 1}", .json),
      ("{\"error\":\"Unauthorized\"}", .serverAnswer("{\"error\":\"Unauthorized\"}")),
      ("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 308\n", .lfsPointer),
      ("PK\u{3}\u{4}\u{0}\u{0}", .archive), ("GGUF\u{3}\u{0}\u{0}\u{0}", .gguf), ("\u{FEFF}{}", .byteOrderMark),
    ] {
      let failure = #expect(throws: SafetensorsError.self) { try SafetensorsFile(Array(text.utf8)) }
      #expect(failure == .format("\(kind)"))
    }
    // A safetensors file that is damaged is one still.
    let whole = SafetensorsWriter.bytes([.init("a", shape: [1], floats: [1])])
    #expect(FileKind(whole) == .safetensors)
    let failure = #expect(throws: SafetensorsError.self) { try SafetensorsFile(Array(whole.prefix(20))) }
    #expect("\(failure!)".contains("it is truncated"))
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(Array("eta = 1".utf8)) }
  }

  @Test func `what is written is read`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("safetensors-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("a.safetensors").path
    try SafetensorsWriter.write(
      to: path,
      [.init("x \"1\"\n", shape: [2, 1], floats: [0.5, -.infinity]), .init("t", shape: [1], integers: [-7])],
      metadata: ["k\\": "é\u{1}"])
    let file = try SafetensorsFile(contentsOf: path)
    #expect(file.metadata == ["k\\": "é\u{1}"])
    #expect(file.doubles(try #require(file.tensors["x \"1\"\n"])) == [0.5, -.infinity])
    #expect(file.doubles(try #require(file.tensors["t"])) == [-7])
    #expect(throws: SafetensorsError.self) { try SafetensorsWriter.write(to: folder.path + "/none/a", []) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.safetensors"])
  }
}
