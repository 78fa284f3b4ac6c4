import Schedulers
import SchedulersCHeader
import SchedulersInterop

/// The version as text of C, made once.
nonisolated(unsafe) private let version: UnsafePointer<CChar> = {
  let text = Array(SchedulersLibrary.version.utf8CString)
  let bytes = UnsafeMutableBufferPointer<CChar>.allocate(capacity: text.count)
  _ = bytes.initialize(from: text)
  return UnsafePointer(bytes.baseAddress!)
}()

@_cdecl("schedulers_version")
public func schedulersVersion() -> UnsafePointer<CChar>? { version }

@_cdecl("schedulers_abi_version")
public func schedulersABIVersion() -> Int32 { SCHEDULERS_ABI_VERSION }

@_cdecl("schedulers_text_free")
public func schedulersTextFree(_ text: UnsafeMutablePointer<CChar>?) { Memory.free(text) }

@_cdecl("schedulers_catalog")
public func schedulersCatalog(
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) { try give(Catalog.json, to: required(json, "json")) }
}

/// What there is, for those who ask.
private enum Catalog {
  typealias Value = DiffusersConfiguration.Value

  static var json: String {
    func names(_ list: [String]) -> Value { .list(list.map(Value.string)) }
    let classes = DiffusersConfiguration.Class.allCases.map { schedulerClass in
      let options = DiffusersConfiguration.Option.all(of: schedulerClass)
      return (
        schedulerClass.rawValue,
        Value.object([
          "options": .object(Dictionary(options.map { ($0.name, finite($0.standard)) }) { first, _ in first }),
          "arguments": names(schedulerClass.takes.map(\.rawValue).sorted()),
        ])
      )
    }
    return Value.object([
      "samplers": .list(SamplerCatalog.all.map(Self.entry)),
      "classes": .object(Dictionary(uniqueKeysWithValues: classes)),
      "schedules": names(BetaSchedule.all.map(\.name)), "spacings": names(GridSpacing.all.map(\.name)),
      "predictions": names(Prediction.allCases.filter { $0 != .previous }.map(\.rawValue)),
      "presets": .list(
        ModelPreset.all.map { preset in
          .object([
            "name": .string(preset.name), "model": .string(preset.model),
            "class": .string(preset.configuration.className), "steps": .integer(preset.steps),
          ])
        }),
      "noises": names(NoiseName.allCases.map(\.rawValue)),
      "tables": names(NoiseSchedule.tables.map(\.name)), "weightings": names(WeightingRequest.names),
    ]).json
  }

  /// A value with a word for the infinity that JSON does not have.
  private static func finite(_ value: Value) -> Value {
    if case .number(let number) = value, !number.isFinite { .string(value.json) } else { value }
  }

  private static func entry(_ entry: SamplerCatalog.Entry) -> Value {
    .object([
      "name": .string(entry.name), "title": .string(entry.title), "order": .integer(entry.order),
      "source": .string(entry.source), "isStochastic": .boolean(entry.isStochastic),
      "isInversion": .boolean(entry.isInversion), "calls": .string(entry.calls),
    ])
  }
}
