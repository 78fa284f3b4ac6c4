import DigitsModel
import Schedulers

/// The digits, split into halves: those with even index to train on, those with odd index held out.
/// Neighbours in the data set are often of one hand, so both halves have all hands.
struct DigitSplit {
  static let trainingCount = 899
  static let heldOutCount = 898
  /// Grey values are 0 ... 16.
  static let greyLevels = 17

  enum Half: String, CaseIterable {
    case training
    case heldOut = "held-out"

    var other: Half { self == .training ? .heldOut : .training }
  }

  let training: (images: [[Double]], labels: [Int])
  let heldOut: (images: [[Double]], labels: [Int])
  private let scalars: [[Float]]

  subscript(half: Half) -> (images: [[Double]], labels: [Int]) { half == .training ? training : heldOut }

  init() throws(DigitsResources.Failure) {
    let digits = try Digits()
    func half(from first: Int) -> (images: [[Double]], labels: [Int]) {
      let chosen = stride(from: first, to: digits.images.count, by: 2)
      return (chosen.map { digits.images[$0] }, chosen.map { digits.labels[$0] })
    }
    training = half(from: 0)
    heldOut = half(from: 1)
    scalars = training.images.map { $0.map { Float($0) } }
  }

  /// A batch of digits to train on.
  func batch(_ chosen: [Int]) -> SampleBatch<Float> {
    SampleBatch(shape: [chosen.count, 1, Digits.side, Digits.side], scalars: chosen.flatMap { scalars[$0] })
  }
}

/// In which order the digits are shown: all of them, shuffled anew for each epoch.
struct DataOrder: Hashable, Codable {
  private var order = Array(0..<DigitSplit.trainingCount)
  private var position = DigitSplit.trainingCount

  init() {}

  mutating func next(_ count: Int, using generator: inout PhiloxGenerator) -> [Int] {
    (0..<count).map { _ in
      if position == order.count {
        order.shuffle(using: &generator)
        position = 0
      }
      position += 1
      return order[position - 1]
    }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    order = try container.decode([Int].self, forKey: .order)
    position = try container.decode(Int.self, forKey: .position)
    guard order.sorted() == Array(0..<DigitSplit.trainingCount), (0...order.count).contains(position) else {
      throw DecodingError.dataCorruptedError(forKey: .order, in: container, debugDescription: "no order of the digits")
    }
  }

  private enum CodingKeys: CodingKey { case order, position }
}
