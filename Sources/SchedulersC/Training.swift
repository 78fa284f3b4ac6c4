import Schedulers
import SchedulersCHeader
import SchedulersKernelInterface
import SchedulersKernels

@_cdecl("schedulers_mix")
public func schedulersMix(
  _ type: Int32, _ samples: Int64, _ size: Int64, _ signal: UnsafePointer<Double>?, _ noise: UnsafePointer<Double>?,
  _ x0: UnsafeRawPointer?, _ epsilon: UnsafeRawPointer?, _ x: UnsafeMutableRawPointer?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let extent = try Extent(samples, size)
    let levels = try levels(signal, noise, count: extent.samples)
    let factors = levels.map { SamplingPlan.Readout(sample: $0.signal, output: $0.noise) }
    try ScalarType(type).with { try combine($0, extent, factors, x0, epsilon, x, "x") }
  }
}

@_cdecl("schedulers_target")
public func schedulersTarget(
  _ prediction: UnsafePointer<CChar>?, _ type: Int32, _ samples: Int64, _ size: Int64,
  _ signal: UnsafePointer<Double>?, _ noise: UnsafePointer<Double>?, _ x0: UnsafeRawPointer?,
  _ epsilon: UnsafeRawPointer?, _ target: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let prediction = try spoken(text(prediction, "prediction"))
    let extent = try Extent(samples, size)
    let factors = try levels(signal, noise, count: extent.samples).map { level in
      guard let target = prediction.target(at: level) else {
        throw Refusal.request("\(prediction.rawValue) has no target at signal \(level.signal), noise \(level.noise)")
      }
      return SamplingPlan.Readout(sample: target.x0, output: target.epsilon)
    }
    try ScalarType(type).with { try combine($0, extent, factors, x0, epsilon, target, "target") }
  }
}

@_cdecl("schedulers_weights")
public func schedulersWeights(
  _ request: UnsafePointer<CChar>?, _ count: Int64, _ signal: UnsafePointer<Double>?, _ noise: UnsafePointer<Double>?,
  _ weights: UnsafeMutablePointer<Double>?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let request = try WeightingRequest(text(request, "request"))
    let count = try Extent(count, 1).count
    let weights = try required(weights, "weights")
    for (n, level) in try levels(signal, noise, count: count).enumerated() {
      weights[n] = request.weight(at: level)
    }
  }
}

/// A prediction of a sample by itself.
func spoken(_ name: String) throws(Refusal) -> Prediction {
  let known = Prediction.allCases.filter { $0 != .previous }
  guard let found = known.first(where: { $0.rawValue == name }) else {
    throw .unknown("prediction", name, known: known.map(\.rawValue))
  }
  return found
}

/// The levels of samples.
private func levels(
  _ signal: UnsafePointer<Double>?, _ noise: UnsafePointer<Double>?, count: Int
) throws(Refusal) -> [NoiseLevel] {
  let (signal, noise) = (try required(signal, "signal"), try required(noise, "noise"))
  var levels: [NoiseLevel] = []
  for n in 0..<count {
    guard NoiseLevel.isValid(signal: signal[n], noise: noise[n]) else {
      throw .argument(
        "signal \(signal[n]) and noise \(noise[n]) of sample \(n) are no level; both must be finite, not negative and "
          + "not both 0")
    }
    levels.append(NoiseLevel(signal: signal[n], noise: noise[n]))
  }
  return levels
}

/// Writes factors[n].sample·x + factors[n].output·y in each sample n.
private func combine<Scalar: SampleScalar>(
  _: Scalar.Type, _ extent: Extent, _ factors: [SamplingPlan.Readout], _ x: UnsafeRawPointer?, _ y: UnsafeRawPointer?,
  _ z: UnsafeMutableRawPointer?, _ name: StaticString
) throws(Refusal) {
  let (x, y, z) = (
    try Place(x, "x0", count: extent.count, of: Scalar.self),
    try Place(y, "epsilon", count: extent.count, of: Scalar.self),
    try Place(z, name, count: extent.count, of: Scalar.self)
  )
  for other in [x, y] where other.start != z.start { try other.checkApart(from: z) }
  guard let loops = Scalar._loops(of: Kernels.table) else { throw .argument("\(Scalar.self) has no kernels") }
  loops.combine(
    x.scalars(Scalar.self), y.scalars(Scalar.self), into: z.scalars(Scalar.self), count: extent.count,
    size: extent.size, threads: Fork.isChild ? 1 : nil
  ) { factors[$0] }
}

/// What `schedulers_weights` is asked for.
struct WeightingRequest {
  private let weighting: LossWeighting
  /// What the error is of that is weighted: a prediction, or a network of EDM.
  private let prediction: Prediction
  private let edm: EDMPreconditioning?

  static let names = ["uniform", "minSNR", "softMinSNR", "p2", "debiased", "edm", "sigmaSquareRoot", "cosMap"]

  init(_ json: String) throws {
    var request = try Request(json)
    let positive = 1e-300...1e300
    let sigmaData = try request.number("sigmaData", in: positive)
    switch try request.choice("weighting", of: "weighting", among: Self.names, { Self.names.contains($0) ? $0 : nil }) {
    case "minSNR": weighting = .minSNR(gamma: try request.number("gamma", in: positive) ?? 5)
    case "softMinSNR": weighting = .softMinSNR(gamma: try request.number("gamma", in: positive) ?? 4)
    case "p2":
      weighting = .p2(
        k: try request.number("k", in: positive) ?? 1, gamma: try request.number("gamma", in: 0...1e300) ?? 1)
    case "debiased": weighting = .debiased
    case "edm": weighting = .edm(sigmaData: sigmaData ?? 0.5)
    case "sigmaSquareRoot": weighting = .sigmaSquareRoot
    case "cosMap": weighting = .cosMap
    case "uniform": weighting = .uniform
    default: throw Refusal.request("the request has no \"weighting\"; known are \(Self.names.joined(separator: ", "))")
    }
    let name = try request.text("prediction") ?? Prediction.epsilon.rawValue
    edm = name == "edm" ? EDMPreconditioning(sigmaData: sigmaData ?? 0.5) : nil
    prediction = try edm == nil ? spoken(name) : .x0
    try request.finish()
    guard sigmaData == nil || edm != nil || weighting.isOfEDM else {
      throw Refusal.request("\"sigmaData\" means nothing here; drop it, or choose the weighting or the prediction edm")
    }
  }

  func weight(at level: NoiseLevel) -> Double {
    edm.map { weighting.weight(at: level, for: $0) } ?? weighting.weight(at: level, for: prediction)
  }
}

extension LossWeighting {
  fileprivate var isOfEDM: Bool { if case .edm = self { true } else { false } }
}
