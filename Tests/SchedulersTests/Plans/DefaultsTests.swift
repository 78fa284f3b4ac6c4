import Schedulers
import Testing

/// What is meant where nothing is said: the defaults that the documentation and the sources name.
@Suite struct DefaultsTests {
  @Test func `every sampler has the options that its source has`() {
    let defaults: [(any Sampler, String)] = [
      (
        Churn(Euler(), amount: 40),
        "Churn<Euler>(base: Schedulers.Euler(), amount: 40.0, range: ClosedRange(0.0...1.7976931348623157e+308), "
          + "noise: 1.0)"
      ),
      (ConsistencyModel(), "ConsistencyModel(leastSigma: 0.002)"),
      (DDIM(), "DDIM(eta: 0.0, rederivesEpsilon: true)"),
      (DDIMInversion(), "DDIMInversion()"),
      (DDPM(), "DDPM(variance: Schedulers.Variance.fixedSmall)"),
      (DEIS(), "DEIS(order: 2, lowersFinalOrder: false)"),
      (
        DPMSolver(),
        "DPMSolver(order: 2, slopeRule: Schedulers.SlopeRule.midpoint, matchesAuthorsCode: false, lowersFinalOrder: "
          + "false, eta: 0.0)"
      ),
      (DPMSolverPlusPlusInversion(), "DPMSolverPlusPlusInversion(order: 2, slopeRule: Schedulers.SlopeRule.midpoint)"),
      (
        DPMSolverPlusPlus(),
        "DPMSolverPlusPlus(order: 2, eta: 0.0, slopeRule: Schedulers.SlopeRule.midpoint, matchesAuthorsCode: false, "
          + "lowersFinalOrder: false)"
      ),
      (DPMSolverPlusPlusSDE(), "DPMSolverPlusPlusSDE(eta: 1.0, middle: 0.5, drawsWholeSteps: false)"),
      (
        DPMSolverSinglestep(),
        "DPMSolverSinglestep(order: 2, estimate: Schedulers.SamplingPlan.Estimate.x0, "
          + "slopeRule: Schedulers.SlopeRule.midpoint, eta: 0.0)"
      ),
      (DPMSolverPlusPlus2SAncestral(), "DPMSolverPlusPlus2SAncestral(eta: 1.0, isStraight: false)"),
      (DPMSolverFast(), "DPMSolverFast()"), (ERSDE(), "ERSDE(order: 3, matchesAuthorsCode: false)"),
      (KDPM2AncestralRF(), "KDPM2AncestralRF(eta: 1.0)"),
      (SEEDS(), "SEEDS(method: Schedulers.SEEDS.Method.seeds2, eta: 1.0)"),
      (
        Restart(Heun()),
        "Restart<Heun>(base: Schedulers.Heun(), turn: 0.75, back: 0.25, times: 1, steps: nil)"
      ),
      (Euler(), "Euler()"), (EulerAncestral(), "EulerAncestral(eta: 1.0)"), (StraightHeun(), "StraightHeun()"),
      (GradientEstimation(), "GradientEstimation(gamma: 2.0, mu: 0.0)"), (Heun(), "Heun()"),
      (IPNDM(), "IPNDM(order: 4)"),
      (KDPM2(), "KDPM2(eta: 0.0)"), (LCM(), "LCM(timestepScaling: 10.0, sigmaData: 0.5)"), (LMS(), "LMS(order: 4)"),
      (PNDM(), "PNDM(skipsRungeKutta: false)"), (RePaint(), "RePaint(eta: 1.0, jumpLength: 10, resamplings: 10)"),
      (
        SASolver(),
        "SASolver(predictorOrder: 2, correctorOrder: 2, tau: 1.0, noisySigmas: nil, matchesAuthorsCode: false, "
          + "lowersFinalOrder: false, evaluatesCorrection: false)"
      ), (TCD(), "TCD(eta: 0.3)"),
      (
        UniPC(),
        "UniPC(order: 2, step: Schedulers.UniPC.Step.bh2, estimate: Schedulers.SamplingPlan.Estimate.x0, "
          + "uncorrectedSteps: Set([]), corrects: true, lowersFinalOrder: false)"
      ),
    ]
    for (sampler, text) in defaults { #expect("\(sampler)" == text) }
  }

  @Test func `spacings, schedules and weights have the constants of their papers`() throws {
    #expect(SigmaSpacing.karras() == .karras(rho: 7) && SigmaSpacing.polyexponential() == .polyexponential(rho: 1))
    #expect(
      TimestepSpacing.leading() == .leading(offset: 0) && TimestepSpacing.distilled() == .distilled(originalSteps: 50))
    #expect(
      TimestepSpacing.beta() == .beta(alpha: 0.6, beta: 0.6) && FlowSpacing.Times.beta() == .beta(alpha: 0.6, beta: 0.6)
    )
    #expect(BetaSchedule.linear() == .linear(start: 1e-4, end: 0.02, scaledFrom: nil))
    #expect(BetaSchedule.scaledLinear() == .scaledLinear(start: 0.00085, end: 0.012))
    #expect(BetaSchedule.cosine() == .cosine(offset: 0.008, maxBeta: 0.999))
    #expect(BetaSchedule.sigmoid() == .sigmoid(start: 1e-4, end: 0.02))
    #expect(Clipping.dynamic() == .dynamic(ratio: 0.995, maximum: 1))
    #expect(LossWeighting.minSNR() == .minSNR(gamma: 5) && LossWeighting.softMinSNR() == .softMinSNR(gamma: 4))
    #expect(LossWeighting.p2() == .p2(k: 1, gamma: 1) && LossWeighting.edm() == .edm(sigmaData: 0.5))
    #expect("\(EDMPreconditioning())" == "\(EDMPreconditioning(sigmaData: 0.5, conditioning: .logarithm))")
    #expect("\(try LogNormalSigma())" == "\(try LogNormalSigma(mean: -1.2, deviation: 1.2))")
    #expect("\(DiscretizedGaussian())" == "\(DiscretizedGaussian(levels: 256, cdf: .exact))")
    #expect("\(BrownianNoise(seed: 1))" == "\(BrownianNoise(seed: 1, firstSample: 0, depth: 20))")
  }
}
