import Foundation

/// The data files of this package: golden numbers for its tests, and the digits that the tool draws.
public enum Fixtures {
  /// Why a data file cannot be used.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// The bytes of a file of `Fixtures/Data`, which are those that `regenerate.py` wrote.
  ///
  /// - Throws: `Failure` that names the file if it is missing, or has been truncated or edited.
  public static func data(_ name: String) throws(Failure) -> Data {
    let bytes = try read(name)
    try check(bytes, named: name, against: checksums.get())
    return bytes
  }

  /// The checksum of each file, as `regenerate.py` wrote it.
  private static let checksums = Result<[String: String], Failure> { () throws(Failure) in
    let name = "checksums.json"
    guard let checksums = try? JSONDecoder().decode([String: String].self, from: try read(name)) else {
      throw Failure(description: "the data file \(name) is missing or damaged; run Fixtures/regenerate.py")
    }
    return checksums
  }

  /// Throws unless bytes have the checksum that is listed under a name.
  static func check(_ bytes: Data, named name: String, against checksums: [String: String]) throws(Failure) {
    guard let expected = checksums[name] else {
      throw Failure(description: "the data file \(name) is not in checksums.json; run Fixtures/regenerate.py")
    }
    guard String(checksum(of: bytes), radix: 16) == expected else {
      throw Failure(
        description: "the data file \(name) is truncated or has been edited; restore it, or run "
          + "Fixtures/regenerate.py --only \(name)")
    }
  }

  /// FNV-1a with 64 bits over the length and the little-endian 64-bit words, the last filled up with zeros.
  ///
  /// Source: Fowler, Noll and Vo, https://datatracker.ietf.org/doc/html/draft-eastlake-fnv.
  public static func checksum(of bytes: Data) -> UInt64 {
    let prime: UInt64 = 0x100_0000_01b3
    var digest = (0xcbf2_9ce4_8422_2325 ^ UInt64(bytes.count)) &* prime
    bytes.withUnsafeBytes { buffer in
      let whole = buffer.count / 8
      for i in 0..<whole {
        let word = buffer.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)
        digest = (digest ^ UInt64(littleEndian: word)) &* prime
      }
      var rest: UInt64 = 0
      for i in 8 * whole..<buffer.count { rest |= UInt64(buffer[i]) << UInt64(8 * (i - 8 * whole)) }
      if buffer.count > 8 * whole { digest = (digest ^ rest) &* prime }
    }
    return digest
  }

  /// The bytes of a file as they are.
  static func read(_ name: String) throws(Failure) -> Data {
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
