import Foundation
import Synchronization

/// Ctrl-C and SIGTERM as something to be asked about between steps, so that a command stops where
/// nothing is half done.
final class Interruption: Sendable {
  /// Thrown where a signal has arrived.
  struct Interrupted: Error {
    let signal: Int32
  }

  private let pending = Atomic<Int32>(0)

  /// Takes over both signals until the process ends. A signal that the process was started to
  /// ignore stays ignored.
  init() {
    for number in [SIGINT, SIGTERM] {
      var previous = sigaction()
      sigaction(number, nil, &previous)
      if Self.isIgnored(previous) { continue }
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
      // The source lives as long as its handler refers to it.
      source.setEventHandler { [self] in
        _ = source
        pending.store(number, ordering: .relaxed)
      }
      source.activate()
    }
  }

  /// - Throws: `Interrupted` if a signal has arrived.
  func check() throws {
    let number = pending.load(ordering: .relaxed)
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
