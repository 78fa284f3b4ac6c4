import Schedulers

// What the options of the tool and the requests of other languages call the parts of a plan.

extension SamplerCatalog {
  /// The samplers that let their amount of fresh noise be set.
  package static var withEta: [Entry] { all.filter { $0.sampler is any EtaSampler } }

  /// The entry of a sampler with its options.
  package static func entry(of sampler: any Sampler) -> Entry? {
    all.first { $0.sampler.erased == sampler.erased }
  }
}

extension Sampler {
  /// The sampler as one that can be compared with those of other types.
  fileprivate var erased: AnyHashable { AnyHashable(self) }
}

extension SamplerCatalog.Entry {
  /// The sampler with an amount of fresh noise; `nil` if it lets none be set.
  package func sampler(eta: Double) -> (any Sampler)? {
    guard var sampler = sampler as? any EtaSampler else { return nil }
    sampler.eta = eta
    return sampler
  }
}

extension Prediction {
  /// What a network can be asked for at one level: all but the previous sample, which is about two.
  package static let ofOneLevel = allCases.filter { $0 != .previous }
}

extension Clipping {
  /// The clippings that have a name.
  package static let named: [(name: String, clipping: Clipping)] = [
    ("none", .none), ("static", .range(-1...1)), ("dynamic", .dynamic()),
  ]
}
