#if canImport(Dispatch) && !hasFeature(Embedded)
  import Dispatch
#endif

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Android)
  import Android
#elseif canImport(WASILibc)
  import WASILibc
#endif

/// What the machine can do.
enum Platform {
  /// The features of the processor, in the names of Linux' /proc/cpuinfo; none on other systems.
  static func features() -> Set<Substring> {
    #if os(Linux)
      guard let file = fopen("/proc/cpuinfo", "r") else { return [] }
      defer { fclose(file) }
      // The flags of the first processor are within the first few lines.
      var bytes = [UInt8](repeating: 0, count: 1 << 14)
      let count = fread(&bytes, 1, bytes.count, file)
      let text = String(decoding: bytes.prefix(count), as: UTF8.self)
      guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") }) else { return [] }
      return Set(line.split(separator: " "))
    #else
      return []
    #endif
  }

  /// The value of an environment variable.
  static func environment(_ name: String) -> String? {
    #if os(Windows)
      return nil
    #else
      return getenv(name).map { String(cString: $0) }
    #endif
  }
}

extension Kernels {
  /// How many threads a loop can use.
  package static let processors: Int = {
    #if os(Windows) || os(WASI)
      return 1
    #else
      return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    #endif
  }()

  /// Cuts samples of a size, which lie one after another, in parts, on so many threads, and calls a
  /// closure with the index of a sample and the range of a part of it, counted from the first
  /// scalar of all.
  package static func concurrently(
    samples size: Int, of count: Int, parts: Int, _ body: @Sendable (Int, Range<Int>) -> Void
  ) {
    concurrently(count, parts: parts, block: 1024) { range in
      for n in range.lowerBound / size...(range.upperBound - 1) / size {
        body(n, range.clamped(to: n * size..<(n + 1) * size))
      }
    }
  }

  /// Cuts 0 ..< count in parts at multiples of a block, and calls a closure with each, on as many
  /// threads.
  package static func concurrently(_ count: Int, parts: Int, block: Int, _ body: @Sendable (Range<Int>) -> Void) {
    let blocks = (count + max(block, 1) - 1) / max(block, 1)
    let parts = min(parts, blocks)
    guard blocks > 0 else { return }
    guard parts > 1 else { return body(0..<count) }
    @Sendable func perform(_ part: Int) {
      body(blocks * part / parts * block..<min(blocks * (part + 1) / parts * block, count))
    }
    #if canImport(Dispatch) && !hasFeature(Embedded)
      DispatchQueue.concurrentPerform(iterations: parts, execute: perform)
    #else
      for part in 0..<parts { perform(part) }
    #endif
  }
}
