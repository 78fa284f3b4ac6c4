/// The factors of a `LinearForm` by age, newest first. The last of them is not 0, so that their
/// count says how far back they reach.
struct LinearFactors: Sendable {
  /// The factors as Doubles, then what the rounding of each left, unless nothing was left of any.
  private var numbers: [Double] = []
  private(set) var count = 0

  init() {}

  /// Factors that are Doubles.
  init(_ highs: [Double]) { (numbers, count) = (highs, highs.count) }

  var highs: [Double] { numbers.count == count ? numbers : Array(numbers.prefix(count)) }

  var isFinite: Bool { numbers.allSatisfy { $0.isFinite } }

  subscript(k: Int) -> DoubleDouble {
    get { DoubleDouble(numbers[k], low: numbers.count > count ? numbers[count + k] : 0) }
    set { (numbers[k], numbers[count + k]) = (newValue.high, newValue.low) }
  }

  /// Adds others, each times one factor.
  mutating func add(_ other: LinearFactors, times factor: DoubleDouble) {
    guard other.count > 0 else { return }
    // A form to which the first terms are added shares their memory.
    if count == 0, factor == DoubleDouble(1) { return self = other }
    widen(to: other.count)
    for k in 0..<other.count { self[k] += factor * other[k] }
    trim()
  }

  /// Adds numbers, each to the factor that is `ago(k)` evaluations old.
  mutating func add(_ list: ShortList, ago: (Int) -> Int) {
    widen(to: list.indices.reduce(0) { max($0, ago($1) + 1) })
    for k in list.indices { self[ago(k)] += list[k] }
    trim()
  }

  /// Each as a function of what it was.
  mutating func change(_ body: (DoubleDouble) -> DoubleDouble) {
    guard count > 0 else { return }
    widen(to: count)
    for k in 0..<count { self[k] = body(self[k]) }
    trim()
  }

  /// Makes those of some ages 0.
  mutating func drop(_ ages: Range<Int>) {
    widen(to: count)
    for k in ages.clamped(to: 0..<count) { self[k] = DoubleDouble(0) }
    trim()
  }

  /// One evaluation later.
  mutating func age() {
    guard count > 0 else { return }
    if numbers.count > count { numbers.insert(0, at: count) }
    numbers.insert(0, at: 0)
    count += 1
  }

  /// Forgets what rounding left.
  mutating func round() {
    while numbers.count > count { numbers.removeLast() }
  }

  /// Takes the zeros from the end.
  private mutating func trim() {
    while count > 0, numbers[count - 1] == 0 {
      if numbers.count > count { numbers.removeLast() }
      numbers.remove(at: count - 1)
      count -= 1
    }
  }

  /// Makes room for at least so many factors and for what their rounding leaves.
  private mutating func widen(to needed: Int) {
    let width = max(needed, count)
    guard width > count || numbers.count == count else { return }
    // Most forms end with a few terms more.
    var wide: [Double] = []
    wide.reserveCapacity(max(8, 2 * width))
    for k in 0..<width { wide.append(k < count ? self[k].high : 0) }
    for k in 0..<width { wide.append(k < count ? self[k].low : 0) }
    (numbers, count) = (wide, width)
  }
}
