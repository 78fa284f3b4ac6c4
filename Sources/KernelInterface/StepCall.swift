/// One step of a run on a range of scalars, as the kernels take it: pointers and plain numbers.
///
///     v  = F, or where there are limits, x̂0 = sample·x + output·F within them
///     x' = next.x·x + next.v·v + Σ terms + noise
///
/// Pointers are such that index i is the same place in all of them.
package struct StepCall<Scalar>: @unchecked Sendable {
  /// Factors of the sample x and of v.
  package struct Readout: Sendable {
    package var x: Double
    package var v: Double
    package init(x: Double, v: Double) {
      self.x = x
      self.v = v
    }
  }

  /// What x̂0 is brought between.
  package struct Limits: Sendable {
    package var sample: Double
    package var output: Double
    package var low: Double
    package var high: Double
    package init(sample: Double, output: Double, low: Double, high: Double) {
      self.sample = sample
      self.output = output
      self.low = low
      self.high = high
    }
  }

  /// A tensor that has a part in x'.
  package struct Term {
    package var factor: Double
    package var values: UnsafePointer<Scalar>
    package init(_ factor: Double, _ values: UnsafePointer<Scalar>) {
      self.factor = factor
      self.values = values
    }
  }

  /// A tensor that is written: a combination of x and v.
  package struct Written {
    package var readout: Readout
    package var values: UnsafeMutablePointer<Scalar>
    /// The factor with which what it held before has a part in x'; 0 for none.
    package var factor: Double
    package init(_ readout: Readout, to values: UnsafeMutablePointer<Scalar>, factor: Double = 0) {
      self.readout = readout
      self.values = values
      self.factor = factor
    }
  }

  /// A deviation that a network gives element by element.
  package enum Deviation: Sendable {
    /// exp(offset + slope·value).
    case exponential(offset: Double, slope: Double)
    /// The square root of the value.
    case root
  }

  /// Standard normal noise, and what multiplies it scalar by scalar.
  package struct Noise {
    package var factor: Double
    /// What was drawn before; made from the address if there is nothing.
    package var values: UnsafePointer<Scalar>?
    package var address: NormalAddress
    /// The index of the scalar that has element 0 of the address.
    package var origin = 0
    /// A function of these values multiplies it.
    package var deviation: (values: UnsafePointer<Scalar>, kind: Deviation)?
    package init(
      _ factor: Double, _ values: UnsafePointer<Scalar>?, address: NormalAddress = .init(seed: 0, sample: 0, draw: 0)
    ) {
      self.factor = factor
      self.values = values
      self.address = address
    }
  }

  package var range: Range<Int>
  package var sample: UnsafeMutablePointer<Scalar>
  /// Where x' goes: the sample itself, or other memory.
  package var result: UnsafeMutablePointer<Scalar>
  package var output: UnsafePointer<Scalar>
  package var next: Readout
  package var limits: Limits?
  package var terms: UnsafeBufferPointer<Term>
  package var kept: Written?
  package var denoised: Written?
  package var noise: Noise?

  package init(
    range: Range<Int>, sample: UnsafeMutablePointer<Scalar>, output: UnsafePointer<Scalar>, next: Readout,
    terms: UnsafeBufferPointer<Term>
  ) {
    self.range = range
    self.sample = sample
    self.result = sample
    self.output = output
    self.next = next
    self.terms = terms
  }
}

/// A part of a sum of normals: those of an address, times a factor.
package struct NormalTerm: Sendable {
  package var address: NormalAddress
  package var factor: Double
  package init(_ factor: Double, _ address: NormalAddress) {
    self.address = address
    self.factor = factor
  }
}

/// Where the normals of one sample lie: the generator's key and the upper words of its counter.
package struct NormalAddress: Sendable {
  package var seed: UInt64
  package var sample: UInt64
  package var draw: UInt32
  package init(seed: UInt64, sample: UInt64, draw: UInt32) {
    self.seed = seed
    self.sample = sample
    self.draw = draw
  }
}
