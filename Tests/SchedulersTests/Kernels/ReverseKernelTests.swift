import SchedulersKernelInterface
import SchedulersKernels
import Testing

@testable import Schedulers

/// The loops of training and likelihoods, on every instruction set that this machine has.
@Suite struct ReverseKernelTests {
  /// The divergence of N(row[2], e^row[3]) from N(row[0], e^row[1]), with its derivatives.
  private func divergence(_ row: [Double], by table: KernelTable) -> (Double, Double, Double) {
    let numbers = UnsafeMutablePointer<Double>.allocate(capacity: 5)
    defer { numbers.deallocate() }
    let (x0, denoised, logVariance) = (numbers, numbers + 1, numbers + 2)
    (x0.pointee, denoised.pointee, logVariance.pointee) = (row[0], row[2], row[3])
    let call = ReverseCall<Double>(
      range: 0..<1, sample: denoised, output: denoised, variance: logVariance, denoising: .init(x: 0, v: 1),
      mean: .init(x: 0, v: 1), logVariance: (0, 1))
    var wanted = ReverseCall<Double>.Divergence(x0: x0, posteriorLogVariance: row[1])
    wanted.outputGradient = (numbers + 3, 1)
    wanted.varianceGradient = (numbers + 4, 1)
    let sums = withUnsafePointer(to: call) { table.double.reverse.divergence($0, wanted) }
    return (sums.nats, numbers[3], numbers[4])
  }

  /// As `NormalKL` has it. The kernels are given log variances of q above −600 alone, and their
  /// derivative by the mean has e^d and twice e^(−l₁/2) for the e^−l₂ there: three exponentials of
  /// 3 units, six roundings of a half, and what the rounding of d makes of e^d.
  @Test func `a divergence has its digits on every instruction set`() throws {
    for table in Kernels.available {
      var (value, mean, logVariance) = (WorstRatio(), WorstRatio(), WorstRatio())
      for row in try LikelihoodFixtures.exact("kl") where row[1] > -600 && row[1] < 600 {
        let made = divergence(row, by: table)
        let d = abs(row[1] - row[3])
        value.compare(made.0, with: row[4], within: (16 + 2 * d) * unit * row[4], at: "KL of \(row), \(table.name)")
        mean.compare(
          made.1, with: row[5], within: (12 + d) * unit * abs(row[5]), at: "by mean2 at \(row), \(table.name)")
        let size = abs(row[6]) + row[4]
        logVariance.compare(
          made.2, with: row[6], within: (16 + 2 * d) * unit * size, at: "by l2 at \(row), \(table.name)")
      }
      for worst in [value, mean, logVariance] { worst.expectWithin() }
    }
  }

  private struct Tensors<Scalar: SampleScalar> {
    var sample, output, variance, x0, epsilon: [Scalar]
    init(count: Int) {
      var generator = SplitMix64(seed: 29)
      func tensor() -> [Scalar] { (0..<count).map { _ in Scalar(Double.random(in: -2...2, using: &generator)) } }
      (sample, output, variance, x0, epsilon) = (tensor(), tensor(), tensor(), tensor(), tensor())
    }
  }

  /// All that the loops make over a range, in Double.
  private struct Made: Equatable {
    var sums: [Double] = []
    var tensors: [[Double]] = []
  }

  private func made<Scalar: SampleScalar>(
    _ tensors: Tensors<Scalar>, range: Range<Int>, isLearned: Bool, by table: KernelTable
  ) throws -> Made {
    let loops = try #require(Scalar._loops(of: table)).reverse
    var made = Made()
    let count = tensors.sample.count
    // Memory that stays where it is.
    let rooms = (0..<7).map { _ in UnsafeMutableBufferPointer<Scalar>.allocate(capacity: count) }
    defer { for room in rooms { room.deallocate() } }
    for room in rooms { room.initialize(repeating: 9) }
    let (x, F, v, x0, epsilon) = (tensors.sample, tensors.output, tensors.variance, tensors.x0, tensors.epsilon)
    x.withUnsafeBufferPointer { x in
      F.withUnsafeBufferPointer { output in
        v.withUnsafeBufferPointer { v in
          x0.withUnsafeBufferPointer { x0 in
            epsilon.withUnsafeBufferPointer { epsilon in
              var call = ReverseCall<Scalar>(
                range: range, sample: x.baseAddress!, output: output.baseAddress!,
                variance: isLearned ? v.baseAddress! : nil, denoising: .init(x: 1.25, v: -0.75),
                mean: .init(x: 0.5, v: 0.375), logVariance: (-1.5, 0.75))
              call.limits = (-1, 1.5)
              let room = rooms.map { $0.baseAddress! }
              var wanted = ReverseCall<Scalar>.Divergence(x0: x0.baseAddress!, posteriorLogVariance: -1.25)
              wanted.errors = (epsilon.baseAddress!, 0.6, 0.8)
              wanted.outputGradient = (room[4], 0.3)
              wanted.varianceGradient = (room[5], -0.4)
              let error = ErrorCall<Scalar>(
                range: range, output: output.baseAddress!, x0: x0.baseAddress!, epsilon: epsilon.baseAddress!,
                target: (-0.8, 0.6), gradient: room[6], slope: 0.5)
              withUnsafePointer(to: call) {
                #expect(
                  loops.distribution(
                    $0, .init(mean: room[0], variance: room[1], logVariance: room[2], denoised: room[3])))
                let sums = loops.divergence($0, wanted)
                #expect(sums.isFinite)
                made.sums = [sums.nats, sums.x0Errors, sums.epsilonErrors]
              }
              withUnsafePointer(to: error) {
                let squares = loops.squares($0)
                #expect(squares.isFinite)
                made.sums.append(squares.sum)
              }
            }
          }
        }
      }
    }
    made.tensors = rooms.map { $0.map(Double.init) }
    return made
  }

  /// The same by the formulas, scalar by scalar.
  private func expected<Scalar: SampleScalar>(_ tensors: Tensors<Scalar>, range: Range<Int>, isLearned: Bool) -> Made {
    var made = Made(
      sums: [0, 0, 0, 0], tensors: Array(repeating: Array(repeating: 9, count: tensors.sample.count), count: 7))
    for i in range {
      let (x, F, v) = (Double(tensors.sample[i]), Double(tensors.output[i]), Double(tensors.variance[i]))
      let (x0, epsilon) = (Double(tensors.x0[i]), Double(tensors.epsilon[i]))
      let denoised = min(max(1.25 * x - 0.75 * F, -1), 1.5)
      let logVariance = -1.5 + (isLearned ? 0.75 * v : 0)
      let kl = NormalKL(
        mean1: 0.375 * x0, logVariance1: -1.25, mean2: 0.375 * denoised, logVariance2: logVariance)
      let error = F - (-0.8 * x0 + 0.6 * epsilon)
      made.sums[0] += kl.value
      made.sums[1] += (denoised - x0) * (denoised - x0)
      let noise = (x - 0.6 * denoised) / 0.8 - epsilon
      made.sums[2] += noise * noise
      made.sums[3] += error * error
      let values = [
        0.5 * x + 0.375 * denoised, Math.exp(logVariance), logVariance, denoised, 0.3 * kl.meanGradient,
        -0.4 * kl.logVarianceGradient, 0.5 * error,
      ]
      for (k, value) in values.enumerated() { made.tensors[k][i] = value }
    }
    return made
  }

  /// Numbers of size 10 at most are sums of a few terms with 16 units in all, and what is stored
  /// has half a unit of its type more.
  private func check<Scalar: SampleScalar>(_: Scalar.Type) throws {
    for count in [1, 127, 128, 129, 1000] {
      for isLearned in [false, true] {
        let tensors = Tensors<Scalar>(count: count)
        for range in [0..<count, count / 3..<count - count / 4] {
          let expected = expected(tensors, range: range, isLearned: isLearned)
          let first = try made(tensors, range: range, isLearned: isLearned, by: Kernels.available[0])
          for (own, sum) in zip(first.sums, expected.sums) {
            #expect(abs(own - sum) <= Double(count) * 16 * unit * 10 + Double(count) * unit * sum)
          }
          for (own, other) in zip(first.tensors, expected.tensors) {
            for (a, b) in zip(own, other) {
              #expect(abs(a - b) <= Double(Scalar.ulpOfOne) / 2 * abs(b) * 1.001 + 16 * unit * 10)
            }
          }
          for table in Kernels.available.dropFirst() {
            #expect(try made(tensors, range: range, isLearned: isLearned, by: table) == first, "\(table.name)")
          }
        }
      }
    }
  }

  @Test func `the loops are the formulas, with the same bits on every instruction set`() throws {
    try check(Float.self)
    try check(Double.self)
    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
      try check(Float16.self)
    #endif
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity], [0, 128, 700])
  func `an output that is not finite is noticed wherever it is`(bad: Double, place: Int) throws {
    for table in Kernels.available {
      for isVariance in [false, true] {
        let memory = UnsafeMutableBufferPointer<Double>.allocate(capacity: 4 * 701)
        defer { memory.deallocate() }
        memory.initialize(repeating: 1)
        let (output, variance) = (memory.baseAddress!, memory.baseAddress! + 701)
        let (other, room) = (memory.baseAddress! + 2 * 701, memory.baseAddress! + 3 * 701)
        if isVariance { variance[place] = bad } else { output[place] = bad }
        let call = ReverseCall<Double>(
          range: 0..<701, sample: other, output: output, variance: variance, denoising: .init(x: 0, v: 1),
          mean: .init(x: 0, v: 1), logVariance: (0, 1))
        withUnsafePointer(to: call) {
          #expect(
            !table.double.reverse.divergence($0, .init(x0: other, posteriorLogVariance: 0)).isFinite)
          #expect(
            !table.double.reverse.distribution(
              $0, .init(mean: room, variance: room, logVariance: room, denoised: room)))
        }
        let error = ErrorCall<Double>(
          range: 0..<701, output: output, x0: other, epsilon: other, target: (1, 1), gradient: room, slope: 1)
        #expect(withUnsafePointer(to: error) { table.double.reverse.squares($0).isFinite } == isVariance)
      }
    }
  }

  /// Far from 0 the kernels' exponentials are what e^x is: infinite above, without an effect below.
  @Test func `variances that are far apart keep their meaning`() {
    for table in Kernels.available {
      let wide = divergence([0, 0, 1, 1e6], by: table)
      #expect(isClose(wide.0, (1e6 - 1) / 2, relative: 4 * unit) && wide.2 == 0.5)
      let narrow = divergence([0, 0, 1, -1e6], by: table)
      #expect(narrow.0 == .infinity && narrow.1 == .infinity && narrow.2 == -.infinity)
    }
  }
}
