import SchedulersKernelInterface
import SchedulersKernels

extension SamplingRun where Tensor: ContiguousTensor {
  /// Takes the next step in one pass over the sample, the output and the history.
  mutating func stepInPlace(output: Tensor, noise: Tensor?, source: GaussianNoise?) {
    let size = sample.sampleSize
    let channels = plan.learnsVariance ? 2 : 1
    stop(
      unless: output.sampleCount == sample.sampleCount && output.sampleSize == channels * size,
      "an output of \(output.sampleCount) × \(output.sampleSize) scalars does not go with a sample of "
        + "\(sample.sampleCount) × \(size)" + (channels == 2 ? ", of which the network says the variance too" : ""))
    source?.checkSeeds(for: sample.sampleCount)
    guard size > 0, let step, let loops = Tensor.Scalar._loops(of: Kernels.table) else { return }
    // The new estimate goes where the oldest is, which may have its last part in this step.
    let kept = retention[evaluations].estimates
    let isFull = history.estimates.count >= kept
    if !isFull { history.estimates.append(spare.popLast() ?? sample) }
    if !keepsDenoised { denoisedBuffer = nil } else if denoisedBuffer == nil { denoisedBuffer = sample }

    InPlaceStep(
      step: step, folding: plan.clipping == .none ? step : step.limited, clipping: plan.clipping, sampleSize: size,
      outputSize: channels * size, count: sample.sampleCount * size, slot: kept - 1, isFull: isFull, source: source,
      threads: threads, loops: loops
    ).take(&current, output, &history.estimates, &denoisedBuffer, noise)

    if kept > 0 { history.estimates.insert(history.estimates.remove(at: kept - 1), at: 0) }
    while history.estimates.count > kept { spare.append(history.estimates.removeLast()) }
  }
}

/// A step on the scalars of tensors: lends them to the kernels, on several threads where it pays.
private struct InPlaceStep<Scalar: SampleScalar>: @unchecked Sendable {
  typealias Call = StepCall<Scalar>
  typealias Terms = UnsafeMutableBufferPointer<Call.Term>

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

  /// Takes the step, with noise that is given, or made on the way.
  func take<Tensor: ContiguousTensor<Scalar>>(
    _ sample: inout Tensor, _ output: Tensor, _ estimates: inout [Tensor], _ denoised: inout Tensor?, _ noise: Tensor?
  ) {
    withUnsafeTemporaryAllocation(of: Call.Term.self, capacity: estimates.count + 1) { terms in
      output.withScalars { output in
        sample.withMutableScalars { x in
          check(x.count, of: count)
          check(output.count, of: count / sampleSize * outputSize)
          var call = numbers(x.baseAddress!, output.baseAddress!, terms)
          lend(&denoised) { values in
            if let values { call.denoised = .init(.init(folding.denoising), to: values) }
            lend(noise) { values in
              if source != nil { call.noise = .init(step.next.noise, nil) }
              if let values { call.noise = .init(step.next.noise, values) }
              estimates.withUnsafeMutableBufferPointer { lend($0, from: 0, to: call, terms) }
            }
          }
        }
      }
    }
  }

  /// The step's numbers over x and v.
  private func numbers(_ x: UnsafeMutablePointer<Scalar>, _ output: UnsafePointer<Scalar>, _ terms: Terms) -> Call {
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

  private func add(_ term: Call.Term, to call: inout Call, _ terms: Terms) {
    (terms.baseAddress! + call.terms.count).initialize(to: term)
    call.terms = UnsafeBufferPointer(start: terms.baseAddress, count: call.terms.count + 1)
  }

  private func lend(_ tensor: inout (some ContiguousTensor<Scalar>)?, _ body: (UnsafeMutablePointer<Scalar>?) -> Void) {
    if tensor == nil { return body(nil) }
    tensor!.withMutableScalars {
      check($0.count, of: count)
      body($0.baseAddress!)
    }
  }

  private func lend(_ tensor: (some ContiguousTensor<Scalar>)?, _ body: (UnsafePointer<Scalar>?) -> Void) {
    guard let tensor else { return body(nil) }
    tensor.withScalars {
      check($0.count, of: count)
      body($0.baseAddress!)
    }
  }

  private func lend(
    _ estimates: UnsafeMutableBufferPointer<some ContiguousTensor<Scalar>>, from k: Int, to call: Call, _ terms: Terms
  ) {
    guard k < estimates.count else { return run(call) }
    estimates[k].withMutableScalars { values in
      check(values.count, of: count)
      var call = call
      let factor = (k < slot || isFull) && k + 1 < step.next.estimates.count ? step.next.estimates[k + 1] : 0
      if k == slot {
        call.kept = .init(.init(folding.foldedEstimate), to: values.baseAddress!, factor: factor)
      } else if factor != 0 {
        add(.init(factor, values.baseAddress!), to: &call, terms)
      }
      lend(estimates, from: k + 1, to: call, terms)
    }
  }

  private func check(_ lent: Int, of count: Int) {
    stop(
      unless: lent == count,
      "a tensor lends \(lent) scalars where \(count) are wanted: its size is not the sample's, or it has gaps")
  }

  private func run(_ call: Call) {
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
        withUnsafePointer(to: part, loops.step)
      }
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
