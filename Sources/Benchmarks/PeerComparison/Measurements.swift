import Foundation

/// The times of the jobs of one size, round after round.
struct Measurements {
  struct Job: Hashable {
    let runner: Comparison.Runner
    let name: String
  }

  /// Nanoseconds of one repetition, for each round.
  private(set) var times: [Job: [Double]] = [:]
  /// Why a job could not be measured.
  private(set) var missing: [Job: String] = [:]

  /// Measures each job once in every round, in turn, so that what slows the machine down slows its
  /// neighbours too.
  init(_ comparisons: [Comparison], size: Comparison.Size, threads: Int?, rounds: Int, peer: Peer, tunedPeer: Peer) {
    var jobs = size == .none ? Comparison.alone.map { Job(runner: .own, name: $0.job) } : []
    for comparison in comparisons {
      for job in [Job(runner: .own, name: comparison.own), Job(runner: comparison.runner, name: comparison.other)]
      where !jobs.contains(job) { jobs.append(job) }
    }
    let own = OwnJobs(shape: size.shape, threads: threads)
    var bodies: [String: () -> Void] = [:]
    func time(_ job: Job, _ repetitions: Int) -> Result<Double, Missing> {
      switch job.runner {
      case .peer: return peer.time(job.name, size.rawValue, repetitions: repetitions)
      case .tunedPeer: return tunedPeer.time(job.name, size.rawValue, repetitions: repetitions)
      case .own:
        if bodies[job.name] == nil {
          let body = own.make(job.name)
          // The first steps fill the history and bring memory and code into the caches.
          for _ in 0..<3 { body() }
          bodies[job.name] = body
        }
        let body = bodies[job.name]!
        let start = DispatchTime.now().uptimeNanoseconds
        for _ in 0..<repetitions { body() }
        return .success(Double(DispatchTime.now().uptimeNanoseconds - start) / Double(repetitions))
      }
    }
    var repetitions: [Job: Int] = [:]
    for job in jobs {
      switch time(job, 1) {
      case .success(let once): repetitions[job] = max(1, min(5000, Int(2e7 / once)))
      case .failure(let why): missing[job] = why.reason
      }
    }
    for _ in 0..<rounds {
      for job in jobs where missing[job] == nil {
        if case .success(let time) = time(job, repetitions[job]!) { times[job, default: []].append(time) }
      }
    }
  }

  /// The median of what the other job takes in times of ours, round by round.
  func ratio(_ comparison: Comparison) -> Double? {
    guard let own = times[Job(runner: .own, name: comparison.own)],
      let other = times[Job(runner: comparison.runner, name: comparison.other)]
    else { return nil }
    return Self.median(zip(other, own).map { $0 / $1 })
  }

  /// The median time of a job, in microseconds.
  func time(_ runner: Comparison.Runner, _ name: String) -> Double? {
    times[Job(runner: runner, name: name)].map { Self.median($0) / 1000 }
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
