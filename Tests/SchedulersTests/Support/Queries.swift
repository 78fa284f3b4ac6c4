import Schedulers

/// What a run of so many calls tells its network, call by call.
func queries(_ count: Int) throws -> [SamplingPlan.Query] {
  let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: count, spacing: .trailing)
  var run = SamplingRun(try DDIM().plan(over: grid, predicting: .v), from: [0.0])
  var queries: [SamplingPlan.Query] = []
  while let query = run.query {
    queries.append(query)
    run.advance(output: [0])
  }
  return queries
}
