import Schedulers
import Testing

@Suite struct SampleBatchTests {
  /// Scalars that say where they are: sample, channel, place.
  private func batch(_ samples: ClosedRange<Int>, _ channels: ClosedRange<Int>) -> SampleBatch<Double> {
    let scalars = samples.flatMap { n in channels.flatMap { c in (0..<2).map { Double(100 * n + 10 * c + $0) } } }
    return SampleBatch(shape: [samples.count, channels.count, 2], scalars: scalars)
  }

  @Test func `batches are concatenated, and cut again`() {
    let whole = SampleBatch(concatenating: [batch(0...1, 0...2), batch(2...2, 0...2), batch(3...5, 0...2)])
    #expect(whole == batch(0...5, 0...2))
    #expect(whole[0..<2] == batch(0...1, 0...2) && whole[...1] == whole[..<2])
    #expect(whole[2...] == batch(2...5, 0...2) && whole[3...4] == batch(3...4, 0...2))
    #expect(whole[4] == batch(4...4, 0...2) && whole[4].scalars == [400, 401, 410, 411, 420, 421])
    #expect(SampleBatch(concatenating: (0..<6).map { whole[$0] }) == whole)
    let flat = SampleBatch<Float>(shape: [3], scalars: [1, 2, 3])
    #expect(SampleBatch(concatenating: [flat, flat[1...]]).scalars == [1, 2, 3, 2, 3])
  }

  @Test func `channels are joined, and cut again`() {
    let whole = SampleBatch(joiningChannels: [batch(0...2, 0...0), batch(0...2, 1...3), batch(0...2, 4...4)])
    #expect(whole == batch(0...2, 0...4))
    #expect(whole.channels(..<1) == batch(0...2, 0...0) && whole.channels(1...3) == batch(0...2, 1...3))
    #expect(whole.channels(4...) == batch(0...2, 4...4) && whole.channels(2..<4) == batch(0...2, 2...3))
    let (first, second) = whole.channels(..<4).halves()!
    #expect(first == batch(0...2, 0...1) && second == batch(0...2, 2...3))
    #expect(whole.halves() == nil)
    // Without further dimensions, a channel is one scalar.
    let rows = SampleBatch<Float>(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6])
    #expect(rows.channels(1...).scalars == [2, 3, 5, 6])
    #expect(SampleBatch(joiningChannels: [rows, rows.channels(..<1)]).scalars == [1, 2, 3, 1, 4, 5, 6, 4])
  }

  @Test func `guidance in one call of a network is guidance in two`() throws {
    let grid = try SamplingGrid(NoiseSchedule(.cosine(), timesteps: 100), steps: 4, spacing: TimestepSpacing.trailing)
    let plan = try DDIM().plan(over: grid, predicting: .v)
    // Each sample with its own prompt, as a network has them in a batch.
    func network(_ x: SampleBatch<Double>, _ prompts: [Double]) -> SampleBatch<Double> {
      let parts = prompts.indices.map { n in
        SampleBatch.combination([(prompts[n], x[n])])
      }
      return SampleBatch(concatenating: parts)
    }
    let start = SampleBatch<Double>(shape: [2, 1, 2], scalars: [0.5, -1, 0.25, 2])
    func guided(_ with: SampleBatch<Double>, _ without: SampleBatch<Double>) -> SampleBatch<Double> {
      .combination([(3, with), (-2, without)])
    }
    let two = plan.sample(from: start) { x, _ in guided(network(x, [0.5, 0.25]), network(x, [0.1, 0.1])) }
    let one = plan.sample(from: start) { x, _ in
      let answers = network(SampleBatch(concatenating: [x, x]), [0.5, 0.25, 0.1, 0.1])
      return guided(answers[..<x.sampleCount], answers[x.sampleCount...])
    }
    #expect(one == two)
  }

  @Test func `what does not fit is refused with its shapes`() async {
    func expect(_ message: String, _ program: ExitTest.Result?, _ place: SourceLocation = #_sourceLocation) {
      #expect(said(by: program).contains(message), "\(said(by: program))", sourceLocation: place)
    }
    let shapes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(concatenating: [.init(zeros: [2, 3, 4]), .init(zeros: [2, 4, 3])])
    }
    expect("batches of shapes [2, 3, 4] and [2, 4, 3] do not concatenate; their samples differ in shape", shapes)
    let none = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(concatenating: [])
    }
    expect("there are no batches to concatenate", none)
    let range = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(zeros: [2, 3])[1...2]
    }
    expect("the samples 1...2 of 2; there must be some, in 0 ..< 2", range)
    let empty = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(zeros: [2, 3])[2..<2]
    }
    expect("the samples 2..<2 of 2; there must be some, in 0 ..< 2", empty)
    let beyond = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(zeros: [2, 3])[5...]
    }
    expect("of 2; there must be some, in 0 ..< 2", beyond)
    let before = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(zeros: [2, 3])[(-1)..<1]
    }
    expect("the samples -1..<1 of 2", before)
    let joined = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(joiningChannels: [.init(zeros: [2, 3, 4]), .init(zeros: [2, 3, 5])])
    }
    expect("channels of shapes [2, 3, 4] and [2, 3, 5] do not join; all but the second dimension", joined)
    let nothing = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(joiningChannels: [])
    }
    expect("there are no batches whose channels to join", nothing)
    let flat = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(zeros: [2]).channels(0...0)
    }
    expect("a batch of shape [2] has no channels", flat)
    let channels = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(zeros: [2, 3]).channels(3..<4)
    }
    expect("the channels 3..<4 of 3; there must be some, in 0 ..< 3", channels)
    let sample = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SampleBatch<Float>(zeros: [2, 3])[2]
    }
    expect("sample 2 is outside the batch's 0 ..< 2", sample)
  }
}
