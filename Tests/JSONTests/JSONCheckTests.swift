import Testing

@testable import SchedulersJSON

@Suite struct `What is JSON` {
  private func reason(_ text: String, allowsNonFinite: Bool = false) -> String? {
    do {
      try JSONCheck.check(Array(text.utf8), allowsNonFinite: allowsNonFinite)
      return nil
    } catch { return "\(error)" }
  }

  @Test(arguments: [
    "null", " true\n", "false", "0", "-0", "-0.0", "12.50e+3", "1E-2", "1e5", "\"\"", "[]", "{}", "[[],{}]",
    " [ 1 , 2 ] ",
    "{\"a\":{\"a\":[{\"a\":1}]}}", "\"é😀\u{7F}\u{2028}\u{FFFF}\"", #""\"\\\/\b\f\n\r\t\u0000\uD83D\uDE00\uFFFF""#,
    "{\"\":1,\" \":2}", "\t\r\n 1\t\r\n ",
  ]) func `is accepted`(text: String) { #expect(reason(text) == nil) }

  @Test(arguments: [
    ("", "an end where a value should be"), (" ", "an end where"), ("nul", "no JSON value"), ("True", "Python's True"),
    ("+1", "no JSON value"), ("01", "something after the end"), ("1.", "no JSON value"), (".5", "no JSON value"),
    ("1e", "no JSON value"), ("1e+", "no JSON value"), ("-", "no JSON value"), ("--1", "no JSON value"),
    ("0x10", "something after"), ("1 2", "something after"), ("NaN", "no JSON value"), ("-Infinity", "no JSON value"),
    ("[1 2]", "no , or ]"), ("[1,]", "no value after a comma"), ("[", "an end where"), ("[1", "no , or ]"),
    ("]", "no JSON value"), ("[}", "no JSON value"), ("{\"a\" 1}", "no : after a key"), ("{\"a\":1,}", "no key after"),
    ("{a:1}", "no key in quotation marks"), ("{1:1}", "no key"), ("{\"a\":1]", "no , or }"), ("{\"a\"", "no : after"),
    ("\"", "an end inside a string"), ("\"\\\"", "an end inside a string"), ("\"\\", "an end inside a string"),
    ("\"\n\"", "a control character"), ("\"\u{0}\"", "a control character"), (#""\x41""#, "an escape that JSON"),
    (#""\u12""#, "an end inside"), (#""\u12 4""#, "no four hexadecimal"), (#""\ud800""#, "half of a surrogate"),
    (#""\udc00""#, "half of a surrogate"), (#""\ud800\u0041""#, "half of a surrogate"), (#""\ud800\n""#, "half of"),
    ("{\"a\":1,\"a\":2}", "the key \"a\" for the second time"), (#"{"a":1,"\u0061":2}"#, "second time"),
    ("[/**/]", "but a comment"), ("{'a':1}", "a single quotation mark"), ("\u{FEFF}1", "a byte-order mark"),
    ("\u{A0}1", "no JSON value"), ("1\u{0}", "something after"),
  ]) func `is told from what is not`(text: String, excerpt: String) {
    #expect(reason(text)?.contains(excerpt) == true, "\(reason(text) ?? "accepted")")
  }

  @Test func `has no key twice among many`() {
    let keys = (0..<1000).map { "\"k\($0)\":\($0)" }
    #expect(reason("{\(keys.joined(separator: ","))}") == nil)
    for i in [0, 15, 16, 17, 500, 999] {
      #expect(reason("{\((keys + [keys[i]]).joined(separator: ","))}")?.contains("\"k\(i)\" for the second") == true)
    }
    // Which are one text for Unicode, and two for JSON.
    #expect(reason("{\"\u{E9}\":1,\"e\u{301}\":2}") == nil)
  }

  @Test func `is nested as deep as 64 brackets`() {
    for (open, close) in [("[", "]"), ("{\"a\":[", "]}")] {
      let depth = 64 / (open.count > 1 ? 2 : 1)
      func nested(_ depth: Int) -> String {
        String(repeating: open, count: depth) + String(repeating: close, count: depth)
      }
      #expect(reason(nested(depth)) == nil)
      #expect(reason(nested(depth + 1))?.contains("more than 64 nested brackets") == true)
      #expect(reason(String(repeating: open, count: 100_000))?.contains("nested brackets") == true)
    }
  }

  @Test func `has Python's NaN and infinities where they are allowed, and nothing else of JSON5`() {
    for text in ["NaN", "-Infinity", "[Infinity, 1.5e-3, -0, true, null]"] {
      #expect(reason(text, allowsNonFinite: true) == nil)
      #expect(reason(text) != nil)
    }
    for text in [
      "+1", "0x10", ".5", "1.", "01", "'a'", "-NaN", "Inf", "[1,]", "/**/1", "-", "1e", "\"a", "tru", "nan", "NaNs",
      "Infinit", "-Infinit",
    ] { #expect(reason(text, allowsNonFinite: true) != nil, "\(text)") }
  }

  /// The boundaries of Unicode's table 3-7, which the standard library knows too.
  @Test func `is in UTF-8, as the standard library knows it`() {
    let bytes: [UInt8] = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0]
    for first in UInt8(0x80)...0xFF {
      for second in bytes {
        for rest: [UInt8] in [[], [0x80], [0x80, 0x80], [0xBF, 0xBF], [0x80, 0x41], [0xC0, 0x80]] {
          let text = [0x41, first, second] + rest
          let isValid = String(validating: text, as: UTF8.self) != nil
          #expect((UTF8Check.validLength(of: text) == text.count) == isValid, "\(text)")
        }
      }
    }
    #expect(UTF8Check.validLength(of: [0x41, 0xE2, 0x82]) == 1)
    #expect(UTF8Check.validLength(of: Array("é€😀".utf8) + [0xF8]) == 9)
  }
}
