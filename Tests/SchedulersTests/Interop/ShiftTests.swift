import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// mu of a picture's size, as diffusers' pipelines make it.
@Suite struct ShiftTests {
  private struct Golden: Decodable {
    let lines: [[Double]]
    let empirical: [[Double]]

    enum CodingKeys: String, CodingKey {
      case lines = "calculate_shift"
      case empirical = "compute_empirical_mu"
    }
  }

  private let golden = try! JSONDecoder().decode(Golden.self, from: Fixtures.data("shifts.json"))

  /// The same operations in Double.
  @Test func `mu is that of the file's own line`() throws {
    #expect(golden.lines.count == 24)
    for row in golden.lines {
      let configuration = try DiffusersConfiguration(
        .flowMatchEulerDiscrete,
        [
          "base_image_seq_len": .integer(Int(row[1])), "max_image_seq_len": .integer(Int(row[2])),
          "base_shift": .number(row[3]), "max_shift": .number(row[4]), "use_dynamic_shifting": true,
        ])
      #expect(try configuration.mu(tokens: Int(row[0])) == row[5])
      guard row[0] > 1 else { continue }
      let told = try configuration.plan(steps: 4, with: RunArguments(tokens: Int(row[0])))
      #expect(try told == configuration.plan(steps: 4, with: RunArguments(mu: row[5])))
    }
  }

  @Test func `mu of Flux 2 depends on the steps`() {
    #expect(golden.empirical.count == 40)
    for row in golden.empirical {
      #expect(DynamicShift.flux2(tokens: Int(row[0]), steps: Int(row[1])) == row[2])
    }
  }

  @Test func `a picture has tokens of patches`() throws {
    let configuration = try DiffusersConfiguration(.flowMatchEulerDiscrete)
    #expect(try configuration.mu(width: 1024, height: 768) == configuration.mu(tokens: 64 * 48))
    #expect(try configuration.mu(width: 1024, height: 768, patch: 32) == configuration.mu(tokens: 32 * 24))
  }

  @Test func `sizes that make no line are refused`() throws {
    let flat = try DiffusersConfiguration(
      .flowMatchEulerDiscrete, ["base_image_seq_len": 256, "max_image_seq_len": 256, "use_dynamic_shifting": true])
    let plain = try DiffusersConfiguration(.flowMatchEulerDiscrete, ["use_dynamic_shifting": true])
    let cases: [(() throws -> Void, String)] = [
      ({ _ = try flat.mu(tokens: 4096) }, "max_image_seq_len 256 of FlowMatchEulerDiscreteScheduler"),
      ({ _ = try plain.mu(tokens: 0) }, "image_seq_len 0 of"),
      ({ _ = try plain.mu(width: 512, height: 512, patch: 0) }, "patch 0 of"),
      ({ _ = try plain.plan(steps: 4, with: RunArguments(mu: 1, tokens: 4096)) }, "image_seq_len 4096 of"),
    ]
    for (body, words) in cases {
      let error = #expect(throws: ConfigurationError.self) { try body() }
      #expect(error.map { "\($0)".contains(words) } == true, "\(error as Any)")
    }
  }
}
