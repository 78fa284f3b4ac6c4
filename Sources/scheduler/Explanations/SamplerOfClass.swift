import Schedulers
import SchedulersInterop

extension DiffusersConfiguration.Class {
  /// A sampler of the catalog, and whether a class is just that by the mathematics and with its
  /// defaults.
  typealias Relation = (entry: SamplerCatalog.Entry, isSame: Bool)

  /// The sampler that a class means: one whose steps on the class's own grid are those of the
  /// class, or else the one that has its name.
  ///
  /// Some samplers make the same steps, as DDIM and Euler do. The name decides then.
  func sampler() throws -> Relation? {
    let configuration = try DiffusersConfiguration(self)
    // More than RePaint jumps back over.
    let steps = 24
    let (grid, plan) = (try configuration.grid(steps: steps), try configuration.plan(steps: steps))
    let same = SamplerCatalog.all.filter { entry in
      guard let own = try? entry.sampler.plan(over: grid, predicting: .x0) else { return false }
      return own.steps.count == plan.steps.count
        && zip(own.steps, plan.steps).allSatisfy { $0.arrival.isNear($1.arrival) && $0.next.isNear($1.next) }
    }
    if let entry = same.first(where: { likeness(to: $0) > 0 }) ?? same.first { return (entry, true) }
    let isInversion = plan.start.sigma < grid.points[0].level.sigma
    let named = SamplerCatalog.all.filter { $0.isInversion == isInversion && likeness(to: $0) > 0 }
    let most = named.map(likeness).max()
    if let entry = named.first(where: { likeness(to: $0) == most }) { return (entry, false) }
    let type = SourceText.types(of: try configuration.sampler(steps: steps))[0]
    return SamplerCatalog.all.first { SourceText.types(of: $0.sampler)[0] == type }.map { ($0, false) }
  }

  /// How long a name the class shares with a sampler's type, if it has all of it or begins with the
  /// same word.
  private func likeness(to entry: SamplerCatalog.Entry) -> Int {
    let type = SourceText.types(of: entry.sampler)[0]
    return rawValue.contains(type) ? type.count : Self.sharedStart(rawValue, type)
  }

  private static func sharedStart(_ a: String, _ b: String) -> Int {
    let count = zip(a, b).prefix { $0 == $1 }.count
    return count > 2 ? count : 0
  }
}

/// Whether numbers are the same but for roundings.
private func areNear(_ a: [Double], _ b: [Double]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-9 * max(1, abs($0)) }
}

extension NoiseLevel {
  fileprivate func isNear(_ other: NoiseLevel) -> Bool { areNear([signal, noise], [other.signal, other.noise]) }
}

extension LinearForm {
  fileprivate func isNear(_ other: LinearForm) -> Bool {
    areNear(samples, other.samples) && areNear(estimates, other.estimates)
      && areNear([made, predicted, output, noise], [other.made, other.predicted, other.output, other.noise])
  }
}
