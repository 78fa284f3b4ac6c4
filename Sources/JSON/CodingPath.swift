/// The keys and indices that lead to a value. They become a list only where somebody asks, which
/// is after a mistake.
indirect enum CodingPath {
  case root
  case inside(CodingPath, any CodingKey)
  case element(CodingPath, Int)

  var keys: [any CodingKey] {
    var (keys, rest): ([any CodingKey], CodingPath) = ([], self)
    while true {
      switch rest {
      case .root: return keys.reversed()
      case .inside(let outer, let key): (rest, _) = (outer, keys.append(key))
      case .element(let outer, let index): (rest, _) = (outer, keys.append(JSONKey(index: index)))
      }
    }
  }
}

/// A key where no type has one: an index of a list, or that of a superclass.
struct JSONKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  static let superclass = JSONKey(stringValue: "super")

  init(index: Int) { (stringValue, intValue) = ("Index \(index)", index) }
  init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
  init(intValue: Int) { (stringValue, self.intValue) = ("\(intValue)", intValue) }
}
