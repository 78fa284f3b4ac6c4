import Foundation

/// A number with at most so many significant digits and no zeros at the end.
func brief(_ number: Double, digits: Int = 6) -> String {
  String(format: "%.\(digits)g", number)
}

/// A number of things, as in "1 digit" and "2 digits".
func counted(_ number: Int, _ thing: String) -> String { number == 1 ? "1 \(thing)" : "\(number) \(thing)s" }
