import Foundation

/// A number with at most so many significant digits and no zeros at the end.
func brief(_ x: Double, digits: Int = 3) -> String { String(format: "%.\(digits)g", x) }
