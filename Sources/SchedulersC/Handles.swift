/// The objects behind the handles that were given out.
///
/// A handle is a number that means nothing outside of this list, and no number is given out twice:
/// so one that was given back, or is none, is noticed and not followed.
enum Handles {
  static let lock: Lock = {
    defer { Fork.guardLock() }
    return Lock()
  }()
  nonisolated(unsafe) private static var objects: [UInt: AnyObject] = [:]
  nonisolated(unsafe) private static var last: UInt = 0

  /// A new handle.
  static func add(_ object: AnyObject) -> OpaquePointer {
    lock.withLock {
      // It looks like an address to those who expect one.
      last += 16
      objects[last] = object
      return OpaquePointer(bitPattern: last)!
    }
  }

  /// The object of a handle.
  static func object<Object>(_ handle: OpaquePointer?, _ name: StaticString, as _: Object.Type) throws(Refusal)
    -> Object
  {
    let number = UInt(bitPattern: try required(handle, name))
    guard let object = lock.withLock({ objects[number] }) else {
      throw .argument("\(name) is no handle of this library, or was given back")
    }
    guard let found = object as? Object else {
      throw .argument("\(name) is a handle of another kind")
    }
    return found
  }

  /// Gives a handle back; what is none of that kind is passed over.
  static func remove<Object>(_ handle: OpaquePointer?, as _: Object.Type) {
    let number = UInt(bitPattern: handle)
    // The object ends outside of the lock.
    let object = lock.withLock { objects[number] is Object ? objects.removeValue(forKey: number) : nil }
    withExtendedLifetime(object) {}
  }
}
