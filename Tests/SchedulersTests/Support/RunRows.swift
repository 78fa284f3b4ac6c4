import Schedulers
import Testing

/// Expects what every sample of a run is made of to be as in a reference: [C, 2C + 1] factors of
/// the start, of the outputs of the C calls, and of the noises of the steps after them.
///
/// The largest number of a row says how large the terms are whose rounding its others have a part
/// in.
func expectRows(
  of plan: SamplingPlan, are expected: [Double], within tolerance: Double = 1e-12,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let calls = plan.steps.count
  let width = 2 * calls + 1
  #expect(expected.count == calls * width, sourceLocation: sourceLocation)
  guard expected.count == calls * width else { return }
  func unitVector(_ index: Int) -> [Double] { (0..<width).map { $0 == index ? 1 : 0 } }
  var run = SamplingRun(plan, from: unitVector(0))
  for k in 0..<calls {
    run.advance(output: unitVector(1 + k), noise: unitVector(1 + calls + k))
    let row = expected[k * width..<(k + 1) * width]
    let largest = row.reduce(1) { max($0, abs($1)) }
    let error = zip(run.sample, row).reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(error <= tolerance * largest, "call \(k): \(error)", sourceLocation: sourceLocation)
  }
  Comparisons.count(expected.count)
}
