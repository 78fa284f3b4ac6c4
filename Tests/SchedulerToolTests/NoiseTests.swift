import Foundation
import Schedulers
import SchedulersInterop
import Testing

@testable import SchedulersFixtures

/// Against what the libraries themselves drew, as in the tests of their sources.
@Suite struct `The noise command` {
  let tool: Tool

  init() throws { tool = try Tool() }

  private struct Torch: Decodable { let mixed: [[Double]] }

  private struct NumPy: Decodable { let state, generator: Torch }

  private struct CUDA: Decodable { let published: [Double] }

  private func numbers(_ arguments: String...) throws -> [Double] {
    let outcome = try tool.run(["noise"] + arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try outcome.text.split { $0.isWhitespace }.map { try #require(Double($0)) }
  }

  /// Whether numbers are equal, or as near as different C libraries are.
  private func isSame(_ values: [Double], _ expected: [Double]) -> Bool {
    values.count == expected.count && zip(values, expected).allSatisfy { abs($0 - $1) <= 1e-6 }
  }

  @Test func `prints every library's numbers`() throws {
    let torch = try Fixtures.json("noise-torch.json", as: Torch.self)
    let numPy = try Fixtures.json("noise-numpy.json", as: NumPy.self)
    let cuda = try Fixtures.json("noise-cuda.json", as: CUDA.self)
    #expect(try isSame(numbers("--noise", "torch-cpu", "--seed", "11", "--shape", "3"), torch.mixed[0]))
    #expect(try isSame(numbers("--noise", "numpy-legacy", "--seed", "11", "--shape", "3"), numPy.state.mixed[0]))
    #expect(
      try isSame(
        numbers("--noise", "numpy", "--seed", "11", "--shape", "3", "--precision", "float32"), numPy.generator.mixed[0])
    )
    #expect(try isSame(numbers("--noise", "torch-cuda", "--shape", "3,4", "--device", "t4"), cuda.published))
  }

  @Test func `prints one row a line, after as many tensors as are skipped`() throws {
    let text = try tool.run("noise", "--shape", "2,3", "--seed", "7", "--skip", "2").text
    var noise = GaussianNoise(seed: 7)
    for _ in 0..<2 { _ = noise.next(like: SampleBatch<Float>(zeros: [2, 3])) }
    let expected = noise.next(like: SampleBatch<Float>(zeros: [2, 3])).scalars
    #expect(
      text.split(separator: "\n").map { $0.split(separator: " ").map { Float($0) } } == [
        Array(expected[..<3]), Array(expected[3...]),
      ])
  }

  @Test func `writes a tensor that reads back, in the type that was drawn`() throws {
    let outcome = try tool.run("noise", "--noise", "torch-cpu", "--shape", "2,3,4,5", "--output", "a.safetensors")
    #expect(outcome.status == 0 && outcome.text == "wrote a.safetensors: 120 numbers\n")
    let file = try Safetensors(Array(tool.data("a.safetensors")), name: "a")
    #expect(file.names == ["noise"])
    #expect(try file.shape("noise") == [2, 3, 4, 5])
    #expect(try file.floats("noise") == Safetensors("torch-run.safetensors").floats("start"))
    #expect(try tool.run("noise", "--noise", "numpy", "--shape", "5", "--output", "b.safetensors").status == 0)
    var generator = NumPyGenerator(seed: 0)
    #expect(try Safetensors(Array(tool.data("b.safetensors")), name: "b").doubles("noise") == generator.normals(5))
    // The numbers begin at a multiple of 8 bytes, as readers that map the file want it.
    #expect(try tool.data("b.safetensors")[0].isMultiple(of: 8))
    #expect(try tool.files() == ["a.safetensors", "b.safetensors"])
  }

  /// Source: https://numpy.org/doc/2.3/reference/generated/numpy.lib.format.html, version 1.0.
  @Test func `writes NumPy's format where the name ends in npy`() throws {
    #expect(
      try tool.run("noise", "--noise", "torch-cpu", "--shape", "2,3", "-o", "a.npy").text == "wrote a.npy: 6 numbers\n")
    let floats = try tool.run("noise", "--noise", "torch-cpu", "--shape", "2,3").text.split { $0.isWhitespace }
      .compactMap {
        Float($0)
      }
    var header = Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, 118, 0])
    header += Data("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3,), }".utf8)
    header += Data(repeating: 32, count: 127 - header.count) + Data([10])
    let file = try tool.data("a.npy")
    #expect(file.prefix(128) == header)
    #expect(
      Array(file.dropFirst(128)) == floats.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
    // Of Doubles, and whatever the case of the name.
    #expect(try tool.run("noise", "--noise", "numpy", "--shape", "5", "-o", "b.NPY").status == 0)
    var generator = NumPyGenerator(seed: 0)
    let doubles: [Double] = generator.normals(5)
    #expect(
      try Array(tool.data("b.NPY").dropFirst(128))
        == doubles.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
    #expect(try String(decoding: tool.data("b.NPY")[10..<24], as: UTF8.self) == "{'descr': '<f8")
  }

  @Test(arguments: ["torch-cpu", "numpy"])
  func `can be a picture's, which then is the same every time and no other's`(_ noise: String) throws {
    func picture(_ noise: String) throws -> Data {
      let outcome = try tool.run(
        "sample", "--count", "2", "--steps", "2", "--timesteps", "100", "--sampler", "ddpm", "--noise", noise,
        "--batch-size",
        "3")
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try tool.data("digits.png")
    }
    let first = try picture(noise)
    #expect(try picture(noise) == first)
    #expect(try picture("philox") != first)
  }
}
