import Schedulers
import SchedulersCHeader
import SchedulersInterop
import SchedulersJSON

/// What a handle of a plan stands for.
final class PlanHandle: Sendable {
  let document: PlanDocument
  private let drawsAlways: Bool

  var plan: SamplingPlan { document.plan }

  init(_ request: PlanRequest) { (document, drawsAlways) = (request.document, request.drawsAlways) }

  /// The query of a step; at the end of the plan, one that says so.
  func query(_ index: Int) -> schedulers_query {
    var query = schedulers_query()
    (query.step, query.steps) = (Int64(index), Int64(plan.steps.count))
    guard index < plan.steps.count else {
      query.is_done = 1
      return query
    }
    let step = plan.steps[index]
    (query.timestep, query.input_scale) = (step.query.timestep, step.query.inputScale)
    query.next_timestep = index + 1 < plan.steps.count ? plan.steps[index + 1].query.timestep : .nan
    (query.signal, query.noise) = (step.query.level.signal, step.query.level.noise)
    (query.next_signal, query.next_noise) = (step.arrival.signal, step.arrival.noise)
    query.needs_noise = step.next.noise != 0 ? 1 : 0
    query.draws_noise = drawsAlways ? 1 : query.needs_noise
    return query
  }
}

@_cdecl("schedulers_plan_create")
public func schedulersPlanCreate(
  _ request: UnsafePointer<CChar>?, _ plan: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let plan = try required(plan, "plan")
    plan.pointee = nil
    plan.pointee = Handles.add(PlanHandle(try PlanRequest(text(request, "request"))))
  }
}

@_cdecl("schedulers_plan_destroy")
public func schedulersPlanDestroy(_ plan: OpaquePointer?) { Handles.remove(plan, as: PlanHandle.self) }

@_cdecl("schedulers_plan_json")
public func schedulersPlanJSON(
  _ plan: OpaquePointer?, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let handle = try Handles.object(plan, "plan", as: PlanHandle.self)
    try give(try JSONText.encode(handle.document), to: required(json, "json"))
  }
}

@_cdecl("schedulers_plan_describe")
public func schedulersPlanDescribe(
  _ plan: OpaquePointer?, _ info: UnsafeMutablePointer<schedulers_plan_info>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let plan = try Handles.object(plan, "plan", as: PlanHandle.self).plan
    try required(info, "info").pointee = schedulers_plan_info(
      steps: Int64(plan.steps.count), initial_scale: plan.initialScale, signal: plan.start.signal,
      noise: plan.start.noise, learns_variance: plan.learnsVariance ? 1 : 0, is_stochastic: plan.isStochastic ? 1 : 0)
  }
}

@_cdecl("schedulers_plan_queries")
public func schedulersPlanQueries(
  _ plan: OpaquePointer?, _ count: Int64, _ queries: UnsafeMutablePointer<schedulers_query>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let handle = try Handles.object(plan, "plan", as: PlanHandle.self)
    guard count == handle.plan.steps.count else {
      throw Refusal.argument("there is room for \(count) queries, and the plan has \(handle.plan.steps.count) steps")
    }
    guard count > 0 else { return }
    let queries = try required(queries, "queries")
    for index in 0..<Int(count) { queries[index] = handle.query(index) }
  }
}
