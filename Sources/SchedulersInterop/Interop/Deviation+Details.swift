import Schedulers

extension Deviation {
  /// What is known of this deviation.
  public var details: Details {
    switch self {
    case .float32Tables:
      Details(
        what:
          "betas, alphas_cumprod and sigmas are float32. 1 − ᾱ and 1 − ᾱ_t/ᾱ_s cancel, and what is left has few digits at small t.",
        place: "every class",
        effect:
          "With the default betas ᾱ is off by up to 3.6e-7 of itself, and the variance of DDPM's step at t = 4 by 3.9e-4.",
        issue: nil)
    case .trailingMinusOne:
      Details(
        what:
          "Trailing spacing is `np.arange(T, 0, -T/N)`, which for some N has one element too many in floating point: the timestep −1, "
          + "whose ᾱ Python reads from the end of the table, the noisiest.",
        place: "every class, `timestep_spacing: trailing`, 62 of N = 1 ... 1000 with T = 1000: 61, 103, 121, 122, 201, ...",
        effect:
          "DDIM with N = 103 and a perfect network ends at −141.2 instead of 0.3. The classes with sigmas hold the table at its ends and "
          + "only call the network with −1.", issue: nil)
    case .missedTies:
      Details(
        what:
          "Where a timestep lies halfway between two whole numbers, floating point leaves it a little to one side, and it is rounded to "
          + "the odd neighbour instead of the even one.",
        place: "every class, trailing (N = 48, 96, 112, ... with T = 1000) and linspace (N = 27, 31, 47, ...) spacing",
        effect: "Single timesteps are off by one.", issue: nil)
    case .oneStepFromTheEnd:
      Details(
        what:
          "One step in linspace spacing is `np.linspace(0, T − 1, 1)`, timestep 0, so that a run of one step begins where the noise is "
          + "least. One step has to begin at T − 1.",
        place:
          "every class but DDIM inverse and DPM-Solver multistep, `timestep_spacing: linspace`, N = 1; EDM's, `sigma_schedule: exponential`",
        effect: "The network is asked about timestep 0 instead of 999 and given pure noise.", issue: nil)
    case .fractionalTimesteps:
      Details(
        what:
          "Linspace timesteps are not rounded: the network is told fractions that it was not trained with, and sigma is interpolated "
          + "linearly between the table's, not in its logarithm.",
        place: "Euler, Euler ancestral and Heun, `timestep_spacing: linspace`",
        effect: "With N = 7 the second timestep is 832.5.", issue: nil)
    case .timestepPastTheEnd:
      Details(
        what:
          "`steps_offset` is added without a look at the end of the schedule. With N = T and offset 1 the first timestep is T.",
        place: "every class but DPM-Solver multistep, `timestep_spacing: leading` with `steps_offset` above 0 and N near T",
        effect: "DDPM and DDIM raise IndexError. The classes with sigmas call the network with T, at the sigma of T − 1.",
        issue: "huggingface/diffusers/issues/10003")
    case .stridedPrevious:
      Details(
        what:
          "The step goes from t to t − ⌊T/N⌋, whatever the next timestep is. The next call then tells the network a timestep that is not "
          + "that of the sample.",
        place: "DDIM and PNDM, `timestep_spacing: linspace` (998 of N = 1 ... 1000) and `trailing` (984, by one)",
        effect: "With linspace and N = 4 the steps lead to 749, 416, 83 where the network is told 666, 333, 0.",
        issue: "huggingface/diffusers/issues/11347")
    case .roundedMiddles:
      Details(
        what:
          "The middle of a step of Runge and Kutta is ⌊⌊T/N⌋/2⌋ timesteps from its ends, whole ones, which for an odd ⌊T/N⌋ is half of one off "
          + "the middle; the authors take (t + t')/2.",
        place: "PNDM without `skip_prk_steps`, where ⌊T/N⌋ is odd",
        effect: "With N = 8 the first step, from 875 to 750, has its middle at 813 and at 812 instead of 812.5.", issue: nil)
    case .stridedInverse:
      Details(
        what:
          "The sample at t − ⌊T/N⌋ is given to the network with timestep t, that of the sample that the step makes. The first step takes "
          + "clean data for a sample of negative timestep.",
        place: "DDIM inverse",
        effect: "With N = 10 a perfect network turns the datum 0.3 into 0.173 instead of data at the last level.",
        issue: "huggingface/diffusers/issues/10695")
    case .lastStepIsNoisy:
      Details(
        what:
          "Noise is drawn wherever t > 0, not wherever the step ends at noise. A last step from t > 0 to clean data adds some: √β with "
          + "fixed_large; with fixed_small 1e-10, the variance 0 being raised to 1e-20.",
        place: "DDPM where the last timestep is above 0: trailing spacing, or `steps_offset` above 0",
        effect:
          "With trailing spacing, fixed_large and N = 10 a perfect network ends at 0.101 instead of 0.3, with noise of −0.62.",
        issue: nil)
    case .logarithmForVariance:
      Details(
        what:
          "The logarithm of β is taken for the variance, and its root for the deviation. β is below 1, the logarithm negative.",
        place: "DDPM, `variance_type: fixed_large_log`", effect: "Every step is NaN. `.diffusers` refuses the configuration.",
        issue: nil)
    case .learnedRoot:
      Details(
        what:
          "The second half of the network's output is taken for the variance itself, whose root multiplies the noise. A network that learns its "
          + "variance (Nichol and Dhariwal 2021) gives its logarithm.",
        place: "DDPM, `variance_type: learned`",
        effect: "With the logarithm of a variance below 1, which is negative, every step is NaN.", issue: nil)
    case .epsilonBeforeClipping:
      Details(
        what:
          "x̂0 is clipped, and epsilon kept from before: the two no longer make up the sample. guided-diffusion makes epsilon again "
          + "from the clipped x̂0, as `use_clipped_model_output` does.",
        place: "DDIM with `clip_sample` or `thresholding`, unless `use_clipped_model_output`; RePaint with `clip_sample`",
        effect: "Every step that clips is different, by the part that was clipped.", issue: nil)
    case .infiniteX0:
      Details(
        what:
          "Where there is no signal, epsilon says nothing about x0. x̂0 = (x − epsilon)/0 is infinite, and clipping turns it into ±1 by the "
          + "sign of the network's last error.",
        place: "DDPM, DDIM and DDIM inverse, `rescale_betas_zero_snr` with epsilon prediction",
        effect: "A number without meaning with `clip_sample`, NaN without. `.corrected` refuses both.", issue: nil)
    case .almostZeroSNR:
      Details(
        what: "After rescaling to zero terminal SNR, 2⁻²⁴ is put for the last ᾱ, which is 0, so that sigma is finite.",
        place:
          "Euler, Euler ancestral, DPM-Solver multistep and UniPC, `rescale_betas_zero_snr`, where the run begins at the last timestep",
        effect: "The first sigma is 4096 instead of infinite.", issue: nil)
    case .initialScaleWithoutData:
      Details(
        what:
          "The first sample is sigma·z, as if there were no data in it; a sample at that level has the deviation √(1 + σ²).",
        place:
          "Euler, Euler ancestral, Heun and others of their family, `timestep_spacing: linspace` and `trailing`; consistency models",
        effect: "√(1 + σ²)/σ, 1.00037 for sigma 36.9.", issue: nil)
    case .ancestralNotANumber:
      Details(
        what: "sigma_down = √(σ'² − sigma_up²) in float32, where sigma_up is σ' but for rounding, and may come out larger.",
        place: "Euler ancestral where sigma falls steeply, such as `beta_schedule: squaredcos_cap_v2` with few steps",
        effect: "The first step is NaN with N = 4. `.diffusers` refuses the configuration.",
        issue: "huggingface/diffusers/issues/14213")
    case .subsampledEnds:
      Details(
        what:
          "Karras', exponential and beta sigmas lie between the first and the last that `timestep_spacing` has chosen, not between those of "
          + "the schedule.",
        place: "Euler, Heun and others of their family, `use_karras_sigmas`, `use_exponential_sigmas` or `use_beta_sigmas`",
        effect: "With Stable Diffusion's betas, trailing spacing and N = 20 the last sigma is 0.223 instead of 0.029.",
        issue: nil)
    case .betaOverSigmas:
      Details(
        what:
          "The beta distribution lies over the sigmas. The paper (Lee et al. 2024, arXiv 2407.12173), ComfyUI, stable-diffusion.cpp and A1111 lay "
          + "it over the timesteps. On rectified flow it lies between the shifted times, not before the shift.",
        place: "every class with `use_beta_sigmas`; on rectified flow, where the times are shifted",
        effect:
          "With Stable Diffusion's betas and N = 10 the network is told 999, 991.0, 972.6, ... instead of 999, 952, 854, ...",
        issue: nil)
    case .logLinearEnd:
      Details(
        what:
          "N + 1 sigmas are made for N timesteps, so that the run ends at the least sigma of the schedule instead of at 0, and the "
          + "timesteps are not those of the sigmas.",
        place: "Euler, `interpolation_type: log_linear`",
        effect: "With N = 10 a perfect network, told the wrong timesteps, ends at 0.160 instead of 0.3.", issue: nil)
    case .roundedSigmaTimesteps:
      Details(
        what:
          "The timesteps of Karras' sigmas are rounded, those of exponential ones and of the cosine schedule cut off, while the sigmas "
          + "stay; several steps may have one timestep.",
        place:
          "DPM-Solver and the other solvers, `use_karras_sigmas`, `use_exponential_sigmas` or another choice of sigmas; KDPM2 and KDPM2 ancestral, "
          + "`use_karras_sigmas`",
        effect:
          "Karras with N = 100 has the timestep 0 twice and asks about 95 different ones; exponential sigmas begin at 998.",
        issue: "huggingface/diffusers/issues/4122")
    case .duplicateStart:
      Details(
        what:
          "A run finds its place by the value of the first timestep and takes the second of equal ones. Where the first two are equal, "
          + "every step uses the sigmas of the next, and the last fails.",
        place:
          "DPM-Solver multistep with the cosine schedule and `use_karras_sigmas`; Euler with a `sigma_max` above the table; flow matching with a "
          + "`shift` of millions",
        effect: "IndexError. `.diffusers` refuses the configuration.", issue: "huggingface/diffusers/issues/12771")
    case .oneMorePoint:
      Details(
        what: "N + 1 timesteps are chosen and the least noisy is left out; the noisiest, of an inversion.",
        place: "DPM-Solver multistep, `timestep_spacing: linspace` and `leading`",
        effect: "Linspace with N = 10 ends at timestep 100 instead of 0.", issue: nil)
    case .halvedCurvature:
      Details(
        what:
          "Steps of order 3 take half of the second difference of the polynomial, as if the divided difference were the second "
          + "derivative, of which it is half already. So does the authors' code.",
        place:
          "DPM-Solver multistep, `solver_order: 3` with `algorithm_type: dpmsolver++` or `dpmsolver`; k-diffusion's "
          + "`sample_dpmpp_3m_sde`, which integrates slopes exactly",
        effect: "The error falls with order 2, not 3: every halving of the steps costs half of what order 3 gains.", issue: nil)
    case .missignedCurvature:
      Details(
        what:
          "Steps of order 3 take the second difference times (1 − e^(−2h) − 2h)/(2h)² − ½, where ½ has to be added, and all of it doubled, as "
          + "above. The factor goes to −1 with h, not to 0.",
        place:
          "DPM-Solver multistep, `solver_order: 3` with `algorithm_type: sde-dpmsolver++`; singlestep with `solver_type: heun`, where the "
          + "difference is not halved",
        effect: "With h = 0.1 the factor is −0.968 instead of 0.063.", issue: nil)
    case .missingThirdOrder:
      Details(
        what: "There is no formula of order 3 for SDE-DPM-Solver, and no error that says so.",
        place: "DPM-Solver multistep, `solver_order: 3` with `algorithm_type: sde-dpmsolver`; EDM's with `sde-dpmsolver++`",
        effect: "UnboundLocalError at the third step. `.diffusers` refuses the configuration.", issue: nil)
    case .idleLastStep:
      Details(
        what:
          "The least sigma of the schedule is both the last of the spacing and the end, so that the last step goes nowhere and what the "
          + "network says is of no use. A run that has been at the least sigma goes to clean data.",
        place:
          "DEIS and SA-Solver, Euler, EDM, DPM-Solver and UniPC with `final_sigmas_type: sigma_min`, DDIM and PNDM with `set_alpha_to_one: "
          + "false`, where the last timestep is 0 or the last sigma of `use_karras_sigmas` or another spacing is the schedule's least",
        effect: "The last call of the network is wasted.", issue: nil)
    case .infiniteLastStep:
      Details(
        what:
          "The step to clean data has h = ∞. UniPC divides by it in steps of order above 1, multiplies 0 by it with bh1, and 0 by e^∞ "
          + "where it predicts epsilon.",
        place:
          "UniPC, `final_sigmas_type: zero` with `lower_order_final: false`, with `solver_type: bh1`, or with `predict_x0: false`",
        effect: "The result is NaN. `.diffusers` refuses the configuration.", issue: nil)
    case .firstOutputUnused:
      Details(
        what:
          "A run begins without signal, where x̂0 is all that the network can say. 10⁻⁸ is put for the signal, and 0 is divided by it: "
          + "x̂0 is 0, whatever the network says.",
        place: "IPNDM",
        effect: "The first call of the network is wasted, and the first step goes to x·noise' instead of "
          + "signal'·x̂0 + x·noise'.", issue: nil)
    case .lateConversion:
      Details(
        what:
          "What the network says is combined over several steps first, and then converted from v to epsilon at the level of this one, though "
          + "each v belongs to a level of its own.",
        place: "PNDM, `prediction_type: v_prediction`",
        effect:
          "With N = 10 and `skip_prk_steps` a run with a perfect network, which should not leave its path, is 0.061 off at timestep 200.",
        issue: nil)
    case .shiftedTwice:
      Details(
        what:
          "The constructor shifts the sigmas and keeps the least of them; `set_timesteps` lays equal steps down to it and shifts again.",
        place: "FlowMatchEuler, FlowMatchHeun and FlowMatchLCM, a static `shift` other than 1",
        effect: "With shift 3 the last sigma is 0.00893 instead of 0.00299.", issue: "huggingface/diffusers/issues/13243")
    case .endsAtFirstTimestep:
      Details(
        what:
          "The last step goes to the level of timestep 0, where some noise is left, not to clean data; `set_alpha_to_one` has no effect.",
        place: "TCD", effect: "The result keeps √(1 − ᾱ₀) of noise, 0.029 with the default betas.", issue: nil)
    case .vOnStraightLines:
      Details(
        what:
          "x̂0 is read as signal·x − noise·v, which needs signal² + noise² = 1, while the samples are on straight lines with signal + noise = 1.",
        place: "DPM-Solver multistep and singlestep, DEIS and UniPC, `use_flow_sigmas` with `prediction_type: v_prediction`",
        effect: "Half way x̂0 is half as large as it should be.", issue: nil)
    case .halvedSlope:
      Details(
        what:
          "The slope of a line through two values of x̂0 counts as if it had the weight H/2, with H = (1 + τ²)·h, not 1 − (1 − e^(−H))/H. So does "
          + "the authors' code; the paper's coefficients are the exact integrals.",
        place: "SA-Solver, `algorithm_type: data_prediction`, steps of order 2",
        effect: "With H = 1 the weight is 0.5 instead of 0.368.",
        issue: nil)
    case .lateChurn:
      Details(
        what:
          "The network is asked with the sample as it was, and noise is added to the sample afterwards: what it says belongs to σ, and the step is "
          + "made with it from σ̂. Karras et al. add the noise first and ask at σ̂. v is read with the factors of σ.",
        place: "Euler, EDM's Euler and FlowMatchHeun, `s_churn` above 0",
        effect: "None of the noise that is added is seen by the network in its step: with epsilon all of it stays.", issue: nil)
    case .churnOffTheLine:
      Details(
        what:
          "Noise is added to a sample of rectified flow, (1 − σ)·x0 + σ·epsilon, as if it were x0 + σ·epsilon: it is at σ̂ then, but has the signal of "
          + "σ. On the straight line σ/(1 − σ) grows by 1 + γ and the sample is scaled to the signal of σ̂; where there is no signal, none is "
          + "added. N, by which `s_churn` is divided, counts evaluations.",
        place: "FlowMatchHeun, `s_churn` above 0",
        effect: "With N = 10 and `s_churn` 3 the first step begins at σ̂ = 1.16, where there is no level.", issue: nil)
    case .noiseForData:
      Details(
        what:
          "Inverted sigmas are those of the data; the step that draws all noise anew takes them for those of the noise, in x̂0 = x − σ·v and in "
          + "(1 − σ')·x̂0 + σ'·z.",
        place: "FlowMatchEuler with `stochastic_sampling` and FlowMatchLCM, `invert_sigmas`",
        effect: "The last step, at σ' = 1, makes noise alone.", issue: nil)
    case .leastSigmaNotANumber:
      Details(
        what:
          "The noise of a step is √(σ'² − σ_min²), which is 0 at the last; σ' is rounded to float32 first, and the difference may come out negative.",
        place: "Consistency models with a `sigma_min` whose float32 is below it, such as 0.0001",
        effect: "The result is NaN. `.diffusers` refuses the configuration.", issue: nil)
    case .dataForSample:
      Details(
        what:
          "Clean data are taken for a sample at the level of the first timestep, where there is noise already. Inversion goes from clean data to "
          + "that level first.",
        place: "DPM-Solver multistep inverse",
        effect:
          "With the default betas and N = 10 the datum 0.3 is read as 0.99995·x0 + 0.01·epsilon, and the first step goes from there.",
        issue: nil)
    case .notInverted:
      Details(
        what:
          "The sigmas of rectified flow fall where all others of the class rise: the run goes from noise to data, and ends with an idle step.",
        place: "DPM-Solver multistep inverse, `use_flow_sigmas`",
        effect: "Data are taken for noise, and nothing is inverted.", issue: nil)
    case .droppedTimesteps:
      Details(
        what:
          "Of equal timesteps the first is kept alone, but every sigma: steps use the sigmas of earlier steps than their timesteps', and the run ends "
          + "before its last sigmas.",
        place: "DPM-Solver multistep inverse, `use_karras_sigmas` with many steps",
        effect: "Karras with N = 100 has 95 steps, and ends at sigma 12.3 instead of 14.6.", issue: nil)
    case .lateJumps:
      Details(
        what:
          "A jump back begins where the step from its timestep leads, one step after the authors', and so at last at clean data. It ends one step "
          + "nearer to the data than theirs.",
        place: "RePaint, `jump_n_sample` above 1",
        effect:
          "With N = 10, `jump_length` 5 and the default betas the first jump leads from clean data, not from timestep 0, back to timestep "
          + "400, not 500.", issue: nil)
    case .betasOfLaterSteps:
      Details(
        what:
          "A jump back from t to t' multiplies by √(1 − β) and adds √β·z with the betas of the timesteps from t + T/N on, which lead to t' + T/N − 1. "
          + "The betas of the way are those above t up to t'.",
        place: "RePaint, `jump_n_sample` above 1 with fewer steps than timesteps",
        effect:
          "With N = 10, `jump_length` 2 and the default betas the first jump leads to a signal of 0.068, and the network is told "
          + "timestep 700, where it is 0.083.", issue: nil)
    case .guidedSingleStep:
      Details(
        what:
          "A section that keeps one timestep keeps its first, the least noisy, from which a run of one step cannot begin. Here it keeps "
          + "its last.",
        place: "`space_timesteps`, a count of 1", effect: "\"1\" of 1000 timesteps keeps 0 instead of 999.", issue: nil)
    case .guidedUnclippedMean:
      Details(
        what:
          "Where the network predicts the previous sample, that is the mean of the step, whether x̂0 was clipped or not. Here the mean is "
          + "made from the clipped x̂0, as for the other predictions.",
        place: "`p_mean_variance` with `ModelMeanType.PREVIOUS_X` and `clip_denoised`",
        effect: "`clip_denoised` changes the reported x̂0 and no sample.", issue: nil)
    case .guidedFloat32:
      Details(
        what: "The float64 tables are cast to float32 before they meet a tensor of any type.",
        place: "`_extract_into_tensor`", effect: "Each coefficient is off by up to 6e-8 of itself.", issue: nil)
    }
  }
}
