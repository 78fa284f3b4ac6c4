import ArgumentParser
import Schedulers
import SchedulersInterop

/// How samples are made: what holds for every sampler of a command.
struct SamplerOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "How much fresh noise is drawn, 0 ... 1, by samplers that let it be set.")
  var eta: Double?

  @Option(
    help: "What the model predicts: epsilon, x0, v, flow, reverseFlow. (default: epsilon; flow with --spacing flow)")
  var prediction: String?

  /// The prediction that was asked for, or what is usual on a grid.
  func prediction(on spacing: GridSpacing) throws(Failure) -> Prediction {
    try prediction.map { name throws(Failure) in try Prediction(named: name) } ?? spacing.usualPrediction
  }

  @Option(help: "What is done to each predicted image: none, static (clip to -1 ... 1), dynamic (thresholding).")
  var clip = "none"

  /// - Throws: `Failure` for an unknown name.
  func makeClipping() throws(Failure) -> Clipping {
    guard let found = Clipping.named.first(where: { $0.name == clip }) else {
      throw Failure.unknown("clipping", clip, known: Clipping.named.map(\.name))
    }
    return found.clipping
  }

  /// An entry's sampler, with `--eta` if it was given.
  ///
  /// - Throws: `Failure` if eta is NaN or outside 0 ... 1, or the sampler has none.
  func sampler(of entry: SamplerCatalog.Entry) throws(Failure) -> any Sampler {
    guard let eta else { return entry.sampler }
    try check("--eta", eta, in: 0...1)
    if let sampler = entry.sampler(eta: eta) { return sampler }
    let able = SamplerCatalog.withEta.map(\.name).joined(separator: " or ")
    throw Failure("--eta \(brief(eta)) cannot be set for \(entry.name); drop it, or choose --sampler \(able)")
  }

  /// The plan of an entry over a grid.
  ///
  /// - Parameter prediction: what the model predicts.
  /// - Throws: what the parts throw, and `Failure` with the sampler's name where it has no plan.
  func plan(
    _ entry: SamplerCatalog.Entry, over grid: SamplingGrid, predicting prediction: Prediction,
    learnsVariance: Bool = false
  ) throws(Failure) -> SamplingPlan {
    try entry.plan(
      over: grid, with: sampler(of: entry), predicting: prediction, clipping: makeClipping(),
      learnsVariance: learnsVariance)
  }
}

extension SamplerCatalog.Entry {
  /// A plan of this entry.
  ///
  /// - Parameter other: the entry's sampler with other options.
  /// - Throws: `Failure` with the entry's name where there is no plan.
  func plan(
    over grid: SamplingGrid, with other: (any Sampler)? = nil, predicting prediction: Prediction,
    clipping: Clipping = .none,
    learnsVariance: Bool = false
  ) throws(Failure) -> SamplingPlan {
    do {
      return try (other ?? sampler).plan(
        over: grid, predicting: prediction, clipping: clipping, learnsVariance: learnsVariance)
    } catch {
      let remedy = "choose a sampler that does not divide by the signal, such as --sampler dpm++2m"
      throw Failure("\(name): \(error.inOptions(choosing: remedy))")
    }
  }
}

extension Prediction {
  /// A prediction that the exact models can make: all but that of the previous sample, which is
  /// about two levels.
  ///
  /// - Throws: `Failure` for an unknown name.
  init(named name: String) throws(Failure) {
    guard let found = Self.ofOneLevel.first(where: { $0.rawValue == name }) else {
      throw Failure.unknown("prediction", name, known: Self.ofOneLevel.map(\.rawValue))
    }
    self = found
  }
}

/// Which samplers.
enum ChosenSamplers {
  /// The entries of a list of names, each of which may itself be a list separated by commas; for
  /// the name `all`, those that go straight from noise to data.
  ///
  /// - Throws: `Failure` for an unknown name, and for one that is given twice.
  static func entries(_ names: [String], on spacing: GridSpacing) throws(Failure) -> [SamplerCatalog.Entry] {
    var entries: [SamplerCatalog.Entry] = []
    if names == ["all"] { return SamplerCatalog.all.filter { !$0.isInversion && !$0.revisitsLevels } }
    for name in names.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }) {
      let entry = try entry(name, on: spacing)
      guard !entries.contains(where: { $0.name == name }) else {
        throw Failure("--sampler \(name) is given twice; name each sampler once")
      }
      entries.append(entry)
    }
    return entries
  }

  /// The entry of a name of the catalog, or of a program as `comfyui:euler`, whose sampler may be
  /// another one on rectified flow.
  static func entry(_ name: String, on spacing: GridSpacing) throws(Failure) -> SamplerCatalog.Entry {
    do { return try SamplerCatalog.entry(named: name, on: spacing) } catch { throw Failure(error) }
  }
}
