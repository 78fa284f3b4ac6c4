// A schedule is saved as its betas, or as ᾱ in two Doubles each where it was not made from betas.

extension NoiseSchedule: Codable {
  private enum CodingKeys: CodingKey { case betas, alphaBars }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if try NoiseSchedule(betas: betas).products == products {
      try container.encode(betas, forKey: .betas)
    } else {
      try container.encode(products.map { [$0.high, $0.low] }, forKey: .alphaBars)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let isOfBetas = container.contains(.betas)
    do {
      if isOfBetas {
        try self.init(betas: container.decode([Double].self, forKey: .betas))
      } else {
        let pairs = try container.decode([[Double]].self, forKey: .alphaBars)
        guard pairs.allSatisfy({ $0.count == 2 && $0[0] + $0[1] == $0[0] }) else {
          throw container.error(.alphaBars, "each must be a number and what its rounding left")
        }
        try self.init(products: pairs.map { DoubleDouble(sum: $0[0], $0[1]) })
      }
    } catch let error as ScheduleError {
      throw container.error(isOfBetas ? .betas : .alphaBars, "\(error)")
    }
  }
}
