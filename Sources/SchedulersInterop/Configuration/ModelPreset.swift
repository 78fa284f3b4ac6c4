import Schedulers

/// A released model: its scheduler's configuration, and what its own pipeline asks of it.
///
/// ```swift
/// let preset = ModelPreset.named("qwen-image")!
/// // its own 50 steps, a picture of 1024 by 768
/// let plan = try preset.plan(tokens: 64 * 48)
/// ```
///
/// `Fixtures/recipes/released.py` has the source and date of each value, and a run of diffusers
/// 0.42.1 that the plan reproduces.
public struct ModelPreset: Sendable {
  /// A short name, such as `mochi-1`.
  public let name: String
  /// The name on the hub, such as `genmo/mochi-1-preview`.
  public let model: String
  public let configuration: DiffusersConfiguration
  /// As many steps as the pipeline makes if it is not told.
  public let steps: Int
  /// The tokens of a picture or video of the pipeline's usual size; nil where nothing depends on
  /// them.
  public let tokens: Int?
  private let times: @Sendable (_ steps: Int, _ tokens: Int) -> RunArguments

  private init(
    _ name: String, _ model: String, _ schedulerClass: DiffusersConfiguration.Class,
    _ values: [String: DiffusersConfiguration.Value], steps: Int, tokens: Int? = nil,
    _ times: @escaping @Sendable (_ steps: Int, _ tokens: Int) -> RunArguments = { _, _ in RunArguments() }
  ) {
    // Every preset is made by a test.
    configuration = try! DiffusersConfiguration(schedulerClass, values)
    (self.name, self.model, self.steps, self.tokens, self.times) = (name, model, steps, tokens, times)
  }

  /// What the pipeline gives to `set_timesteps`.
  ///
  /// - Parameters:
  ///   - steps: the number of steps; the pipeline's own if nil.
  ///   - tokens: of the picture; of one of the usual size if nil. They have no say where the
  ///     preset has none.
  public func arguments(steps: Int? = nil, tokens: Int? = nil) -> RunArguments {
    times(steps ?? self.steps, tokens ?? self.tokens ?? 0)
  }

  /// The plan of a run of the pipeline.
  ///
  /// - Parameters:
  ///   - steps: the number of steps; the pipeline's own if nil.
  ///   - tokens: of the picture; of one of the usual size if nil. They have no say where the
  ///     preset has none.
  ///   - fidelity: `.corrected` for the mathematics, `.diffusers` for what diffusers does.
  /// - Throws: `ConfigurationError` for numbers that the model has no run of.
  public func plan(
    steps: Int? = nil, tokens: Int? = nil, fidelity: Fidelity = .corrected
  ) throws(ConfigurationError) -> SamplingPlan {
    try configuration.plan(
      steps: steps ?? self.steps, fidelity: fidelity, with: arguments(steps: steps, tokens: tokens))
  }

  /// The preset of a name.
  public static func named(_ name: String) -> ModelPreset? { all.first { $0.name == name } }

  /// All presets, by name.
  public static let all = [
    ModelPreset("chroma", "lodestones/Chroma1-HD", flow, fluxShift, steps: 35, tokens: 4096, line),
    ModelPreset(
      "cogview4", "THUDM/CogView4-6B", flow, ["use_dynamic_shifting": true, "time_shift_type": "linear"], steps: 50,
      tokens: 4096
    ) { .cogView4(steps: $0, tokens: $1) },
    ModelPreset(
      "cosmos-predict2", "nvidia/Cosmos-Predict2-2B-Text2Image", flow,
      ["use_karras_sigmas": true, "sigma_max": 80, "sigma_min": 0.002], steps: 35
    ) { steps, _ in .cosmosPredict2(steps: steps) },
    ModelPreset(
      "cosmos-predict2.5", "nvidia/Cosmos-Predict2.5-2B", .uniPC,
      [
        "prediction_type": "flow_prediction", "use_flow_sigmas": true, "use_karras_sigmas": true, "sigma_min": 0.01,
        "sigma_max": 200,
      ], steps: 36),
    ModelPreset("flux.1-dev", "black-forest-labs/FLUX.1-dev", flow, fluxShift, steps: 28, tokens: 4096, line),
    ModelPreset("flux.1-schnell", "black-forest-labs/FLUX.1-schnell", flow, [:], steps: 4) { steps, _ in
      .flux(steps: steps)
    },
    ModelPreset("flux.2-dev", "black-forest-labs/FLUX.2-dev", flow, fluxShift, steps: 50, tokens: 4096) {
      .flux2(steps: $0, tokens: $1)
    },
    ModelPreset("hidream-i1", "HiDream-ai/HiDream-I1-Full", flow, ["shift": 3], steps: 50),
    ModelPreset("hunyuan-video", "hunyuanvideo-community/HunyuanVideo", flow, ["shift": 7], steps: 50) { steps, _ in
      .hunyuanVideo(steps: steps)
    },
    ModelPreset("krea-2", "krea/Krea-2-Raw", flow, kreaShift, steps: 28, tokens: 4096, line),
    ModelPreset("krea-2-turbo", "krea/Krea-2-Turbo", flow, kreaShift, steps: 8) { steps, _ in
      .flux(steps: steps, mu: 1.15)
    },
    ModelPreset("ltx-2", "Lightricks/LTX-2", flow, ltxShift, steps: 30, tokens: 6144, line),
    ModelPreset("ltx-2-distilled", "rootonchair/LTX-2-19b-distilled", flow, [:], steps: 8) { _, _ in .ltx2Distilled },
    ModelPreset("ltx-video", "Lightricks/LTX-Video", flow, ltxShift, steps: 50, tokens: 7392, line),
    ModelPreset("ltx-video-0.9.7", "Lightricks/LTX-Video-0.9.7-dev", flow, [:], steps: 50) { steps, _ in
      .ltxCondition(steps: steps)
    },
    ModelPreset("mochi-1", "genmo/mochi-1-preview", flow, ["invert_sigmas": true], steps: 64) { steps, _ in
      .mochi(steps: steps)
    },
    ModelPreset(
      "qwen-image", "Qwen/Qwen-Image", flow,
      ["use_dynamic_shifting": true, "max_image_seq_len": 8192, "max_shift": 0.9, "shift_terminal": 0.02], steps: 50,
      tokens: 4096, line),
    ModelPreset(
      "qwen-image-lightning", "lightx2v/Qwen-Image-Lightning", flow,
      [
        "use_dynamic_shifting": true, "max_image_seq_len": 8192, "base_shift": .number(Math.log(3)),
        "max_shift": .number(Math.log(3)),
      ], steps: 8, tokens: 4096, line),
    ModelPreset(
      "stable-diffusion-3", "stabilityai/stable-diffusion-3-medium-diffusers", flow, ["shift": 3], steps: 28),
    wan("wan2.1-480p", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", shift: 3),
    wan("wan2.1-720p", "Wan-AI/Wan2.1-T2V-14B-Diffusers", shift: 5),
    wan("wan2.1-flf2v", "Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers", shift: 16),
    wan("wan2.2-a14b", "Wan-AI/Wan2.2-T2V-A14B-Diffusers", shift: 3),
    wan("wan2.2-ti2v-5b", "Wan-AI/Wan2.2-TI2V-5B-Diffusers", shift: 5),
    ModelPreset("z-image-turbo", "Tongyi-MAI/Z-Image-Turbo", flow, ["shift": 3], steps: 9) { steps, _ in
      .zImage(steps: steps)
    },
  ]

  private static let flow = DiffusersConfiguration.Class.flowMatchEulerDiscrete
  private static let fluxShift: [String: DiffusersConfiguration.Value] = ["use_dynamic_shifting": true, "shift": 3]
  private static let kreaShift: [String: DiffusersConfiguration.Value] = [
    "use_dynamic_shifting": true, "max_image_seq_len": 6400,
  ]
  private static let ltxShift: [String: DiffusersConfiguration.Value] = [
    "use_dynamic_shifting": true, "base_image_seq_len": 1024, "base_shift": 0.95, "max_shift": 2.05,
    "shift_terminal": 0.1,
  ]

  /// Flux's times, whose mu is on the line of the configuration.
  private static let line: @Sendable (Int, Int) -> RunArguments = { .flux(steps: $0, tokens: $1) }

  private static func wan(_ name: String, _ model: String, shift: Double) -> ModelPreset {
    ModelPreset(
      name, model, .uniPC,
      ["prediction_type": "flow_prediction", "use_flow_sigmas": true, "flow_shift": .number(shift)], steps: 50)
  }
}
