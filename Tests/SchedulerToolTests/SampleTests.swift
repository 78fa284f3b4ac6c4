import DigitsModel
import Foundation
import Schedulers
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
    let sheet = try PNG.decode(tool.data("digits.png"))
    #expect(sheet.shows("9 digits, seed 0, linear schedule, trailing spacing, from in.png at strength 0.6", grey: 0))
    #expect(
      sheet.shows("given", grey: 110) && sheet.shows("DDIM: the first digit on its way from the given one", grey: 0))
  }

  @Test func `says sigma of the steps of EDM, and the timestep of others`() throws {
    func sheet(_ options: String...) throws -> Picture {
      let run = ["sample", "--sampler", "euler", "--steps", "2", "--count", "1", "-o", "a.png"]
      let outcome = try tool.run(run + options)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try PNG.decode(tool.data("a.png"))
    }
    #expect(try sheet("--spacing", "edm").shows("sigma 80", grey: 110))
    #expect(try sheet("--spacing", "trailing").shows("t 999", grey: 110))
    // ln(80)/4, which nobody knows a level by.
    #expect(try !sheet("--spacing", "edm").shows("t 1.1", grey: 110))
    let titled = try sheet("--spacing", "edm", "--sigma-max", "20", "--rho", "5")
    #expect(titled.shows("edm spacing, largest sigma 20, rho 5", grey: 0))
    #expect(titled.shows("sigma 20", grey: 110))
  }

  @Test func `tells plans whose network is told a sigma from those of rectified flow and of timesteps`() throws {
    let edm = EDMPreconditioning()
    let angle = EDMPreconditioning(conditioning: .angle)
    let grid = try SamplingGrid(edm: edm, steps: 4)
    #expect(try Euler().plan(over: grid, predicting: edm).tellsSigma)
    #expect(try Euler().plan(over: SamplingGrid(edm: edm, sigmas: [9, 2]), predicting: angle).tellsSigma)
    #expect(try !Euler().plan(over: SamplingGrid(flow: FlowSpacing(), steps: 2), predicting: .flow).tellsSigma)
    let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
    #expect(try !Euler().plan(over: SamplingGrid(schedule, steps: 4), predicting: .epsilon).tellsSigma)
  }

  /// What `get_timesteps` of diffusers' pipelines for Flux and others makes of a strength.
  @Test(arguments: [
    (28, "0.6", 17, 607.0), (4, "0.95", 4, 1000), (9, "0.6", 6, 667), (50, "0.58", 29, 580), (28, "1", 28, 1000),
  ])
  func `makes as many steps of rectified flow from a picture as pipelines do`(
    steps: Int, strength: String, calls: Int, timestep: Double
  ) throws {
    let options = try ImageOptions.parse(["--image", "in.png", "--strength", strength])
    let grid = try options.shortened(SamplingGrid(flow: FlowSpacing(), steps: steps))
    #expect(grid.steps == calls && grid.points[0].timestep.rounded() == timestep)
  }

  @Test(arguments: [(15, "0.0667"), (49, "0.0205"), (25, "0.04"), (3, "0.334"), (1000, "0.001"), (1, "1")])
  func `says which strength leaves a step, where one leaves none`(steps: Int, least: String) throws {
    let grid = try SamplingGrid(NoiseSchedule(.linear(), timesteps: 1000), steps: steps)
    func options(_ strength: String) throws -> ImageOptions {
      try .parse(["--image", "in.png", "--strength", strength])
    }
    let remark = try options("0.0005").remark(on: grid, of: "ddim")
    #expect(
      remark == "ddim drew nothing: --strength 0.0005 of \(counted(steps, "step")) is less than one; from \(least) "
        + "(1/\(steps)) on it draws something")
    #expect(try options(least).remark(on: grid, of: "ddim") == nil)
    #expect(try options("0").remark(on: grid, of: "ddim") == nil)
    #expect(try ImageOptions.parse([]).remark(on: grid, of: "ddim") == nil)
  }

  @Test func `says so where it draws nothing`() throws {
    try PNG.encode(Picture(width: 8, height: 8)).write(to: tool.folder.appendingPathComponent("in.png"))
    let outcome = try tool.run(
      "sample", "--image", "in.png", "--steps", "15", "--strength", "0.1", "--sampler", "ddim,heun", "--count", "1")
    #expect(outcome.status == 0)
    // Heun's 15 calls are 8 steps.
    #expect(
      outcome.errors == "scheduler: heun drew nothing: --strength 0.1 of 8 steps is less than one; from 0.125 (1/8) on "
        + "it draws something\n")
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `stops at a signal without leaving a file`(_ signal: Int32) throws {
    // A shell starts what runs in the background, as these tests may, with SIGINT ignored.
    let inherited = Foundation.signal(SIGINT, SIG_DFL)
    defer { Foundation.signal(SIGINT, inherited) }
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

extension Picture {
  /// Whether a line of text is written somewhere, at the size of a sheet.
  fileprivate func shows(_ text: String, grey: UInt8) -> Bool {
    var line = Picture(width: Picture.width(of: text, scale: 2), height: 2 * Font.height)
    line.write(text, x: 0, y: 0, scale: 2, grey: grey)
    let ink = line.pixels.indices.filter { line.pixels[$0] != 255 }.map { ($0 % line.width, $0 / line.width) }
    guard let first = ink.first, width >= line.width else { return false }
    return (0...height - line.height).contains { y in
      (0...width - line.width).contains { x in
        self[x + first.0, y + first.1] == grey && ink.allSatisfy { self[x + $0.0, y + $0.1] == grey }
      }
    }
  }
}
