import Foundation
import Schedulers
import Traces

/// What libFuzzer calls: a file for the reader of safetensors and the judge of traces, or text for the reader of configurations. Any trap,
/// hang or large allocation is a finding; an error is not.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let data = start.map { Data(bytes: $0, count: count) } ?? Data()
  if data.first == UInt8(ascii: "{") {
    readConfiguration(data)
  } else if let file = try? SafetensorsFile(data) {
    for tensor in file.tensors.values where tensor.count < 1000 { _ = file.doubles(tensor) }
    // Without a tolerance nothing is wrong but timesteps and NaN, so that few inputs cost a diagnosis.
    if let trace = try? Trace(file) { _ = try? trace.judged(tolerance: 1e6) }
  }
  return 0
}

private func readConfiguration(_ data: Data) {
  guard let text = String(validating: data, as: UTF8.self), let source = try? TraceSource(configuration: text) else { return }
  for fidelity in Fidelity.allCases { for steps in [1, 7] { _ = try? source.plan(steps: steps, fidelity: fidelity) } }
  if case .guidedDiffusion(let configuration) = source { _ = try? configuration.plan() }
  if case .diffusers(let configuration, _) = source { _ = configuration.deviations(steps: 7) }
}
