import Foundation

/// Compares this library with others, prints the tables, and writes them with a plot.
///
///     PeerComparison PYTHON [--guided-diffusion PATH] [--rounds N] [--only TEXT]
///         [--write DIRECTORY]
@main struct PeerComparison {
  static func main() throws {
    var arguments = Array(CommandLine.arguments.dropFirst())
    func option(_ name: String) -> String? {
      guard let i = arguments.firstIndex(of: name), i + 1 < arguments.count else { return nil }
      defer { arguments.removeSubrange(i...i + 1) }
      return arguments[i + 1]
    }
    let guided = option("--guided-diffusion").map { ["--guided-diffusion", $0] } ?? []
    let rounds = Int(option("--rounds") ?? "7") ?? 0
    let (directory, wanted) = (option("--write"), option("--only"))
    guard arguments.count == 1, rounds > 0 else {
      fail("usage: PeerComparison PYTHON [--guided-diffusion PATH] [--rounds N] [--only TEXT] [--write DIRECTORY]")
    }
    // With these, glibc keeps what is freed, and nothing is mapped anew.
    let tuned = ["MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_TOP_PAD_": "1000000000"]
    let script = ["-B", "Fixtures/peers/benchmark_peers.py"] + guided
    let peer = try Peer(python: arguments[0], arguments: script)
    let tunedPeer = try Peer(python: arguments[0], arguments: script, environment: tuned)
    guard let versions = peer.ask("versions"), !versions.hasPrefix("missing") else {
      fail(
        "\(arguments[0]) does not run Fixtures/peers/benchmark_peers.py here; it needs what Fixtures/requirements.txt "
          + "lists"
      )
    }

    var report = Report(rounds: rounds, versions: versions)
    let processors = ProcessInfo.processInfo.activeProcessorCount
    for threads in processors > 1 ? [1, nil] : [1] {
      for peer in [peer, tunedPeer] { _ = peer.ask("threads \(threads ?? processors)") }
      for size in Comparison.Size.allCases {
        progress("measuring \(size.rawValue), threads: \(threads ?? processors)")
        let measurements = Measurements(
          Comparison.all.filter { $0.goals[size] != nil && (wanted.map($0.title.contains) ?? true) }, size: size,
          threads: threads,
          rounds: rounds, peer: peer,
          tunedPeer: tunedPeer)
        report.parts.append(.init(threads: threads, size: size, measurements: measurements))
      }
    }
    peer.end()
    tunedPeer.end()
    if wanted == nil {
      progress("drawing 10^8 normals")
      report.quality = Quality.ofNormals(count: 100_000_000)
    }
    print(report.text)
    if let directory { try report.write(to: directory) }
  }

  private static func progress(_ message: String) { FileHandle.standardError.write(Data((message + "\n").utf8)) }

  private static func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(1)
  }
}
