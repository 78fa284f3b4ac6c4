import Schedulers

extension DiffusersConfiguration {
  /// mu for a picture of a number of tokens, as pipelines make it of the file's own `base_shift`,
  /// `max_shift`, `base_image_seq_len` and `max_image_seq_len`, or of Flux's where it has none.
  ///
  /// Source: `calculate_shift` of diffusers' pipelines of Flux, Qwen-Image, LTX-Video and others.
  ///
  /// - Throws: `ConfigurationError` if there is no token, or the two sizes are one.
  public func mu(tokens: Int) throws(ConfigurationError) -> Double {
    func number(_ key: String, _ usual: Double) -> Double { self[key]?.number ?? usual }
    let (few, many) = (number("base_image_seq_len", 256), number("max_image_seq_len", 4096))
    let (least, most) = (number("base_shift", 0.5), number("max_shift", 1.15))
    guard tokens >= 1 else {
      throw .argument(
        RunArguments.Key.tokens.rawValue, value: Double(tokens), className: className, remedy: "it must be 1 or more")
    }
    guard many != few else {
      throw .option(
        "max_image_seq_len", value: "\(Int(many))", className: className, remedy: "it must not be base_image_seq_len")
    }
    let slope = (most - least) / (many - few)
    return Double(tokens) * slope + (least - slope * few)
  }

  /// The same for the size of a picture in pixels.
  ///
  /// - Parameters:
  ///   - width: in pixels.
  ///   - height: in pixels.
  ///   - patch: how many pixels wide and high a token is: 16 for Flux, Stable Diffusion 3 and
  ///     Qwen-Image, 32 for LTX-Video.
  public func mu(width: Int, height: Int, patch: Int = 16) throws(ConfigurationError) -> Double {
    guard patch >= 1 else {
      throw .argument("patch", value: Double(patch), className: className, remedy: "it must be 1 or more")
    }
    return try mu(tokens: (width / patch) * (height / patch))
  }
}

extension DynamicShift {
  /// mu of Flux.2, which depends on the number of steps too: a line between those that were found
  /// good for 10 and for 200 steps; beyond 4,300 tokens that of 200.
  ///
  /// Source: `compute_empirical_mu` of diffusers 0.42.1, after
  /// <https://github.com/black-forest-labs/flux2>.
  public static func flux2(tokens: Int, steps: Int) -> Double {
    let count = Double(tokens)
    let (ten, twoHundred) = (8.73809524e-05 * count + 1.89833333, 0.00016927 * count + 0.45666666)
    guard tokens <= 4300 else { return twoHundred }
    let slope = (twoHundred - ten) / 190
    return slope * Double(steps) + (twoHundred - 200 * slope)
  }
}
