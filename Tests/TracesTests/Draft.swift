import Foundation
import SchedulersFixtures
import SchedulersSafetensors
import SchedulersTraces

/// A trace that can be taken apart before it becomes a file.
struct Draft {
  var metadata: [String: String]
  var tensors: [(name: String, type: String, shape: [Int], bytes: [UInt8])]

  /// DDIM of guided-diffusion over 4 steps: the levels and the algebra written out here, from
  /// equation 12 of Song et al. 2021, with ᾱ of the cosine schedule from its definition. Nothing of
  /// the library made it.
  init(eta: Double = 0) {
    let (total, kept) = (40, [0, 13, 26, 39])
    func f(_ t: Int) -> Double { pow(cos((Double(t) / Double(total) + 0.008) / 1.008 * .pi / 2), 2) }
    var bars: [Double] = []
    var product = 1.0
    for t in 0..<total {
      product *= 1 - min(1 - f(t + 1) / f(t), 0.999)
      bars.append(product)
    }
    let size = 2 * 3 * 2 * 2
    func numbers(_ seed: Int) -> [Float] { (0..<size).map { Float(sin(Double(seed * size + $0) * 1.7 + 0.3)) } }
    var samples = [numbers(100)]
    var outputs: [Float] = []
    var noises: [Float] = []
    for (step, i) in [3, 2, 1, 0].enumerated() {
      let (bar, previous) = (bars[kept[i]], i > 0 ? bars[kept[i - 1]] : 1)
      let (output, noise) = (numbers(step), numbers(step + 50))
      let sigma = i > 0 ? eta * sqrt((1 - previous) / (1 - bar)) * sqrt(1 - bar / previous) : 0
      let next = (0..<size).map { k -> Float in
        let x = Double(samples[step][k])
        let x0 = min(max((x - sqrt(1 - bar) * Double(output[k])) / sqrt(bar), -1), 1)
        let epsilon = (x - sqrt(bar) * x0) / sqrt(1 - bar)
        return Float(sqrt(previous) * x0 + sqrt(1 - previous - sigma * sigma) * epsilon + sigma * Double(noise[k]))
      }
      samples.append(next)
      outputs += output
      noises += noise
    }
    metadata = [
      "format": "scheduler-trace/1", "num_inference_steps": "4",
      "scheduler_config": """
      {"_class_name": "GaussianDiffusion", "steps": 40, "noise_schedule": "cosine", "timestep_respacing": "4",
       "sampler": "ddim_sample", "eta": \(eta), "clip_denoised": true}
      """,
    ]
    tensors = [
      ("timesteps", "I64", [4], bytes(kept.reversed())),
      ("samples", "F32", [5, 2, 3, 2, 2], bytes(samples.flatMap(\.self))),
      ("model_outputs", "F32", [4, 2, 3, 2, 2], bytes(outputs)), ("noises", "F32", [4, 2, 3, 2, 2], bytes(noises)),
    ]
  }

  /// The index of a tensor.
  subscript(name: String) -> Int { tensors.firstIndex { $0.name == name }! }

  /// Replaces a Float of a tensor.
  mutating func set(_ name: String, _ element: Int, to value: Float) {
    tensors[self[name]].bytes.replaceSubrange(4 * element..<4 * element + 4, with: bytes([value]))
  }

  /// A Float of a tensor.
  func get(_ name: String, _ element: Int) -> Float {
    let range = 4 * element..<4 * element + 4
    return tensors[self[name]].bytes[range].withUnsafeBytes {
      Float(bitPattern: $0.loadUnaligned(as: UInt32.self))
    }
  }

  var file: [UInt8] {
    var entries: [String: Any] = ["__metadata__": metadata]
    var body: [UInt8] = []
    for tensor in tensors {
      entries[tensor.name] = [
        "dtype": tensor.type, "shape": tensor.shape, "data_offsets": [body.count, body.count + tensor.bytes.count],
      ]
      body += tensor.bytes
    }
    let header = try! JSONSerialization.data(withJSONObject: entries)
    return safetensors(String(decoding: header, as: UTF8.self), body: body)
  }

  func trace() throws -> Trace { try Trace(SafetensorsFile(file)) }
}
