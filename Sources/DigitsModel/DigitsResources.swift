import Foundation
import SchedulersResources

/// The files that come with this module.
public enum DigitsResources {
  /// Why one of them cannot be used, in one line.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  static let folder = DataFolder(
    of: "DigitsModel",
    sources: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Resources"))

  /// The bytes of a network that was trained on half of the digits, as `scheduler train` writes one
  /// with its defaults: safetensors, with the configuration in the metadata.
  ///
  /// - Throws: `Failure` if the file is missing or damaged.
  public static func trainedModel() throws(Failure) -> Data { try data("digits-model.safetensors") }

  static func data(_ name: String) throws(Failure) -> Data {
    do { return try folder.data(name) } catch { throw Failure(description: error.description) }
  }
}
