/// What is compared with what.
struct Comparison {
  /// Who runs a job: this process, Python as it comes, or Python with an allocator that avoids page faults.
  enum Runner: Hashable {
    case own, peer, tunedPeer
  }

  let title: String
  let own: String
  let runner: Runner
  let other: String
  /// The ratios that are to be reached with one thread, by size; nil where there is none to reach.
  let goals: [Size: Double?]
  /// The same with two threads.
  var goalsOfTwo: [Size: Double] = [:]

  /// Batch, channels, height and width; `none` for jobs without a tensor.
  enum Size: String, CaseIterable {
    case none = "1"
    case latent = "1x4x64x64"
    case largeLatent = "1x4x128x128"
    case latents = "8x4x128x128"
    case images = "16x3x512x512"

    static let tensors = Array(allCases.dropFirst())
    var shape: [Int] { rawValue.split(separator: "x").map { Int($0)! } }
    var count: Int { shape.reduce(1, *) }
  }

  static let all: [Comparison] = [
    steps("diffusers DDIM, eta 0", "ddim", .peer, "diffusers-ddim", [25, 12, 12, 18]),
    steps("the same, page faults tuned away", "ddim", .tunedPeer, "diffusers-ddim"),
    steps("diffusers DDPM with its noise", "ddpm", .peer, "diffusers-ddpm", [8, 5.5, 5.5, 10], two: [.images: 14]),
    steps("the same, page faults tuned away ", "ddpm", .tunedPeer, "diffusers-ddpm"),
    steps("guided-diffusion p_sample", "ddpm", .peer, "guided-p_sample", [5.5, 5.5, 5.5, 5.5]),
    steps("guided-diffusion ddim_sample", "ddim", .peer, "guided-ddim_sample", [80, 80, 80, 80]),
    steps("torch.compile of a DDIM step", "ddim", .peer, "compile", [10, 4, 2.5, 2.5]),
    steps("the same, written in place", "ddim", .peer, "compile-in-place"),
    steps("NumPy, a DDIM step", "ddim", .peer, "numpy"),
    steps("NumPy, a DDIM step with noise", "ddpm", .peer, "numpy-noise"),
    steps("torch normal_, into a buffer", "normals", .peer, "torch-normal", [2.5, 2.5, 2.5, 2.5]),
    steps("torch.randn of a new tensor, by ours into a buffer", "normals", .peer, "torch-randn"),
    steps("NumPy standard_normal, into a buffer", "normals", .peer, "numpy-normal"),
    steps("torch.quantile alone, by a whole step with it", "dynamic", .peer, "torch-quantile"),
    steps("STREAM triad in C, by a DDIM step", "ddim-unclipped", .own, "triad", [nil, nil, nil, 1]),
    steps("DPM-Solver++ 2M, by a DDIM step", "ddim-unclipped", .own, "dpm++2m"),
    single("GaussianDiffusion(...) with its tables, by ours without", "schedule", "guided-construction", 5),
    single("DDPMScheduler() with its tables, by ours without", "schedule", "diffusers-construction", 5),
    single("min-SNR weights with compute_snr, by looking them up in a table made before", "snr-table", "diffusers-snr", 30),
    single("min-SNR weights with compute_snr, computed", "snr", "diffusers-snr", nil),
  ]

  private static func steps(
    _ title: String, _ own: String, _ runner: Runner, _ other: String, _ goals: [Double?] = [nil, nil, nil, nil],
    two: [Size: Double] = [:]
  ) -> Comparison {
    Comparison(
      title: title, own: own, runner: runner, other: other, goals: Dictionary(uniqueKeysWithValues: zip(Size.tensors, goals)),
      goalsOfTwo: two)
  }

  private static func single(_ title: String, _ own: String, _ other: String, _ goal: Double?) -> Comparison {
    Comparison(title: title, own: own, runner: .peer, other: other, goals: [.none: goal])
  }
}
