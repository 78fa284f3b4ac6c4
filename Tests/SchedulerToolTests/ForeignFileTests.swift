import Foundation
import SchedulersSafetensors
import Testing

@Suite struct `A file that is something else` {
  let tool: Tool

  init() throws { tool = try Tool() }

  private static let files: [(name: String, bytes: [UInt8], said: String)] = [
    ("entry-not-found.json", Array("Entry not found".utf8), "\"Entry not found\""),
    ("error.json", Array("{\"error\":\"Repository not found\"}".utf8), "it is a server's answer"),
    ("page.json", Array("<!DOCTYPE html>\n<html>".utf8), "it is a web page"),
    (
      "pointer.json", Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".utf8),
      "Git LFS pointer"
    ),
    ("merge.json", Array("{\n<<<<<<< HEAD\n}\n".utf8), "the markers of a merge, the first on line 2"),
    ("mark.json", Array("\u{FEFF}{}".utf8), "a byte-order mark"),
    ("wide.json", [0xFF, 0xFE, 0x7B, 0], "text in UTF-16"),
    ("empty.json", [], "it is empty"),
    ("comma.json", Array("{\n  \"_class_name\": \"DDIMScheduler\",\n}".utf8), "at line 2, column 33"),
    ("latin.json", Array("{\"a\": \"".utf8) + [0xE9] + Array("\"}".utf8), "text that is not UTF-8 at line 1, column 8"),
  ]

  /// Commands up to the name of a file of JSON.
  private static let commands: [[String]] = [
    ["plan"], ["sample", "--config"],
    ["replay", "--steps", "1", "-o", "a.safetensors", "--outputs", "outputs.safetensors"],
    ["train", "--config"],
  ]

  @Test func `is named in one line, wherever JSON is read`() throws {
    try SafetensorsWriter.write(
      to: tool.folder.appendingPathComponent("outputs.safetensors").path,
      [.init("model_outputs", shape: [1, 1, 1], floats: [0])])
    for file in Self.files { try Data(file.bytes).write(to: tool.folder.appendingPathComponent(file.name)) }
    let before = try tool.files()
    for command in Self.commands {
      // The trainer answers to a key that it does not know.
      for file in Self.files where command[0] != "train" || file.name != "error.json" {
        let outcome = try tool.run(command + [file.name])
        #expect(outcome.status == 2 && outcome.errors.filter(\.isNewline).count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(file.name) && outcome.errors.contains(file.said), "\(outcome.errors)")
      }
    }
    #expect(try tool.files() == before)
  }

  @Test func `is named in one line, wherever tensors or a picture are read`() throws {
    for file in Self.files.prefix(4) { try Data(file.bytes).write(to: tool.folder.appendingPathComponent(file.name)) }
    try Data(#"{"_class_name": "DDIMScheduler"}"#.utf8).write(to: tool.folder.appendingPathComponent("config.json"))
    let commands = [
      ["verify"], ["replay", "config.json", "--steps", "2", "-o", "a.safetensors", "--outputs"], ["sample", "--model"],
      ["evaluate", "--model"], ["sample", "--image"],
    ]
    for command in commands {
      for file in Self.files.prefix(4) {
        let outcome = try tool.run(command + [file.name])
        #expect(outcome.status == 2 && outcome.errors.filter(\.isNewline).count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(file.name) && outcome.errors.contains(file.said), "\(outcome.errors)")
      }
    }
  }

  @Test func `is named where it is the index of a pipeline`() throws {
    let index = #"{"_class_name": "StableDiffusionPipeline", "scheduler": ["diffusers", "PNDMScheduler"]}"#
    try Data(index.utf8).write(to: tool.folder.appendingPathComponent("model_index.json"))
    let outcome = try tool.run("plan", "model_index.json")
    #expect(
      outcome.errors == "scheduler: cannot follow model_index.json: it is the model_index.json of "
        + "StableDiffusionPipeline, whose scheduler, PNDMScheduler, has a file of its own; name "
        + "scheduler/scheduler_config.json beside it\n")
  }
}
