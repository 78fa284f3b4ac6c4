import KernelInterface

// The hot path: plain loops over pointers, which the compiler vectorises for the instruction set
// that this copy of the file is built for. Multiplications and additions stay apart, and no scalar
// depends on another, so all copies give the same bits.

/// Takes a step: in one sweep over memory where it can, else in blocks that stay in the first
/// cache.
@inline(__always)
func take<S: Element>(_ call: StepCall<S>) {
  let terms = call.terms.count + (call.noise == nil ? 0 : 1)
  if call.noise != nil || terms > mostTerms { return takeWithNoise(call) }
  let writes = call.denoised != nil || call.kept?.factor == 0
  for start in stride(from: call.range.lowerBound, to: call.range.upperBound, by: writes ? 2048 : call.range.count) {
    let block = start..<min(start + (writes ? 2048 : call.range.count), call.range.upperBound)
    write(call, block)
    advance(call, block, noise: nil, rest: nil)
  }
}

/// The same with scratch for noise, and for what passes the number of terms that have loops of
/// their own.
@inline(__always)
private func takeWithNoise<S: Element>(_ call: StepCall<S>) {
  let size = 1024 / MemoryLayout<S.Wide>.stride
  // No more than 1 KiB each, which is sure to be taken from the stack.
  withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Normals.count) { normals in
    withUnsafeTemporaryAllocation(of: S.self, capacity: size) { noise in
      withUnsafeTemporaryAllocation(of: S.Wide.self, capacity: size) { rest in
        var start = call.range.lowerBound
        var drawn = -1
        while start < call.range.upperBound {
          let first = start - (call.noise?.origin ?? start)
          let block = start..<min(start + size - first % size, call.range.upperBound)
          if let source = call.noise, source.values == nil, first / Normals.count != drawn {
            drawn = first / Normals.count
            Normals.fill(normals.baseAddress!, block: drawn, at: source.address)
          }
          if let source = call.noise {
            draw(source, block, from: normals.baseAddress! + first % Normals.count, into: noise.baseAddress!)
          }
          write(call, block)
          let z = call.noise.map { _ in UnsafePointer(noise.baseAddress! - start) }
          let isLong = call.terms.count + (z == nil ? 0 : 1) > mostTerms
          if isLong { sum(call, block, noise: z, into: rest.baseAddress!) }
          advance(call, block, noise: z, rest: isLong ? UnsafePointer(rest.baseAddress! - start) : nil)
          start = block.upperBound
        }
      }
    }
  }
}

/// The number of terms beside x and v that are added in one loop.
let mostTerms = 4

/// Writes x̂0, and the estimate if nothing is read where it goes.
@inline(__always)
private func write<S: Element>(_ call: StepCall<S>, _ block: Range<Int>) {
  @inline(__always) func write(_ written: StepCall<S>.Written) {
    let (x, v, to) = (S.factor(written.readout.x), S.factor(written.readout.v), written.values)
    sweep(call, block) { i, xi, vi in to[i] = S(x * xi + v * vi) }
  }
  if let denoised = call.denoised { write(denoised) }
  if let kept = call.kept, kept.factor == 0 { write(kept) }
}

/// Calls a closure with each index, x and v.
@inline(__always)
private func sweep<S: Element>(_ call: StepCall<S>, _ block: Range<Int>, _ body: (Int, S.Wide, S.Wide) -> Void) {
  let (x, output) = (call.sample, call.output)
  guard let limits = call.limits else {
    for i in block { body(i, x[i].wide, output[i].wide) }
    return
  }
  let (p, q, low, high) = (
    S.factor(limits.sample), S.factor(limits.output), S.factor(limits.low), S.factor(limits.high)
  )
  for i in block {
    let xi = x[i].wide
    let denoised = p * xi + q * output[i].wide
    // Comparisons with NaN are false, and let it through.
    let below = high < denoised ? high : denoised
    body(i, xi, below < low ? low : below)
  }
}

/// Makes the next sample.
@inline(__always)
private func advance<S: Element>(
  _ call: StepCall<S>, _ block: Range<Int>, noise: UnsafePointer<S>?, rest: UnsafePointer<S.Wide>?
) {
  @inline(__always) func term(_ k: Int) -> (S.Wide, UnsafePointer<S>) {
    k < call.terms.count
      ? (S.factor(call.terms[k].factor), call.terms[k].values) : (S.factor(call.noise!.factor), noise!)
  }
  switch min(call.terms.count + (noise == nil ? 0 : 1), mostTerms) {
  case 0: advance(call, block) { _, sum in sum }
  case 1:
    let (a, u) = term(0)
    advance(call, block) { i, sum in sum + a * u[i].wide }
  case 2:
    let ((a, u), (b, v)) = (term(0), term(1))
    advance(call, block) { i, sum in sum + a * u[i].wide + b * v[i].wide }
  case 3:
    let ((a, u), (b, v), (c, w)) = (term(0), term(1), term(2))
    advance(call, block) { i, sum in sum + a * u[i].wide + b * v[i].wide + c * w[i].wide }
  default:
    let ((a, u), (b, v), (c, w), (d, z)) = (term(0), term(1), term(2), term(3))
    if let rest {
      advance(call, block) { i, sum in sum + a * u[i].wide + b * v[i].wide + c * w[i].wide + d * z[i].wide + rest[i] }
    } else {
      advance(call, block) { i, sum in sum + a * u[i].wide + b * v[i].wide + c * w[i].wide + d * z[i].wide }
    }
  }
}

@inline(__always)
private func advance<S: Element>(_ call: StepCall<S>, _ block: Range<Int>, adding more: (Int, S.Wide) -> S.Wide) {
  let (x, a, b) = (call.sample, S.factor(call.next.x), S.factor(call.next.v))
  guard let kept = call.kept, kept.factor != 0 else {
    return sweep(call, block) { i, xi, vi in x[i] = S(more(i, a * xi + b * vi)) }
  }
  let (e, c, f, g) = (kept.values, S.factor(kept.factor), S.factor(kept.readout.x), S.factor(kept.readout.v))
  sweep(call, block) { i, xi, vi in
    x[i] = S(more(i, a * xi + b * vi + c * e[i].wide))
    e[i] = S(f * xi + g * vi)
  }
}

/// Adds up the terms beyond the first ones, in pairs.
@inline(__always)
private func sum<S: Element>(
  _ call: StepCall<S>, _ block: Range<Int>, noise: UnsafePointer<S>?, into sum: UnsafeMutablePointer<S.Wide>
) {
  let sum = sum - block.lowerBound
  for i in block { sum[i] = 0 }
  let count = call.terms.count
  for k in stride(from: mostTerms, to: count - 1, by: 2) {
    let (a, u, b, v) = (
      S.factor(call.terms[k].factor), call.terms[k].values, S.factor(call.terms[k + 1].factor), call.terms[k + 1].values
    )
    for i in block { sum[i] += a * u[i].wide + b * v[i].wide }
  }
  if count > mostTerms, !(count - mostTerms).isMultiple(of: 2) {
    let (a, u) = (S.factor(call.terms[count - 1].factor), call.terms[count - 1].values)
    for i in block { sum[i] += a * u[i].wide }
  }
  if let noise {
    let a = S.factor(call.noise!.factor)
    for i in block { sum[i] += a * noise[i].wide }
  }
}

/// Brings a block's noise to the type of the scalars and to its deviation, where that is learned.
@inline(__always)
private func draw<S: Element>(
  _ noise: StepCall<S>.Noise, _ block: Range<Int>, from normals: UnsafeMutablePointer<UInt32>,
  into z: UnsafeMutablePointer<S>
) {
  let count = block.count
  if let values = noise.values {
    for j in 0..<count { z[j] = values[block.lowerBound + j] }
  } else {
    for j in 0..<count { z[j] = S(normal: Float(bitPattern: normals[j])) }
  }
  guard let deviation = noise.deviation else { return }
  let values = deviation.values + block.lowerBound
  switch deviation.kind {
  case .exponential(let offset, let slope):
    for j in 0..<count { z[j] = S(rounding: exponential(offset + slope * values[j].double) * z[j].double) }
  case .root:
    for j in 0..<count { z[j] = S(rounding: values[j].double.squareRoot() * z[j].double) }
  }
}
