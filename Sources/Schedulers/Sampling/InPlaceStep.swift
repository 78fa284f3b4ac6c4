import SchedulersKernelInterface
import SchedulersKernels

/// A step on scalars in memory, on several threads where it pays.
package struct InPlaceStep<Scalar: SampleScalar>: @unchecked Sendable {
  package typealias Call = StepCall<Scalar>
  package typealias Terms = UnsafeMutableBufferPointer<Call.Term>

  let step: SamplingPlan.Step
  /// The step over x and v, which is F, or x̂0 where it is limited.
  let folding: SamplingPlan.Step
  let clipping: Clipping
  /// The scalars of a sample, of a network's output for it, and of all samples.
  let (sampleSize, outputSize, count): (Int, Int, Int)
  /// Which estimate is written, none if negative, and whether it was one before.
  let (slot, isFull): (Int, Bool)
  /// Where noise that is made on the way comes from.
  let source: GaussianNoise?
  let threads: Int?
  let loops: KernelTable.Loops<Scalar>

  /// A step of a run after which so many estimates are kept, on samples of a size.
  ///
  /// - Parameters:
  ///   - folding: `step.limited` where the plan clips, the step itself where it does not.
  ///   - isFull: whether as many estimates are kept before it.
  ///   - source: of noise that is made on the way.
  ///   - threads: `nil` for as many as pay.
  package init(
    _ step: SamplingPlan.Step, folding: SamplingPlan.Step, of plan: SamplingPlan, sampleSize: Int, count: Int,
    keeping kept: Int, isFull: Bool, source: GaussianNoise?, threads: Int?, loops: KernelTable.Loops<Scalar>
  ) {
    (self.step, self.folding, clipping) = (step, folding, plan.clipping)
    (self.sampleSize, outputSize, self.count) = (sampleSize, plan.learnsVariance ? 2 * sampleSize : sampleSize, count)
    (slot, self.isFull) = (kept - 1, isFull)
    (self.source, self.threads, self.loops) = (source, threads, loops)
  }

  /// The step's numbers over x and v.
  package func numbers(_ x: UnsafeMutablePointer<Scalar>, _ output: UnsafePointer<Scalar>, _ terms: Terms) -> Call {
    var call = Call(
      range: 0..<count, sample: x, output: output, next: .init(folding.folded),
      terms: UnsafeBufferPointer(start: terms.baseAddress, count: 0))
    if clipping != .none {
      let (predicted, denoising) = (step.next.predicted, step.denoising)
      call.next.x += predicted * denoising.sample
      let direct = predicted * denoising.output + step.next.output
      if direct != 0 { add(.init(direct, output), to: &call, terms) }
      call.limits = .init(sample: denoising.sample, output: denoising.output, low: -.infinity, high: .infinity)
      if case .range(let range) = clipping {
        (call.limits!.low, call.limits!.high) = (range.lowerBound, range.upperBound)
      }
    }
    return call
  }

  /// Gives the k-th estimate, the newest first, its part in the step: it is added, or written over.
  package func place(_ estimate: UnsafeMutablePointer<Scalar>, _ k: Int, in call: inout Call, _ terms: Terms) {
    let factors = step.next.estimates
    let factor = (k < slot || isFull) && k + 1 < factors.count ? factors[k + 1] : 0
    if k == slot {
      call.kept = .init(.init(folding.foldedEstimate), to: estimate, factor: factor)
    } else if factor != 0 {
      add(.init(factor, estimate), to: &call, terms)
    }
  }

  package func add(_ term: Call.Term, to call: inout Call, _ terms: Terms) {
    (terms.baseAddress! + call.terms.count).initialize(to: term)
    call.terms = UnsafeBufferPointer(start: terms.baseAddress, count: call.terms.count + 1)
  }

  /// Takes the step, when all has its part in it. `terms` has room for one more.
  package func run(_ whole: Call, _ terms: Terms) {
    var whole = whole
    if let noise = whole.noise, let values = noise.values, deviation == nil, whole.terms.count < 4 {
      // Noise that is there is one of the terms, which needs no room for what is made of it.
      add(.init(noise.factor, values), to: &whole, terms)
      whole.noise = nil
    }
    let call = whole
    let isMade = source != nil
    let deviation = call.noise == nil ? nil : deviation
    let isUniform = !isMade && outputSize == sampleSize && !clipping.isDynamic
    let parts = threads ?? min(Kernels.processors, count / (isMade ? 1 << 16 : 1 << 18))
    Kernels.concurrently(count, parts: parts, block: clipping.isDynamic ? sampleSize : 1024) { range in
      var part = call
      part.range = range
      if isUniform { return withUnsafePointer(to: part, loops.step) }
      for n in range.lowerBound / sampleSize...(range.upperBound - 1) / sampleSize {
        part.range = range.clamped(to: n * sampleSize..<(n + 1) * sampleSize)
        part.output = call.output + n * (outputSize - sampleSize)
        if let source { part.noise!.address = source.address(of: n) }
        part.noise?.origin = n * sampleSize
        if let deviation { part.noise?.deviation = (part.output + sampleSize, deviation) }
        if clipping.isDynamic { limit(&part, like: call) }
        take(part, of: call)
      }
    }
  }

  /// Takes a part of one sample. The output may have a part in x' itself, and lie elsewhere in an
  /// output that holds more than its sample.
  private func take(_ part: Call, of call: Call) {
    guard part.output != call.output, call.terms.first?.values == call.output else {
      return withUnsafePointer(to: part, loops.step)
    }
    withUnsafeTemporaryAllocation(of: Call.Term.self, capacity: call.terms.count) { terms in
      _ = terms.initialize(from: call.terms)
      terms[0].values = part.output
      var part = part
      part.terms = UnsafeBufferPointer(terms)
      withUnsafePointer(to: part, loops.step)
    }
  }

  /// What multiplies the noise element by element.
  private var deviation: Call.Deviation? {
    switch step.variance {
    case nil, .fixed: nil
    case .learned(let logarithm): .exponential(offset: logarithm.offset / 2, slope: logarithm.slope / 2)
    case .output: .root
    }
  }

  /// Puts a sample's own threshold s into its part: x̂0 is brought into −s ... s and divided by s.
  private func limit(_ part: inout Call, like call: Call) {
    let s = clipping.threshold(count: part.range.count) { rank in
      withUnsafePointer(to: part) { loops.magnitudes($0, rank) }
    }
    (part.limits!.low, part.limits!.high) = (-s, s)
    part.next.v = call.next.v / s
    part.kept?.readout.v = call.kept!.readout.v / s
    part.denoised?.readout.v = call.denoised!.readout.v / s
  }
}
