import SchedulersKernels

/// A batch in parts that can be computed at once.
enum BatchParts {
  // Halves of fewer samples are products too small to be worth a thread.
  private static var least: Int { 64 }

  /// All of a small batch, or the halves of a large one: by the size alone, so that sums are made
  /// in the same order on every machine.
  static func ranges(of count: Int) -> [Range<Int>] {
    count < least ? [0..<count] : [0..<count / 2, count / 2..<count]
  }

  /// What becomes of each part, on at most so many threads.
  static func map<Part: Sendable, Result: Sendable>(
    _ parts: [Part], threads: Int, _ body: @Sendable (Part) -> Result
  ) -> [Result] {
    [Result](unsafeUninitializedCapacity: parts.count) { results, initialized in
      nonisolated(unsafe) let results = results.baseAddress!
      Kernels.concurrently(parts.count, parts: max(1, threads), block: 1) { chosen in
        for i in chosen { (results + i).initialize(to: body(parts[i])) }
      }
      initialized = parts.count
    }
  }
}
