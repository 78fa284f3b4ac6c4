import SchedulersKernelInterface

/// Prints a line for each kernel and way to call it. A new kernel is one more `same`.
func printKernels(_ table: KernelTable) {
  printLoops(table.float, "Float")
  printLoops(table.double, "Double")
  printLoops(table.half, "Float16")
  same("normals") { digest in
    for address in addresses {
      for range in [0..<1, 255..<257, 3..<5003] {
        let values = Memory<Float>(range.upperBound, seed: 0)
        table.normals(address, range, values.start)
        digest.add(values[range])
      }
    }
  }
  same("sums of normals") { digest in
    let terms = addresses.enumerated().map { NormalTerm(0.3 + Double($0), $1) }
    for range in [0..<1, 255..<257, 3..<5003] {
      let values = Memory<Double>(range.upperBound, seed: 0)
      terms.withUnsafeBufferPointer { table.sums($0, range, values.start) }
      digest.add(values[range])
    }
  }
  same("NumPy's uniforms") { digest in
    let values = Memory<Double>(312, seed: 0)
    table.torch.doubles(words(), 311, values.start)
    digest.add(values[0..<312])
  }
  same("torch's twist") { digest in
    let words = words()
    for _ in 0..<3 {
      table.torch.twist(words)
      for i in 0..<624 { digest.add(UInt64(words[i])) }
    }
  }
  same("torch's uniforms") { digest in
    let values = Memory<Float>(624, seed: 0)
    table.torch.uniforms(words(), 623, values.start)
    digest.add(values[0..<624])
  }
  same("torch's normals") { digest in
    for count in [16, 272, 4112] {
      let values = Memory<Float>(count, seed: 1, low: 0, high: 1)
      table.torch.normals(values.start, count)
      digest.add(values[0..<count])
    }
  }
}

private let addresses = [
  NormalAddress(seed: 0, sample: 0, draw: 0), NormalAddress(seed: 42, sample: 7, draw: 3),
  NormalAddress(seed: .max, sample: 1 << 40, draw: .max),
]

/// A state of the Mersenne Twister.
private func words() -> UnsafeMutablePointer<UInt32> {
  let words = UnsafeMutablePointer<UInt32>.allocate(capacity: 624)
  var uniforms = Uniforms(seed: 1)
  for i in 0..<624 { words[i] = UInt32(uniforms.word()) }
  return words
}

private func printLoops<S: Bits>(_ loops: KernelTable.Loops<S>, _ name: String) {
  for isLimited in [false, true] {
    for noise in Noise.all {
      same("\(name) step, \(isLimited ? "limits" : "no limits"), \(noise.name)") { digest in
        addSteps(loops, isLimited, noise, to: &digest)
      }
    }
  }
  for isDrawn in [false, true] {
    same("\(name) mixture, noise \(isDrawn ? "drawn" : "given")") { addMixtures(loops, isDrawn: isDrawn, to: &$0) }
  }
  for isLearned in [false, true] {
    same("\(name) output, variance \(isLearned ? "learned" : "fixed")") {
      addReadings(loops.reverse, isLearned: isLearned, to: &$0)
    }
  }
  same("\(name) magnitudes") { digest in
    // With few, with more than a first look at a part of them takes, and with a NaN.
    for (count, isSpecial) in [(1, false), (2, false), (129, false), (20_011, false), (4099, true)] {
      let sample = Memory<S>(count, seed: 2, isSpecial: isSpecial)
      let output = Memory<S>(count, seed: 3)
      var call = StepCall(
        range: 0..<count, sample: sample.start, output: UnsafePointer(output.start), next: .init(x: 0, v: 1),
        terms: UnsafeBufferPointer(start: nil, count: 0))
      call.limits = .init(sample: 1.1, output: -0.6, low: -1, high: 1)
      for rank in [0, count / 2, count - count / 200 - 1] {
        let (value, next) = withUnsafePointer(to: call) { loops.magnitudes($0, rank) }
        digest.add([value, next])
      }
    }
  }
}

/// Adds mixtures of data and noise, with what may be added to the noise and without.
private func addMixtures<S: Bits>(_ loops: KernelTable.Loops<S>, isDrawn: Bool, to digest: inout Digest) {
  let count = 2500
  let (data, given) = (Memory<S>(count, seed: 20, isSpecial: true), Memory<S>(count, seed: 21))
  let noise = [MixCall<S>.Noise.values(UnsafePointer(given.start)), .address(addresses[1])]
  for (range, choice) in [(5..<6, 7)] + (0..<8).map({ (301..<count, $0) }) {
    let (mixed, target) = (Memory<S>(count, seed: 22), Memory<S>(count, seed: 23))
    var call = MixCall(
      range: range, data: UnsafePointer(data.start), noise: noise[isDrawn ? 1 : 0],
      mixed: .init(to: mixed.start, data: 0.8, noise: 0.6))
    call.origin = 5
    if choice & 1 != 0 { call.offset = (0.1, 1.3) }
    if choice & 2 != 0 { call.perturbation = (0.15, isDrawn ? .address(addresses[2]) : noise[0]) }
    if choice & 4 != 0 { call.target = .init(to: target.start, data: -0.6, noise: 0.8) }
    withUnsafePointer(to: call, loops.mix)
    for written in [mixed, target] { digest.add(written[range]) }
  }
}

/// Adds what training and likelihoods read from an output, once with numbers that are not finite.
private func addReadings<S: Bits>(_ loops: KernelTable.Reverse<S>, isLearned: Bool, to digest: inout Digest) {
  let count = 2500
  for (range, isSpecial) in [(5..<6, false), (301..<count, false), (301..<count, true)] {
    let (sample, output) = (Memory<S>(count, seed: 24), Memory<S>(count, seed: 25, isSpecial: isSpecial))
    let variance = Memory<S>(count, seed: 26, isSpecial: isSpecial)
    let (x0, epsilon) = (Memory<S>(count, seed: 27), Memory<S>(count, seed: 28))
    let written = (0..<7).map { Memory<S>(count, seed: 30 + $0) }
    var call = ReverseCall(
      range: range, sample: UnsafePointer(sample.start), output: UnsafePointer(output.start),
      variance: isLearned ? UnsafePointer(variance.start) : nil, denoising: .init(x: 1.25, v: -0.75),
      mean: .init(x: 0.5, v: 0.375), logVariance: (-1.5, 0.75))
    call.limits = (-1, 1.5)
    let distribution = ReverseCall<S>.Distribution(
      mean: written[0].start, variance: written[1].start, logVariance: written[2].start, denoised: written[3].start)
    var divergence = ReverseCall<S>.Divergence(x0: UnsafePointer(x0.start), posteriorLogVariance: -1.25)
    divergence.errors = (UnsafePointer(epsilon.start), 0.6, 0.8)
    divergence.outputGradient = (written[4].start, 0.3)
    divergence.varianceGradient = (written[5].start, -0.4)
    let error = ErrorCall(
      range: range, output: UnsafePointer(output.start), x0: UnsafePointer(x0.start),
      epsilon: UnsafePointer(epsilon.start), target: (-0.8, 0.6), gradient: written[6].start, slope: 0.5)
    let isFinite = withUnsafePointer(to: call) { loops.distribution($0, distribution) }
    let sums = withUnsafePointer(to: call) { loops.divergence($0, divergence) }
    let squares = withUnsafePointer(to: error, loops.squares)
    digest.add([sums.nats, sums.x0Errors, sums.epsilonErrors, squares.sum])
    for isFinite in [isFinite, sums.isFinite, squares.isFinite] { digest.add(isFinite ? 1 : 0) }
    for written in written { digest.add(written[range]) }
  }
}

/// What a step draws.
private struct Noise {
  var name: String
  var isDrawn = false
  var isGiven = false
  /// 0 for none, 1 for exp(offset + slope·v), 2 for √v.
  var deviation = 0

  static let all = [
    Noise(name: "no noise"), Noise(name: "noise drawn", isDrawn: true),
    Noise(name: "noise drawn, deviation learned", isDrawn: true, deviation: 1),
    Noise(name: "noise drawn, variance learned", isDrawn: true, deviation: 2),
    Noise(name: "noise given", isGiven: true),
    Noise(name: "noise given, deviation learned", isGiven: true, deviation: 1),
    Noise(name: "noise given, variance learned", isGiven: true, deviation: 2),
  ]
}

/// Adds steps with 0 to 9 terms, with an estimate that is kept, replaced or neither, with x̂0 and
/// without, over one scalar and over more than a block.
private func addSteps<S: Bits>(
  _ loops: KernelTable.Loops<S>, _ isLimited: Bool, _ noise: Noise, to digest: inout Digest
) {
  let count = 2500
  let (output, given) = (Memory<S>(count, seed: 5, isSpecial: true), Memory<S>(count, seed: 6))
  let variance = Memory<S>(count, seed: 7, isSpecial: true)
  let others = (0..<9).map { Memory<S>(count, seed: 10 + $0) }
  for terms in 0...others.count {
    for replaced in [nil, 0, 0.375] {
      for (range, writesDenoised) in [(5..<6, true), (301..<count, false), (301..<count, true)] {
        let (sample, kept) = (Memory<S>(count, seed: 4, isSpecial: true), Memory<S>(count, seed: 8))
        let denoised = Memory<S>(count, seed: 9)
        let terms = (0..<terms).map { StepCall.Term(0.3 - 0.17 * Double($0), UnsafePointer(others[$0].start)) }
        terms.withUnsafeBufferPointer { terms in
          var call = StepCall<S>(
            range: range, sample: sample.start, output: UnsafePointer(output.start), next: .init(x: 0.8125, v: -0.3),
            terms: terms)
          if isLimited { call.limits = .init(sample: 1.1, output: -0.6, low: -1, high: 0.9) }
          if let replaced { call.kept = .init(.init(x: 0.7, v: 0.6), to: kept.start, factor: replaced) }
          if writesDenoised { call.denoised = .init(.init(x: 0.2, v: 0.9), to: denoised.start) }
          if noise.isDrawn || noise.isGiven {
            call.noise = .init(0.45, noise.isGiven ? UnsafePointer(given.start) : nil, address: addresses[1])
            call.noise!.origin = 5
          }
          if noise.deviation == 1 {
            call.noise!.deviation = (UnsafePointer(variance.start), .exponential(offset: -0.5, slope: 0.75))
          }
          if noise.deviation == 2 { call.noise!.deviation = (UnsafePointer(variance.start), .root) }
          withUnsafePointer(to: call, loops.step)
        }
        for written in [sample, kept, denoised] { digest.add(written[range]) }
      }
    }
  }
}
