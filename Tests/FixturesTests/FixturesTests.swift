import Foundation
import Testing

@testable import SchedulersFixtures

@Suite struct FixturesTests {
  @Test func `every data file is the one that the script made`() throws {
    let names = try Fixtures.folder.names
    #expect(names.count > 15)
    for name in names { #expect(try !Fixtures.data(name).isEmpty, "\(name)") }
  }

  @Test func `the guide from guided-diffusion lists everything that is there`() throws {
    let names = try JSONDecoder().decode([String: [String]].self, from: Fixtures.data("guided-names.json"))
    let guide = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Docs/FromGuidedDiffusion.md")
      .standardizedFileURL
    let sections = try String(contentsOf: guide, encoding: .utf8).components(separatedBy: "\n## ")
    for (file, names) in names {
      let section = try #require(sections.first { $0.hasPrefix(file) })
      for name in names {
        let isThere = section.contains("`\(name)`") || section.contains(".\(name)`") || Self.inherited.contains(name)
        #expect(isThere, "\(file): \(name)")
      }
    }
  }

  /// What `SpacedDiffusion` overrides to wrap the network, and is listed with the class that
  /// defines it.
  private static let inherited = [
    "condition_mean", "condition_score", "p_mean_variance", "training_losses", "_scale_timesteps",
  ]

  @Test func `a missing file is a failure that names it`() throws {
    let failure = #expect(throws: Fixtures.Failure.self) { try Fixtures.data("no-such-file.json") }
    #expect(try #require(failure).description.contains("no-such-file.json"))
  }

  @Test func `a file that was truncated or edited is a failure that names it`() throws {
    let data = try Fixtures.data("noise.json")
    var edited = data
    edited[edited.count / 2] ^= 1
    for damaged in [edited, data.dropLast(), data + [0], Data()] {
      let failure = #expect(throws: Fixtures.Failure.self) {
        try Fixtures.folder.check(Data(damaged), named: "noise.json")
      }
      #expect(try #require(failure).description.contains("noise.json"))
    }
    #expect(throws: Fixtures.Failure.self) { try Fixtures.folder.check(data, named: "unlisted.json") }
  }

  @Test func `JSON of another form is a failure that names the file`() throws {
    let failure = #expect(throws: Fixtures.Failure.self) { try Fixtures.json("noise.json", as: [Int].self) }
    #expect(try #require(failure).description.contains("noise.json"))
  }
}

@Suite struct SafetensorsTests {
  /// A file of one F64 tensor `x` with the values 1 and 2.
  private func file(_ header: String) -> [UInt8] {
    safetensors(header, body: [1.0, 2.0].map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) })
  }

  private let header = #"{"x":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}"#

  @Test func `a tensor is read with its shape`() throws {
    let tensors = try Safetensors(file(header), name: "x.safetensors")
    #expect(try tensors.doubles("x") == [1, 2])
    #expect(try tensors.shape("x") == [2])
    #expect(tensors.names == ["x"])
    #expect(throws: Fixtures.Failure.self) { try tensors.floats("x") }
    #expect(throws: Fixtures.Failure.self) { try tensors.integers("x") }
    #expect(throws: Fixtures.Failure.self) { try tensors.doubles("y") }
  }

  @Test(arguments: [
    "", "{", "[]", #"{"x":{"dtype":"F64","shape":[2],"data_offsets":[0,17]}}"#,
    #"{"x":{"dtype":"F64","shape":[2],"data_offsets":[16,0]}}"#,
    #"{"x":{"dtype":"F64","shape":[2],"data_offsets":[-8,8]}}"#,
    #"{"x":{"dtype":"F64","shape":[2],"data_offsets":[0]}}"#,
    #"{"x":{"dtype":"F64","shape":[3],"data_offsets":[0,16]}}"#,
  ])
  func `a header that does not fit the file is a failure that names it`(header: String) throws {
    let failure = #expect(throws: Fixtures.Failure.self) { try Safetensors(file(header), name: "x.safetensors") }
    #expect(try #require(failure).description.contains("x.safetensors"))
  }

  @Test func `a truncated file is a failure at every length`() {
    let whole = file(header)
    for length in 0..<whole.count {
      #expect(throws: Fixtures.Failure.self) { try Safetensors(Array(whole.prefix(length)), name: "x").doubles("x") }
    }
  }
}
