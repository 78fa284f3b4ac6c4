import Schedulers

extension SamplingPlan {
  /// Whether what the network is told is no time but a function of sigma, as networks of EDM are:
  /// ln(σ)/4 or 2·atan(σ)/π. Labels then say sigma, which people know.
  var tellsSigma: Bool {
    let levels = steps.map(\.query).filter { $0.level.signal > 0 && $0.level.noise > 0 }
    return !levels.isEmpty
      && levels.allSatisfy { query in
        // Other libraries round what they tell to Float.
        let told = [EDMPreconditioning.Conditioning.logarithm, .angle].map { conditioning in
          EDMPreconditioning(conditioning: conditioning)
            .query(at: SamplingGrid.Point(timestep: 0, level: query.level)).timestep
        }
        // On rectified flow, signal + noise = 1, times may be such numbers by chance.
        return abs(query.level.signal + query.level.noise - 1) > 1e-6
          && told.contains { abs($0 - query.timestep) <= 1e-5 * max(1, abs($0)) }
      }
  }
}
