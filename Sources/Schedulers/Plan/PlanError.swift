/// Why a sampler has no plan for a grid.
public enum PlanError: Error, Hashable, Sendable {
  /// The network's output does not determine x̂0 at this level.
  case singular(String, timestep: Double, sigma: Double)
  /// The network's output is about the next point of the grid, and there is none with signal.
  case noNext(timestep: Double)
  /// A coefficient is infinite or NaN.
  case coefficient(step: Int, timestep: Double, sigma: Double)
  /// An option is out of its range.
  case option(String, Double, of: String, allowed: String)
  /// A step speaks of a sample or an estimate from before the run's start.
  case reach(step: Int)
}

extension PlanError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noNext(let timestep):
      "a network that predicts the previous sample says nothing about timestep \(timestep.plain), which has no "
        + "cleaner point with signal after it on this grid; use another prediction type or sampler"
    case .singular(let name, let timestep, let sigma):
      "\(name) does not determine x0 at timestep \(timestep.plain), where sigma is \(sigma): there is no "
        + (sigma > 0
          ? "signal; use a network that predicts v or x0, or start at a lower timestep"
          : "noise; end the run before it")
    case .coefficient(let step, let timestep, let sigma):
      "step \(step), timestep \(timestep.plain), has a coefficient that is not finite at sigma \(sigma); start at a "
        + "lower timestep or use a sampler that does not divide by the signal, such as DPM-Solver++"
    case .option(let name, let value, let type, let allowed): "\(name) \(value.plain) of \(type) must be in \(allowed)"
    case .reach(let step):
      "step \(step) needs a sample or an estimate from before the start; make a new plan over the shorter grid "
        + "instead of cutting this one"
    }
  }
}

extension PlanError {
  /// Which values an option may have.
  struct Allowed: Sendable {
    let text: String
    let contains: @Sendable (Double) -> Bool

    static let positive = Allowed(text: "(0, ∞)") { $0 > 0 && $0.isFinite }
    static let notNegative = Allowed(text: "[0, ∞)") { $0 >= 0 && $0.isFinite }
    static let finite = Allowed(text: "(-∞, ∞)") { $0.isFinite }
    static let belowOne = Allowed(text: "[0, 1)") { $0 >= 0 && $0 < 1 }
    static let inside = Allowed(text: "(0, 1)") { $0 > 0 && $0 < 1 }
    static func closed(_ range: ClosedRange<Int>) -> Allowed {
      Allowed(text: "\(range.lowerBound) ... \(range.upperBound)") {
        $0 >= Double(range.lowerBound) && $0 <= Double(range.upperBound)
      }
    }
  }

  /// Throws, in the name of a type, unless the value of one of its options is allowed.
  static func check(_ name: String, _ value: Double, _ allowed: Allowed, of type: Any.Type) throws(PlanError) {
    guard allowed.contains(value) else {
      throw .option(name, value, of: String("\(type)".prefix { $0 != "<" }), allowed: allowed.text)
    }
  }
}
