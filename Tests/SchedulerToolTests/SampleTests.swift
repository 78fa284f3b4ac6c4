import DigitsModel
import Foundation
import SchedulersCharts
import Testing

@testable import scheduler

@Suite struct `The sample command` {
  let tool: Tool

  init() throws { tool = try Tool() }

  /// A run short enough for a debug build.
  private func sample(_ more: String...) throws -> Tool.Outcome {
    try tool.run(["sample", "--count", "9", "--steps", "5", "--timesteps", "100"] + more)
  }

  @Test func `writes one picture and one line about it`() throws {
    let outcome = try sample("--output", "a.png")
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    let picture = try PNG.decode(tool.data("a.png"))
    #expect(outcome.text == "wrote a.png: \(picture.width) x \(picture.height) pixels, 9 digits from 5 samplers\n")
    #expect(try tool.files() == ["a.png"])
    #expect(Set(picture.pixels).isSuperset(of: [0, 255]))
  }

  @Test func `writes the same bytes for the same seed, whatever the batch size`() throws {
    let files = try [1, 7, 64].map { size in
      #expect(try sample("--sampler", "ddpm,ddim", "--batch-size", "\(size)", "--output", "\(size).png").status == 0)
      return try tool.data("\(size).png")
    }
    #expect(Set(files).count == 1)
  }

  @Test func `writes another picture for another seed`() throws {
    let files = try [0, 1].map { seed in
      #expect(try sample("--sampler", "ddim", "--seed", "\(seed)", "--output", "a.png").status == 0)
      return try tool.data("a.png")
    }
    #expect(files[0] != files[1])
  }

  @Test(arguments: [
    ["--sampler", "ddim", "--sampler", "heun,euler"], ["--sampler", "ddim", "--eta", "0.5"],
    ["--sampler", "ddim", "--spacing", "karras"], ["--sampler", "ddim", "--spacing", "leading", "--offset", "1"],
    ["--sampler", "ddim", "--zero-terminal-snr", "--prediction", "v"], ["--sampler", "ddim", "--clip", "dynamic"],
    ["--sampler", "dpm++2m", "--schedule", "cosine", "--prediction", "flow", "--clip", "static"],
    ["--spacing", "flow", "--shift", "3"], ["--spacing", "edm", "--sampler", "heun-churn"],
    ["--sampler", "ddim", "--class", "3", "--guidance", "2.5"], ["--sampler", "heun", "--steps", "1"],
    ["--sampler", "ddpm", "--seed", "18446744073709551615", "--count", "1"],
  ])
  func `takes every option`(_ options: [String]) throws {
    let outcome = try tool.run(["sample", "--count", "2", "--steps", "4", "--timesteps", "100"] + options)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try tool.files() == ["digits.png"])
  }

  @Test func `keeps a picture at strength 0 and draws it as it was read`() throws {
    let digit = try Digits().images[3]
    var picture = Picture(width: 24, height: 24)
    picture.draw(digit, side: 8, x: 0, y: 0, scale: 3)
    try PNG.encode(picture).write(to: tool.folder.appendingPathComponent("in.png"))
    let outcome = try tool.run(
      "sample", "--image", "in.png", "--strength", "0", "--count", "1", "--sampler", "ddim", "--output", "out.png")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let sheet = try PNG.decode(tool.data("out.png"))
    // The one digit stands at the left of its panel, 4 pixels inside, each value a block of 5.
    let left = 32 + 4
    let top = 32 + 22 + 14 + 2 * 22 + 4 + 4
    for (i, value) in digit.enumerated() {
      #expect(sheet[left + i % 8 * 5 + 2, top + i / 8 * 5 + 2] == Picture.grey(value))
    }
  }

  @Test func `starts from a picture`() throws {
    try PNG.encode(Picture(width: 8, height: 8)).write(to: tool.folder.appendingPathComponent("in.png"))
    let outcome = try sample("--image", "in.png", "--strength", "0.6", "--sampler", "ddim,heun")
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `stops at a signal without leaving a file`(_ signal: Int32) throws {
    let (process, _, errors) = try tool.start(["sample", "--steps", "1000", "--sampler", "ddim", "--count", "512"])
    // A quarter is reported no sooner than after five seconds; the run is well under way after one.
    Thread.sleep(forTimeInterval: 1)
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 128 + signal)
    #expect(errors.fileHandleForReading.readDataToEndOfFile().isEmpty)
    #expect(try tool.files() == [])
  }
}
