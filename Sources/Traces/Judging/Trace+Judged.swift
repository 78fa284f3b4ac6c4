import Schedulers
import SchedulersInterop

extension Trace {
  /// The tolerance that holds unless another is asked for: above every deviation that float32
  /// recordings of right runs have shown. In half precision what its roundings explain is allowed
  /// too.
  public static let defaultTolerance = 2e-4

  /// Makes every step again and compares.
  ///
  /// - Parameters:
  ///   - fidelity: `.diffusers` judges by what the source does, `.corrected` by the mathematics.
  ///   - tolerance: a step is right if no scalar is further off than tolerance·max(1, the largest
  ///     scalar before and after it); `defaultTolerance` if it is nil.
  /// - Returns: every step, and a diagnosis if one of the known mistakes explains the first that is
  ///   wrong.
  /// - Throws: `TraceError` if the configuration has no such run.
  public func judged(fidelity: Fidelity = .diffusers, tolerance: Double? = nil) throws(TraceError) -> Judgement {
    // Asked first: a run of a million steps would take long to plan.
    guard inferenceSteps <= max(steps, Self.longestPart) else {
      throw .configuration(
        "num_inference_steps is \(inferenceSteps), and only \(steps) steps are recorded; of runs of more than "
          + "\(Self.longestPart) steps every step must be")
    }
    var trace = self
    let whole: SamplingPlan
    do { whole = try source.plan(steps: inferenceSteps, fidelity: fidelity, in: torch) } catch {
      // What is 0 or NaN on one make of processors may be a number on another.
      trace.torch = torch.elsewhere
      guard fidelity == .diffusers,
        let other = try? source.plan(steps: inferenceSteps, fidelity: fidelity, in: trace.torch)
      else { throw error }
      whole = other
    }
    let plan = recorded(of: whole)
    guard plan.steps.count == steps else {
      throw .configuration(
        "\(steps) steps are recorded, where \(source.name) makes \(plan.steps.count) of \(inferenceSteps)")
    }
    guard plan.learnsVariance == hasVariance else {
      throw .tensor(
        "model_outputs",
        reason: hasVariance
          ? "has twice the channels of the samples, and the configuration learns no variance"
          : "has the channels of the samples; it must have twice as many, as the variance is learned")
    }
    guard hasNoises || !plan.isStochastic else {
      throw .tensor("noises", reason: "is missing, and the steps draw noise")
    }
    if case .dynamic = plan.clipping, sampleSize > Judge.largestPart {
      throw .tensor(
        "samples",
        reason: "has \(sampleSize) scalars in each sample; with thresholding at most \(Judge.largestPart) are judged"
      )
    }
    var judge = Judge(trace, plan: plan, tolerance: tolerance)
    var judgement = judge.judgement(fidelity: fidelity)
    // The file does not say which processor it comes from. A run is all of one, and right if it is
    // right on one.
    if !judgement.agrees, let other = judgeElsewhere(fidelity: fidelity, tolerance: tolerance) {
      let found = other.judgement(fidelity: fidelity)
      if found.divergences < judgement.divergences { (judge, judgement) = (other, found) }
    }
    if !judgement.agrees,
      let ended = endingAtZero(fidelity: fidelity, tolerance: tolerance) ?? repeatingLast(judge, fidelity, tolerance)
    {
      return ended
    }
    judgement.remarks = judge.remarks(of: whole.steps.count)
    if !judgement.agrees {
      judgement.diagnosis = judge.diagnosis(of: judgement, fidelity: fidelity)
      judgement.coefficients = judge.coefficients(of: judgement)
    }
    return judgement
  }

  /// The judge by the source's arithmetic on another make of processors, if the source's arithmetic
  /// is what counts and it has another.
  private func judgeElsewhere(fidelity: Fidelity, tolerance: Double?) -> Judge? {
    var trace = self
    trace.torch = torch.elsewhere
    guard fidelity == .diffusers, let plan = try? plan(of: source, fidelity: fidelity, in: trace.torch),
      plan.steps.count == steps
    else { return nil }
    return Judge(trace, plan: plan, tolerance: tolerance)
  }

  /// The judgement of a run of rectified flow at equal times down to 0 before the shift, if it was
  /// one: Z-Image's pipeline sets the scheduler's `sigma_min` to 0, which no file says.
  private func endingAtZero(fidelity: Fidelity, tolerance: Double?) -> Judgement? {
    guard timesteps.last == 0, case .diffusers(let configuration, var arguments) = source,
      configuration["shift"] != nil, !arguments.hasGivenTimes, inferenceSteps > 1
    else { return nil }
    arguments.sigmas = (0..<inferenceSteps).map { 1 - Double($0) / Double(inferenceSteps - 1) }
    let told = TraceSource.diffusers(configuration, arguments)
    guard let plan = try? plan(of: told, fidelity: fidelity, in: torch), plan.steps.count == steps else { return nil }
    let judge = Judge(self, plan: plan, tolerance: tolerance)
    var judgement = judge.judgement(fidelity: fidelity)
    guard judgement.agrees else { return nil }
    judgement.remarks = judge.remarks(of: steps) + ["the times end in 0, as if sigma_min were 0; the last step stays"]
    return judgement
  }

  /// The judgement of a run of flow matching whose last step stays, if it was one: the pipeline of
  /// Cosmos Predict2 ends at the last sigma, as the file says in a key that is not its class's.
  private func repeatingLast(_ judge: Judge, _ fidelity: Fidelity, _ tolerance: Double?) -> Judgement? {
    guard case .diffusers(let configuration, _) = source, configuration["shift"] != nil,
      configuration.values["final_sigmas_type"] == "sigma_min", inferenceSteps == steps,
      let plan = judge.plan.edited({ i, step in i == steps - 1 ? step.with(next: .sample) : nil })
    else { return nil }
    let judge = Judge(judge.trace, plan: plan, tolerance: tolerance)
    var judgement = judge.judgement(fidelity: fidelity)
    guard judgement.agrees else { return nil }
    judgement.remarks = judge.remarks(of: steps) + ["the last step stays, as final_sigmas_type is sigma_min"]
    return judgement
  }

  /// How many steps a run may have that is recorded in part.
  private static let longestPart = 10_000

  /// The plan of a run as far as it is recorded: it may have been stopped before its end.
  func plan(of source: TraceSource, fidelity: Fidelity, in torch: TorchArithmetic) throws(TraceError) -> SamplingPlan {
    recorded(of: try source.plan(steps: inferenceSteps, fidelity: fidelity, in: torch))
  }

  private func recorded(of plan: SamplingPlan) -> SamplingPlan {
    guard plan.steps.count > steps else { return plan }
    // The steps of a plan are one.
    return try! SamplingPlan(
      steps: Array(plan.steps.prefix(steps)), start: plan.start, clipping: plan.clipping,
      learnsVariance: plan.learnsVariance)
  }
}
