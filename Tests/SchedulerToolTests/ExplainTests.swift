import Foundation
import Schedulers
import SchedulersInterop
import Testing

@testable import scheduler

@Suite struct `The explain command` {
  let tool: Tool

  init() throws { tool = try Tool() }

  private static let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL
  private static let samplerTypes = Set(SamplerCatalog.all.flatMap { SourceText.types(of: $0.sampler) })
  private static let classes = DiffusersConfiguration.Class.allCases.map(\.rawValue)

  /// What the files say of the types that are explained.
  private static func texts() throws -> [String: SourceText] {
    var texts: [String: SourceText] = [:]
    for folder in ["Sources/Schedulers/Samplers", "Sources/SchedulersInterop/Classes"] {
      let files = try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(folder).path)
      for file in files.sorted() where file.hasSuffix(".swift") {
        let path = "\(folder)/\(file)"
        let source = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        var comment: [Substring] = []
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
          if line.hasPrefix("///") {
            comment.append(line.dropFirst(line.hasPrefix("/// ") ? 4 : 3))
            continue
          }
          if let name = line.firstMatch(of: /^(?:public )?struct (\w+)/).map({ String($0.1) }),
            samplerTypes.contains(name) || classes.contains(name)
          {
            // A terminal shows no links.
            let plain = comment.joined(separator: "\n").replacing(/\[([^\]]*)\]\((https?:[^)]*)\)/) {
              "\($0.1), \($0.2)"
            }
            .replacing(/<(https?:[^>]*)>/) { $0.1 }
            texts[name] = SourceText(path, plain)
          }
          comment = []
        }
      }
    }
    return texts
  }

  private static func literal(_ texts: [String: SourceText]) -> String {
    let entries = texts.sorted { $0.key < $1.key }.map { name, text in
      let lines = text.text.split(separator: "\n", omittingEmptySubsequences: false)
      let indented = lines.map { $0.isEmpty ? "\n" : "      \($0)\n" }.joined()
      let comment = text.text.isEmpty ? "" : ",\n      #\"\"\"\n\(indented)      \"\"\"#"
      return "    \"\(name)\": SourceText(\n      \"\(text.file)\"\(comment)),\n"
    }
    return """
      // Made by `SCHEDULERS_WRITE_EXPLANATIONS=1 swift test --filter explain` and `make format`.

      extension SourceText {
        /// The types of the samplers and of the classes of diffusers, by their names.
        static let all: [String: SourceText] = [
      \(entries.joined())  ]
      }

      """
  }

  @Test func `has the comments of all samplers and classes as they stand in their files`() throws {
    let texts = try Self.texts()
    #expect(Set(texts.keys) == Self.samplerTypes.union(Self.classes))
    if ProcessInfo.processInfo.environment["SCHEDULERS_WRITE_EXPLANATIONS"] != nil {
      let file = Self.root.appendingPathComponent("Sources/scheduler/Explanations/SourceText+All.swift")
      return try Data(Self.literal(texts).utf8).write(to: file)
    }
    for name in Set(texts.keys).union(SourceText.all.keys).sorted() {
      #expect(
        SourceText.all[name] == texts[name],
        "\(name): run `SCHEDULERS_WRITE_EXPLANATIONS=1 swift test --filter explain`, then `make format`")
    }
  }

  @Test(arguments: SamplerCatalog.all.map(\.name))
  func `says the formula, the source, the file and the numbers of every sampler`(_ name: String) throws {
    let entry = try #require(SamplerCatalog[name])
    let outcome = try tool.run("explain", name, "--steps", "3")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.text.hasPrefix("\(entry.title) (\(name)): order \(entry.order), \(entry.calls) calls"))
    #expect(outcome.text.contains("\nSource: ") && outcome.text.contains("https://"))
    #expect(outcome.text.contains(", in Sources/Schedulers/Samplers/"))
    // The inversion of DPM-Solver++ names the sampler whose steps it makes.
    #expect(outcome.text.contains("\n    ") || outcome.text.contains("`DPMSolverPlusPlus` run backwards"))
    let plan = try entry.plan(
      over: SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: 3), predicting: .epsilon)
    #expect(outcome.text.hasSuffix(PlanTable(plan).description))
  }

  @Test(arguments: DiffusersConfiguration.Class.allCases)
  func `says what every class is, by the mathematics and as diffusers does it`(
    _ schedulerClass: DiffusersConfiguration.Class
  ) throws {
    let outcome = try tool.run("explain", schedulerClass.rawValue)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let text = outcome.text
    #expect(text.hasPrefix("\(schedulerClass.rawValue) of diffusers 0.42.1, in Sources/SchedulersInterop/Classes/"))
    #expect(text.contains("\nBy the mathematics and with its defaults it is"))
    #expect(text.contains("\nSource: ") && text.contains(", in Sources/Schedulers/Samplers/"))
    for fidelity in Fidelity.allCases {
      #expect(text.contains("\(schedulerClass.rawValue), 4 steps, fidelity \(fidelity.rawValue):\nstep"))
    }
    for deviation in try DiffusersConfiguration(schedulerClass).deviations(steps: 4) {
      #expect(text.contains("\n- \(deviation.name): \(deviation.what)"))
    }
  }

  @Test func `finds the sampler that a class means`() throws {
    let meant: [(DiffusersConfiguration.Class, String, Bool)] = [
      (.ddim, "ddim", true), (.eulerDiscrete, "euler", true), (.flowMatchEulerDiscrete, "euler", true),
      (.dpmSolverMultistep, "dpm++2m", true), (.dpmSolverMultistepInverse, "dpm++2m-inversion", true),
      (.uniPC, "unipc", true), (.flowMatchHeunDiscrete, "flow-heun", true), (.rePaint, "repaint", false),
      (.saSolver, "sa-solver", false),
    ]
    for (schedulerClass, name, isSame) in meant {
      let relation = try #require(try schedulerClass.sampler())
      #expect(relation.entry.name == name && relation.isSame == isSame, "\(schedulerClass)")
    }
  }

  @Test func `knows no other name, and no other number of steps`() throws {
    for (arguments, excerpt) in [
      (["explain", "magic"], "unknown sampler or class \"magic\"; known: ddpm"),
      (["explain", "ddim", "--steps", "0"], "--steps 0 must be in 1 ... 50"),
    ] {
      let outcome = try tool.run(arguments)
      #expect(outcome.status == 2 && outcome.errors.contains(excerpt), "\(outcome.errors)")
    }
  }
}
