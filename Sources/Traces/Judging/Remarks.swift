import Schedulers
import SchedulersInterop

extension Judge {
  /// What is odd about a recording, or good to know of it, though no step need be wrong.
  ///
  /// - Parameter calls: how many calls the run would make to its end.
  func remarks(of calls: Int) -> [String] { extent(of: calls) + edits() + start() + noises() }

  private func extent(of calls: Int) -> [String] {
    if case .guidedDiffusion = trace.source { return [] }
    var remarks: [String] = []
    if case .diffusers(_, let arguments) = trace.source, let begin = arguments.begin {
      remarks.append("the run begins with call \(begin)")
    }
    if calls > plan.steps.count {
      remarks.append("the run was stopped after \(plan.steps.count) of \(calls) calls")
    }
    let ofOutputs = trace.precision(of: .outputs)
    if trace.precision.isHalf {
      remarks.append("computed in \(trace.precision.rawValue)")
    } else if ofOutputs.isHalf {
      remarks.append("the outputs are in \(ofOutputs.rawValue)")
    } else if trace.precision(of: .samples).isHalf {
      remarks.append("the samples are rounded to \(trace.precision(of: .samples).rawValue) between steps")
    }
    return remarks
  }

  private func edits() -> [String] {
    guard trace.isEdited else { return [] }
    let isChanged = (0..<trace.steps).contains { step in
      parts.contains { part in
        trace.scalars(.made, row: step, part) != trace.scalars(.samples, row: step + 1, part)
      }
    }
    return isChanged ? ["the samples were edited between steps"] : []
  }

  /// A start whose deviation is far from that of the plan's.
  private func start() -> [String] {
    if case .diffusers(_, let arguments) = trace.source, arguments.begin ?? 0 > 0 { return [] }
    // An inversion starts from data, of which nothing is known.
    guard plan.start.noise > plan.start.signal, plan.steps[0].arrival.sigma < plan.steps[0].query.level.sigma else {
      return []
    }
    var moments = Moments()
    for part in parts { moments.add(trace.scalars(.samples, row: 0, part)) }
    let deviation = moments.meanSquare.squareRoot()
    // Five deviations of the estimate, and something for the data.
    let bound = 0.2 + 5 / (2 * Double(moments.count)).squareRoot()
    guard deviation > 0, abs(Math.log(deviation / plan.initialScale)) > bound else { return [] }
    return [
      "the first sample has the deviation \(brief(deviation)), where the run starts from \(brief(plan.initialScale)): "
        + "was it scaled?"
    ]
  }

  private func noises() -> [String] {
    guard trace.hasNoises else { return [] }
    let drawing = plan.steps.indices.filter { plan.steps[$0].next.noise != 0 }
    guard drawing.count > 1 else { return [] }
    var remarks: [String] = []
    if let (step, other) = equalNoises(drawing) {
      remarks.append("the noises of steps \(step) and \(other) are equal")
    }
    var moments = Moments()
    for step in drawing {
      for part in parts { moments.add(trace.scalars(.noises, row: step, part)) }
    }
    if moments.isNotNormal { remarks.append("the noise is not standard normal: \(moments.words)") }
    return remarks
  }

  /// The first two of some steps that have one noise, not all of it 0. Only the beginnings of all
  /// are held at a time.
  private func equalNoises(_ steps: [Int]) -> (Int, Int)? {
    let start = Trace.Part(sample: 0, scalars: 0..<min(trace.sampleSize, 64))
    var seen: [[Double]: Int] = [:]
    for step in steps {
      let beginning = trace.scalars(.noises, row: step, start)
      guard beginning.contains(where: { $0 != 0 }) else { continue }
      guard let earlier = seen[beginning] else {
        seen[beginning] = step
        continue
      }
      let isSame = parts.allSatisfy {
        trace.scalars(.noises, row: step, $0) == trace.scalars(.noises, row: earlier, $0)
      }
      if isSame { return (earlier, step) }
    }
    return nil
  }
}

/// The first moments of numbers.
private struct Moments {
  private(set) var count = 0
  private var sum = 0.0
  private var squares = 0.0
  private var fourths = 0.0

  mutating func add(_ numbers: [Double]) {
    for x in numbers where x.isFinite {
      count += 1
      sum += x
      squares += x * x
      fourths += x * x * x * x
    }
  }

  var meanSquare: Double { squares / Double(max(count, 1)) }

  /// Whether mean, mean square or fourth moment is six deviations of its estimate off 0, 1 and 3.
  /// The variances of a standard normal's x, x² and x⁴ are 1, 2 and 96.
  var isNotNormal: Bool {
    guard count >= 64 else { return false }
    let root = Double(count).squareRoot()
    return abs(sum / Double(count)) > 6 / root || abs(meanSquare - 1) > 6 * 2.0.squareRoot() / root
      || abs(fourths / Double(count) - 3) > 6 * 96.0.squareRoot() / root
  }

  var words: String {
    let kurtosis = meanSquare > 0 ? fourths / Double(count) / (meanSquare * meanSquare) : 0
    return "mean \(brief(sum / Double(count))), mean square \(brief(meanSquare)), kurtosis \(brief(kurtosis))"
  }
}
