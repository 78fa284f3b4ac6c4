import ArgumentParser
import Foundation
import Schedulers
import SchedulersSafetensors

struct NoiseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "noise",
    abstract: "Prints or writes a tensor of normal noise, this library's or another's, to compare with what you have.",
    discussion: """
      Numbers are the shortest decimals that read back as the same Float, or Double where the library draws float64; \
      one line for each row of the last dimension. Docs/Noise.md says how exact each kind is.
      """)

  @OptionGroup var options: NoiseOptions

  @Option(help: "The dimensions of the tensor, separated by commas; up to 2^26 numbers.")
  var shape = "4"

  @Option(parsing: .unconditional, help: "How many tensors of this shape are drawn before it, 0 ... 1000.")
  var skip: WholeNumber = 0

  @Option(
    name: .shortAndLong,
    help: """
      A file to write instead, in the type that is drawn: .safetensors, whose tensor is named noise, or .npy for NumPy.
      """)
  var output: String?

  private static let largestCount = 1 << 26

  func run() throws {
    let choice = try options.choice()
    let shape = try extents()
    let skipped = try skip.value(of: "--skip", in: 0...1000)
    let file = try output.map { path throws(Failure) in try OutputFile(path, extensions: ["safetensors", "npy"])
    }
    if choice.isDouble {
      try deliver(Self.draw(choice, SampleBatch<Double>(zeros: shape), after: skipped), to: file) { tensor, isNumPy in
        isNumPy
          ? NumPyFile.data(shape: tensor.shape, doubles: tensor.scalars)
          : Data(SafetensorsWriter.bytes([.init("noise", shape: tensor.shape, doubles: tensor.scalars)]))
      }
    } else {
      try deliver(Self.draw(choice, SampleBatch<Float>(zeros: shape), after: skipped), to: file) { tensor, isNumPy in
        isNumPy
          ? NumPyFile.data(shape: tensor.shape, floats: tensor.scalars)
          : Data(SafetensorsWriter.bytes([.init("noise", shape: tensor.shape, floats: tensor.scalars)]))
      }
    }
  }

  private func extents() throws(Failure) -> [Int] {
    var (extents, count) = ([Int](), 1)
    for text in shape.split(separator: ",", omittingEmptySubsequences: false) {
      guard let extent = Int(text), (1...Self.largestCount).contains(extent), count * extent <= Self.largestCount else {
        throw Failure(
          "--shape \(shape) must be whole numbers from 1 on, separated by commas, with a product of at most 2^26")
      }
      extents.append(extent)
      count *= extent
    }
    return extents
  }

  private static func draw<Scalar: SampleScalar>(
    _ choice: NoiseOptions.Choice, _ zeros: SampleBatch<Scalar>, after skipped: Int
  ) -> SampleBatch<Scalar> {
    var source = choice.source
    for _ in 0..<skipped { _ = source.next(like: zeros) }
    return source.next(like: zeros)
  }

  private func deliver<Scalar: SampleScalar>(
    _ tensor: SampleBatch<Scalar>, to file: OutputFile?, as data: (SampleBatch<Scalar>, _ isNumPy: Bool) -> Data
  ) throws {
    if let file {
      try file.write(data(tensor, file.extension == "npy"))
      return try Console.output.print("wrote \(file.path): \(counted(tensor.scalars.count, "number"))\n")
    }
    let row = tensor.shape.last!
    for start in stride(from: 0, to: tensor.scalars.count, by: row) {
      try Console.output.print(tensor.scalars[start..<start + row].map { "\($0)" }.joined(separator: " ") + "\n")
    }
  }
}
