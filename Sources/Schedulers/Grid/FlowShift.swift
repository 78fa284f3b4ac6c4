/// By how much the times of rectified flow move towards noise: sigma = t/(1 − t) becomes s·sigma.
///
///     t' = s·t/(1 + (s − 1)·t)
///
/// Source: [Esser et al. 2024](https://arxiv.org/abs/2403.03206), equation 23.
public enum FlowShift: Hashable, Codable, Sendable {
  /// A given s, above 0: 3 for Stable Diffusion 3. 1 moves nothing.
  case fixed(Double)
  /// An s that follows from mu, and mu from the size of the picture.
  case dynamic(DynamicShift)

  /// s.
  ///
  /// - Parameter mu: needed by `dynamic` alone.
  /// - Throws: `GridError` if mu is missing, or given for a fixed s, or s is outside 1e-9 ... 1e9.
  public func factor(mu: Double? = nil) throws(GridError) -> Double { try exactFactor(mu: mu).rounded }

  /// s before it is rounded.
  func exactFactor(mu: Double?) throws(GridError) -> DoubleDouble {
    switch self {
    case .fixed(let factor):
      guard Self.factors.contains(factor) else { throw .parameter("shift", factor, allowed: "in 1e-9 ... 1e9") }
      if let mu { throw .parameter("mu", mu, allowed: "left out where the shift is fixed") }
      return DoubleDouble(factor)
    case .dynamic(let shift):
      guard let mu else {
        throw .missing(
          "mu", reason: "the shift is dynamic; pass mu, which DynamicShift.mu(tokens:) gives for a picture's size")
      }
      let factor = shift.kind == .exponential ? DoubleDouble(mu).exp() : DoubleDouble(mu)
      guard Self.factors.contains(factor.high) else {
        throw .parameter("mu", mu, allowed: shift.kind == .exponential ? "in -20 ... 20" : "in 1e-9 ... 1e9")
      }
      return factor
    }
  }

  private static let factors = 1e-9...1e9

  /// The time to which a time from 0 to 1 is moved.
  ///
  /// - Throws: `GridError` as `factor(mu:)`.
  public func shifted(_ time: Double, mu: Double? = nil) throws(GridError) -> Double {
    let factor = try factor(mu: mu)
    return factor * time / (1 + (factor - 1) * time)
  }
}

/// A shift that grows with the picture: mu is linear in the number of tokens, through two points.
///
/// Source: diffusers 0.42.1, `calculate_shift`, after <https://github.com/black-forest-labs/flux>.
public struct DynamicShift: Hashable, Codable, Sendable {
  /// How s follows from mu.
  public enum Kind: String, Hashable, Codable, Sendable {
    /// s = e^mu.
    case exponential
    /// s = mu.
    case linear
  }

  public var kind: Kind
  /// The tokens of the smaller and of the larger of the two sizes.
  public var tokens: ClosedRange<Int>
  /// mu for the smaller size.
  public var smallest: Double
  /// mu for the larger size.
  public var largest: Double

  /// A shift through two points; the defaults are those of `flux`.
  ///
  /// - Precondition: the two numbers of tokens differ.
  public init(
    kind: Kind = .exponential, tokens: ClosedRange<Int> = 256...4096, smallest: Double = 0.5, largest: Double = 1.15
  ) {
    stop(unless: tokens.count > 1, "a line through mu needs two sizes; got \(tokens.lowerBound) tokens twice")
    (self.kind, self.tokens, self.smallest, self.largest) = (kind, tokens, smallest, largest)
  }

  /// Flux.1-dev. A token is a square of 16×16 pixels: a picture has width/16·height/16 of them.
  public static let flux = DynamicShift()
  /// LTX-Video. A token is 32×32 pixels of 8 frames: a film has ((frames − 1)/8 + 1)·w/32·h/32.
  public static let ltxVideo = DynamicShift(tokens: 1024...4096, smallest: 0.95, largest: 2.05)

  /// mu for a number of tokens, between the two sizes or beyond them.
  public func mu(tokens count: Int) -> Double {
    let share = Double(count - tokens.lowerBound) / Double(tokens.upperBound - tokens.lowerBound)
    return smallest + share * (largest - smallest)
  }
}
