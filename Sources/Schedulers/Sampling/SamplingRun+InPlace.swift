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
      step, folding: plan.clipping == .none ? step : step.limited, of: plan, sampleSize: size,
      count: sample.sampleCount * size, keeping: kept, isFull: isFull, source: source, threads: threads, loops: loops
    ).take(&current, output, &history.estimates, &denoisedBuffer, noise)

    if kept > 0 { history.estimates.insert(history.estimates.remove(at: kept - 1), at: 0) }
    while history.estimates.count > kept { spare.append(history.estimates.removeLast()) }
  }
}

extension InPlaceStep {
  /// Takes the step, with noise that is given, or made on the way.
  fileprivate func take<Tensor: ContiguousTensor<Scalar>>(
    _ sample: inout Tensor, _ output: Tensor, _ estimates: inout [Tensor], _ denoised: inout Tensor?, _ noise: Tensor?
  ) {
    withUnsafeTemporaryAllocation(of: Call.Term.self, capacity: estimates.count + 2) { terms in
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
    guard k < estimates.count else { return run(call, terms) }
    estimates[k].withMutableScalars { values in
      check(values.count, of: count)
      var call = call
      place(values.baseAddress!, k, in: &call, terms)
      lend(estimates, from: k + 1, to: call, terms)
    }
  }

  private func check(_ lent: Int, of count: Int) {
    stop(
      unless: lent == count,
      "a tensor lends \(lent) scalars where \(count) are wanted: its size is not the sample's, or it has gaps")
  }
}
