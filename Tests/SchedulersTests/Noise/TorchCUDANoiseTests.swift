import Foundation
import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// Against the formulas in 30 digits and the values that emulators publish:
/// `Fixtures/recipes/cuda_noise.py`. No device took part.
@Suite struct TorchCUDANoiseTests {
  private struct File: Decodable {
    struct Case: Decodable {
      let seed: UInt64
      let multiprocessors, threads: Int
      let offset: UInt64
      let draws: [Int]
      let samples: [[Double]]
      let end: UInt64
    }
    let published: [Double]
    let cases: [Case]
  }

  @Test func `the first numbers of seed 0 are the published ones`() throws {
    let published = try Fixtures.json("noise-cuda.json", as: File.self).published
    var noise = TorchCUDANoise(seed: 0)
    let values = noise.next(like: SampleBatch<Double>(zeros: [3, 4])).scalars
    #expect(values.count == published.count)
    // Published with other sines and cosines.
    #expect(zip(values, published).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  /// Radii are below 6.7; five operations of at most an ulp, a quarter of it under the root, are
  /// within 2⁻²² of them.
  private let tolerance = 6.7 * 0x1p-22

  @Test func `every element is where and what the formulas say, and the offset moves on`() throws {
    let cases = try Fixtures.json("noise-cuda.json", as: File.self).cases
    #expect(cases.count == 3)
    for item in cases {
      let device = TorchCUDANoise.Device(multiprocessors: item.multiprocessors, threadsPerMultiprocessor: item.threads)
      var noise = TorchCUDANoise(seed: item.seed, device: device, offset: item.offset)
      for (draw, count) in item.draws.enumerated() {
        let values = noise.next(like: [Double](repeating: 0, count: count))
        let samples = item.samples.filter { Int($0[0]) == draw }
        #expect(samples.count >= min(count, 5))
        for sample in samples {
          let difference = abs(values[Int(sample[1])] - sample[2])
          #expect(difference <= tolerance, "seed \(item.seed), draw \(draw) of \(count), element \(sample[1])")
        }
        Comparisons.count(samples.count)
      }
      #expect(noise.offset == item.end)
    }
  }

  @Test func `tensors of up to what a device runs at once do not depend on it`() {
    func draw(_ device: TorchCUDANoise.Device, _ count: Int) -> [Float] {
      var noise = TorchCUDANoise(seed: 9, device: device)
      return noise.next(like: [Float](repeating: 0, count: count))
    }
    #expect(draw(.t4, 40960) == draw(.a100, 40960))
    #expect(draw(.t4, 41217) != draw(.a100, 41217))
    #expect(draw(.a100, 0).isEmpty)
  }

  /// Multiprocessors by NVIDIA's architecture whitepapers; threads of each by the CUDA C++
  /// Programming Guide, technical specifications per compute capability: 7.0, 7.5, 8.0, 8.6, 8.9
  /// and 9.0.
  @Test func `devices are those of NVIDIA's documents`() {
    let devices: [(TorchCUDANoise.Device, Int, Int)] = [
      (.v100, 80, 2048), (.t4, 40, 1024), (.a100, 108, 2048), (.rtx3090, 82, 1536), (.rtx4090, 128, 1536),
      (.h100, 132, 2048),
    ]
    for (device, multiprocessors, threads) in devices {
      #expect(device.multiprocessors == multiprocessors && device.threadsPerMultiprocessor == threads)
    }
  }

  @Test func `a source saved between two draws continues with the same numbers`() throws {
    var noise = TorchCUDANoise(seed: .max, device: .t4)
    _ = noise.next(like: [0.0])
    var restored = try JSONDecoder().decode(TorchCUDANoise.self, from: JSONEncoder().encode(noise))
    #expect(restored == noise && restored.hashValue == noise.hashValue)
    #expect(restored.next(like: [0.0, 0]) == noise.next(like: [0.0, 0]))
  }

  @Test(arguments: [("\"offset\":0", "\"offset\":2"), ("1024", "0"), ("1024", "-5"), ("40", "0"), ("40", "9999999999")])
  func `a damaged state is an error`(part: String, other: String) throws {
    let text = String(decoding: try JSONEncoder().encode(TorchCUDANoise(seed: 1, device: .t4)), as: UTF8.self)
    let damaged = text.replacingOccurrences(of: part, with: other)
    #expect(damaged != text)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(TorchCUDANoise.self, from: Data(damaged.utf8)) }
  }

  @Test func `an impossible device or offset is refused`() async {
    await #expect(processExitsWith: .failure) {
      _ = TorchCUDANoise.Device(multiprocessors: 0, threadsPerMultiprocessor: 1024)
    }
    await #expect(processExitsWith: .failure) {
      _ = TorchCUDANoise.Device(multiprocessors: 1, threadsPerMultiprocessor: 255)
    }
    await #expect(processExitsWith: .failure) { _ = TorchCUDANoise(seed: 0, offset: 3) }
  }
}
