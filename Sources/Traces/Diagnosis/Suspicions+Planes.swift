import Schedulers

// Channels or samples of the batch in each other's place.

extension Suspicions {
  /// Where each channel of each sample came from in a wrong step, if it is another's.
  func planes(at step: Int, judge: Judge) -> [Hypothesis] {
    guard trace.shape.count > 1 else { return [] }
    let (samples, channels) = (trace.shape[0], trace.shape[1])
    let size = trace.sampleSize / channels
    // Thresholds look at whole samples; of a few numbers one may be another's by chance.
    if case .dynamic = plan.clipping { return [] }
    guard (2...32).contains(samples * channels), size >= 4 else { return [] }
    let subjects: [(String, Trace.Role)] = [
      ("the model's output", .outputs), ("the noise", .noises), ("the result of the step", .made),
    ]
    return subjects.flatMap { subject, role -> [Hypothesis] in
      guard role != .noises || plan.steps[step].next.noise != 0,
        let planes = sources(role, at: step, size: size, judge: judge),
        let (mistake, text) = Self.words(planes, samples: samples, channels: channels, of: subject)
      else { return [] }
      guard role != .made || mistake != .shared else { return [] }
      return suspicion(mistake, text, reading: Reading(planes: [role: planes]))
    }
  }

  /// For each plane the one that makes what was recorded.
  private func sources(_ role: Trace.Role, at step: Int, size: Int, judge: Judge) -> [Int]? {
    let (channels, count) = (trace.shape[1], trace.shape[0] * trace.shape[1])
    let right = Recomputation(trace: trace, plan: plan)
    let allowed = judge.allowed(step, right)
    var planes: [Int] = []
    for plane in 0..<count {
      let start = plane % channels * size
      let part = Trace.Part(sample: plane / channels, scalars: start..<start + min(size, 64))
      func agrees(_ other: Int) -> Bool {
        let reading = Reading(planes: [role: Array(repeating: other, count: count)])
        let changed = Recomputation(trace: trace, plan: plan, reading: reading)
        return zip(changed.result(of: step, part), changed.recorded(after: step, part)).allSatisfy {
          abs($0 - $1) <= allowed
        }
      }
      // Its own first, then those of its channel, then those of its sample.
      let order = (0..<count).sorted { rank($0, of: plane) < rank($1, of: plane) }
      guard let source = order.first(where: agrees) else { return nil }
      planes.append(source)
    }
    return planes
  }

  private func rank(_ other: Int, of plane: Int) -> Int {
    let channels = trace.shape[1]
    if other == plane { return -1 }
    return (other % channels == plane % channels ? 0 : other / channels == plane / channels ? 1 : 2) * 64 + other
  }

  /// The kind and the words for planes that come from elsewhere in one of the ways that are likely.
  private static func words(
    _ planes: [Int], samples: Int, channels: Int, of subject: String
  ) -> (Mistake, String)? {
    guard planes != Array(planes.indices) else { return nil }
    let batch = (0..<samples).map { planes[$0 * channels] / channels }
    let order = (0..<channels).map { planes[$0] % channels }
    let isBatch = planes.indices.allSatisfy { planes[$0] == batch[$0 / channels] * channels + $0 % channels }
    let isChannels = planes.indices.allSatisfy { planes[$0] == $0 / channels * channels + order[$0 % channels] }
    if isBatch {
      if Set(batch).count == 1 { return (.shared, "\(subject) of sample \(batch[0]) is taken for the whole batch") }
      return Set(batch).count == samples
        ? (.samples, "\(subject) has the samples of the batch \(Self.order(batch, "samples"))") : nil
    }
    guard isChannels else { return nil }
    if Set(order).count == 1 { return (.shared, "\(subject) of channel \(order[0]) is taken for all channels") }
    return Set(order).count == channels
      ? (.channels, "\(subject) has the channels \(Self.order(order, "channels"))") : nil
  }

  /// How a permutation differs from the natural order.
  private static func order(_ order: [Int], _ what: String) -> String {
    let count = order.count
    let moved = order.indices.filter { order[$0] != $0 }
    if moved.count == 2 { return "\(moved[0]) and \(moved[1]) exchanged" }
    if order == (0..<count).reversed() { return "in the opposite order" }
    if let by = (1..<count).first(where: { by in order.indices.allSatisfy { order[$0] == ($0 + by) % count } }) {
      return 2 * by > count ? "moved on by \(count - by)" : "moved back by \(by)"
    }
    return "in the order \(order)"
  }
}
