/// How the tensors of a trace are taken: as the format says, or as somebody may have recorded them
/// by mistake.
struct Reading: Hashable, Sendable {
  /// What the noise is multiplied by.
  var noiseFactor = 1.0
  /// By how many steps the noise is late: 1 takes that of the step before.
  var noiseLag = 0
  /// What the output is multiplied by.
  var outputFactor = 1.0
  /// By how many steps the output is late.
  var outputLag = 0
  /// Whether the variance comes before the prediction in the output's channels.
  var swapsHalves = false
  /// Whether the samples are what the network was given.
  var samplesAreInputs = false
  /// The order in which a sample's dimensions were stored, slowest first, by tensor; as they are
  /// for the others.
  var order: [Trace.Role: [Int]] = [:]
  /// The dimensions of a sample that run backwards, by tensor.
  var mirrored: [Trace.Role: Set<Int>] = [:]
  /// For each channel of each sample of the batch, the one that is read in its place, by tensor:
  /// sample · channels + channel. For `made` that in which the result was put.
  var planes: [Trace.Role: [Int]] = [:]
  /// The type that a tensor's numbers went through.
  var rounding: [Trace.Role: Trace.Precision] = [:]
  /// The range that a tensor's numbers are brought into; for `made` those of the result.
  var range: [Trace.Role: ClosedRange<Double>] = [:]
  /// What is done to x̂0 before the plan clips it.
  var treatment: EstimateTreatment?
}

extension Trace {
  /// For each scalar of a part in the natural order, its place in a sample whose dimensions were
  /// stored in another order, or some of them backwards.
  ///
  /// - Parameter offset: what is added to a scalar's place in the natural order first.
  func places(_ role: Role, _ part: Part, offset: Int, order: [Int], mirrored: Set<Int> = []) -> [Int] {
    var extents = Array(shape.dropFirst())
    if role == .outputs, hasVariance { extents[0] *= 2 }
    var strides = Array(repeating: 1, count: extents.count)
    var stride = 1
    for dimension in order.reversed() {
      strides[dimension] = stride
      stride *= extents[dimension]
    }
    return part.scalars.map { scalar in
      var (rest, place) = (scalar + offset, 0)
      for dimension in extents.indices.reversed() {
        let index = rest % extents[dimension]
        place += (mirrored.contains(dimension) ? extents[dimension] - 1 - index : index) * strides[dimension]
        rest /= extents[dimension]
      }
      return place
    }
  }
}
