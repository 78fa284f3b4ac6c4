import Schedulers

// DPM++ SDE: to the middle of two logarithms, and with the x̂0 found there the whole step, in diffusers' float32.

extension DiffusersConfiguration {
  /// The steps. The noise of a whole step is that of a Brownian path, which has drawn the first part of it on the way to the middle; that is
  /// read off the sample there, so that the noise of a plan is fresh in every step.
  func dpmSDEMoves(_ setting: Setting, _ tables: Tables, noise: Double) throws(ConfigurationError) -> [Move] {
    let logarithms = tables.sigmas.map(NumPy.log)
    return try midpointMoves(setting) { i, interval, from, to throws(ConfigurationError) in
      let (start, end) = (-Self.log(from), -Self.log(to))
      let middle = start + (end - start) / 2
      let (half, whole) = (ancestralStep(from: start, to: middle), ancestralStep(from: start, to: end))
      guard half.sigma > 0, half.sigma.isFinite else {
        throw .notFinite(
          step: i, timestep: interval.from.timestep, className: className,
          reason: "the sigma in its middle is \(half.sigma) in float32; use smaller sigmas")
      }
      let (a, m, b) = (Double(from), Double(half.sigma), Double(to))
      var second = whole.drift(.estimate(), sample: .sample(ago: 1))
      if drawsWholeSteps || half.up == 0 {
        second = second + noise * whole.up * .noise
      } else {
        let drawn = (LinearForm.made - half.drift(.estimate(ago: 1), sample: .sample(ago: 1))) / half.up
        let (share, rest) = (((a - m) / (a - b)).squareRoot(), ((m - b) / (a - b)).squareRoot())
        second = second + whole.up * (share * drawn + rest * noise * .noise)
      }
      // Of the sigmas in Double this is not, by half a unit of float32.
      let timestep = Self.timestep(of: (a * b).squareRoot(), in: logarithms)
      let point = SamplingGrid.Point(timestep: timestep, sigma: m)
      return [
        Move(
          at: interval.from, to: point.level, estimate: .x0,
          next: half.drift(.estimate(), sample: .sample) + noise * half.up * .noise),
        Move(at: point, to: interval.to.level, estimate: .x0, next: second),
      ]
    }
  }

  private static func log(_ x: Float) -> Float { Float(Math.log(Double(x))) }
  private static func exp(_ x: Float) -> Float { Float(Math.exp(Double(x))) }

  /// A step between two −ln σ: how much of the sample and of x̂0 is left at σ_down, and the noise up to σ again.
  private struct SDEStep {
    let sigma: Float
    let up: Double
    let kept: Double
    let taken: Double

    func drift(_ denoised: LinearForm, sample: LinearForm) -> LinearForm { kept * sample + taken * denoised }
  }

  private func ancestralStep(from start: Float, to end: Float) -> SDEStep {
    let (from, to) = (Self.exp(-start), Self.exp(-end))
    let drawn = root(to * to * (from * from - to * to) / (from * from))
    let up = drawn < to ? drawn : to
    let lower = -Self.log(root(to * to - up * up))
    return SDEStep(
      sigma: to, up: Double(up), kept: Double(Self.exp(-lower) / from), taken: -Math.expm1(Double(start - lower)))
  }
}
