// A form is saved as its factors, each a Double.

extension LinearForm: Codable {
  private enum CodingKeys: String, CodingKey {
    case samples, made, estimates, output, noise
    case predicted = "denoised"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(samples, forKey: .samples)
    try container.encode(made, forKey: .made)
    try container.encode(estimates, forKey: .estimates)
    try container.encode(predicted, forKey: .predicted)
    try container.encode(output, forKey: .output)
    try container.encode(noise, forKey: .noise)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Double { try container.decode(Double.self, forKey: key) }
    self.init(
      samples: try container.decode([Double].self, forKey: .samples), made: try number(.made),
      estimates: try container.decode([Double].self, forKey: .estimates), predicted: try number(.predicted),
      output: try number(.output), noise: try number(.noise))
  }
}
