import Foundation

/// The data files that come with a target of this package, and the checksums by which damage is
/// noticed.
package struct DataFolder: Sendable {
  /// Why a data file cannot be used.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
    package init(description: String) { self.description = description }
  }

  private let places: [URL]

  /// The files among a target's resources.
  ///
  /// `Bundle.module` finds them too, but ends the process where they are missing.
  ///
  /// - Parameters:
  ///   - target: the name of the target.
  ///   - folder: where they lie in its bundle.
  ///   - sources: where they lie in this package, in case that the program has been moved.
  package init(of target: String, folder: String = "", sources: URL) {
    // Beside the program, or where `make install` puts them.
    let installed = Bundle.main.bundleURL.deletingLastPathComponent().appendingPathComponent("share/schedulers")
    places =
      [Bundle.main.bundleURL, installed].flatMap { place in
        ["resources", "bundle"].map { place.appendingPathComponent("schedulers_\(target).\($0)/\(folder)") }
      } + [sources]
  }

  /// The names of all files.
  ///
  /// - Throws: `Failure` if the list of checksums is missing or damaged.
  package var names: [String] { get throws(Failure) { try checksums().keys.sorted() } }

  /// The bytes of a file, which are those that `regenerate.py` listed.
  ///
  /// - Throws: `Failure` that names the file if it is missing, or has been truncated or edited.
  package func data(_ name: String) throws(Failure) -> Data {
    let bytes = try read(name)
    try check(bytes, named: name)
    return bytes
  }

  /// Throws unless bytes have the checksum that is listed under a name.
  package func check(_ bytes: Data, named name: String) throws(Failure) {
    guard let expected = try checksums()[name] else {
      throw Failure(description: "the data file \(name) is not in checksums.json; run Fixtures/regenerate.py")
    }
    guard bytes.checksum == expected else {
      throw Failure(
        description: "the data file \(name) is truncated or has been edited; restore it, or run "
          + "Fixtures/regenerate.py --only \(name)")
    }
  }

  private func checksums() throws(Failure) -> [String: String] {
    let name = "checksums.json"
    guard let checksums = try? JSONDecoder().decode([String: String].self, from: try read(name)) else {
      throw Failure(description: "the data file \(name) is missing or damaged; run Fixtures/regenerate.py")
    }
    return checksums
  }

  private func read(_ name: String) throws(Failure) -> Data {
    for place in places {
      if let data = try? Data(contentsOf: place.appendingPathComponent(name)) { return data }
    }
    throw Failure(
      description:
        "the data file \(name) is missing beside the program, in \(places[0].path); build the package again, "
        + "or run Fixtures/regenerate.py")
  }
}

extension Data {
  /// FNV-1a with 64 bits over the length and the little-endian 64-bit words, the last filled up
  /// with zeros, in hexadecimal.
  ///
  /// Source: Fowler, Noll and Vo, https://datatracker.ietf.org/doc/html/draft-eastlake-fnv.
  package var checksum: String {
    let prime: UInt64 = 0x100_0000_01b3
    var digest = (0xcbf2_9ce4_8422_2325 ^ UInt64(count)) &* prime
    withUnsafeBytes { buffer in
      let whole = buffer.count / 8
      for i in 0..<whole {
        let word = buffer.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)
        digest = (digest ^ UInt64(littleEndian: word)) &* prime
      }
      var rest: UInt64 = 0
      for i in 8 * whole..<buffer.count { rest |= UInt64(buffer[i]) << UInt64(8 * (i - 8 * whole)) }
      if buffer.count > 8 * whole { digest = (digest ^ rest) &* prime }
    }
    return String(digest, radix: 16)
  }
}
