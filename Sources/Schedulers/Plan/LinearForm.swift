/// A combination of what a run has at hand, with numbers for coefficients: the samplers' language.
///
/// x' = Σ samples[k]·x_k + made·x⁺ + Σ estimates[k]·E_k + predicted·x̂0 + output·F + noise·z, where
/// index 0 is the newest and k the one k evaluations ago. `estimates` are what the sampler
/// extrapolates, x̂0 or epsilon, after clipping; `predicted` is the x̂0 of this evaluation before
/// clipping; x⁺ is the current sample as it was made, before anybody replaced it.
///
/// ```swift
/// let ratio = to.noise / from.noise
/// let euler = ratio * LinearForm.sample + (to.signal - ratio * from.signal) * .estimate()
/// ```
public struct LinearForm: Hashable, Codable, Sendable {
  /// The factors of the current sample and of earlier ones, newest first.
  public private(set) var samples: [Double] = []
  /// The factor of the current sample as it was made, which it still is unless it was replaced.
  public private(set) var made: Double = 0
  /// The factors of the current estimate and of earlier ones, newest first.
  public private(set) var estimates: [Double] = []
  /// The factor of this evaluation's unclipped x̂0.
  public private(set) var predicted: Double = 0
  /// The factor of the network's output F itself, for what x̂0 does not say.
  public private(set) var output: Double = 0
  /// The factor of fresh standard normal noise.
  public private(set) var noise: Double = 0

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

  private init(
    samples: [Double] = [], made: Double = 0, estimates: [Double] = [], predicted: Double = 0, output: Double = 0,
    noise: Double = 0
  ) {
    (self.samples, self.made, self.estimates) = (samples, made, estimates)
    (self.predicted, self.output, self.noise) = (predicted, output, noise)
  }

  /// Zeros, then a one. The first of them share memory, as plans ask for them at every step.
  private static func one(at index: Int) -> [Double] {
    index < ones.count ? ones[index] : Array(repeating: 0, count: index) + [1]
  }
  private static let ones: [[Double]] = [[1], [0, 1], [0, 0, 1], [0, 0, 0, 1]]
}

extension LinearForm {
  // What is consumed is changed in place: algebra makes many forms that nothing else needs.

  public static func + (a: consuming LinearForm, b: LinearForm) -> LinearForm {
    a.add(b, times: 1)
    return a
  }

  public static func - (a: consuming LinearForm, b: LinearForm) -> LinearForm {
    a.add(b, times: -1)
    return a
  }

  public static func * (factor: Double, form: consuming LinearForm) -> LinearForm {
    form.change { $0 = factor * $0 }
    return form
  }

  public static func / (form: consuming LinearForm, divisor: Double) -> LinearForm {
    form.change { $0 /= divisor }
    return form
  }

  /// This and a factor times a form: `+` and `*` without a form for the product.
  consuming func adding(_ factor: Double, of form: LinearForm) -> LinearForm {
    // A product of 0 keeps its sign where it is added to nothing, which is −0.
    add(form, times: factor, nothing: -0.0)
    return self
  }

  /// Σ factors[k]·E_k, where E_k was made `ago(k)` evaluations ago.
  static func estimates(_ factors: ShortList, ago: (Int) -> Int) -> LinearForm {
    var estimates: [Double] = []
    estimates.reserveCapacity(4)
    for k in factors.indices {
      while estimates.count <= ago(k) { estimates.append(0) }
      estimates[ago(k)] += factors[k]
    }
    trim(&estimates)
    return LinearForm(estimates: estimates)
  }

  /// Σ weights[k]·forms[k].
  package static func sum(_ weights: some Sequence<Double>, _ forms: some Sequence<LinearForm>) -> LinearForm {
    zip(weights, forms).reduce(into: LinearForm()) { $0.add($1.1, times: $1.0) }
  }

  /// The form of these estimates as the next evaluation sees them: each is one call older.
  consuming func older() -> LinearForm {
    if !estimates.isEmpty { estimates.insert(0, at: 0) }
    return self
  }

  private mutating func change(_ body: (inout Double) -> Void) {
    for k in samples.indices { body(&samples[k]) }
    for k in estimates.indices { body(&estimates[k]) }
    body(&made)
    body(&predicted)
    body(&output)
    body(&noise)
    Self.trim(&samples)
    Self.trim(&estimates)
  }

  private mutating func add(_ other: LinearForm, times factor: Double, nothing: Double = 0) {
    Self.add(other.samples, times: factor, to: &samples, nothing)
    Self.add(other.estimates, times: factor, to: &estimates, nothing)
    made += factor * other.made
    predicted += factor * other.predicted
    output += factor * other.output
    noise += factor * other.noise
  }

  private static func add(_ terms: [Double], times factor: Double, to sum: inout [Double], _ nothing: Double) {
    guard !terms.isEmpty else { return trim(&sum) }
    if sum.isEmpty {
      // A form to which the first terms are added shares their memory.
      if factor == 1 { return sum = terms }
      // Most forms end with a few terms more.
      sum.reserveCapacity(max(4, terms.count))
      sum.append(contentsOf: repeatElement(nothing, count: terms.count))
    }
    if sum.count < terms.count { sum.append(contentsOf: repeatElement(0, count: terms.count - sum.count)) }
    for k in terms.indices { sum[k] += factor * terms[k] }
    trim(&sum)
  }

  /// Takes the zeros from the end, so that the counts say how far back the form reaches.
  private static func trim(_ coefficients: inout [Double]) {
    while coefficients.last == 0 { coefficients.removeLast() }
  }

  /// How many of what is kept it speaks of, the newest included.
  var reach: Int { max(samples.count, estimates.count) }

  var isFinite: Bool {
    samples.allSatisfy(\.isFinite) && estimates.allSatisfy(\.isFinite)
      && made.isFinite && predicted.isFinite && output.isFinite && noise.isFinite
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
