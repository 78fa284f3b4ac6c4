/// A combination of what a run has at hand, with numbers for coefficients: the samplers' language.
///
/// x' = Σ samples[k]·x_k + made·x⁺ + Σ estimates[k]·E_k + predicted·x̂0 + output·F + noise·z, where
/// index 0 is the newest and k the one k evaluations ago. `estimates` are what the sampler
/// extrapolates, x̂0 or epsilon, after clipping; `predicted` is the x̂0 of this evaluation before
/// clipping; x⁺ is the current sample as it was made, before anybody replaced it.
///
/// ```swift
/// let ratio = to.noise / from.noise
/// let euler =
///   ratio * LinearForm.sample + (to.signal - ratio * from.signal) * .estimate()
/// ```
///
/// A form keeps about 32 digits of what it is made of, so that terms which nearly cancel do so
/// exactly. Its properties are the nearest Doubles.
public struct LinearForm: Sendable {
  private var sampleFactors = LinearFactors()
  private var estimateFactors = LinearFactors()
  private var exactMade = DoubleDouble(0)
  private var exactPredicted = DoubleDouble(0)
  private var exactOutput = DoubleDouble(0)
  private var exactNoise = DoubleDouble(0)

  /// The factors of the current sample and of earlier ones, newest first.
  public var samples: [Double] { sampleFactors.highs }
  /// The factor of the current sample as it was made, which it still is unless it was replaced.
  public var made: Double { exactMade.high }
  /// The factors of the current estimate and of earlier ones, newest first.
  public var estimates: [Double] { estimateFactors.highs }
  /// The factor of this evaluation's unclipped x̂0.
  public var predicted: Double { exactPredicted.high }
  /// The factor of the network's output F itself, for what x̂0 does not say.
  public var output: Double { exactOutput.high }
  /// The factor of fresh standard normal noise.
  public var noise: Double { exactNoise.high }

  /// The combination in which everything has the factor 0.
  public init() {}

  /// The current sample x.
  public static let sample = sample(ago: 0)
  /// The sample of `ago` evaluations ago.
  public static func sample(ago: Int) -> LinearForm { LinearForm(samples: one(at: ago)) }
  /// The current sample as it was made, whatever has replaced it since.
  public static let made = LinearForm(made: 1)
  /// The estimate made `ago` evaluations ago; that of this evaluation by default.
  public static func estimate(ago: Int = 0) -> LinearForm { LinearForm(estimates: one(at: ago)) }
  /// This evaluation's x̂0 before clipping.
  public static let predicted = LinearForm(predicted: 1)
  /// The network's output.
  public static let output = LinearForm(output: 1)
  /// Fresh standard normal noise z.
  public static let noise = LinearForm(noise: 1)

  init(
    samples: [Double] = [], made: Double = 0, estimates: [Double] = [], predicted: Double = 0, output: Double = 0,
    noise: Double = 0
  ) {
    (sampleFactors, estimateFactors) = (LinearFactors(samples), LinearFactors(estimates))
    (exactMade, exactPredicted) = (DoubleDouble(made), DoubleDouble(predicted))
    (exactOutput, exactNoise) = (DoubleDouble(output), DoubleDouble(noise))
  }

  /// Zeros, then a one. The first of them share memory, as plans ask for them at every step.
  private static func one(at index: Int) -> [Double] {
    index < ones.count ? ones[index] : Array(repeating: 0, count: index) + [1]
  }
  private static let ones: [[Double]] = [[1], [0, 1], [0, 0, 1], [0, 0, 0, 1]]
}

extension LinearForm {
  // The algebra has about 32 digits; a plan rounds what comes of it. What is consumed is changed in
  // place, as algebra makes many forms that nothing else needs.

  public static func + (a: consuming LinearForm, b: LinearForm) -> LinearForm {
    a.add(b, times: DoubleDouble(1))
    return a
  }

  public static func - (a: consuming LinearForm, b: LinearForm) -> LinearForm {
    a.add(b, times: DoubleDouble(-1))
    return a
  }

  public static func * (factor: Double, form: consuming LinearForm) -> LinearForm {
    form.change { $0 * factor }
    return form
  }

  public static func / (form: consuming LinearForm, divisor: Double) -> LinearForm {
    form.change { $0 / divisor }
    return form
  }

  package static func * (factor: DoubleDouble, form: consuming LinearForm) -> LinearForm {
    form.change { $0 * factor }
    return form
  }

  package static func / (form: consuming LinearForm, divisor: DoubleDouble) -> LinearForm {
    form.change { $0 / divisor }
    return form
  }

  /// This and a factor times a form: `+` and `*` without a form for the product.
  consuming func adding(_ factor: DoubleDouble, of form: LinearForm) -> LinearForm {
    add(form, times: factor)
    return self
  }

  /// This and Σ factors[k]·E_k, where E_k was made `ago(k)` evaluations ago.
  consuming func adding(_ factors: ShortList, ago: (Int) -> Int) -> LinearForm {
    estimateFactors.add(factors, ago: ago)
    return self
  }

  /// Σ weights[k]·forms[k].
  package static func sum(_ weights: some Sequence<DoubleDouble>, _ forms: some Sequence<LinearForm>) -> LinearForm {
    zip(weights, forms).reduce(into: LinearForm()) { $0.add($1.1, times: $1.0) }
  }

  /// The form of these estimates as the next evaluation sees them: each is one call older.
  consuming func older() -> LinearForm {
    estimateFactors.age()
    return self
  }

  /// This without the estimates of `age` evaluations ago and of more.
  package consuming func forgetting(estimatesFrom age: Int) -> LinearForm {
    estimateFactors.drop(age..<Int.max)
    return self
  }

  /// This from the sample as it was made in the place of the current one.
  package consuming func fromMade() -> LinearForm {
    guard !samples.isEmpty else { return self }
    exactMade += sampleFactors[0]
    sampleFactors.drop(0..<1)
    return self
  }

  /// This with its noise multiplied by a factor.
  package consuming func scalingNoise(by factor: Double) -> LinearForm {
    exactNoise = exactNoise * factor
    return self
  }

  /// The form with the Doubles that are nearest to its factors.
  consuming func rounded() -> LinearForm {
    sampleFactors.round()
    estimateFactors.round()
    (exactMade.low, exactPredicted.low, exactOutput.low, exactNoise.low) = (0, 0, 0, 0)
    return self
  }

  private mutating func change(_ body: (DoubleDouble) -> DoubleDouble) {
    sampleFactors.change(body)
    estimateFactors.change(body)
    // Most of these are 0, and stay so.
    if made != 0 { exactMade = body(exactMade) }
    if predicted != 0 { exactPredicted = body(exactPredicted) }
    if output != 0 { exactOutput = body(exactOutput) }
    if noise != 0 { exactNoise = body(exactNoise) }
  }

  private mutating func add(_ other: LinearForm, times factor: DoubleDouble) {
    sampleFactors.add(other.sampleFactors, times: factor)
    estimateFactors.add(other.estimateFactors, times: factor)
    if other.made != 0 { exactMade += factor * other.exactMade }
    if other.predicted != 0 { exactPredicted += factor * other.exactPredicted }
    if other.output != 0 { exactOutput += factor * other.exactOutput }
    if other.noise != 0 { exactNoise += factor * other.exactNoise }
  }

  /// How many of what is kept it speaks of, the newest included.
  var reach: Int { max(sampleFactors.count, estimateFactors.count) }

  var isFinite: Bool {
    sampleFactors.isFinite && estimateFactors.isFinite
      && made.isFinite && predicted.isFinite && output.isFinite && noise.isFinite
  }
}

// Forms are equal if their factors are as Doubles, which are what is saved.

extension LinearForm: Hashable {
  public static func == (a: LinearForm, b: LinearForm) -> Bool {
    a.samples == b.samples && a.estimates == b.estimates
      && (a.made, a.predicted, a.output, a.noise) == (b.made, b.predicted, b.output, b.noise)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(samples)
    hasher.combine(estimates)
    for number in [made, predicted, output, noise] { hasher.combine(number) }
  }
}

extension LinearForm: CustomStringConvertible {
  /// The form as a line of algebra, such as `0.98·x + 0.02·E + 0.1·z`.
  public var description: String {
    func name(_ symbol: String, _ ago: Int) -> String { ago == 0 ? symbol : "\(symbol)[-\(ago)]" }
    let terms =
      samples.enumerated().map { ($1, name("x", $0)) } + [(made, "x⁺")]
      + estimates.enumerated().map { ($1, name("E", $0)) } + [(predicted, "x̂0"), (output, "F"), (noise, "z")]
    let parts = terms.filter { $0.0 != 0 }.map { "\($0.0)·\($0.1)" }
    return parts.isEmpty ? "0" : parts.joined(separator: " + ")
  }
}
