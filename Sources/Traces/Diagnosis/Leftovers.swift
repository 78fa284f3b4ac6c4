import Schedulers
import SchedulersInterop

/// What the differences of a wrong run look like, where nothing else explains them.
struct Leftovers {
  private let judge: Judge
  private var trace: Trace { judge.trace }
  private var plan: SamplingPlan { judge.plan }

  init(_ judge: Judge) { self.judge = judge }

  /// The differences of a step, as many as are looked at, with the numbers that they may depend on.
  private func differences(_ step: Int) -> (values: [Double], columns: [[Double]], made: [Double]) {
    let recomputation = Recomputation(trace: trace, plan: plan)
    var (values, made, columns): ([Double], [Double], [[Double]]) = ([], [], [[], [], [], []])
    for part in judge.parts.prefix(64) {
      let part = Trace.Part(sample: part.sample, scalars: part.scalars.prefix(4096))
      let result = recomputation.result(of: step, part)
      made += result
      values += zip(result, recomputation.recorded(after: step, part)).map { $1 - $0 }
      for (i, role) in [Trace.Role.samples, .outputs, .noises].enumerated() {
        columns[i] += trace.scalars(role, row: step, part)
      }
      columns[3] += result.map { _ in 1 }
    }
    return (values, columns.filter { $0.contains { $0 != 0 } }, made)
  }

  private static func meanSquare(_ numbers: [Double]) -> Double {
    LeastSquares.dot(numbers, numbers) / Double(max(numbers.count, 1))
  }

  /// The half type whose roundings the differences are: within what it allows, in every step and
  /// not in some alone, of its size, and no combination of sample, output, noise and a constant.
  var precision: Trace.Precision? {
    // Of another threshold small differences come too.
    if case .dynamic = plan.clipping { return nil }
    guard !trace.precision.isHalf else { return nil }
    return [Trace.Precision.float16, .bfloat16].first { precision in
      let half = Judge(trace.computed(in: precision), plan: plan, tolerance: nil)
      guard half.steps().allSatisfy(\.agrees) else { return false }
      return plan.steps.indices.allSatisfy { step in
        let (values, columns, made) = differences(step)
        let (found, size) = (Self.meanSquare(values), Self.meanSquare(made))
        guard found >= size * precision.unit * precision.unit / 400 else { return false }
        // The bound is of the worst case. What is near to it everywhere is something else.
        let bound = half.allowed(step, Recomputation(trace: trace, plan: plan))
        guard 16 * found <= bound * bound else { return false }
        // Of roundings n columns explain as much as they have numbers.
        guard values.count > 3 * columns.count, let fit = LeastSquares.fit(columns, values) else { return false }
        let share = 1 - Double(columns.count) / Double(values.count)
        return Self.meanSquare(fit.left) >= 0.6 * share * found
      }
    }
  }

  /// Whether some elements are right in all of these steps and the others wrong in nearly all, and
  /// they are not whole samples of the batch.
  func areEdits(_ wrong: [Int]) -> Bool {
    guard wrong.count > 2 else { return false }
    let recomputation = Recomputation(trace: trace, plan: plan)
    var agreeing: [Int] = []
    for step in wrong {
      let allowed = judge.allowed(step, recomputation)
      let flags = judge.parts.flatMap { part in
        zip(recomputation.result(of: step, part), recomputation.recorded(after: step, part)).map {
          abs($0 - $1) <= allowed ? 1 : 0
        }
      }
      agreeing = agreeing.isEmpty ? flags : zip(agreeing, flags).map { $0 + $1 }
    }
    // What is put back may be near to what was made, now and then.
    let most = 1 + wrong.count / 10
    guard agreeing.allSatisfy({ $0 == wrong.count || $0 <= most }) else { return false }
    let kept = agreeing.map { $0 == wrong.count }
    let share = Double(kept.count(where: \.self)) / Double(kept.count)
    guard share >= 0.1, share <= 0.9 else { return false }
    return stride(from: 0, to: kept.count, by: trace.sampleSize).contains { start in
      Set(kept[start..<start + trace.sampleSize]).count > 1
    }
  }
}
