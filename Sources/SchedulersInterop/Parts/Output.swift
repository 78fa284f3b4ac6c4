import Schedulers

/// What a class reads out of the network: `prediction_type`, and what it does to x̂0.
struct Output {
  static let epsilonOrV: KeyValuePairs<String, Prediction> = ["epsilon": .epsilon, "v_prediction": .v]

  private let choice: NamedChoice<Prediction>?
  /// Whether and to what x̂0 is clipped.
  private var range: (isOn: Given<Bool>, limit: Given<Double>?)?
  private var thresholding: Thresholding?

  /// - Parameters:
  ///   - clips: the default of `clip_sample`; nil for a class that has not got it.
  ///   - thresholds: whether the class has `thresholding`.
  init(
    _ o: inout OptionReader,
    _ predictions: KeyValuePairs<String, Prediction> = ["epsilon": .epsilon, "sample": .x0, "v_prediction": .v],
    clips: Bool? = nil, thresholds: Bool = false
  ) {
    choice = o.choice("prediction_type", "epsilon", predictions)
    if let clips { readClipping(&o, clips) }
    if thresholds { thresholding = Thresholding(&o) }
  }

  /// Epsilon, and `clip_sample` to −1 ... 1.
  init(epsilonWithClipping o: inout OptionReader) { (choice, range) = (nil, (o.boolean("clip_sample", true), nil)) }

  /// Adds `clip_sample` and its range.
  mutating func readClipping(_ o: inout OptionReader, _ standard: Bool) {
    range = (o.boolean("clip_sample", standard), o.number("clip_sample_range", 1))
  }

  func prediction() throws -> Prediction { try choice?.get() ?? .epsilon }
  func refused(_ remedy: String) -> Refusal { choice!.given.refused(remedy) }
  /// The name of the prediction in the file.
  var name: String? { choice?.name }

  /// Throws where x̂0 is thresholded, with which diffusers fails in some algorithms.
  func refuseThresholding(_ algorithm: String) throws {
    guard let isOn = thresholding?.isOn, isOn.value else { return }
    throw isOn.refused("diffusers fails with it and \(algorithm)")
  }

  func clipping() throws -> Clipping {
    if let thresholding, thresholding.isOn.value { return try thresholding.clipping() }
    guard let range, range.isOn.value else { return .none }
    let limit = range.limit?.value ?? 1
    guard limit >= 0, limit.isFinite else { throw range.limit!.refused("it must be 0 or more and finite") }
    return .range(-limit...limit)
  }
}

/// `thresholding` and its numbers.
struct Thresholding {
  let isOn: Given<Bool>
  private let ratio: Given<Double>
  private let maximum: Given<Double>

  init(_ o: inout OptionReader) {
    isOn = o.boolean("thresholding", false)
    (ratio, maximum) = (o.number("dynamic_thresholding_ratio", 0.995), o.number("sample_max_value", 1))
  }

  func clipping() throws -> Clipping {
    guard isOn.value else { return .none }
    let clipping = Clipping.dynamic(ratio: ratio.value, maximum: maximum.value)
    do { try clipping.validate() } catch PlanError.option(let name, _, _, let allowed) {
      throw (name == "ratio" ? ratio : maximum).refused("it must be in \(allowed)")
    }
    return clipping
  }
}

/// v read as where signal² + noise² is 1: x̂0 = signal·x − noise·v.
///
/// diffusers reads v so off that circle too, on rectified flow's levels and on rounded ones.
struct CircularV: OutputReading {
  /// Whether a sampler makes epsilon of x̂0. diffusers then reads epsilon as signal·v + noise·x.
  var isEpsilon: Bool
  var name: String { Prediction.v.name }

  func query(at point: SamplingGrid.Point) -> SamplingGrid.Point { point }
  func denoising(at query: SamplingGrid.Point, next: SamplingGrid.Point?) -> Readout? {
    let level = query.level
    let sample = isEpsilon && level.signal > 0 ? (1 - level.noise * level.noise) / level.signal : level.signal
    return Readout(sample: sample, output: -level.noise)
  }
}
