import Schedulers

/// What a program that draws pictures calls a sampler, and which sampler of this library that is.
///
/// ```swift
/// let name = SamplerName.named("comfyui:dpmpp_2m_sde")!
/// let plan = try name.sampler!.plan(over: grid, predicting: .epsilon)
/// ```
///
/// `scheduler list names` prints all of them. Runs of ComfyUI's own functions are what the tests
/// hold the samplers to that are said to be the same.
public struct SamplerName: Sendable {
  /// A program, by the word that stands before the colon.
  public enum Program: String, Hashable, Codable, Sendable, CaseIterable {
    /// ComfyUI, whose samplers k-diffusion has by the same names.
    case comfyUI = "comfyui"
    /// A1111's web UI, and Forge.
    case webUI = "a1111"
    /// stable-diffusion.cpp.
    case stableDiffusionCpp = "sd.cpp"
    /// Draw Things.
    case drawThings = "draw-things"
    /// InvokeAI.
    case invokeAI = "invokeai"

    /// Where its code is.
    public var source: String {
      switch self {
      case .comfyUI: "https://github.com/comfyanonymous/ComfyUI"
      case .webUI: "https://github.com/AUTOMATIC1111/stable-diffusion-webui"
      case .stableDiffusionCpp: "https://github.com/leejet/stable-diffusion.cpp"
      case .drawThings: "https://github.com/drawthingsai/draw-things-community"
      case .invokeAI: "https://github.com/invoke-ai/InvokeAI"
      }
    }
  }

  public let program: Program
  /// The name in the program.
  public let name: String
  /// The sampler with its options, on a process of a schedule; `nil` if this library does not have
  /// it.
  public let sampler: (any Sampler)?
  /// The same on rectified flow, where the program has one of its own or the same one, and steps as
  /// this library does; `nil` if its steps are others.
  public let flowSampler: (any Sampler)?
  /// The spacing that is part of the name, as `scheduler --spacing` calls it.
  public let spacing: String?
  /// How far the steps differ from the program's, or why the sampler is missing; empty where they
  /// are the same.
  public let note: String
  /// How far those on rectified flow do, where the others do not.
  public let flowNote: String

  /// Whether the steps on a process of a schedule are the program's.
  public var isSame: Bool { sampler != nil && note.isEmpty }

  /// The word, the colon and the name.
  public var text: String { "\(program.rawValue):\(name)" }

  /// Every name, program by program.
  public static let all: [SamplerName] = comfyUI + webUI + stableDiffusionCpp + drawThings + invokeAI

  /// The name that a text such as `comfyui:dpmpp_2m` stands for; `nil` if there is none.
  public static func named(_ text: String) -> SamplerName? { all.first { $0.text == text } }

  /// The entry of the catalog that this is with its default options, if one is.
  public var entry: SamplerCatalog.Entry? {
    sampler.flatMap(SamplerCatalog.entry)
  }

  /// An entry by this name, on a process of a schedule or on rectified flow, where a sampler that
  /// steps as another does is better than none.
  package func entry(isFlow: Bool) -> SamplerCatalog.Entry? {
    guard let sampler = isFlow ? flowSampler ?? sampler : sampler else { return nil }
    return SamplerCatalog.Entry(
      name: text, title: name, sampler: sampler, order: SamplerCatalog.entry(of: sampler)?.order ?? 1,
      source: program.source, use: note)
  }

  init(
    _ program: Program, _ name: String, _ sampler: (any Sampler)?, flow: (any Sampler)? = nil, spacing: String? = nil,
    _ note: String = "", flowNote: String = ""
  ) {
    (self.program, self.name, self.sampler) = (program, name, sampler)
    (flowSampler, self.spacing, self.note, self.flowNote) = (flow, spacing, note, flowNote)
  }

  /// The same sampler by the name of another program.
  func called(_ name: String, in program: Program, spacing: String? = nil) -> SamplerName {
    SamplerName(program, name, sampler, flow: flowSampler, spacing: spacing, note, flowNote: flowNote)
  }
}
