import Foundation

/// The data files of this package: golden numbers for its tests, and the digits that the tool draws.
public enum Fixtures {
  /// Why a data file cannot be used.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// The bytes of a file of `Fixtures/Data`.
  ///
  /// - Throws: `Failure` that names the file if it is missing or cannot be read.
  public static func data(_ name: String) throws(Failure) -> Data {
    let folders = [
      Bundle.main.bundleURL.appendingPathComponent("schedulers_Fixtures.resources/Data"),
      Bundle.main.bundleURL.appendingPathComponent("schedulers_Fixtures.bundle/Data"),
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Data"),
    ]
    for folder in folders {
      if let data = try? Data(contentsOf: folder.appendingPathComponent(name)) { return data }
    }
    throw Failure(
      description: "the data file \(name) is missing beside the program, in \(folders[0].path); build the package again, or "
        + "run Fixtures/regenerate.py")
  }

  /// A JSON file of `Fixtures/Data`.
  ///
  /// - Throws: `Failure` that names the file if it is missing, truncated, or not of the expected form.
  public static func json<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws(Failure) -> Value {
    let data = try data(name)
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch {
      throw Failure(description: "the data file \(name) is damaged: \(error); run Fixtures/regenerate.py --only \(name)")
    }
  }
}
