import Foundation
import Schedulers
import Testing

@Suite struct TensorTests {
  @Test func `a combination of any number of terms is their sum`() {
    for count in 1...6 {
      let factors: [Double] = (0..<count).map { Double($0 + 1) / 2 }
      let values: [[Float]] = (0..<count).map { [Float($0), 1, Float(-$0 * $0)] }
      // Halves of small whole numbers: exact in every type.
      let sums: [Float] = (0..<3).map { i in zip(factors, values).reduce(0) { $0 + Float($1.0) * $1.1[i] } }
      func terms<Value>(_ make: ([Float]) -> Value) -> [(coefficient: Double, value: Value)] {
        zip(factors, values).map { ($0, make($1)) }
      }
      #expect([Float].combination(terms { $0 }) == sums)
      #expect([Double].combination(terms { $0.map { Double($0) } }) == sums.map { Double($0) })
      #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
        #expect([Float16].combination(terms { $0.map { Float16($0) } }) == sums.map { Float16($0) })
      #endif
      #expect(SampleBatch<Float>.combination(terms { SampleBatch(shape: [3, 1], scalars: $0) }).scalars == sums)
    }
  }

  #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
    @Test func `half precision is computed in single`() {
      // In Float16 alone 2048 + 1 − 2048 would lose the 1.
      #expect([Float16].combination([(1, [2048]), (1, [1]), (-1, [2048])]) == [1])
    }
  #endif

  @Test func `static clipping brings values into the range and leaves NaN`() {
    let clipped = [-3, -1, -0.5, 0.25, 2, 7, Double.infinity, -.infinity, .nan].clipped(by: .range(-1...2))
    #expect(clipped.dropLast() == [-1, -1, -0.5, 0.25, 2, 2, 2, -1])
    #expect(clipped[8].isNaN)
  }

  @Test func `every scalar type is clipped to the bounds rounded to it`() {
    // 0.1 is no number of either type; the nearest ones are what Swift reads these literals as.
    let single = [-3, 0, 0.5, Float.infinity, .nan].clipped(by: .range(-0.1...0.1))
    #expect(single.dropLast() == [-0.1, 0, 0.1, 0.1])
    #expect(single[4].isNaN)
    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
      let half = [-3, 0, 0.5, Float16.infinity, .nan].clipped(by: .range(-0.1...0.1))
      #expect(half.dropLast() == [-0.1, 0, 0.1, 0.1])
      #expect(half[4].isNaN)
    #endif
  }

  @Test func `dynamic thresholding divides a sample by its quantile`() {
    // Magnitudes 0, 1, 2, 3, 4: the 0.625 quantile lies at position 2.5.
    let clipped = [0, -1, 2, -3, 4.0].clipped(by: .dynamic(ratio: 0.625, maximum: 10))
    #expect(clipped == [0, -0.4, 0.8, -1, 1])
    #expect([0, -1, 2, -3, 4.0].clipped(by: .dynamic(ratio: 1, maximum: 2)) == [0, -0.5, 1, -1, 1])
    // Below 1 the threshold is 1, so nothing changes.
    #expect([0.5, -0.25].clipped(by: .dynamic()) == [0.5, -0.25])
    #expect([0.5, -0.25, .nan].clipped(by: .dynamic()).allSatisfy { $0.isNaN })
    #expect([Double]().clipped(by: .dynamic()).isEmpty)
  }

  @Test func `dynamic thresholding looks at each sample of a batch alone`() {
    let batch = SampleBatch<Float>(shape: [2, 2], scalars: [4, -2, 0.5, 0.25])
    #expect(batch.clipped(by: .dynamic(ratio: 1, maximum: 4)).scalars == [1, -0.5, 0.5, 0.25])
  }

  @Test func `products are taken element by element`() {
    #expect([Double].product([2, 3], [5, -1]) == [10, -3])
    #expect(
      SampleBatch.product(
        SampleBatch(shape: [1, 2], scalars: [2.0, 3]), SampleBatch(shape: [1, 2], scalars: [5, -1])
      ).scalars
        == [
          10, -3,
        ])
  }

  /// A tensor that can do what its parts can.
  fileprivate struct Pair<Part: LinearSpace>: LinearSpace {
    var (a, b): (Part, Part)
    static func combination(_ terms: [(coefficient: Double, value: Pair)]) -> Pair {
      Pair(
        a: .combination(terms.map { ($0.coefficient, $0.value.a) }),
        b: .combination(terms.map { ($0.coefficient, $0.value.b) }))
    }
  }

  /// A tensor of one number that others may inherit from.
  private class Number: LinearSpace {
    let value: Double
    required init(_ value: Double) { self.value = value }
    static func combination(_ terms: [(coefficient: Double, value: Number)]) -> Self {
      Self(terms.reduce(0) { $0 + $1.coefficient * $1.value.value })
    }
  }

  @Test func `types that conform under conditions, and classes, are sampled as others are`() throws {
    let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 100), steps: 8, spacing: TimestepSpacing.trailing)
    let plan = try DPMSolverPlusPlus().plan(over: grid, predicting: .v)
    let clipped = try DPMSolverPlusPlus().plan(over: grid, predicting: .v, clipping: .range(-0.5...0.25))
    func end(_ plan: SamplingPlan, _ x: Double) -> Double { plan.sample(from: [x], model: { x, _ in x })[0] }
    func end(_ plan: SamplingPlan, of pair: Pair<[Double]>) -> [Double] {
      let end = plan.sample(from: pair, model: { x, _ in x })
      return end.a + end.b
    }
    let number = plan.sample(from: Number(0.3), model: { x, _ in x })
    #expect(isClose(number.value, end(plan, 0.3), relative: 1e-12))
    for plan in [plan, clipped] {
      let pair = end(plan, of: Pair(a: [0.3], b: [-2]))
      #expect(isClose(pair[0], end(plan, 0.3), relative: 1e-12) && isClose(pair[1], end(plan, -2), relative: 1e-12))
    }
    #expect(end(clipped, -2) == -0.5)
  }

  @Test func `a batch knows its samples`() {
    let batch = SampleBatch(shape: [2, 3], scalars: [1.0, 2, 3, 4, 5, 6])
    #expect(batch.sampleCount == 2 && batch.sampleSize == 3)
    #expect(batch[1] == SampleBatch(shape: [1, 3], scalars: [4, 5, 6]))
    #expect([1.0, 2].sampleCount == 1 && [1.0, 2].sampleSize == 2)
  }

  @Test func `a scalar of a batch is changed where it lies`() {
    var batch = SampleBatch<Double>(zeros: [2, 3])
    let place = { (tensor: SampleBatch<Double>) in tensor.scalars.withUnsafeBytes { $0.baseAddress! } }
    let before = place(batch)
    // A copy could come to lie where the one before it lay, if nothing else were in its place.
    var others: [[Double]] = []
    for i in 0..<5 {
      batch.scalars[i] = 7
      others.append(Array(repeating: 1, count: 6))
      #expect(place(batch) == before)
    }
    #expect(batch.scalars == [7, 7, 7, 7, 7, 0] && others.count == 5)
  }

  @Test func `a batch survives being saved, and a damaged one is an error`() throws {
    let batch = SampleBatch<Float>(shape: [2, 1], scalars: [1.5, -2])
    #expect(try JSONDecoder().decode(SampleBatch<Float>.self, from: JSONEncoder().encode(batch)) == batch)
    for text in [
      #"{"shape":[3,1],"scalars":[1,2]}"#, #"{"shape":[],"scalars":[]}"#, #"{"shape":[0],"scalars":[]}"#,
      #"{"shape":[-1,-2],"scalars":[1,2]}"#, #"{"shape":[4611686018427387904,4],"scalars":[]}"#,
    ] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(SampleBatch<Float>.self, from: Data(text.utf8)) }
    }
  }

  @Test func `tensors that do not fit are refused`() async {
    await #expect(processExitsWith: .failure) { _ = [Double].combination([(1, [1, 2]), (1, [1])]) }
    await #expect(processExitsWith: .failure) { _ = SampleBatch<Float>(shape: [2, 2], scalars: [1, 2, 3]) }
    await #expect(processExitsWith: .failure) {
      _ = SampleBatch.combination([(1, SampleBatch<Float>(zeros: [1, 4])), (1, SampleBatch<Float>(zeros: [2, 2]))])
    }
    await #expect(processExitsWith: .failure) { _ = SampleBatch<Float>(zeros: [2, 2])[2] }
    await #expect(processExitsWith: .failure) { _ = SampleBatch<Float>(zeros: [2, 2])[-1] }
    await #expect(processExitsWith: .failure) { _ = SampleBatch<Float>(zeros: [2, 0]) }
    await #expect(processExitsWith: .failure) {
      var batch = SampleBatch<Float>(zeros: [2, 2])
      batch.scalars.append(1)
    }
    await #expect(processExitsWith: .failure) {
      _ = SampleBatch.product(SampleBatch<Float>(zeros: [1, 4]), SampleBatch<Float>(zeros: [2, 2]))
    }
    await #expect(processExitsWith: .failure) { _ = [Double].product([1, 2], [1]) }
    await #expect(processExitsWith: .failure) { _ = [Double](scalars: [1, 2], like: [0]) }
    await #expect(processExitsWith: .failure) {
      var scalars = [1.0, 2, 3]
      Clipping.dynamic().apply(to: &scalars, sampleSize: 2)
    }
    await #expect(processExitsWith: .failure) {
      var scalars = [1.0]
      Clipping.range(-1...1).apply(to: &scalars, sampleSize: 0)
    }
  }
}

extension TensorTests.Pair: ClippableSpace where Part: ClippableSpace {
  fileprivate func clipped(by clipping: Clipping) -> Self {
    Self(a: a.clipped(by: clipping), b: b.clipped(by: clipping))
  }
}
