import Schedulers

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
      guard let setting = try? setting(steps: steps, step: arguments) else { return [] }
      let timesteps = setting.timesteps
      let isShifted = boolean("use_dynamic_shifting") || number("shift") != 1
      // Where both ends are held, a shift of them changes nothing.
      let isHeld = number("shift_terminal") != nil && (steps == 2 || SigmaChoice.allCases.contains { boolean($0.rawValue) })
      let isTwice = isShifted && !boolean("use_dynamic_shifting") && steps > 1 && !isHeld && arguments.sigmas == nil
      let isMistaken = redrawsFlow && boolean("invert_sigmas")
      let isBeta = boolean(SigmaChoice.beta.rawValue) && isShifted && steps > 2
      return [.float32Tables] + (isBeta ? [.betaOverSigmas] : []) + (isTwice ? [.shiftedTwice] : [])
        + (isMistaken ? [.noiseForData] : [])
        + (timesteps.prefix(2) == [timesteps[0], timesteps[0]] ? [.duplicateStart] : []) + churn(setting, arguments)
    }
    if family == .consistency {
      guard (try? setting(steps: steps, step: arguments)) != nil else { return [] }
      return [.float32Tables, .initialScaleWithoutData] + (isNotFinite(steps: steps) ? [.leastSigmaNotANumber] : [])
    }
    if family == .edm {
      guard let setting = try? setting(steps: steps, step: arguments) else { return [] }
      return [.float32Tables]
        + (steps == 1 && string("sigma_schedule") == "exponential" ? [.oneStepFromTheEnd] : [])
        + [.idleLastStep, .halvedCurvature, .missingThirdOrder].filter {
          meets($0, steps: steps, of: 0, spacing: .linspace, setting, arguments)
        } + churn(setting, arguments)
    }
    guard
      let total = try? trainingTimesteps(), let spacing = try? timestepSpacing(),
      let setting = try? setting(steps: steps, step: arguments)
    else { return [] }
    guard !isInverse || (try? multistep(fidelity: .diffusers)) != nil else { return [] }
    guard schedulerClass != .rePaint || self["trained_betas"] == .null else { return [] }
    return Deviation.allCases.filter { meets($0, steps: steps, of: total, spacing: spacing, setting, arguments) }
      + churn(setting, arguments)
  }

  private func churn(_ setting: Setting, _ arguments: StepArguments) -> [Deviation] {
    guard hasChurn, arguments.churn > 0 else { return [] }
    let (least, most) = (arguments.churnMinimum, arguments.churnMaximum)
    guard setting.sigmas.dropLast().contains(where: { least <= Double($0) && Double($0) <= most }) else { return [] }
    return [.lateChurn] + (family == .flow ? [.churnOffTheLine] : [])
  }

  private func meets(
    _ deviation: Deviation, steps: Int, of total: Int, spacing: Spacing, _ setting: Setting, _ arguments: StepArguments
  ) -> Bool {
    let isEuler = isSigmaBased && !isSolver
    let hasSigmaSpacing = SigmaChoice.allCases.contains { boolean($0.rawValue) }
    let (timesteps, sigmas) = (setting.timesteps, setting.sigmas)
    switch deviation {
    case .float32Tables: return true
    case .trailingMinusOne: return spacing == .trailing && !hasSigmaSpacing && timesteps.contains(-1)
    case .missedTies:
      guard !hasSigmaSpacing, family != .distilled, steps > 1 else { return false }
      guard spacing == .trailing || (spacing == .linspace && !isSigmaBased) else { return false }
      let own: TimestepSpacing = spacing == .linspace ? .linspace : .trailing
      let exact = (try? own.timesteps(steps: steps, of: total)) ?? []
      let faithful = schedulerClass == .ddimInverse || isInverse ? timesteps.reversed() : timesteps
      return zip(exact, faithful.filter { $0 >= 0 }).contains { abs(Double($0) - $1) == 1 }
    case .oneStepFromTheEnd: return steps == 1 && spacing == .linspace && total > 1 && !isSolver && family != .distilled
    case .fractionalTimesteps:
      return isEuler && spacing == .linspace && !hasSigmaSpacing && timesteps.contains { $0 != $0.rounded() }
    case .timestepPastTheEnd: return timesteps.contains { $0 >= Double(total) }
    case .stridedPrevious:
      guard [.ddim, .pndm].contains(schedulerClass) else { return false }
      let (stride, end) = (Double(total / steps), (try? endsAtLeastNoise()) == true ? 0.0 : -1)
      return zip(timesteps, timesteps.dropFirst() + [end]).contains { max($0 - stride, end) != $1 }
    case .roundedMiddles: return schedulerClass == .pndm && !boolean("skip_prk_steps") && total / steps % 2 == 1
    case .stridedInverse: return schedulerClass == .ddimInverse
    case .lastStepIsNoisy: return schedulerClass == .ddpm && (timesteps.last ?? 0) > 0
    case .logarithmForVariance: return string("variance_type") == "fixed_large_log" && schedulerClass == .ddpm
    case .epsilonBeforeClipping:
      return [.ddim, .rePaint].contains(schedulerClass) && (try? clipping()) != Clipping.none
    case .lateJumps: return schedulerClass == .rePaint && arguments.resamplings > 1 && steps > arguments.jumpLength
    case .betasOfLaterSteps:
      return meets(.lateJumps, steps: steps, of: total, spacing: spacing, setting, arguments) && total / steps > 1
    case .infiniteX0:
      return !isSigmaBased && boolean("rescale_betas_zero_snr") && (try? prediction()) == .epsilon
        && timesteps.contains(Double(total - 1))
    case .almostZeroSNR:
      // The sigma of 2⁻²⁴, but for roundings.
      return isSigmaBased && boolean("rescale_betas_zero_snr") && sigmas.contains { $0 > 4095 }
    case .initialScaleWithoutData: return isEuler && spacing != .leading
    case .learnedRoot: return string("variance_type") == "learned" && schedulerClass == .ddpm
    case .ancestralNotANumber: return schedulerClass == .eulerAncestralDiscrete && isNotFinite(steps: steps)
    case .subsampledEnds:
      guard isEuler, hasSigmaSpacing, let table = try? tables().sigmas, !sigmas.isEmpty else { return false }
      let (most, least) = (bound("sigma_max") ?? Double(table.last!), bound("sigma_min") ?? Double(table[0]))
      let ends = [(sigmas[0], most)] + (steps > 1 ? [(sigmas[steps - 1], least)] : [])
      return ends.contains { abs(Double($0) / $1 - 1) > 0x1p-16 }
    case .betaOverSigmas:
      // Two steps are at the ends, which are whole timesteps unless the file gives others.
      let hasEnds = ["sigma_min", "sigma_max"].contains { bound($0) != nil }
      return isSigmaBased && boolean(SigmaChoice.beta.rawValue) && (steps > 2 || hasEnds)
    case .logLinearEnd: return (try? isLogLinear()) == true && !hasSigmaSpacing
    case .roundedSigmaTimesteps:
      let isKDPM2 = [.kdpm2Discrete, .kdpm2AncestralDiscrete].contains(schedulerClass)
      return isSolver && hasSigmaSpacing || isKDPM2 && boolean(SigmaChoice.karras.rawValue)
    case .duplicateStart: return isSigmaBased && timesteps.count > 1 && timesteps[0] == timesteps[1]
    case .oneMorePoint:
      // One step begins at the end of linspace either way.
      return isSolver && !hasSigmaSpacing && spacing != .trailing && (steps > 1 || spacing != .linspace)
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
    case .idleLastStep:
      guard schedulerClass != .ddimInverse, (try? endsAtLeastNoise()) == true else { return false }
      // The same sigma through a spacing is off by its roundings, some ρ·2⁻²³ of Karras'. Steps are longer by far.
      let last = timesteps.count - 1
      return sigmas.count > last + 1 ? sigmas[last] <= sigmas[last + 1] * (1 + 0x1p-16) : timesteps.last == 0
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
