import Schedulers
import SchedulersKernelInterface
import SchedulersKernels

/// A run of a plan on memory that somebody else holds: what other languages run a plan by.
///
/// The sample is not the run's. It is passed to each step, which makes the next one in its place,
/// and may be changed between two. The run holds what the plan needs of earlier steps, in memory
/// that it asks for once; steps ask for none.
///
/// A step has the same numbers as one of `SamplingRun`, to the bits where that steps in place.
final class BufferRun<Scalar: SampleScalar> {
  let plan: SamplingPlan
  /// The samples of the batch, and the scalars of each.
  let (samples, size): (Int, Int)
  /// The number of steps taken so far.
  private(set) var evaluations = 0
  /// The threads of a step; `nil` for as many as pay. Results are the same.
  var threads: Int?

  private let loops: KernelTable.Loops<Scalar>
  private let retention: [SamplingPlan.Retention]
  /// The steps over x and x̂0, where the plan clips; otherwise as they are.
  private let folding: [SamplingPlan.Step]
  /// Memory for as many tensors as the plan ever keeps, the newest first; the first are in use.
  private var estimates: [UnsafeMutablePointer<Scalar>] = []
  private var earlier: [UnsafeMutablePointer<Scalar>] = []
  private var kept = SamplingPlan.Retention()
  /// The sample as the last step made it, where the next needs to know.
  private var made: UnsafeMutablePointer<Scalar>?

  private var count: Int { samples * size }
  private var byteCount: Int { count * MemoryLayout<Scalar>.stride }

  /// A run of a plan on samples of so many scalars.
  ///
  /// - Returns: `nil` if there is not enough memory.
  /// - Precondition: the numbers are above 0, and their product has fewer than 2⁴⁸ bytes.
  init?(_ plan: SamplingPlan, samples: Int, size: Int) {
    guard let loops = Scalar._loops(of: Kernels.table) else { preconditionFailure("\(Scalar.self) has no loops") }
    (self.plan, self.samples, self.size, self.loops) = (plan, samples, size, loops)
    retention = plan.retention
    folding = plan.clipping == .none ? plan.steps : plan.steps.map(\.limited)
    let needed = retention.reduce(into: (samples: 0, estimates: 0)) {
      $0 = (max($0.samples, $1.samples), max($0.estimates, $1.estimates))
    }
    for _ in 0..<needed.estimates {
      guard let buffer = allocate() else { return nil }
      estimates.append(buffer)
    }
    // One more, as what is dropped may have its last part in the step.
    for _ in 0..<(needed.samples > 0 ? needed.samples + 1 : 0) {
      guard let buffer = allocate() else { return nil }
      earlier.append(buffer)
    }
    if plan.steps.dropFirst().contains(where: { $0.next.made != 0 }) {
      guard let buffer = allocate() else { return nil }
      made = buffer
    }
  }

  /// The same run at the same step; `nil` if there is not enough memory.
  func copy() -> BufferRun? {
    guard let copy = BufferRun(plan, samples: samples, size: size) else { return nil }
    (copy.evaluations, copy.threads, copy.kept) = (evaluations, threads, kept)
    for (to, from) in zip(copy.inUse, inUse) { to.update(from: from, count: count) }
    return copy
  }

  private func allocate() -> UnsafeMutablePointer<Scalar>? {
    Memory.allocate(byteCount)?.bindMemory(to: Scalar.self, capacity: count)
  }

  deinit { for buffer in estimates + earlier + [made].compactMap(\.self) { Memory.free(buffer) } }

  /// The step that comes next; `nil` at the end.
  var step: SamplingPlan.Step? { evaluations < plan.steps.count ? plan.steps[evaluations] : nil }

  /// Takes a step.
  ///
  /// - Parameters:
  ///   - x: the sample.
  ///   - next: where the next one goes, which may be the sample's place.
  ///   - output: as large, or twice as large where the plan learns its variance.
  ///   - noise: as large as the sample; of no effect where the step draws none.
  ///   - source: where noise is made on the way instead.
  ///   - denoised: where the clipped x̂0 goes.
  /// - Precondition: a step is left, noise comes from one of the two if it draws any, and the
  ///   memory is that of tensors of the run's size, which do not overlap.
  func advance(
    _ x: UnsafeMutablePointer<Scalar>, to next: UnsafeMutablePointer<Scalar>, output: UnsafePointer<Scalar>,
    noise: UnsafePointer<Scalar>? = nil, source: GaussianNoise? = nil, denoised: UnsafeMutablePointer<Scalar>? = nil
  ) {
    guard let step else { preconditionFailure("the run is at its end, after \(evaluations) evaluations") }
    let after = retention[evaluations]
    // A step adds at most one to each.
    let isFull = kept.estimates >= after.estimates
    let isNoisy = step.next.noise != 0
    let taken = InPlaceStep(
      step, folding: folding[evaluations], of: plan, sampleSize: size, count: count, keeping: after.estimates,
      isFull: isFull, source: isNoisy ? source : nil, threads: threads, loops: loops)
    let used = max(kept.estimates, after.estimates)
    withUnsafeTemporaryAllocation(of: InPlaceStep<Scalar>.Call.Term.self, capacity: used + earlier.count + 3) { terms in
      var call = taken.numbers(x, output, terms)
      call.result = next
      if let denoised { call.denoised = .init(.init(folding[evaluations].denoising), to: denoised) }
      if isNoisy { call.noise = .init(step.next.noise, source == nil ? noise : nil) }
      if evaluations > 0, step.next.made != 0, let made, !Memory.areEqual(made, x, byteCount) {
        call.next.x -= step.next.made
        taken.add(.init(step.next.made, made), to: &call, terms)
      }
      let factors = step.next.samples
      for k in 0..<kept.samples where k + 1 < factors.count && factors[k + 1] != 0 {
        taken.add(.init(factors[k + 1], earlier[k]), to: &call, terms)
      }
      if after.samples > 0 { earlier[earlier.count - 1].update(from: x, count: count) }
      for k in 0..<used { taken.place(estimates[k], k, in: &call, terms) }
      taken.run(call, terms)
    }
    if after.estimates > 0 { Self.moveToFront(&estimates, after.estimates - 1) }
    if after.samples > 0 { Self.moveToFront(&earlier, earlier.count - 1) }
    kept = after
    evaluations += 1
    keepMade(next)
  }

  /// By single elements, as removing and inserting would ask for memory.
  private static func moveToFront(_ buffers: inout [UnsafeMutablePointer<Scalar>], _ index: Int) {
    let moved = buffers[index]
    for k in stride(from: index, to: 0, by: -1) { buffers[k] = buffers[k - 1] }
    buffers[0] = moved
  }

  /// Keeps the sample as it was made, if the next step goes on from that.
  private func keepMade(_ x: UnsafeMutablePointer<Scalar>) {
    if let made, let step, step.next.made != 0 { made.update(from: x, count: count) }
  }

  /// Goes to a step that needs nothing of those before it.
  ///
  /// - Returns: whether it is one; if not, nothing is changed.
  /// - Precondition: the step is in 0 ... N.
  func seek(_ step: Int) -> Bool {
    let needed = step == 0 ? SamplingPlan.Retention() : retention[step - 1]
    guard needed == SamplingPlan.Retention(), step == 0 || step == plan.steps.count || plan.steps[step].next.made == 0
    else { return false }
    (evaluations, kept) = (step, needed)
    return true
  }

  /// Writes what the network is given: the sample, scaled where it was trained on scaled ones.
  ///
  /// - Precondition: a step is left. `input` may be the sample.
  func writeInput(of x: UnsafePointer<Scalar>, to input: UnsafeMutablePointer<Scalar>) {
    guard let scale = step?.query.inputScale else { preconditionFailure("the run is at its end, and asks nothing") }
    guard scale != 1 else { return input.update(from: x, count: count) }
    // Two halves make a whole; the other factor being 0 would make NaN of an infinity.
    loops.combine(x, x, into: input, count: count, size: count, threads: threads) { _ in
      SamplingPlan.Readout(sample: scale / 2, output: scale / 2)
    }
  }
}

extension BufferRun {
  /// The tensors that hold what the rest of the run needs.
  private var inUse: [UnsafeMutablePointer<Scalar>] {
    let made = step.map { evaluations > 0 && $0.next.made != 0 } == true ? made : nil
    return estimates.prefix(kept.estimates) + earlier.prefix(kept.samples) + [made].compactMap(\.self)
  }

  /// How many bytes `save` writes.
  var savedByteCount: Int { Self.header + inUse.count * byteCount }

  private static var header: Int { 5 * MemoryLayout<UInt64>.size }

  /// What a run must have in common with one whose state it takes: samples, size, the bytes of a
  /// scalar, and the plan.
  private var kind: [UInt64] { [samples, size, MemoryLayout<Scalar>.stride].map { UInt64($0) } + [plan.digest] }

  /// What the run holds: the number of steps taken, the kind of run, then the tensors, in the
  /// machine's byte order.
  ///
  /// - Precondition: there is room for `savedByteCount`.
  func save(to bytes: UnsafeMutableRawPointer) {
    for (k, number) in ([UInt64(evaluations)] + kind).enumerated() {
      bytes.storeBytes(of: number, toByteOffset: k * 8, as: UInt64.self)
    }
    for (k, tensor) in inUse.enumerated() {
      (bytes + Self.header + k * byteCount).copyMemory(from: tensor, byteCount: byteCount)
    }
  }

  /// Brings the run to where one of the same plan and sizes was saved.
  ///
  /// - Returns: whether the bytes are of such a run. If not, nothing is changed.
  func restore(from bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= Self.header else { return false }
    let numbers = (0..<5).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
    guard numbers[0] <= UInt64(plan.steps.count), numbers[1...].elementsEqual(kind) else { return false }
    let before = (evaluations, kept)
    evaluations = Int(numbers[0])
    kept = evaluations == 0 ? SamplingPlan.Retention() : retention[evaluations - 1]
    guard bytes.count == savedByteCount else {
      (evaluations, kept) = before
      return false
    }
    for (k, tensor) in inUse.enumerated() {
      UnsafeMutableRawPointer(tensor).copyMemory(
        from: bytes.baseAddress! + Self.header + k * byteCount, byteCount: byteCount)
    }
    return true
  }
}

extension SamplingPlan {
  /// A number by which two plans are told apart, the same in every process: FNV-1a over the bits of
  /// what a run computes with.
  ///
  /// Source: Fowler, Noll and Vo, https://datatracker.ietf.org/doc/html/draft-eastlake-fnv.
  fileprivate var digest: UInt64 {
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ numbers: [Double]) {
      for number in numbers { digest = (digest ^ number.bitPattern) &* 0x100_0000_01b3 }
    }
    for step in steps {
      let next = step.next
      add([step.query.timestep, step.query.inputScale, step.denoising.sample, step.denoising.output])
      add([step.keeping.sample, step.keeping.output, next.made, next.predicted, next.output, next.noise])
      add(next.samples + next.estimates)
    }
    return digest
  }
}
