import Foundation
import SchedulersResources

/// The golden numbers of this package's tests.
package enum Fixtures {
  package typealias Failure = DataFolder.Failure

  /// `Fixtures/Data`.
  package static let folder = DataFolder(
    of: "SchedulersFixtures", folder: "Data",
    sources: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Data"))

  /// The bytes of a file of `Fixtures/Data`.
  ///
  /// - Throws: `Failure` that names the file if it is missing, or has been truncated or edited.
  package static func data(_ name: String) throws(Failure) -> Data { try folder.data(name) }

  /// A JSON file of `Fixtures/Data`.
  ///
  /// - Throws: `Failure` that names the file if it is missing, truncated, or not of the expected
  ///   form.
  package static func json<Value: Decodable>(
    _ name: String, as type: Value.Type = Value.self
  ) throws(Failure) -> Value {
    let data = try data(name)
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch {
      throw Failure(
        description: "the data file \(name) is damaged: \(error); run Fixtures/regenerate.py --only \(name)")
    }
  }
}
