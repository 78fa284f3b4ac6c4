import Foundation

/// A number with at most so many significant digits and no zeros at the end.
func brief(_ number: Double, digits: Int = 6) -> String {
  String(format: "%.\(digits)g", number)
}
