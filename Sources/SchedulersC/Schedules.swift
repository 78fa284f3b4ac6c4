import Schedulers
import SchedulersCHeader

/// What a handle of a schedule stands for.
final class ScheduleHandle: Sendable {
  let schedule: NoiseSchedule
  init(_ schedule: NoiseSchedule) { self.schedule = schedule }
}

@_cdecl("schedulers_schedule_create")
public func schedulersScheduleCreate(
  _ request: UnsafePointer<CChar>?, _ schedule: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let place = try required(schedule, "schedule")
    place.pointee = nil
    place.pointee = Handles.add(ScheduleHandle(try ScheduleRequest.schedule(text(request, "request"))))
  }
}

@_cdecl("schedulers_schedule_destroy")
public func schedulersScheduleDestroy(_ schedule: OpaquePointer?) {
  Handles.remove(schedule, as: ScheduleHandle.self)
}

@_cdecl("schedulers_schedule_timesteps")
public func schedulersScheduleTimesteps(
  _ schedule: OpaquePointer?, _ timesteps: UnsafeMutablePointer<Int64>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let schedule = try Handles.object(schedule, "schedule", as: ScheduleHandle.self).schedule
    try required(timesteps, "timesteps").pointee = Int64(schedule.timesteps)
  }
}

@_cdecl("schedulers_schedule_table")
public func schedulersScheduleTable(
  _ schedule: OpaquePointer?, _ table: UnsafePointer<CChar>?, _ count: Int64,
  _ values: UnsafeMutablePointer<Double>?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let schedule = try Handles.object(schedule, "schedule", as: ScheduleHandle.self).schedule
    let name = try text(table, "table")
    guard let table = NoiseSchedule.tables.first(where: { $0.name == name }) else {
      throw Refusal.unknown("table", name, known: NoiseSchedule.tables.map(\.name))
    }
    guard count == schedule.timesteps else {
      throw Refusal.argument("there is room for \(count) numbers, and the schedule has \(schedule.timesteps) timesteps")
    }
    let place = try required(values, "values")
    for (t, value) in table.values(schedule).enumerated() { place[t] = value }
  }
}
