import Schedulers

/// What pipelines of diffusers 0.42.1 give to `set_timesteps`, where it is more than a number of
/// steps.
///
/// ```swift
/// let plan = try configuration.plan(with: .mochi(steps: 64))
/// ```
///
/// `ModelPreset` has them with the configurations of the models. A number of steps below 1 makes no
/// times, and a plan refuses that.
extension RunArguments {
  /// Sigmas from 1 to 1/N in equal steps, and mu of the picture's tokens: Flux, Qwen-Image,
  /// LTX-Video, LTX-2, Krea 2, Chroma, Bria and others.
  ///
  /// Source: `np.linspace(1.0, 1 / num_inference_steps, num_inference_steps)` of `pipeline_flux.py`
  /// and its copies.
  ///
  /// - Parameters:
  ///   - steps: N.
  ///   - tokens: of the picture; the file's own constants make mu of them. nil for a fixed shift.
  ///   - mu: the same, where it is given.
  public static func flux(steps: Int, tokens: Int? = nil, mu: Double? = nil) -> RunArguments {
    let sigmas = steps < 1 ? [] : NumPy.linspace(1, 1 / Double(steps), steps)
    return RunArguments(mu: mu, tokens: tokens, sigmas: sigmas)
  }

  /// The same with mu of tokens and steps, as `DynamicShift.flux2(tokens:steps:)` makes it.
  ///
  /// Source: `pipeline_flux2.py`.
  public static func flux2(steps: Int, tokens: Int) -> RunArguments {
    flux(steps: steps, mu: DynamicShift.flux2(tokens: tokens, steps: steps))
  }

  /// The same sigmas in float32: Z-Image, LongCat-AudioDiT.
  ///
  /// Source: `get_default_z_image_sigmas` of `pipeline_z_image.py`.
  public static func zImage(steps: Int) -> RunArguments {
    RunArguments(sigmas: steps < 1 ? [] : Torch.linspace(1, 1 / Double(steps), steps).map { Double($0) })
  }

  /// Sigmas from 1 towards 0 in equal steps, without the 0: HunyuanVideo, HunyuanImage, OmniGen.
  ///
  /// Source: `np.linspace(1.0, 0.0, num_inference_steps + 1)[:-1]` of `pipeline_hunyuan_video.py`.
  public static func hunyuanVideo(steps: Int) -> RunArguments {
    RunArguments(sigmas: steps < 1 ? [] : NumPy.linspace(1, 0, steps + 1).dropLast())
  }

  /// Linear-quadratic sigmas of Mochi: the first half of the steps goes from 1 to 1 − threshold in
  /// equal steps, the second to 0 in growing ones. Of one step, 1.
  ///
  /// Source: `linear_quadratic_schedule` of `pipeline_mochi.py`, after
  /// <https://github.com/genmoai/mochi>.
  ///
  /// - Parameters:
  ///   - steps: the number of steps.
  ///   - threshold: above 0; the pipeline has no other than 0.025.
  public static func mochi(steps: Int, threshold: Double = 0.025) -> RunArguments {
    RunArguments(sigmas: linearQuadratic(steps, threshold))
  }

  /// The same in float32 as timesteps, for LTX-Video 0.9.5 and later with `LTXConditionPipeline`.
  ///
  /// Source: `linear_quadratic_schedule` of `pipeline_ltx_condition.py`, after
  /// <https://github.com/Lightricks/LTX-Video>.
  public static func ltxCondition(steps: Int) -> RunArguments {
    RunArguments(timesteps: linearQuadratic(steps, 0.025).map { Double(Float($0) * 1000) })
  }

  private static func linearQuadratic(_ steps: Int, _ threshold: Double) -> [Double] {
    guard steps > 1 else { return Array(repeating: 1, count: max(steps, 0)) }
    let linear = steps / 2
    let (half, rest) = (Double(linear), Double(steps - linear))
    let difference = half - threshold * Double(steps)
    let square = difference / (half * (rest * rest))
    let slope = threshold / half - 2 * difference / (rest * rest)
    let constant = square * (half * half)
    return (0..<steps).map { i in
      let i = Double(i)
      return 1 - (i < half ? i * threshold / half : square * (i * i) + slope * i + constant)
    }
  }

  /// The eight sigmas that LTX-2's distilled network has learned.
  ///
  /// Source: `DISTILLED_SIGMA_VALUES` of `pipelines/ltx2/utils.py`, after
  /// <https://github.com/Lightricks/LTX-2>, `ltx_pipelines/utils/constants.py`.
  public static let ltx2Distilled = RunArguments(
    sigmas: [1, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875])

  /// The last three of them, for the second stage, on a video that was scaled up.
  ///
  /// Source: `STAGE_2_DISTILLED_SIGMA_VALUES`, there.
  public static let ltx2Upscaling = RunArguments(sigmas: [0.909375, 0.725, 0.421875])

  /// Whole timesteps from 1000 to 1 and their sigmas, and mu as `DynamicShift.cogView4(tokens:)`.
  ///
  /// Source: `pipeline_cogview4.py`.
  public static func cogView4(steps: Int, tokens: Int) -> RunArguments {
    whole(steps < 1 ? [] : NumPy.linspace(1000, 1, steps), tokens)
  }

  /// The same without the last of N + 1.
  ///
  /// Source: `pipeline_glm_image.py`.
  public static func glmImage(steps: Int, tokens: Int) -> RunArguments {
    whole(steps < 1 ? [] : NumPy.linspace(1000, 1, steps + 1).dropLast(), tokens)
  }

  private static func whole(_ times: [Double], _ tokens: Int) -> RunArguments {
    let timesteps = times.map { $0.rounded(.towardZero) }
    return RunArguments(
      mu: DynamicShift.cogView4(tokens: tokens), timesteps: timesteps,
      sigmas: timesteps.map { Double(Float($0) / 1000) })
  }

  /// Sigmas that rise from 0 to 1, of which their number alone counts, since Cosmos Predict2 gives
  /// its scheduler the ends: `sigma_max` 80 and `sigma_min` 0.002. The last step ends where it
  /// begins, and is left out.
  ///
  /// Source: `torch.linspace(0, 1, num_inference_steps)` of `pipeline_cosmos2_text2image.py`, which
  /// then replaces the last sigma by the one before.
  public static func cosmosPredict2(steps: Int) -> RunArguments {
    RunArguments(sigmas: steps < 1 ? [] : NumPy.linspace(0, 1, steps), end: max(steps - 1, 0))
  }
}

extension DynamicShift {
  /// mu of CogView4 and GLM-Image: it grows with the root of the tokens, and is the shift itself.
  ///
  /// Source: `calculate_shift` of `pipeline_cogview4.py`.
  public static func cogView4(tokens: Int) -> Double { (Double(tokens) / 256).squareRoot() * 0.75 + 0.25 }
}
