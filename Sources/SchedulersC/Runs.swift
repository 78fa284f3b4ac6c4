import Schedulers
import SchedulersCHeader

/// What a handle of a run stands for: a run on scalars of one type.
final class RunHandle {
  let run: any Run
  let plan: PlanHandle

  init(_ run: any Run, _ plan: PlanHandle) { (self.run, self.plan) = (run, plan) }
}

/// A run on scalars of some type, which are looked at here and nowhere else.
protocol Run: AnyObject {
  var plan: SamplingPlan { get }
  var evaluations: Int { get }
  var threads: Int? { get set }
  var savedByteCount: Int { get }
  func save(to bytes: UnsafeMutableRawPointer)
  func restore(from bytes: UnsafeRawBufferPointer) -> Bool
  func copied() -> (any Run)?
  func input(_ sample: UnsafeRawPointer?, _ input: UnsafeMutableRawPointer?) throws(Refusal)
  func advance(
    _ sample: UnsafeRawPointer?, to next: UnsafeMutableRawPointer?, _ output: UnsafeRawPointer?,
    _ noise: UnsafeRawPointer?, _ source: NoiseHandle?, _ denoised: UnsafeMutableRawPointer?
  ) throws(Refusal)
  func seek(_ step: Int) -> Bool
  func check(_ output: UnsafeRawPointer?) throws(Refusal)
}

extension BufferRun: Run {
  func copied() -> (any Run)? { copy() }

  private func place(_ pointer: UnsafeRawPointer?, _ name: StaticString, times: Int = 1) throws(Refusal) -> Place {
    try Place(pointer, name, count: samples * size * times, of: Scalar.self)
  }

  private var outputFactor: Int { plan.learnsVariance ? 2 : 1 }

  private func checkGoesOn() throws(Refusal) {
    guard step == nil else { return }
    throw Refusal(SCHEDULERS_STATE, "the run is at its end, after \(evaluations) steps; make another one")
  }

  func input(_ sample: UnsafeRawPointer?, _ input: UnsafeMutableRawPointer?) throws(Refusal) {
    try checkGoesOn()
    let (sample, input) = (try place(sample, "sample"), try place(input, "input"))
    if sample.start != input.start { try sample.checkApart(from: input) }
    prepareThreads()
    writeInput(of: sample.scalars(Scalar.self), to: input.scalars(Scalar.self))
  }

  func advance(
    _ sample: UnsafeRawPointer?, to next: UnsafeMutableRawPointer?, _ output: UnsafeRawPointer?,
    _ noise: UnsafeRawPointer?, _ source: NoiseHandle?, _ denoised: UnsafeMutableRawPointer?
  ) throws(Refusal) {
    try checkGoesOn()
    let needsNoise = step?.next.noise != 0
    let (sample, output) = (try place(sample, "sample"), try place(output, "output", times: outputFactor))
    let next = try place(next, "next")
    let denoised = try denoised.map { pointer throws(Refusal) in try place(pointer, "denoised") }
    var noise = needsNoise ? try noise.map { pointer throws(Refusal) in try place(pointer, "noise") } : nil
    guard !needsNoise || noise != nil || source != nil else {
      throw Refusal(SCHEDULERS_STATE, "step \(evaluations) draws noise; pass some, or a source of it")
    }
    var made: GaussianNoise?
    if needsNoise, noise == nil, let source, let step {
      let extent = try Extent(Int64(samples), Int64(size))
      made = try source.skip(extent)
      if made == nil {
        let drawn = try source.scratch(extent, Scalar.self)
        try source.draw(
          drawn, extent, from: step.query.level.sigma, to: step.arrival.sigma)
        noise = try place(drawn, "noise")
      }
    }
    if next.start != sample.start { try next.checkApart(from: sample, output, noise, denoised) }
    try sample.checkApart(from: output, noise, denoised)
    try output.checkApart(from: noise ?? sample, denoised)
    if let noise, let denoised { try noise.checkApart(from: denoised) }
    prepareThreads()
    advance(
      sample.scalars(Scalar.self), to: next.scalars(Scalar.self), output: output.scalars(Scalar.self),
      noise: noise.map { UnsafePointer($0.scalars(Scalar.self)) }, source: made,
      denoised: denoised?.scalars(Scalar.self))
  }

  func check(_ output: UnsafeRawPointer?) throws(Refusal) {
    try checkGoesOn()
    let place = try place(output, "output", times: outputFactor)
    let values = UnsafeBufferPointer(start: place.scalars(Scalar.self), count: samples * size * outputFactor)
    guard let i = values.firstIndex(where: { !$0.isFinite }) else { return }
    let (n, element) = i.quotientAndRemainder(dividingBy: size * outputFactor)
    let error = OutputError.notFinite(
      Double(values[i]), sample: n, element: element, timestep: step?.query.timestep ?? 0, step: evaluations)
    throw Refusal(SCHEDULERS_NOT_FINITE, "\(error)")
  }

  /// A child of a fork has one thread.
  private func prepareThreads() { if Fork.isChild { threads = 1 } }
}

@_cdecl("schedulers_run_create")
public func schedulersRunCreate(
  _ plan: OpaquePointer?, _ type: Int32, _ samples: Int64, _ size: Int64, _ run: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let place = try required(run, "run")
    place.pointee = nil
    let handle = try Handles.object(plan, "plan", as: PlanHandle.self)
    let extent = try Extent(samples, size)
    let run = try ScalarType(type).with { try makeRun($0, handle.plan, extent) }
    place.pointee = Handles.add(RunHandle(run, handle))
  }
}

private func makeRun<Scalar: SampleScalar>(
  _: Scalar.Type, _ plan: SamplingPlan, _ extent: Extent
) throws(Refusal) -> any Run {
  guard let run = BufferRun<Scalar>(plan, samples: extent.samples, size: extent.size) else { throw .memory }
  return run
}

@_cdecl("schedulers_run_copy")
public func schedulersRunCopy(
  _ run: OpaquePointer?, _ copy: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let place = try required(copy, "copy")
    place.pointee = nil
    let handle = try Handles.object(run, "run", as: RunHandle.self)
    guard let copy = handle.run.copied() else { throw Refusal.memory }
    place.pointee = Handles.add(RunHandle(copy, handle.plan))
  }
}

@_cdecl("schedulers_run_destroy")
public func schedulersRunDestroy(_ run: OpaquePointer?) { Handles.remove(run, as: RunHandle.self) }

@_cdecl("schedulers_run_set_threads")
public func schedulersRunSetThreads(
  _ run: OpaquePointer?, _ threads: Int32, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let handle = try Handles.object(run, "run", as: RunHandle.self)
    guard (0...1024).contains(threads) else {
      throw Refusal.argument("\(threads) threads; give 1 ... 1024, or 0 for as many as pay")
    }
    handle.run.threads = threads == 0 ? nil : Int(threads)
  }
}

@_cdecl("schedulers_run_query")
public func schedulersRunQuery(
  _ run: OpaquePointer?, _ query: UnsafeMutablePointer<schedulers_query>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let handle = try Handles.object(run, "run", as: RunHandle.self)
    let run = handle.run
    try required(query, "query").pointee = handle.plan.query(run.evaluations)
  }
}

@_cdecl("schedulers_run_input")
public func schedulersRunInput(
  _ run: OpaquePointer?, _ sample: UnsafeRawPointer?, _ input: UnsafeMutableRawPointer?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) { try Handles.object(run, "run", as: RunHandle.self).run.input(sample, input) }
}

@_cdecl("schedulers_run_advance")
public func schedulersRunAdvance(
  _ run: OpaquePointer?, _ sample: UnsafeMutableRawPointer?, _ output: UnsafeRawPointer?, _ noise: UnsafeRawPointer?,
  _ denoised: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    try Handles.object(run, "run", as: RunHandle.self).run.advance(sample, to: sample, output, noise, nil, denoised)
  }
}

@_cdecl("schedulers_run_advance_to")
public func schedulersRunAdvanceTo(
  _ run: OpaquePointer?, _ sample: UnsafeRawPointer?, _ output: UnsafeRawPointer?, _ noise: UnsafeRawPointer?,
  _ next: UnsafeMutableRawPointer?, _ denoised: UnsafeMutableRawPointer?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    try Handles.object(run, "run", as: RunHandle.self).run.advance(sample, to: next, output, noise, nil, denoised)
  }
}

@_cdecl("schedulers_run_seek")
public func schedulersRunSeek(
  _ run: OpaquePointer?, _ step: Int64, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let run = try Handles.object(run, "run", as: RunHandle.self).run
    guard step >= 0, step <= run.plan.steps.count else {
      throw Refusal.argument("step \(step) is outside the plan's 0 ... \(run.plan.steps.count)")
    }
    guard run.seek(Int(step)) else {
      throw Refusal(
        SCHEDULERS_STATE, "step \(step) needs what the steps before it leave; take them, or restore a state")
    }
  }
}

@_cdecl("schedulers_run_advance_drawing")
public func schedulersRunAdvanceDrawing(
  _ run: OpaquePointer?, _ sample: UnsafeMutableRawPointer?, _ output: UnsafeRawPointer?, _ source: OpaquePointer?,
  _ denoised: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let source = try Handles.object(source, "source", as: NoiseHandle.self)
    try Handles.object(run, "run", as: RunHandle.self).run.advance(sample, to: sample, output, nil, source, denoised)
  }
}

@_cdecl("schedulers_run_check")
public func schedulersRunCheck(
  _ run: OpaquePointer?, _ output: UnsafeRawPointer?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) { try Handles.object(run, "run", as: RunHandle.self).run.check(output) }
}

@_cdecl("schedulers_run_state_size")
public func schedulersRunStateSize(
  _ run: OpaquePointer?, _ bytes: UnsafeMutablePointer<Int>?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    try required(bytes, "bytes").pointee = Handles.object(run, "run", as: RunHandle.self).run.savedByteCount
  }
}

@_cdecl("schedulers_run_save")
public func schedulersRunSave(
  _ run: OpaquePointer?, _ state: UnsafeMutableRawPointer?, _ bytes: Int,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let run = try Handles.object(run, "run", as: RunHandle.self).run
    let state = try required(state, "state")
    guard bytes == run.savedByteCount else {
      throw Refusal.argument("there is room for \(bytes) bytes, and the run holds \(run.savedByteCount)")
    }
    run.save(to: state)
  }
}

@_cdecl("schedulers_run_restore")
public func schedulersRunRestore(
  _ run: OpaquePointer?, _ state: UnsafeRawPointer?, _ bytes: Int, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let run = try Handles.object(run, "run", as: RunHandle.self).run
    let state = try required(state, "state")
    guard bytes >= 0, run.restore(from: UnsafeRawBufferPointer(start: state, count: bytes)) else {
      throw Refusal.argument("the \(bytes) bytes of state are of no run of this plan, type and size")
    }
  }
}
