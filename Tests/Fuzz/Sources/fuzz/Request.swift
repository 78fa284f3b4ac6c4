import Foundation
import SchedulersC
import SchedulersCHeader

/// Asks the C interface for all that a text may be a request for, and uses what it gives.
func request(_ data: Data) {
  var text = Array(data).map { CChar(bitPattern: $0) }
  text.append(0)
  var handle: OpaquePointer?
  if schedulersPlanCreate(text, &handle, nil) == 0 {
    use(plan: handle)
    schedulersPlanDestroy(handle)
  }
  if schedulersNoiseCreate(text, &handle, nil) == 0 {
    var values = [Float](repeating: 0, count: 6)
    _ = schedulersNoiseNext(handle, 0, 2, 3, 3, 1, &values, nil)
    _ = schedulersNoiseNext(handle, 0, 2, 3, .infinity, 0, &values, nil)
    var json: UnsafeMutablePointer<CChar>?
    _ = schedulersNoiseJSON(handle, &json, nil)
    schedulersTextFree(json)
    schedulersNoiseDestroy(handle)
  }
  if schedulersScheduleCreate(text, &handle, nil) == 0 {
    var count = Int64(0)
    _ = schedulersScheduleTimesteps(handle, &count, nil)
    var values = [Double](repeating: 0, count: Int(count))
    for table in ["betas", "snr", "posteriorVariance"] {
      _ = schedulersScheduleTable(handle, table, count, &values, nil)
    }
    schedulersScheduleDestroy(handle)
  }
  var weights = [0.0, 0, 0]
  _ = schedulersWeights(text, 3, [1, 0, 0.6], [0, 1, 0.8], &weights, nil)
}

private func use(plan: OpaquePointer?) {
  var info = schedulers_plan_info()
  _ = schedulersPlanDescribe(plan, &info, nil)
  var json: UnsafeMutablePointer<CChar>?
  _ = schedulersPlanJSON(plan, &json, nil)
  schedulersTextFree(json)
  var run: OpaquePointer?
  guard schedulersRunCreate(plan, 1, 2, 3, &run, nil) == 0 else { return }
  var (x, y) = ([Double](repeating: 1, count: 6), [Double](repeating: 1, count: 6))
  let (output, noise) = ([Double](repeating: 0.25, count: 12), [Double](repeating: -0.5, count: 6))
  var query = schedulers_query()
  while schedulersRunQuery(run, &query, nil) == 0, query.is_done == 0 {
    _ = schedulersRunInput(run, x, &y, nil)
    if schedulersRunAdvanceTo(run, x, output, noise, &y, nil, nil) != 0 { break }
    swap(&x, &y)
    _ = schedulersRunSeek(run, query.step + 1, nil)
  }
  schedulersRunDestroy(run)
}
