import Schedulers
import SchedulersCHeader
import SchedulersInterop
import Testing

@testable import SchedulersC

/// What a function of the interface said.
struct Answer: Equatable {
  let status: Int
  let text: String
}

/// Calls a function with room for its error, and checks that the two statuses are one.
func call(_ body: (UnsafeMutablePointer<schedulers_error>) -> Int32) -> Answer {
  let error = UnsafeMutablePointer<schedulers_error>.allocate(capacity: 1)
  defer { error.deallocate() }
  // What was there before is to be gone.
  UnsafeMutableRawPointer(error).initializeMemory(
    as: UInt8.self, repeating: 65, count: MemoryLayout<schedulers_error>.size)
  let status = body(error)
  #expect(error.pointee.code == status)
  let text = withUnsafeBytes(of: &error.pointee.text) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
  #expect(text.isEmpty == (status == 0))
  return Answer(status: Int(status), text: text)
}

/// A handle, given back at the end.
final class Handle {
  let pointer: OpaquePointer?
  private let destroy: (OpaquePointer?) -> Void

  private init(_ pointer: OpaquePointer?, _ destroy: @escaping (OpaquePointer?) -> Void) {
    (self.pointer, self.destroy) = (pointer, destroy)
  }

  deinit { destroy(pointer) }

  private static func make(
    _ destroy: @escaping (OpaquePointer?) -> Void,
    _ create: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<schedulers_error>) -> Int32
  ) throws -> Handle {
    var pointer: OpaquePointer?
    let answer = call { create(&pointer, $0) }
    try #require(answer.status == 0, "\(answer.text)")
    return Handle(pointer, destroy)
  }

  static func plan(_ request: String) throws -> Handle {
    try make(schedulersPlanDestroy) { schedulersPlanCreate(request, $0, $1) }
  }

  static func run(_ plan: Handle, type: Int, samples: Int, size: Int) throws -> Handle {
    try make(schedulersRunDestroy) {
      schedulersRunCreate(plan.pointer, Int32(type), Int64(samples), Int64(size), $0, $1)
    }
  }

  func copiedRun() throws -> Handle { try Self.make(schedulersRunDestroy) { schedulersRunCopy(pointer, $0, $1) } }

  static func noise(_ request: String) throws -> Handle {
    try make(schedulersNoiseDestroy) { schedulersNoiseCreate(request, $0, $1) }
  }

  func copiedNoise() throws -> Handle { try Self.make(schedulersNoiseDestroy) { schedulersNoiseCopy(pointer, $0, $1) } }

  static func schedule(_ request: String) throws -> Handle {
    try make(schedulersScheduleDestroy) { schedulersScheduleCreate(request, $0, $1) }
  }
}

/// The text that a function gives.
func given(
  _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, UnsafeMutablePointer<schedulers_error>) -> Int32
) throws -> String {
  var text: UnsafeMutablePointer<CChar>?
  let answer = call { body(&text, $0) }
  try #require(answer.status == 0, "\(answer.text)")
  defer { schedulersTextFree(text) }
  return String(cString: try #require(text))
}

/// A plan as a handle has it.
func plan(_ handle: Handle) throws -> SamplingPlan {
  try Handles.object(handle.pointer, "plan", as: PlanHandle.self).plan
}
