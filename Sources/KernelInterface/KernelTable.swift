/// The kernels of one instruction set. All sets give the same bits.
public struct KernelTable: Sendable {
  /// The loops over one type of scalar.
  public struct Loops<Scalar>: Sendable {
    /// Takes a step.
    package let step: @Sendable (UnsafePointer<StepCall<Scalar>>) -> Void
    /// The magnitudes of x̂0 before limits that have the given rank and the next, counted from 0 in
    /// rising order, over the range of a step; NaN if there is one.
    package let magnitudes: @Sendable (UnsafePointer<StepCall<Scalar>>, Int) -> (Double, Double)
    /// Mixes data and noise.
    package let mix: @Sendable (UnsafePointer<MixCall<Scalar>>) -> Void
    package let reverse: Reverse<Scalar>

    package init(
      step: @escaping @Sendable (UnsafePointer<StepCall<Scalar>>) -> Void,
      magnitudes: @escaping @Sendable (UnsafePointer<StepCall<Scalar>>, Int) -> (Double, Double),
      mix: @escaping @Sendable (UnsafePointer<MixCall<Scalar>>) -> Void, reverse: Reverse<Scalar>
    ) {
      self.step = step
      self.magnitudes = magnitudes
      self.mix = mix
      self.reverse = reverse
    }
  }

  /// The loops of training and likelihoods over one type of scalar. Each says whether the output
  /// holds finite numbers alone, without which its results mean nothing.
  public struct Reverse<Scalar>: Sendable {
    /// Writes the distribution that an output stands for.
    package let distribution: @Sendable (UnsafePointer<ReverseCall<Scalar>>, ReverseCall<Scalar>.Distribution) -> Bool
    /// Adds up its divergences and errors, and writes gradients.
    package let divergence:
      @Sendable (UnsafePointer<ReverseCall<Scalar>>, ReverseCall<Scalar>.Divergence) -> ReverseCall<Scalar>.Sums
    /// Adds up squared errors, and writes their gradient.
    package let squares: @Sendable (UnsafePointer<ErrorCall<Scalar>>) -> (sum: Double, isFinite: Bool)

    package init(
      distribution:
        @escaping @Sendable (UnsafePointer<ReverseCall<Scalar>>, ReverseCall<Scalar>.Distribution) -> Bool,
      divergence:
        @escaping @Sendable (UnsafePointer<ReverseCall<Scalar>>, ReverseCall<Scalar>.Divergence) ->
        ReverseCall<Scalar>.Sums,
      squares: @escaping @Sendable (UnsafePointer<ErrorCall<Scalar>>) -> (sum: Double, isFinite: Bool)
    ) {
      self.distribution = distribution
      self.divergence = divergence
      self.squares = squares
    }
  }

  package var name: String
  package var float: Loops<Float>
  package var double: Loops<Double>
  #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
    package var half: Loops<Float16>
  #endif
  /// Fills a range of the elements of a sample's noise; the pointer is to element 0.
  package var normals: @Sendable (NormalAddress, Range<Int>, UnsafeMutablePointer<Float>) -> Void
  /// Adds up normals over a range of the elements of a sample; the pointer is to element 0.
  package var sums: @Sendable (UnsafeBufferPointer<NormalTerm>, Range<Int>, UnsafeMutablePointer<Double>) -> Void
  package var torch: Torch

  /// The loops of the Mersenne Twister, of torch and NumPy, and of torch's noise.
  package struct Torch: Sendable {
    /// Makes the next 624 words of a Mersenne Twister.
    package let twist: @Sendable (UnsafeMutablePointer<UInt32>) -> Void
    /// Makes a uniform number in [0, 1) of each of so many words.
    package let uniforms: @Sendable (UnsafePointer<UInt32>, Int, UnsafeMutablePointer<Float>) -> Void
    /// Makes so many uniform numbers in [0, 1) of 53 bits, each of two words.
    package let doubles: @Sendable (UnsafePointer<UInt32>, Int, UnsafeMutablePointer<Double>) -> Void
    /// Turns so many uniform numbers, in blocks of 16, into normals.
    package let normals: @Sendable (UnsafeMutablePointer<Float>, Int) -> Void

    package init(
      twist: @escaping @Sendable (UnsafeMutablePointer<UInt32>) -> Void,
      uniforms: @escaping @Sendable (UnsafePointer<UInt32>, Int, UnsafeMutablePointer<Float>) -> Void,
      doubles: @escaping @Sendable (UnsafePointer<UInt32>, Int, UnsafeMutablePointer<Double>) -> Void,
      normals: @escaping @Sendable (UnsafeMutablePointer<Float>, Int) -> Void
    ) {
      self.twist = twist
      self.uniforms = uniforms
      self.doubles = doubles
      self.normals = normals
    }
  }

  #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
    package init(
      name: String, float: Loops<Float>, double: Loops<Double>, half: Loops<Float16>,
      normals: @escaping @Sendable (NormalAddress, Range<Int>, UnsafeMutablePointer<Float>) -> Void,
      sums: @escaping @Sendable (UnsafeBufferPointer<NormalTerm>, Range<Int>, UnsafeMutablePointer<Double>) -> Void,
      torch: Torch
    ) {
      self.name = name
      self.float = float
      self.double = double
      self.half = half
      self.normals = normals
      self.sums = sums
      self.torch = torch
    }
  #else
    package init(
      name: String, float: Loops<Float>, double: Loops<Double>,
      normals: @escaping @Sendable (NormalAddress, Range<Int>, UnsafeMutablePointer<Float>) -> Void,
      sums: @escaping @Sendable (UnsafeBufferPointer<NormalTerm>, Range<Int>, UnsafeMutablePointer<Double>) -> Void,
      torch: Torch
    ) {
      self.name = name
      self.float = float
      self.double = double
      self.normals = normals
      self.sums = sums
      self.torch = torch
    }
  #endif
}
