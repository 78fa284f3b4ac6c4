/// How far a run has come, on the standard error: a bar on a terminal, else a line at each quarter
/// of a long run.
struct Progress {
  private let total: Int
  private let unit: String
  /// What is said beside the numbers, if anything.
  var note = ""

  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let isLive = Console.error.isTerminal
  private var done = 0
  private var shown: ContinuousClock.Instant
  private var quarter = 0

  /// - Parameters:
  ///   - total: how much there is to do; 0 or more.
  ///   - unit: what is counted, in the plural.
  init(total: Int, unit: String) {
    self.total = total
    self.unit = unit
    start = clock.now
    shown = start
  }

  /// One more of the total is done.
  mutating func advance() {
    done += 1
    let now = clock.now
    if isLive {
      guard now - shown >= .milliseconds(100) else { return }
      shown = now
      Console.error.write("\r\(bar) \(status(at: now))\u{1B}[K")
    } else if done < total, done * 4 / total > quarter {
      quarter = done * 4 / total
      guard now - shown >= .seconds(5) else { return }
      shown = now
      Console.error.write("\(status(at: now))\n")
    }
  }

  /// Takes the bar away.
  func finish() {
    if isLive { Console.error.write("\r\u{1B}[K") }
  }

  private var bar: String {
    let width = 30
    let filled = width * done / total
    return "[" + String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled) + "]"
  }

  private func status(at now: ContinuousClock.Instant) -> String {
    let seconds = (now - start) / .seconds(1)
    let rate = Double(done) / max(seconds, 1e-9)
    let left = Int((Double(total - done) / rate).rounded(.up))
    return "\(done) of \(total) \(unit), \(brief(rate, digits: 3)) a second, \(left) s left\(note)"
  }
}
