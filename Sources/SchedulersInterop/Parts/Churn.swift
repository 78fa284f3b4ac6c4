import Schedulers

/// Churn as diffusers has it: the noise is added after the network was asked.
struct Churning {
  static let takes: Set<RunArguments.Key> = [.churn, .churnMinimum, .churnMaximum, .churnNoise]

  let run: Run

  /// A method with churn, where the arguments ask for it.
  ///
  /// - Parameter isFlow: whether the sigmas of the arguments are rectified flow's noise.
  static func sampler(_ base: some Sampler, _ run: Run, isFlow: Bool = false) -> any Sampler {
    guard run.churn > 0, run.churnMinimum <= run.churnMaximum else { return base }
    func sigma(_ bound: Double) -> Double {
      let sigma = !isFlow || bound <= 0 ? bound : bound < 1 ? bound / (1 - bound) : .infinity
      return min(sigma, .greatestFiniteMagnitude)
    }
    let range = sigma(run.churnMinimum)...sigma(run.churnMaximum)
    return Churn(base, amount: run.churn, range: range, noise: run.churnNoise)
  }

  /// σ̂ = (1 + γ)·σ and the deviation of the noise that leads there, in float32.
  func raised(_ sigma: Float, evaluations: Int) -> (sigma: Float, noise: Double) {
    let share = min(run.churn / Double(evaluations), 2.0.squareRoot() - 1)
    let gamma = Float(run.churnMinimum) <= sigma && sigma <= Float(run.churnMaximum) ? share : 0
    let raised = sigma * Float(gamma + 1)
    return (raised, gamma > 0 ? run.churnNoise * Double(run.root(raised * raised - sigma * sigma)) : 0)
  }

  /// Euler's steps from x̂ = x + s_noise·√(σ̂² − σ²)·z at σ̂, of a network that saw x at σ.
  ///
  /// - Parameter readout: x̂0 from x̂ and what the network said of x.
  func eulerMoves(
    _ grid: SamplingGrid, sigmas: [Float], readout: (_ sigma: Double, _ raised: Double) -> Readout
  ) -> [Move] {
    grid.intervals.enumerated().map { i, interval in
      // Every sigma but one counts; log-linear ones are one more than the steps.
      let (raised, noise) = raised(sigmas[i], evaluations: run.first + sigmas.count - 1)
      let readout = readout(Double(sigmas[i]), Double(raised))
      let sample = LinearForm.sample + noise * .noise
      let denoised = readout.sample * sample + readout.output * .output
      let next = sample + Double((sigmas[i + 1] - raised) / raised) * (sample - denoised)
      return Move(at: interval.from, to: interval.to.level, estimate: .x0, next: next)
    }
  }

  func deviations(_ setting: Setting) -> [Deviation] {
    let adds = setting.sigmas.dropLast().contains { run.churnMinimum <= Double($0) && Double($0) <= run.churnMaximum }
    return run.churn > 0 && adds ? [.lateChurn] : []
  }
}

extension Deviation {
  public static let lateChurn = Deviation(
    "lateChurn",
    "The network is asked with the sample as it was, and noise is added to the sample afterwards: what it says belongs "
      + "to σ, and the step is made with it from σ̂. Karras et al. add the noise first and ask at σ̂. v is read with "
      + "the factors of σ.", place: "Euler, EDM's Euler and FlowMatchHeun, `s_churn` above 0",
    effect: "None of the noise that is added is seen by the network in its step: with epsilon all of it stays.")
}
