import Schedulers

extension SamplerName {
  private static let secondOutput = "is not here: it needs the unguided output beside the guided one"
  private static let lastStep = "the program's last step, to clean data, is x̂0 alone"
  private static let logarithm = "on rectified flow, the program takes −ln t for lambda"

  private static let newer = "by its formula: it is newer than the functions that the tests run"
  private static let overTime = "on rectified flow, the path of the program's noise goes over t"

  private static func comfy(
    _ name: String, _ sampler: (any Sampler)?, flow: (any Sampler)? = nil, _ note: String = "",
    flowNote: String = ""
  ) -> SamplerName { SamplerName(.comfyUI, name, sampler, flow: flow, note, flowNote: flowNote) }

  /// A sampler that is the same on both processes.
  private static func both(_ name: String, _ sampler: any Sampler, _ note: String = "") -> SamplerName {
    comfy(name, sampler, flow: sampler, note)
  }

  /// `KSAMPLER_NAMES` and what follows there, of `comfy/samplers.py`.
  static let comfyUI: [SamplerName] = {
    let sde = DPMSolverPlusPlus(eta: 1)
    let third = DPMSolverPlusPlus(order: 3, eta: 1, slopeRule: .exact, matchesAuthorsCode: true)
    let uniPC = "the program lowers the order at the end by one more, and starts with the next to last sigma"
    let stochasticAdams =
      "the program draws noise in the middle of the run alone, and lowers the order at the end by one more"
    return [
      both("euler", Euler()), comfy("euler_cfg_pp", nil, secondOutput),
      comfy("euler_ancestral", EulerAncestral(), flow: EulerAncestralRF()),
      comfy("euler_ancestral_cfg_pp", nil, secondOutput),
      comfy("heun", Heun(), flow: StraightHeun()), comfy("heunpp2", nil, "is not here: Heun++, of no paper"),
      comfy("dpm_2", KDPM2(), flow: KDPM2AncestralRF(eta: 0)),
      comfy("dpm_2_ancestral", KDPM2(eta: 1), flow: KDPM2AncestralRF()),
      comfy("lms", LMS(), lastStep),
      comfy("dpm_fast", DPMSolverFast(), "one call more leads to clean data, where the program stops before"),
      comfy("dpm_adaptive", nil, "is not here: its steps follow from the samples"),
      comfy(
        "dpmpp_2s_ancestral", DPMSolverPlusPlus2SAncestral(), flow: DPMSolverPlusPlus2SAncestral(isStraight: true)),
      comfy("dpmpp_2s_ancestral_cfg_pp", nil, secondOutput),
      comfy("dpmpp_sde", DPMSolverPlusPlusSDE(), flowNote: overTime),
      comfy("dpmpp_sde_gpu", DPMSolverPlusPlusSDE(), flowNote: overTime),
      comfy("dpmpp_2m", DPMSolverPlusPlus(), flowNote: logarithm), comfy("dpmpp_2m_cfg_pp", nil, secondOutput),
      both("dpmpp_2m_sde", sde), both("dpmpp_2m_sde_gpu", sde),
      both("dpmpp_2m_sde_heun", DPMSolverPlusPlus(eta: 1, slopeRule: .exact)),
      both("dpmpp_2m_sde_heun_gpu", DPMSolverPlusPlus(eta: 1, slopeRule: .exact)),
      both("dpmpp_3m_sde", third), both("dpmpp_3m_sde_gpu", third),
      comfy("ddpm", DDPM()), both("lcm", ConsistencyModel(leastSigma: 0)),
      comfy("ipndm", IPNDM(), lastStep),
      comfy("ipndm_v", LMS(), "nearly: the program has coefficients of its own for uneven steps"),
      comfy("deis", DEIS(order: 3), "nearly: the program lays its polynomials over a time of its own"),
      comfy("res_multistep", DPMSolverPlusPlus(slopeRule: .exact), flowNote: logarithm),
      comfy("res_multistep_cfg_pp", nil, secondOutput),
      comfy("res_multistep_ancestral", nil, "is not here: its steps go from a lower level than the one reached"),
      comfy("res_multistep_ancestral_cfg_pp", nil, secondOutput),
      comfy("gradient_estimation", GradientEstimation(), lastStep),
      comfy("gradient_estimation_cfg_pp", nil, secondOutput),
      both("er_sde", ERSDE(matchesAuthorsCode: true)), both("seeds_2", SEEDS()), both("seeds_3", SEEDS(.seeds3)),
      comfy("sa_solver", SASolver(predictorOrder: 3, correctorOrder: 4), stochasticAdams),
      comfy(
        "sa_solver_pece", SASolver(predictorOrder: 3, correctorOrder: 4, evaluatesCorrection: true), stochasticAdams),
      both("exp_heun_2_x0", SEEDS(.heun, eta: 0), newer), both("exp_heun_2_x0_sde", SEEDS(.heun), newer),
      both("ddim", Euler()),
      comfy("uni_pc", UniPC(order: 3, step: .bh1, lowersFinalOrder: true), uniPC),
      comfy("uni_pc_bh2", UniPC(order: 3, lowersFinalOrder: true), uniPC),
    ]
  }()

  /// The samplers of another program that has them from k-diffusion or ComfyUI.
  private static func called(_ program: Program, _ names: KeyValuePairs<String, String>) -> [SamplerName] {
    names.map { name, original in comfyUI.first { $0.name == original }!.called(name, in: program) }
  }

  /// `modules/sd_samplers_kdiffusion.py` and `sd_samplers_timesteps.py`.
  static let webUI: [SamplerName] =
    called(
      .webUI,
      [
        "DPM++ 2M": "dpmpp_2m", "DPM++ SDE": "dpmpp_sde", "DPM++ 2M SDE": "dpmpp_2m_sde",
        "DPM++ 2M SDE Heun": "dpmpp_2m_sde_heun", "DPM++ 2S a": "dpmpp_2s_ancestral", "DPM++ 3M SDE": "dpmpp_3m_sde",
        "Euler a": "euler_ancestral", "Euler": "euler", "LMS": "lms", "Heun": "heun", "DPM2": "dpm_2",
        "DPM2 a": "dpm_2_ancestral", "DPM fast": "dpm_fast", "DPM adaptive": "dpm_adaptive", "LCM": "lcm",
      ]) + [
      SamplerName(.webUI, "Restart", Restart(Heun()), "the program goes back between given sigmas"),
      SamplerName(.webUI, "DDIM", DDIM()), SamplerName(.webUI, "DDIM CFG++", nil, secondOutput),
      SamplerName(.webUI, "PLMS", PNDM(skipsRungeKutta: true)),
      SamplerName(.webUI, "UniPC", UniPC(order: 3, step: .bh1, lowersFinalOrder: true), "steps as `uni_pc` of ComfyUI"),
    ]

  /// `sample_method_to_str`.
  static let stableDiffusionCpp: [SamplerName] =
    called(
      .stableDiffusionCpp,
      [
        "euler": "euler", "euler_a": "euler_ancestral", "heun": "heun", "dpm2": "dpm_2",
        "dpm++2s_a": "dpmpp_2s_ancestral", "dpm++2m": "dpmpp_2m", "ipndm": "ipndm", "ipndm_v": "ipndm_v", "lcm": "lcm",
        "res_multistep": "res_multistep", "er_sde": "er_sde", "euler_cfg_pp": "euler_cfg_pp",
        "euler_a_cfg_pp": "euler_ancestral_cfg_pp", "euler_ge": "gradient_estimation", "dpm++2m_sde": "dpmpp_2m_sde",
        "dpm++2m_sde_bt": "dpmpp_2m_sde", "lms": "lms",
      ]) + [
      SamplerName(.stableDiffusionCpp, "dpm++2mv2", nil, "is not here: a change of DPM++ 2M, of no paper"),
      SamplerName(.stableDiffusionCpp, "ddim_trailing", EulerAncestral(eta: 0), flow: EulerAncestralRF(eta: 0)),
      SamplerName(.stableDiffusionCpp, "tcd", TCD()),
      SamplerName(.stableDiffusionCpp, "res_2s", SEEDS(.res2, eta: 0), flow: SEEDS(.res2, eta: 0)),
    ]

  /// `SamplerType` of `Libraries/DataModels/Sources/config.fbs`, which has the spacing too.
  static let drawThings: [SamplerName] = {
    let parts: KeyValuePairs<String, (original: String, spacings: [(suffix: String, spacing: String)])> = [
      "DPMPP2M": ("dpmpp_2m", [("Karras", "karras"), ("AYS", "ays"), ("Trailing", "trailing")]),
      "EulerA": ("euler_ancestral", [("", "leading"), ("Trailing", "trailing"), ("AYS", "ays")]),
      "DPMPPSDE": ("dpmpp_sde", [("Karras", "karras"), ("Trailing", "trailing"), ("AYS", "ays")]),
    ]
    let known = parts.flatMap { name, part in
      part.spacings.map { suffix, spacing in
        comfyUI.first { $0.name == part.original }!.called(name + suffix, in: .drawThings, spacing: spacing)
      }
    }
    let others: KeyValuePairs<String, any Sampler> = [
      "DDIM": DDIM(), "UniPC": UniPC(order: 2), "TCD": TCD(),
    ]
    let rest = others.flatMap { name, sampler in
      [("", "leading"), ("Trailing", "trailing")].map { suffix, spacing in
        SamplerName(.drawThings, name + suffix, sampler, spacing: spacing)
      }
    }
    return known + rest + [
      SamplerName(.drawThings, "UniPCAYS", UniPC(order: 2), spacing: "ays"),
      SamplerName(.drawThings, "PLMS", PNDM(skipsRungeKutta: true), spacing: "leading"),
      SamplerName(.drawThings, "LCM", LCM(), spacing: "distilled"),
      SamplerName(.drawThings, "EulerASubstep", nil, "is not here: its spacing is the program's own"),
      SamplerName(.drawThings, "DPMPPSDESubstep", nil, "is not here: its spacing is the program's own"),
    ]
  }()

  /// `invokeai/backend/stable_diffusion/schedulers`, names of schedulers of diffusers; `_k` is
  /// Karras.
  static let invokeAI: [SamplerName] = {
    let plain: KeyValuePairs<String, any Sampler> = [
      "ddim": DDIM(), "ddpm": DDPM(), "deis": DEIS(), "lms": LMS(), "pndm": PNDM(), "heun": Heun(), "euler": Euler(),
      "euler_a": EulerAncestral(), "kdpm_2": KDPM2(), "kdpm_2_a": KDPM2(eta: 1), "dpmpp_2s": DPMSolverSinglestep(),
      "dpmpp_2m": DPMSolverPlusPlus(), "dpmpp_2m_sde": DPMSolverPlusPlus(eta: 1),
      "dpmpp_3m": DPMSolverPlusPlus(order: 3),
      "dpmpp_sde": DPMSolverPlusPlusSDE(), "unipc": UniPC(), "lcm": LCM(), "tcd": TCD(),
    ]
    let withKarras: Set = [
      "deis", "lms", "heun", "euler", "kdpm_2", "kdpm_2_a", "dpmpp_2s", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m",
      "dpmpp_sde", "unipc",
    ]
    return plain.flatMap { name, sampler in
      [SamplerName(.invokeAI, name, sampler)]
        + (withKarras.contains(name) ? [SamplerName(.invokeAI, name + "_k", sampler, spacing: "karras")] : [])
    }
  }()
}
