/// What is compared with what.
struct Comparison {
  /// Who runs a job: this process, Python as it comes, or Python with an allocator that avoids page
  /// faults.
  enum Runner: Hashable {
    case own, peer, tunedPeer
  }

  let title: String
  let own: String
  let runner: Runner
  let other: String
  /// The ratios that are to be reached with one thread, by size; nil where there is none to reach.
  let goals: [Size: Double?]
  /// The same with a thread for each processor.
  var goalsOfAll: [Size: Double] = [:]
  /// What the ratio is to be at most.
  var limit: Double?
  /// Why that is not reached where it is not, as found by profiling.
  var reason: String?

  /// SampleBatch, channels, height and width; `none` for jobs without a tensor.
  enum Size: String, CaseIterable {
    case none = "1"
    case latent = "1x4x64x64"
    case largeLatent = "1x4x128x128"
    case latents = "8x4x128x128"
    case images = "16x3x512x512"
    /// A batch that a network is trained on.
    case batch = "16x3x64x64"

    /// Those that steps are measured at.
    static let tensors = [latent, largeLatent, latents, images]
    var shape: [Int] { rawValue.split(separator: "x").map { Int($0)! } }
    var count: Int { shape.reduce(1, *) }
  }

  static let all: [Comparison] = [
    steps("diffusers DDIM, eta 0", "ddim", .peer, "diffusers-ddim", [25, 12, 12, 18]),
    steps("the same, page faults tuned away", "ddim", .tunedPeer, "diffusers-ddim"),
    steps("diffusers DDPM with its noise", "ddpm", .peer, "diffusers-ddpm", [8, 5.5, 5.5, 10], all: [.images: 14]),
    steps("the same, page faults tuned away ", "ddpm", .tunedPeer, "diffusers-ddpm"),
    steps("guided-diffusion p_sample", "ddpm", .peer, "guided-p_sample", [5.5, 5.5, 5.5, 5.5]),
    steps("guided-diffusion ddim_sample", "ddim", .peer, "guided-ddim_sample", [80, 80, 80, 80]),
    steps(
      "torch.compile of a DDIM step", "ddim", .peer, "compile", [10, 4, 2.5, 2.5],
      reason:
        "three tensors of 2 MiB lie in the third-level cache, whose rate bounds both; what is won is that ours writes "
        + "no fourth, as the next row shows."),
    steps("the same, written in place", "ddim", .peer, "compile-in-place", [1, 1, 1, 1], all: [.images: 1]),
    steps("NumPy, a DDIM step", "ddim", .peer, "numpy"),
    steps("NumPy, a DDIM step with noise", "ddpm", .peer, "numpy-noise"),
    steps("torch.quantile alone, by a whole step with it", "dynamic", .peer, "torch-quantile", [40, 40, 40, 40]),
    steps(
      "diffusers add_noise, timesteps by sample, by ours into a new tensor", "mix", .peer, "diffusers-add_noise",
      [nil, nil, nil, 4], reason: newTensorReason),
    steps("the same, by ours into a buffer", "mix-lent", .peer, "diffusers-add_noise", [nil, nil, nil, 10]),
    steps("guided-diffusion q_sample, timesteps by sample", "mix-lent", .peer, "guided-q_sample"),
    steps(
      "diffusers randn_like, add_noise, get_velocity, by diffuse", "diffuse", .peer, "diffusers-diffuse",
      [8, 8, 8, 8], reason: diffuseReason),
    steps("torch normal_, into a buffer", "normals", .peer, "torch-normal", [2.5, 2.5, 2.5, 2.5]),
    steps("the same, by its own numbers made here", "torch-noise", .peer, "torch-normal", [3, 3, 3, 3]),
    steps("torch.randn of a new tensor, by ours into a buffer", "normals", .peer, "torch-randn"),
    steps("NumPy standard_normal in float32, into a buffer", "normals", .peer, "numpy-normal"),
    steps(
      "the same, by its own numbers made here, into new tensors", "numpy-generator", .peer, "numpy-normal",
      [1.2, 1.2, 1.2, 1.2], reason: newTensorReason),
    steps(
      "NumPy RandomState.randn, by its own numbers made here", "numpy-random-state", .peer, "numpy-randn",
      [1.2, 1.2, 1.2, 1.2], reason: newTensorReason),
    steps("STREAM triad in C, by a DDIM step", "ddim-unclipped", .own, "triad", [nil, nil, nil, 1]),
    steps(
      "DPM-Solver++ 2M, by a DDIM step", "ddim-unclipped", .own, "dpm++2m", limit: 1.7,
      reason:
        "the step reads and writes one estimate beside the sample and the output, 5 streams of memory where DDIM "
        + "has 3: 1.67 "
        + "where memory is the limit, and more at sizes of which three tensors fit into a cache and four do not."),
    noise(
      "torchsde BrownianTree, a run of 20 steps, by BrownianNoise", "brownian-20", "torchsde-20", 80,
      reason: brownianReason),
    noise("the same, of 200 steps", "brownian-200", "torchsde-200", 80, reason: brownianReason),
    training("guided-diffusion training_losses with backward, MSE, by the loss alone", "mse", "guided-mse", 10),
    training("the same, by the loss into a new gradient", "mse-new", "guided-mse", nil),
    training("the same, by mix and loss, as it mixes too", "mse-mixed", "guided-mse", nil),
    training("training_losses with backward, hybrid loss of a learned range", "hybrid", "guided-hybrid", 10),
    training("_vb_terms_bpd of a learned range", "bound", "guided-bound", 8),
    training("_vb_terms_bpd of a fixed variance", "bound-fixed", "guided-bound-fixed", 8),
    training(
      "p_mean_variance of a learned range", "distribution", "guided-distribution", 5,
      reason:
        "half of the time is e^x, made in Double where torch makes it in Float; the rest is memory, three tensors "
        + "read and four written."),
    training("the same, into new tensors", "distribution-new", "guided-distribution", nil),
    training("calc_bpd_loop, 1000 timesteps, without the network", "bpd", "guided-bpd", 8),
    training("the same, of 64 digits of 8×8", "bpd-digits", "guided-bpd-digits", 8),
    training(
      "diffusers randn_like, add_noise, get_velocity, by diffuse ", "diffuse", "diffusers-diffuse", 8,
      reason: diffuseReason),
    single(
      "GaussianDiffusion(...) with its tables, by ours without", "schedule", "guided-construction", 5,
      reason:
        "two thirds of the time is the product ᾱ in double-double, a thousand multiplications that wait for each "
        + "other. NumPy's plain product is shorter, and thousands of ulps off in 1 − ᾱ."),
    single("DDPMScheduler() with its tables, by ours without", "schedule", "diffusers-construction", 5),
    single(
      "min-SNR weights of 4,096 timesteps with compute_snr, by ours from a table", "snr-table", "diffusers-snr", 30),
    single("the same, by ours with the table made each time", "snr", "diffusers-snr", nil),
    single(
      "PyTorch, a training step of the digits' network (Training.md), 128 digits", "training", "torch-training", 1),
  ]

  /// Jobs of ours that nobody else has, with the microseconds that they are to take at most.
  static let alone: [(job: String, limit: Double?)] = [
    ("plan of 50 steps: DDIM", 50), ("plan of 50 steps: DDPM", 50), ("plan of 50 steps: DPM-Solver++ 2M", 30),
    ("plan of 50 steps: DPM-Solver++ 3M", 40), ("plan of 50 steps: UniPC", 60), ("plan of 50 steps: SA-Solver", 60),
    ("plan of 1,000 steps: DPM-Solver++ 2M", nil), ("plan of 1,000 steps: UniPC", nil),
    ("scheduler_config.json: read", nil), ("scheduler_config.json: read, and 25 steps planned", 100),
  ]

  /// Why these take longer where they do.
  static let reasonOfPlans =
    "a plan is worked out in two Doubles and rounded once, so that its rows are right to the last bits (Accuracy.md)."

  /// What 1,000 steps of a plan may take, in times of 20 plans of 50.
  static let growth = 1.1

  private static func steps(
    _ title: String, _ own: String, _ runner: Runner, _ other: String, _ goals: [Double?] = [nil, nil, nil, nil],
    all: [Size: Double] = [:], limit: Double? = nil, reason: String? = nil
  ) -> Comparison {
    Comparison(
      title: title, own: own, runner: runner, other: other,
      goals: Dictionary(uniqueKeysWithValues: zip(Size.tensors, goals)),
      goalsOfAll: all, limit: limit, reason: reason)
  }

  private static func training(
    _ title: String, _ own: String, _ other: String, _ goal: Double?, reason: String? = nil
  ) -> Comparison {
    Comparison(title: title, own: own, runner: .peer, other: other, goals: [.batch: goal], reason: reason)
  }

  private static let newTensorReason =
    "a new tensor of this size is mapped page by page, which takes longer than the arithmetic."

  private static let diffuseReason =
    "two thirds of the time is the noise itself, which torch makes four times slower; where its tensors are not mapped "
    + "anew, what comes after it costs torch little."

  private static func noise(_ title: String, _ own: String, _ other: String, _ goal: Double?, reason: String)
    -> Comparison
  {
    Comparison(title: title, own: own, runner: .peer, other: other, goals: [.largeLatent: goal], reason: reason)
  }

  private static let brownianReason =
    "an increment between two times that share no interval is a sum of 42 normals, two for each of 20 halvings, and "
    + "most of the time is their making."

  private static func single(_ title: String, _ own: String, _ other: String, _ goal: Double?, reason: String? = nil)
    -> Comparison
  {
    Comparison(title: title, own: own, runner: .peer, other: other, goals: [.none: goal], reason: reason)
  }
}
