#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Android)
  import Android
#endif

/// Memory of the C library, which says so where there is none.
enum Memory {
  static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? { malloc(max(byteCount, 1)) }
  static func free(_ pointer: UnsafeMutableRawPointer?) { _free(pointer) }

  static func areEqual(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ byteCount: Int) -> Bool {
    memcmp(a, b, byteCount) == 0
  }
}

private func _free(_ pointer: UnsafeMutableRawPointer?) { free(pointer) }

/// A lock that is free again in the child of a process that forks while it is held.
struct Lock: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() { pthread_mutex_init(mutex, nil) }

  func withLock<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }

  fileprivate func lock() { pthread_mutex_lock(mutex) }
  fileprivate func unlock() { pthread_mutex_unlock(mutex) }
}

/// What becomes of the library in a process that forks, as Python's `multiprocessing` does.
enum Fork {
  /// Whether this is the child of a fork. The threads of the parent are not there, and a child
  /// that waits for them waits for ever, so it computes on its own thread alone.
  nonisolated(unsafe) private(set) static var isChild = false

  /// Keeps a lock whole in forks. It is called once.
  static func guardLock() {
    pthread_atfork(
      { Handles.lock.lock() }, { Handles.lock.unlock() },
      {
        Handles.lock.unlock()
        Fork.isChild = true
      })
  }
}
