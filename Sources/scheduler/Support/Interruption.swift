import Foundation
import Synchronization

/// Ctrl-C and SIGTERM as something to be asked about between steps, so that a command stops where
/// nothing is half done.
struct Interruption: Sendable {
  /// Thrown where a signal has arrived.
  struct Interrupted: Error {
    let signal: Int32
  }

  /// The last signal; 0 for none. Signals are the process's, and so is this.
  private static let pending = Atomic<Int32>(0)

  /// Takes over both signals until the process ends. A signal that the process was started to
  /// ignore stays ignored.
  init() {
    // Made here, and not in a handler.
    _ = Self.pending.load(ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      var previous = sigaction()
      sigaction(number, nil, &previous)
      if Self.isIgnored(previous) { continue }
      // A handler, as a dispatch source would lose what arrives while it is set up. It does what a
      // handler may do: one atomic store.
      signal(number) { Self.pending.store($0, ordering: .relaxed) }
      // Who starts a process from a thread that blocks signals hands that down.
      var those = sigset_t()
      sigemptyset(&those)
      sigaddset(&those, number)
      pthread_sigmask(SIG_UNBLOCK, &those, nil)
    }
  }

  /// - Throws: `Interrupted` if a signal has arrived.
  func check() throws {
    let number = Self.pending.load(ordering: .relaxed)
    if number != 0 { throw Interrupted(signal: number) }
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
      unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self) == 1
    #elseif canImport(Musl)
      unsafeBitCast(action.__sa_handler.sa_handler, to: Int.self) == 1
    #else
      unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    #endif
  }
}
