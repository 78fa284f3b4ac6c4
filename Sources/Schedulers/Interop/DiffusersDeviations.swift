extension DiffusersConfiguration {
  /// Which deviations this configuration meets with a number of steps: where `.diffusers` and `.corrected` differ.
  ///
  /// - Returns: nothing for a configuration or a number of steps that diffusers refuses.
  public func deviations(steps: Int, step arguments: StepArguments = StepArguments()) -> [Deviation] {
    if schedulerClass == .ipndm {
      guard let noises = try? ipndmSetting(steps: checked(steps: steps)).noises else { return [] }
      return [.float32Tables] + (noises[0] == 1 ? [.firstOutputUnused] : [])
    }
    if family == .flow {
      guard let timesteps = try? setting(steps: steps, step: arguments).timesteps else { return [] }
      let isTwice = !boolean("use_dynamic_shifting") && number("shift") != 1 && steps > 1 && arguments.sigmas == nil
      let isMistaken = redrawsFlow && boolean("invert_sigmas")
      return [.float32Tables] + (isTwice ? [.shiftedTwice] : []) + (isMistaken ? [.noiseForData] : [])
        + (timesteps.prefix(2) == [timesteps[0], timesteps[0]] ? [.duplicateStart] : []) + churn(arguments)
    }
    if family == .consistency {
      guard (try? setting(steps: steps, step: arguments)) != nil else { return [] }
      return [.float32Tables, .initialScaleWithoutData] + (isNotFinite(steps: steps) ? [.leastSigmaNotANumber] : [])
    }
    if family == .edm {
      guard (try? setting(steps: steps, step: arguments)) != nil else { return [] }
      return [.float32Tables]
        + [.idleLastStep, .halvedCurvature, .missingThirdOrder].filter {
          meets($0, steps: steps, of: 0, spacing: .linspace, timesteps: [], arguments)
        } + churn(arguments)
    }
    guard
      let total = try? trainingTimesteps(), let spacing = try? timestepSpacing(),
      let timesteps = try? setting(steps: steps, step: arguments).timesteps
    else { return [] }
    guard !isInverse || (try? multistep(fidelity: .diffusers)) != nil else { return [] }
    guard schedulerClass != .rePaint || self["trained_betas"] == .null else { return [] }
    return Deviation.allCases.filter { meets($0, steps: steps, of: total, spacing: spacing, timesteps: timesteps, arguments) }
      + churn(arguments)
  }

  private func churn(_ arguments: StepArguments) -> [Deviation] {
    guard hasChurn, arguments.churn > 0 else { return [] }
    return [.lateChurn] + (family == .flow ? [.churnOffTheLine] : [])
  }

  private func meets(
    _ deviation: Deviation, steps: Int, of total: Int, spacing: Spacing, timesteps: [Double], _ arguments: StepArguments
  ) -> Bool {
    let isEuler = isSigmaBased && !isSolver
    let hasSigmaSpacing = SigmaChoice.allCases.contains { boolean($0.rawValue) }
    switch deviation {
    case .float32Tables: return true
    case .trailingMinusOne: return spacing == .trailing && !hasSigmaSpacing && timesteps.contains(-1)
    case .missedTies:
      guard !hasSigmaSpacing, spacing == .trailing || (spacing == .linspace && !isSigmaBased), steps > 1 else { return false }
      let own: TimestepSpacing = spacing == .linspace ? .linspace : .trailing
      let exact = (try? own.timesteps(steps: steps, of: total)) ?? []
      let faithful = schedulerClass == .ddimInverse || isInverse ? timesteps.reversed() : timesteps
      return zip(exact, faithful.filter { $0 >= 0 }).contains { abs(Double($0) - $1) == 1 }
    case .oneStepFromTheEnd: return steps == 1 && spacing == .linspace && total > 1 && !isSolver
    case .fractionalTimesteps: return isEuler && spacing == .linspace && timesteps.contains { $0 != $0.rounded() }
    case .timestepPastTheEnd: return timesteps.contains { $0 >= Double(total) }
    case .stridedPrevious:
      guard schedulerClass == .ddim else { return false }
      let stride = Double(total / steps)
      return zip(timesteps, timesteps.dropFirst() + [-1]).contains { ($0 - stride) != $1 && ($0 - stride >= 0 || $1 >= 0) }
    case .stridedInverse: return schedulerClass == .ddimInverse
    case .lastStepIsNoisy: return schedulerClass == .ddpm && (timesteps.last ?? 0) > 0
    case .logarithmForVariance: return string("variance_type") == "fixed_large_log" && schedulerClass == .ddpm
    case .epsilonBeforeClipping:
      return [.ddim, .rePaint].contains(schedulerClass) && (try? clipping()) != Clipping.none
    case .lateJumps: return schedulerClass == .rePaint && arguments.resamplings > 1 && steps > arguments.jumpLength
    case .betasOfLaterSteps:
      return meets(.lateJumps, steps: steps, of: total, spacing: spacing, timesteps: timesteps, arguments) && total / steps > 1
    case .infiniteX0:
      return !isSigmaBased && boolean("rescale_betas_zero_snr") && (try? prediction()) == .epsilon
        && timesteps.contains(Double(total - 1))
    case .almostZeroSNR: return isSigmaBased && boolean("rescale_betas_zero_snr")
    case .initialScaleWithoutData: return isEuler && spacing != .leading
    case .learnedRoot: return string("variance_type") == "learned" && schedulerClass == .ddpm
    case .ancestralNotANumber: return schedulerClass == .eulerAncestralDiscrete && isNotFinite(steps: steps)
    case .subsampledEnds: return isEuler && hasSigmaSpacing
    case .logLinearEnd: return (try? isLogLinear()) == true && !hasSigmaSpacing
    case .roundedSigmaTimesteps: return isSolver && hasSigmaSpacing
    case .duplicateStart: return isSigmaBased && timesteps.count > 1 && timesteps[0] == timesteps[1]
    case .oneMorePoint: return isSolver && !hasSigmaSpacing && spacing != .trailing
    case .halvedCurvature:
      return takesThirdOrder(steps: isInverse ? timesteps.count : steps) && string("algorithm_type")?.hasPrefix("sde") == false
    case .missignedCurvature:
      guard string("algorithm_type") == "sde-dpmsolver++", family == .solver else { return false }
      guard schedulerClass == .dpmSolverSinglestep else { return takesThirdOrder(steps: steps) }
      let orders = (try? singlestepOrders(steps, order: integer("solver_order"))) ?? []
      return string("solver_type") == "heun" && orders.contains(3)
    case .missingThirdOrder:
      let named = family == .edm ? "sde-dpmsolver++" : "sde-dpmsolver"
      return takesThirdOrder(steps: steps) && string("algorithm_type") == named
    case .lateConversion: return schedulerClass == .pndm && steps > 1 && (try? prediction()) == .v
    case .endsAtFirstTimestep: return schedulerClass == .tcd
    case .vOnStraightLines: return isSolver && boolean("use_flow_sigmas") && (try? prediction()) == .v
    case .shiftedTwice: return false
    case .dataForSample: return isInverse && !boolean("use_flow_sigmas")
    case .notInverted: return isInverse && boolean("use_flow_sigmas")
    case .droppedTimesteps: return isInverse && hasSigmaSpacing && timesteps.count < steps
    case .idleLastStep where isInverse: return hasSigmaSpacing && timesteps.count == steps
    case .idleLastStep: return (isSolver && hasSigmaSpacing || family == .edm) && (try? endsAtLeastNoise()) == true
    case .infiniteLastStep: return schedulerClass == .uniPC && isNotFinite(steps: steps)
    case .halvedSlope:
      guard schedulerClass == .saSolver, string("algorithm_type") == "data_prediction" else { return false }
      let predicts = integer("predictor_order") > 1 && steps > (boolean("lower_order_final") ? 2 : 1)
      return predicts || integer("corrector_order") > 1 && steps > 1
    case .firstOutputUnused, .lateChurn, .churnOffTheLine, .noiseForData, .leastSigmaNotANumber: return false
    case .guidedSingleStep, .guidedUnclippedMean, .guidedFloat32: return false
    }
  }

  private func takesThirdOrder(steps: Int) -> Bool {
    let isMultistep = [.dpmSolverMultistep, .dpmSolverMultistepInverse, .edmDPMSolverMultistep].contains(schedulerClass)
    guard isMultistep, integer("solver_order") == 3 else { return false }
    return ((try? orderLimits(steps)) ?? []).enumerated().contains { min($1, $0 + 1) == 3 }
  }

  private func isNotFinite(steps: Int) -> Bool {
    do {
      _ = try faithfulMoves(steps: steps, step: StepArguments())
      return false
    } catch {
      guard case .notFinite = error else { return false }
      return true
    }
  }
}
