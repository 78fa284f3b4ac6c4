/// What a run of diffusers was made on, as far as torch's last bits and a recording depend on it.
package struct TorchArithmetic: Hashable, Sendable {
  /// Whether square roots are those of AMD's processors; they are rounded correctly otherwise.
  package var isOnAMD: Bool
  /// Whether the noise of DPM++ SDE's whole step is all that a Brownian path does in it, as in a
  /// recording, of which a plan otherwise takes the first half from the step to the middle.
  package var drawsWholeSteps: Bool

  package init(isOnAMD: Bool = false, drawsWholeSteps: Bool = false) {
    (self.isOnAMD, self.drawsWholeSteps) = (isOnAMD, drawsWholeSteps)
  }

  package func root(_ x: Float) -> Float { isOnAMD ? Torch.squareRoot(x) : x.squareRoot() }

  /// The same on another make of processors.
  package var elsewhere: TorchArithmetic { TorchArithmetic(isOnAMD: !isOnAMD, drawsWholeSteps: drawsWholeSteps) }
}
