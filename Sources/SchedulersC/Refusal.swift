import Schedulers
import SchedulersCHeader
import SchedulersInterop
import SchedulersJSON
import SchedulersTraces

/// Why a call is refused: the status that it returns, and a line that names value, place and
/// remedy.
struct Refusal: Error {
  let status: Int32
  let text: String

  init(_ status: Int, _ text: String) { (self.status, self.text) = (Int32(status), text) }

  static func argument(_ text: String) -> Refusal { Refusal(SCHEDULERS_ARGUMENT, text) }
  static func request(_ text: String) -> Refusal { Refusal(SCHEDULERS_REQUEST, text) }

  static func unknown(_ kind: String, _ name: String, known: [String]) -> Refusal {
    request("unknown \(kind) \"\(name)\"; known: \(known.joined(separator: ", "))")
  }

  static let memory = Refusal(SCHEDULERS_MEMORY, "there is not enough memory for a run of this size")

  /// What an error of the library says in this interface.
  init(_ error: any Error) {
    switch error {
    case let refusal as Refusal: self = refusal
    case let error as DecodingError: self.init(SCHEDULERS_JSON, "the request \(TraceSource.reason(error))")
    case let error as JSONCheck.Failure: self.init(SCHEDULERS_JSON, "the request has \(error)")
    case is ConfigurationError, is PlanError, is GridError, is ScheduleError:
      self.init(SCHEDULERS_REQUEST, "\(error)")
    case .unknown(let kind, let name, let known) as NameFailure: self = .unknown(kind, name, known: known)
    case .missing(let kind, let name, let reason) as NameFailure: self = .request("\(kind) \"\(name)\" \(reason)")
    case let error as TraceError: self.init(SCHEDULERS_REQUEST, "\(error)")
    default: self.init(SCHEDULERS_REQUEST, "\(error)")
    }
  }
}

/// Does what a function of the interface does, and answers with its status.
///
/// - Parameter error: where to say why it failed; nowhere if nil.
func answer(_ error: UnsafeMutablePointer<schedulers_error>?, _ body: () throws -> Void) -> Int32 {
  var status = Int32(SCHEDULERS_OK)
  var text = ""
  do { try body() } catch let thrown {
    let refusal = Refusal(thrown)
    (status, text) = (refusal.status, refusal.text)
  }
  guard let error else { return status }
  error.pointee.code = status
  let offset = MemoryLayout<schedulers_error>.offset(of: \.text)!
  write(text, to: UnsafeMutableRawPointer(error) + offset, capacity: MemoryLayout<schedulers_error>.size - offset)
  return status
}

/// Writes as much of a text as there is room for, one line of whole characters, and a 0.
private func write(_ text: String, to bytes: UnsafeMutableRawPointer, capacity: Int) {
  var count = 0
  for scalar in text.unicodeScalars {
    let units = UTF8.encode(scalar)!
    guard count + units.count < capacity else { break }
    for unit in units {
      bytes.storeBytes(of: scalar.value < 32 ? 32 : unit, toByteOffset: count, as: UInt8.self)
      count += 1
    }
  }
  bytes.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
}

/// A pointer that was given.
func required<Pointer>(_ pointer: Pointer?, _ name: StaticString) throws(Refusal) -> Pointer {
  guard let pointer else { throw .argument("\(name) is NULL") }
  return pointer
}

/// The text at a pointer.
func text(_ pointer: UnsafePointer<CChar>?, _ name: StaticString) throws(Refusal) -> String {
  let pointer = try required(pointer, name)
  guard let text = String(validatingCString: pointer) else {
    throw Refusal(SCHEDULERS_JSON, "\(name) is not in UTF-8")
  }
  return text
}

/// Memory of the C library with a text, for the caller to give back.
func give(_ text: String, to place: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws(Refusal) {
  let count = text.utf8.count
  guard let bytes = Memory.allocate(count + 1) else { throw .memory }
  for (k, unit) in text.utf8.enumerated() { bytes.storeBytes(of: unit, toByteOffset: k, as: UInt8.self) }
  bytes.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
  place.pointee = bytes.bindMemory(to: CChar.self, capacity: count + 1)
}
