import SchedulersJSON
import Testing

@Suite struct `What lies in the place of a file` {
  static let texts: [(String, FileKind?)] = [
    ("", .empty), (" \n", .empty), ("Entry not found", .serverAnswer("Entry not found")),
    ("Repository not found\n", .serverAnswer("Repository not found")),
    ("404: Not Found", .serverAnswer("404: Not Found")),
    ("{\"error\":\"Unauthorized\"}", .serverAnswer("{\"error\":\"Unauthorized\"}")),
    ("\n<!DOCTYPE html>\n<html></html>", .webPage), ("<?xml version=\"1.0\"?><Error/>", .webPage),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 308\n", .lfsPointer),
    ("{\n<<<<<<< HEAD\n\"a\": 1\n=======\n\"a\": 2\n>>>>>>> b\n}", .mergeConflict(line: 2)),
    ("\u{FEFF}{}", .byteOrderMark), ("PK\u{3}\u{4}\u{0}\u{0}", .archive), ("GGUF\u{3}\u{0}\u{0}\u{0}", .gguf),
    (" {\"a\": 1}", .json), ("[1]", .json), ("eta = 1", nil), ("note: 404", nil),
  ]

  @Test func `is told by its bytes`() {
    for (text, kind) in Self.texts { #expect(FileKind(Array(text.utf8)) == kind, "\(text)") }
    #expect(FileKind([0xFF, 0xFE, 0x7B, 0]) == .utf16)
    #expect(FileKind([0xFE, 0xFF, 0, 0x7B]) == .utf16)
    #expect(FileKind([0x80, 2, 0x8A]) == .pickle)
    #expect(FileKind([0x89, 0x48, 0x44, 0x46, 0x0D]) == .hdf5)
    // The lengths of headers, which begin with a byte that means something in text.
    for first in [UInt8(ascii: "<"), UInt8(ascii: "{")] {
      #expect(FileKind([first, 0, 0, 0, 0, 0, 0, 0, UInt8(ascii: "{")]) == .safetensors)
      #expect(FileKind([first, 0, 0, 0, 0, 0, 0, 0, 0]) == nil)
    }
  }

  @Test func `is said where JSON was expected, in one line`() {
    for (text, kind) in Self.texts where kind != .json {
      guard let kind, text.first != "{" || kind == .mergeConflict(line: 2) else { continue }
      let failure = #expect(throws: JSONCheck.Failure.self) { try JSONCheck.check(Array(text.utf8)) }
      #expect(failure?.kind == kind && "\(failure!)".hasSuffix("; \(kind)"))
      #expect("\(kind)".filter(\.isNewline).isEmpty)
    }
  }

  /// Texts that are no JSON, and what is said of them.
  private static let failures: [(String, String)] = [
    ("{\n  \"a\": 0.5,\n}", "no key after a comma, which JSON does not have before }, at line 2, column 11"),
    ("[1, 2 , ]", "no value after a comma, which JSON does not have before ], at line 1, column 7"),
    ("{,}", "no key in quotation marks at line 1, column 2"), ("[,]", "no JSON value at line 1, column 2"),
    ("{\"é\": x}", "no JSON value at line 1, column 7"),
    ("{\"a\": 1\n\"b\": 2}", "no , or } after a value at line 2, column 1"),
    ("{'a': 1}", "no key in quotation marks, but a single quotation mark, at line 1, column 2"),
    ("{\"a\": “b”}", "no JSON value, but a typographic quotation mark, at line 1, column 7"),
    ("{\"a\": 1,\r\n // b\n}", "no key in quotation marks, but a comment, at line 2, column 2"),
    ("[True]", "no JSON value, but Python's True, at line 1, column 2"),
    ("[1,\n None]", "no JSON value, but Python's None, at line 2, column 2"),
    ("{\"a\": 1} x", "something after the end of the value at line 1, column 10"),
    ("{\"a\": -}", "no JSON value at line 1, column 8"),
  ]

  @Test func `has its mistake at a line and a column`() {
    for (text, said) in Self.failures {
      let failure = #expect(throws: JSONCheck.Failure.self) { try JSONCheck.check(Array(text.utf8)) }
      #expect("\(failure!)" == said)
    }
    let bytes = Array("{\"é\":\n \"".utf8) + [0xFF] + Array("\"}".utf8)
    let failure = #expect(throws: JSONCheck.Failure.self) { try JSONCheck.check(bytes) }
    #expect("\(failure!)" == "text that is not UTF-8 at line 2, column 3")
  }
}
