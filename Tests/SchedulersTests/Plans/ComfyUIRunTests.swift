import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// Whole runs against ComfyUI's own functions in float64: what every sample is made of.
/// `Fixtures/recipes/programs.py` says how they were made.
@Suite struct ComfyUIRunTests {
  private static let references = Result { try Safetensors("comfyui-runs.safetensors") }

  /// A sampler as the fixture calls it.
  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let sampler: any Sampler
    let processes: [String]
    /// Whether the last step, to clean data, is another one here.
    var leavesEnd = false
    var testDescription: String { name }
  }

  static let samplers: [Reference] = [
    Reference(name: "kdpm2-ancestral-rf", sampler: KDPM2AncestralRF(), processes: ["flow"]),
    Reference(name: "kdpm2-ancestral-rf/0.6", sampler: KDPM2AncestralRF(eta: 0.6), processes: ["flow"]),
    Reference(name: "euler-ancestral-rf/0.6", sampler: EulerAncestralRF(eta: 0.6), processes: ["flow"]),
    Reference(name: "dpm++2s-ancestral", sampler: DPMSolverPlusPlus2SAncestral(), processes: ["exploding"]),
    Reference(name: "dpm++2s-ancestral/0.4", sampler: DPMSolverPlusPlus2SAncestral(eta: 0.4), processes: ["exploding"]),
    Reference(
      name: "dpm++2s-ancestral-rf", sampler: DPMSolverPlusPlus2SAncestral(isStraight: true), processes: ["flow"]),
    Reference(
      name: "dpm++2s-ancestral-rf/0.4", sampler: DPMSolverPlusPlus2SAncestral(eta: 0.4, isStraight: true),
      processes: ["flow"]),
    Reference(name: "seeds-2", sampler: SEEDS(), processes: ["exploding", "late"]),
    Reference(name: "seeds-2/0.5", sampler: SEEDS(eta: 0.5), processes: ["exploding", "late"]),
    Reference(name: "seeds-3", sampler: SEEDS(.seeds3), processes: ["exploding", "late"]),
    Reference(name: "seeds-3/0", sampler: SEEDS(.seeds3, eta: 0), processes: ["exploding", "late"]),
    Reference(
      name: "er-sde-1", sampler: ERSDE(order: 1, matchesAuthorsCode: true), processes: ["exploding", "late"]),
    Reference(
      name: "er-sde-2", sampler: ERSDE(order: 2, matchesAuthorsCode: true), processes: ["exploding", "late"]),
    Reference(
      name: "er-sde-3", sampler: ERSDE(order: 3, matchesAuthorsCode: true), processes: ["exploding", "late"]),
    Reference(
      name: "sa-solver-pece", sampler: SASolver(predictorOrder: 3, correctorOrder: 4, evaluatesCorrection: true),
      processes: ["exploding", "late"]),
    Reference(
      name: "sa-solver-pece/2", sampler: SASolver(tau: 0.6, evaluatesCorrection: true), processes: ["exploding"]),
    Reference(name: "dpm-fast", sampler: DPMSolverFast(), processes: ["exploding"], leavesEnd: true),
    Reference(name: "res-multistep", sampler: DPMSolverPlusPlus(slopeRule: .exact), processes: ["exploding"]),
    Reference(name: "dpm++2m-sde", sampler: DPMSolverPlusPlus(eta: 1), processes: ["late"]),
    Reference(name: "dpm++3m-sde-k", sampler: SamplerCatalog["dpm++3m-sde-k"]!.sampler, processes: ["late"]),
    Reference(name: "ipndm", sampler: IPNDM(), processes: ["exploding"], leavesEnd: true),
    Reference(name: "ddpm", sampler: DDPM(), processes: ["exploding"]),
    Reference(name: "gradient-estimation", sampler: GradientEstimation(), processes: ["exploding"], leavesEnd: true),
  ]

  /// What a name stands for: the card and its name are no part of the function.
  @Test func `every name of ComfyUI that is said to be the same has a run of its own function`() throws {
    let names = try Self.references.get().names
    var compared: Set<String> = []
    for name in SamplerName.all where name.program == .comfyUI {
      let function = name.name == "ddim" ? "euler" : name.name.replacing("_gpu", with: "")
      let processes = Set(
        names.filter { $0.hasPrefix("name/\(function)/") }.map { String($0.split(separator: "/")[2]) })
      #expect(name.isSame == processes.contains("exploding"), "\(name.name)")
      #expect(
        name.flowSampler == nil || !name.note.isEmpty || !name.flowNote.isEmpty || processes.count == 2, "\(name.name)")
      guard let sampler = name.sampler, name.isSame else { continue }
      compared.insert(function)
      try compare(Reference(name: "name/\(function)", sampler: sampler, processes: ["exploding"]))
      guard let flow = name.flowSampler else { continue }
      try compare(Reference(name: "name/\(function)", sampler: flow, processes: processes.filter { $0 != "exploding" }))
    }
    #expect(compared.count == Set(names.filter { $0.hasPrefix("name/") }.map { $0.split(separator: "/")[1] }).count)
  }

  @Test func `a name is found with its program, and spacings too`() throws {
    #expect(Set(SamplerName.all.map(\.text)).count == SamplerName.all.count)
    #expect(Set(SpacingName.all.map(\.text)).count == SpacingName.all.count)
    #expect(SamplerName.named("comfyui:res_multistep")?.entry == nil)
    #expect(SamplerName.named("sd.cpp:euler_a")?.entry?.name == "euler-ancestral")
    #expect(SamplerName.named("a1111:DPM++ 2M SDE")?.entry?.name == "dpm++2m-sde")
    #expect(SamplerName.named("invokeai:dpmpp_3m_k")?.spacing == "karras")
    #expect(SamplerName.named("draw-things:DPMPP2MAYS")?.spacing == "ays")
    #expect(SamplerName.named("comfyui:no such") == nil && SamplerName.named("euler") == nil)
    for name in SamplerName.all {
      #expect((name.sampler == nil) == name.note.hasPrefix("is not here"), "\(name.text)")
      #expect(name.spacing.map { GridSpacing.named($0) != nil } ?? true, "\(name.text)")
      // k-diffusion's names are read in recordings too, by the same samplers.
      if name.program == .comfyUI, name.isSame, let read = try? KDiffusionConfiguration.sampler(named: name.name),
        "\(type(of: read))" == "\(type(of: name.sampler!))"
      {
        #expect("\(read)" == "\(name.sampler!)", "\(name.text)")
      }
    }
    for name in ["comfyui:karras", "karras"] { #expect(try GridSpacing.known(name) == .sigmas(.karras())) }
    #expect(try GridSpacing.known("comfyui:linear_quadratic") == .flowTimes(.linearQuadratic()))
    #expect(throws: NameFailure.self) { try GridSpacing.known("sd.cpp:smoothstep") }
    #expect(throws: NameFailure.self) { try SamplerCatalog.entry(named: "comfyui:dpm_adaptive", on: .flow) }
  }

  @Test(arguments: samplers) func `every sample of a run is made as ComfyUI makes it`(reference: Reference) throws {
    try compare(reference)
  }

  private func compare(_ reference: Reference) throws {
    let file = try Self.references.get()
    var compared = 0
    for process in reference.processes {
      for steps in [1, 2, 3, 5, 8] where file.names.contains("\(reference.name)/\(process)/\(steps).run") {
        let name = "\(reference.name)/\(process)/\(steps)"
        let places = try file.doubles("\(process).\(steps)")
        let grid = try SamplingGrid(
          points: places.enumerated().map { i, place in
            let level = NoiseLevel(signal: process == "exploding" ? 1 : 1 - place, noise: place)
            return .init(timestep: Double(steps - i), level: level)
          })
        let longest = zip(places, places.dropFirst()).reduce(1) { $1.1 > 0 ? max($0, $1.0 / $1.1) : $0 }
        let plan = try reference.sampler.plan(over: grid, predicting: .x0)
        let (rows, shape) = (try file.doubles("\(name).run"), try file.shape("\(name).run"))
        let width = shape[1]
        let calls = (width - 1) / 2
        #expect(plan.steps.count >= shape[0] && plan.steps.count <= calls + 1)
        var run = SamplingRun(plan, from: ReferenceRunTests.unitVector(0, of: width))
        for k in 0..<shape[0] where !(reference.leavesEnd && k == plan.steps.count - 1) {
          run.advance(
            output: ReferenceRunTests.unitVector(1 + k, of: width),
            noise: ReferenceRunTests.unitVector(1 + calls + k, of: width))
          let row = rows[k * width..<(k + 1) * width]
          // σ is up to 15, and what a step multiplies and cancels. The reference's ancestral steps
          // subtract squares of σ', of which a long step leaves (σ'/σ)².
          let largest = row.reduce(1) { max($0, abs($1)) }
          let error = zip(run.sample, row).reduce(0) { max($0, abs($1.0 - $1.1)) }
          #expect(error <= max(1e-12, 4 * unit * longest * longest) * largest, "\(name), call \(k): \(error)")
          compared += width
        }
      }
    }
    #expect(compared > 0)
    Comparisons.count(compared)
  }
}
