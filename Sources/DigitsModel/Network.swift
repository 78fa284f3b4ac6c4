import Schedulers

/// A residual network for pictures of 8×8 grey values, that is told a timestep and a class.
///
///     c = W₂·silu(W₁·s(t)) + label
///     h_0 = W·x,    h_{k+1} = h_k + D_k·silu(U_k·(h_k + c)),    output = V·silu(h_K)
///
/// with a bias at each matrix, and s(t) the cosines and the sines of t·10000^(−k/K), k = 0 ..< K,
/// as in Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.5, in the order of
/// guided-diffusion's `timestep_embedding`.
public struct Network<Scalar: NetworkScalar>: Hashable, Sendable {
  /// Its shape.
  public let architecture: Architecture
  /// All parameters; `architecture.parameters` says which is where. They may be changed, but not
  /// their number.
  public var parameters: [Scalar] {
    get { storage }
    // An observer would have other modules copy all parameters to change one.
    _modify {
      defer { precondition(storage.count == architecture.count, Self.misfit(storage.count, architecture)) }
      yield &storage
    }
  }
  private var storage: [Scalar]

  /// A network of given parameters.
  ///
  /// - Precondition: there are as many as the architecture has.
  public init(_ architecture: Architecture, parameters: [Scalar]) {
    precondition(parameters.count == architecture.count, Self.misfit(parameters.count, architecture))
    self.architecture = architecture
    storage = parameters
  }

  /// A network to be trained: matrices from N(0, 1/inputs), labels from N(0, 1/4), the last layer
  /// and all biases 0, so that what it first says is 0.
  public init(_ architecture: Architecture, seed: UInt64) {
    var noise = GaussianNoise(seed: seed)
    let normals = noise.next(like: SampleBatch<Scalar>(zeros: [1, architecture.count])).scalars
    var parameters = normals
    for parameter in architecture.parameters {
      let isZero = parameter.shape.count == 1 || parameter.name.hasPrefix("output")
      let deviation =
        isZero ? 0 : parameter.name.hasPrefix("labels") ? 0.5 : 1 / Double(parameter.shape[1]).squareRoot()
      for i in parameter.range { parameters[i] = Scalar(deviation) * normals[i] }
    }
    self.init(architecture, parameters: parameters)
  }

  private static func misfit(_ count: Int, _ architecture: Architecture) -> String {
    "\(count) parameters for a network that has \(architecture.count)"
  }

  /// What one run through the network leaves for the way back.
  public struct Tape: Sendable {
    /// The output of each sample, `architecture.outputs` scalars.
    public let output: [Scalar]
    let parts: [Part]
    let threads: Int
  }

  /// What a run leaves of some of the samples.
  struct Part: Sendable {
    let samples: Range<Int>
    let output: [Scalar]
    let input: [Scalar]
    let classes: [Int]
    let embedding: [Scalar]
    let time: Activation
    /// h_k + c, and silu of U_k·(h_k + c).
    let blocks: [(input: [Scalar], activation: Activation)]
    let last: Activation
  }

  /// silu(u) = u/(1 + exp(−u)) of some values, and its derivative.
  struct Activation: Sendable {
    let value: [Scalar]
    let slope: [Scalar]
  }

  /// The output for a batch.
  ///
  /// - Parameters:
  ///   - input: samples of 64 scalars.
  ///   - timesteps: what the network is told for each.
  ///   - labels: the class of each, 0 ... 9; `nil` for none.
  ///   - threads: of the run and of its gradient, 1 or more. Large batches are computed in halves,
  ///     whose sums are the same on one thread and on two; more than two are of no use.
  /// - Precondition: the numbers of samples, timesteps and labels agree, and labels are in range.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  public func run(_ input: [Scalar], timesteps: [Double], labels: [Int?], threads: Int = 1) -> Tape {
    let count = timesteps.count
    precondition(
      labels.count == count && input.count == count * Architecture.pixels,
      "\(input.count) scalars, \(count) timesteps and \(labels.count) labels are no batch of pictures of "
        + "\(Architecture.pixels)"
    )
    let classes = labels.map { label in
      precondition(label.map((0..<Architecture.classes).contains) ?? true, "there is no class \(label!)")
      return label ?? Architecture.classes
    }
    let parts = BatchParts.map(BatchParts.ranges(of: count), threads: threads) { samples in
      run(
        input[samples.lowerBound * Architecture.pixels..<samples.upperBound * Architecture.pixels],
        timesteps: timesteps[samples], classes: classes[samples])
    }
    return Tape(output: parts.count == 1 ? parts[0].output : parts.flatMap(\.output), parts: parts, threads: threads)
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func run(_ input: ArraySlice<Scalar>, timesteps: ArraySlice<Double>, classes: ArraySlice<Int>) -> Part {
    let (input, classes, samples) = (Array(input), Array(classes), timesteps.indices)
    let embedding = embedding(of: timesteps)
    let time = Self.silu(apply(architecture.timeIn, to: embedding))
    var condition = apply(architecture.timeOut, to: time.value)
    addLabels(classes, to: &condition)
    var h = apply(architecture.input, to: input)
    var blocks: [(input: [Scalar], activation: Activation)] = []
    for (up, down) in architecture.residuals {
      let shifted = Self.sum(h, condition)
      let activation = Self.silu(apply(up, to: shifted))
      h = Self.sum(h, apply(down, to: activation.value))
      blocks.append((shifted, activation))
    }
    let last = Self.silu(h)
    return Part(
      samples: samples, output: apply(architecture.output, to: last.value), input: input, classes: classes,
      embedding: embedding, time: time, blocks: blocks, last: last)
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func embedding(of timesteps: ArraySlice<Double>) -> [Scalar] {
    let half = architecture.frequencies / 2
    let frequencies = (0..<half).map { Math.exp(-Math.log(10000) * Double($0) / Double(half)) }
    return timesteps.flatMap { t in
      (frequencies.map { Math.cos(t * $0) } + frequencies.map { Math.sin(t * $0) }).map { Scalar($0) }
    }
  }
}
