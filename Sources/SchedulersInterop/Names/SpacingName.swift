import Schedulers

/// What a program calls a spacing (its scheduler), and which spacing of this library that is.
package struct SpacingName: Sendable {
  package let program: SamplerName.Program
  package let name: String
  /// The spacing on a schedule; `nil` if there is none.
  package let spacing: GridSpacing?
  /// The one on rectified flow; `nil` if there is none.
  package let flow: GridSpacing?
  /// How it differs from the program's, or why it is missing; empty where it is the same.
  package let note: String

  package var text: String { "\(program.rawValue):\(name)" }

  init(
    _ program: SamplerName.Program, _ name: String, _ spacing: GridSpacing?, flow: GridSpacing? = nil,
    _ note: String = ""
  ) {
    (self.program, self.name) = (program, name)
    (self.spacing, self.flow, self.note) = (spacing, flow, note)
  }

  package static let all: [SpacingName] = comfyUI + webUI + stableDiffusionCpp

  package static func named(_ text: String) -> SpacingName? { all.first { $0.text == text } }

  private static let own = "is not here: the program's own"
  private static let twice = "on rectified flow the program shifts the last time twice"

  /// `SCHEDULER_NAMES` of `comfy/samplers.py`.
  private static let comfyUI: [SpacingName] = [
    .init(.comfyUI, "simple", .timesteps(.simple), flow: .flowTimes(.simple())),
    .init(.comfyUI, "sgm_uniform", .fractional(.fractionalSGMUniform), flow: .flow, twice),
    .init(.comfyUI, "karras", .sigmas(.karras())), .init(.comfyUI, "exponential", .sigmas(.exponential)),
    .init(.comfyUI, "ddim_uniform", .timesteps(.ddimUniform)),
    .init(
      .comfyUI, "beta", .timesteps(.oneMore(.beta())), flow: .flowTimes(.beta()),
      "the program drops a timestep that comes twice, and rounds times of rectified flow"),
    .init(.comfyUI, "normal", .fractional(.normal), flow: .flow, twice),
    .init(
      .comfyUI, "linear_quadratic", nil, flow: .flowTimes(.linearQuadratic()),
      "for rectified flow; the program does not shift it"),
    .init(.comfyUI, "kl_optimal", .sigmas(.klOptimal)),
  ]

  /// `modules/sd_schedulers.py`.
  private static let webUI: [SpacingName] = [
    .init(.webUI, "automatic", nil, "is not here: what the sampler prefers"),
    .init(.webUI, "uniform", .fractional(.normal)), .init(.webUI, "karras", .sigmas(.karras())),
    .init(.webUI, "exponential", .sigmas(.exponential)), .init(.webUI, "polyexponential", .sigmas(.polyexponential())),
    .init(.webUI, "sgm_uniform", .fractional(.fractionalSGMUniform)),
    .init(.webUI, "kl_optimal", .sigmas(.klOptimal), "the program ends at the smallest sigma, and not in clean data"),
    .init(.webUI, "align_your_steps", .aligned(.stableDiffusion11), "for Stable Diffusion XL, ays-xl-11"),
    .init(.webUI, "align_your_steps_11", .aligned(.stableDiffusion11), "for Stable Diffusion XL, ays-xl-11"),
    .init(.webUI, "align_your_steps_32", .aligned(.stableDiffusion32), "for Stable Diffusion XL, ays-xl-32"),
    .init(.webUI, "simple", .timesteps(.simple)), .init(.webUI, "normal", .fractional(.normal)),
    .init(.webUI, "ddim", .timesteps(.ddimUniform)),
    .init(.webUI, "beta", .timesteps(.beta()), "the program lays the distribution over sigmas"),
    .init(.webUI, "turbo", .timesteps(.trailing)),
  ]

  /// `scheduler_to_str`.
  private static let stableDiffusionCpp: [SpacingName] = [
    .init(.stableDiffusionCpp, "discrete", .fractional(.normal)),
    .init(.stableDiffusionCpp, "karras", .sigmas(.karras())),
    .init(.stableDiffusionCpp, "exponential", .sigmas(.exponential)),
    .init(.stableDiffusionCpp, "ays", .aligned(.stableDiffusion), "for others ays-xl and ays-video"),
    .init(.stableDiffusionCpp, "gits", .gits), .init(.stableDiffusionCpp, "simple", .timesteps(.simple)),
    .init(.stableDiffusionCpp, "sgm_uniform", .fractional(.fractionalSGMUniform)),
    .init(.stableDiffusionCpp, "smoothstep", nil, own), .init(.stableDiffusionCpp, "bong_tangent", nil, own),
    .init(.stableDiffusionCpp, "kl_optimal", .sigmas(.klOptimal)),
    .init(.stableDiffusionCpp, "lcm", .timesteps(.distilled())),
    .init(.stableDiffusionCpp, "logit_normal", nil, flow: .flowTimes(.logitNormal())),
    .init(.stableDiffusionCpp, "flux", nil, flow: .flow, "with --image-size"),
    .init(.stableDiffusionCpp, "beta", .timesteps(.beta()), flow: .flowTimes(.beta())),
  ]
}
