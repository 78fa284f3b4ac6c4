/// The shape of the network, and where each of its parameters lies among all.
///
/// A parameter is named and shaped as PyTorch names and shapes it: `blocks.0.up.weight` has one row
/// for each output.
public struct Architecture: Hashable, Sendable {
  /// The number of scalars in a picture.
  public static let pixels = 64
  /// The number of classes; one more embedding stands for no class.
  public static let classes = 10
  /// The largest extents that are accepted, so that a file cannot ask for more memory than there
  /// is.
  public static let largest = (hidden: 4096, blocks: 64)

  /// The width of the network, 1 or more.
  public let hidden: Int
  /// The number of residual blocks, 0 or more.
  public let blocks: Int
  /// The number of sines and cosines that the timestep becomes, even and 2 or more.
  public let frequencies: Int
  /// Whether the output has a second channel, about the variance.
  public let learnsVariance: Bool

  /// A parameter: a vector or a matrix.
  public struct Parameter: Hashable, Sendable {
    /// The name.
    public let name: String
    /// One extent or two; the last runs fastest.
    public let shape: [Int]
    /// Where it lies in the list of all parameters.
    public let range: Range<Int>
  }

  /// Every parameter, in the order in which they lie.
  public let parameters: [Parameter]

  let input, timeIn, timeOut, output: Linear
  let labels: Int
  let residuals: [(up: Linear, down: Linear)]

  /// A linear layer y = W·x + b, by where its parameters begin.
  struct Linear {
    let inputs, outputs, weight, bias: Int
  }

  /// The number of parameters.
  public var count: Int { parameters.last!.range.upperBound }
  /// The number of scalars in an output.
  public var outputs: Int { learnsVariance ? 2 * Self.pixels : Self.pixels }

  /// A network.
  ///
  /// - Precondition: the sizes are in the ranges given at each property, and at most `largest`.
  public init(hidden: Int = 192, blocks: Int = 5, frequencies: Int = 64, learnsVariance: Bool = false) {
    precondition(
      (1...Self.largest.hidden).contains(hidden) && (0...Self.largest.blocks).contains(blocks)
        && (2...Self.largest.hidden).contains(frequencies) && frequencies.isMultiple(of: 2),
      "a network of \(hidden) hidden units, \(blocks) blocks and \(frequencies) frequencies cannot be made")
    self.hidden = hidden
    self.blocks = blocks
    self.frequencies = frequencies
    self.learnsVariance = learnsVariance
    var parameters: [Parameter] = []
    func add(_ name: String, _ shape: [Int]) -> Int {
      let start = parameters.last?.range.upperBound ?? 0
      parameters.append(Parameter(name: name, shape: shape, range: start..<start + shape.reduce(1, *)))
      return start
    }
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> Linear {
      Linear(
        inputs: inputs, outputs: outputs, weight: add("\(name).weight", [outputs, inputs]),
        bias: add("\(name).bias", [outputs])
      )
    }
    input = linear("input", Self.pixels, hidden)
    timeIn = linear("time.0", frequencies, hidden)
    timeOut = linear("time.2", hidden, hidden)
    labels = add("labels.weight", [Self.classes + 1, hidden])
    residuals = (0..<blocks).map { i in
      (linear("blocks.\(i).up", hidden, hidden), linear("blocks.\(i).down", hidden, hidden))
    }
    output = linear("output", hidden, learnsVariance ? 2 * Self.pixels : Self.pixels)
    self.parameters = parameters
  }

  public static func == (a: Self, b: Self) -> Bool {
    (a.hidden, a.blocks, a.frequencies, a.learnsVariance) == (b.hidden, b.blocks, b.frequencies, b.learnsVariance)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine([hidden, blocks, frequencies, learnsVariance ? 1 : 0])
  }
}

extension Architecture: Codable {
  private enum CodingKeys: String, CodingKey {
    case hidden, blocks, frequencies
    case learnsVariance = "learns_variance"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func size(_ key: CodingKeys, in range: ClosedRange<Int>, even: Bool = false) throws -> Int {
      let value = try container.decode(Int.self, forKey: key)
      guard range.contains(value), !even || value.isMultiple(of: 2) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: container,
          debugDescription:
            "\(key.rawValue) \(value) must be in \(range.lowerBound) ... \(range.upperBound)\(even ? " and even" : "")")
      }
      return value
    }
    try self.init(
      hidden: size(.hidden, in: 1...Self.largest.hidden), blocks: size(.blocks, in: 0...Self.largest.blocks),
      frequencies: size(.frequencies, in: 2...Self.largest.hidden, even: true),
      learnsVariance: container.decode(Bool.self, forKey: .learnsVariance))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(hidden, forKey: .hidden)
    try container.encode(blocks, forKey: .blocks)
    try container.encode(frequencies, forKey: .frequencies)
    try container.encode(learnsVariance, forKey: .learnsVariance)
  }
}
