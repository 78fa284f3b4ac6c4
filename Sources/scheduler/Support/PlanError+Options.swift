import Schedulers

extension PlanError {
  /// What is wrong, with the remedy in the options of this tool.
  ///
  /// - Parameter choosing: what helps where a coefficient does not exist.
  func inOptions(choosing remedy: String) -> String {
    switch self {
    case .singular(_, _, let sigma) where sigma > 0:
      // What stands before the remedy is said as everywhere.
      "\("\(self)".prefix { $0 != ";" }); choose --prediction v or x0"
    case .coefficient: "\("\(self)".prefix { $0 != ";" }); \(remedy)"
    default: "\(self)"
    }
  }
}
