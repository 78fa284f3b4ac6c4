import Foundation
import Schedulers
import SchedulersCharts
import Testing

@testable import scheduler

@Suite struct `Values that cannot be used` {
  let tool: Tool

  init() throws {
    tool = try Tool()
    try PNG.encode(Picture(width: 12, height: 12)).write(to: tool.folder.appendingPathComponent("12.png"))
    try PNG.encode(Picture(width: 8, height: 8)).write(to: tool.folder.appendingPathComponent("8.png"))
    try Data("no picture".utf8).write(to: tool.folder.appendingPathComponent("text.png"))
    try Data("{}".utf8).write(to: tool.folder.appendingPathComponent("object.json"))
  }

  /// Options, and what the message must name.
  private static let cases: [([String], String)] = [
    (["sample", "--steps", "0"], "--steps 0 must be in 1 ... 1000"),
    (["sample", "--steps", "-1"], "--steps -1 must be in 1 ... 1000"),
    (["sample", "--steps", "1001"], "raise --timesteps"),
    (["sample", "--steps", "99999999999999999999999"], "--steps 99999999999999999999999 must be"),
    (["sample", "--timesteps", "0"], "--timesteps 0 must be in 1 ... 100000"),
    (["sample", "--timesteps", "100001"], "--timesteps 100001"),
    (["sample", "--eta", "1.5", "--sampler", "ddim"], "--eta 1.5 must be in 0 ... 1"),
    (["sample", "--eta", "-0.1", "--sampler", "ddim"], "--eta -0.1"),
    (["sample", "--eta", "nan", "--sampler", "ddim"], "--eta nan"),
    (["sample", "--eta", "0.5", "--sampler", "heun"], "choose --sampler ddim or euler-ancestral"),
    (["sample", "--sampler", "magic"], "unknown sampler \"magic\"; known: ddpm"),
    (["list", "magic"], "unknown list \"magic\"; known: samplers, presets, names, deviations"),
    (["list", "--format", "html"], "unknown format \"html\"; known: text, markdown, docc"),
    (["sample", "--sampler", "ddim,"], "unknown sampler \"\""),
    (["sample", "--sampler", "ddim,ddim"], "given twice"),
    (["sample", "--sampler", "ddim-inversion"], "goes from data to noise"),
    (["sample", "--schedule", "wavy"], "unknown schedule \"wavy\"; known: linear"),
    (["sample", "--spacing", "wavy"], "unknown spacing \"wavy\"; known: leading"),
    (
      ["sample", "--prediction", "previous"],
      "unknown prediction \"previous\"; known: epsilon, x0, v, flow, reverseFlow"
    ),
    (["sample", "--clip", "hard"], "unknown clipping \"hard\""),
    (["sample", "--offset", "1"], "--spacing leading"),
    (["sample", "--shift", "3"], "--shift 3 means nothing for --spacing trailing; drop it, or choose --spacing flow"),
    (
      ["sample", "--spacing", "edm", "--shift-terminal", "0.1"], "--shift-terminal 0.1 means nothing for --spacing edm"
    ),
    (["sample", "--spacing", "flow", "--shift", "3", "--mu", "1"], "--shift and --mu are both shifts; drop one"),
    (["sample", "--spacing", "flow", "--mu", "1", "--image-size", "512x512"], "--mu and --image-size"),
    (["sample", "--spacing", "flow", "--shift", "0"], "--shift 0 must be in 0.001 ... 1000"),
    (["sample", "--spacing", "flow", "--mu", "nan"], "--mu nan must be in -7 ... 7"),
    (["sample", "--spacing", "flow", "--image-size", "512"], "--image-size 512 must be a width and a height"),
    (["sample", "--spacing", "flow", "--image-size", "8x99999999999999999999"], "such as 1024x768"),
    (["sample", "--spacing", "flow", "--shift-terminal", "1"], "--shift-terminal 1 must be"),
    (["sample", "--spacing", "flow", "--shift-terminal", "0.1", "--steps", "1"], "terminal 0.1 must be left out"),
    (["sample", "--spacing", "flow", "--schedule", "cosine"], "--spacing flow has no schedule"),
    (["sample", "--spacing", "flow", "--prediction", "epsilon"], "there is no signal; choose --prediction v or x0"),
    (["sample", "--spacing", "edm", "--zero-terminal-snr"], "--spacing edm has no schedule"),
    (["sample", "--spacing", "flow", "--model", "trained"], "--spacing flow cannot be chosen"),
    (["sample", "--rho", "7"], "--rho 7 means nothing for --spacing trailing"),
    (["sample", "--spacing", "beta", "--rho", "7"], "choose karras, polyexponential or edm"),
    (["plan", "--sampler", "comfyui:euler_cfg_pp"], "needs the unguided output beside the guided one"),
    (["plan", "--sampler", "comfyui:eulr"], "comfyui:euler"),
    (["plan", "--spacing", "sd.cpp:smoothstep"], "the program's own; see `scheduler list names`"),
    (["plan", "--spacing", "comfyui:kaarras"], "comfyui:karras"),
    (["sample", "--spacing", "karras", "--rho", "0"], "--rho 0 must be in 0.1 ... 100"),
    (["sample", "--sigma-max", "inf", "--spacing", "edm"], "--sigma-max inf must be"),
    (["sample", "--sigma-min", "5", "--spacing", "flow"], "--sigma-min 5 means nothing for --spacing flow"),
    (["sample", "--sigma-min", "90", "--spacing", "edm"], "the smallest sigma, 90, must be below the largest, 80"),
    (["sample", "--sigmas", "3,2", "--steps", "2"], "--steps 2 means nothing for given --sigmas"),
    (["sample", "--sigmas", "3,2", "--spacing", "karras"], "--sigmas 3,2 means nothing for --spacing karras"),
    (["sample", "--sigmas", "3,2", "--spacing", "edm", "--rho", "2"], "drop --sigma-min, --sigma-max and --rho"),
    (["sample", "--sigmas", "3,,2"], "--sigmas 3,,2 must be at most 100000 numbers"),
    (["sample", "--sigmas", "2,3"], "sigma 3 at step 1 must be below the one before it, 2"),
    (["sample", "--sigmas", "nan"], "sigma nan at step 0"),
    (["sample", "--sigmas", "-1"], "sigma -1 at step 0"),
    (["sample", "--sigmas", "3,2", "--spacing", "flow"], "time 3 must be above 0 and at most 1"),
    (["sample", "--sigmas", "3,0,0"], "sigma 0 at step 1 must be finite and above 0; the last may be 0"),
    (["sample", "--sigmas", "3,0,1", "--spacing", "edm"], "sigma 0 at step 1 must be finite and above 0"),
    (
      ["sample", "--sigmas", "0.5,0.75", "--spacing", "flow"],
      "time 0.75 must be above 0 and below the one before it, 0.5"
    ),
    (["sample", "--sigmas", "1,0,0", "--spacing", "flow"], "the last may be 0, for clean data at the end"),
    (["plot", "error", "--sigmas", "3,2", "--output", "a.svg"], "--sigmas 3,2 means nothing for runs of many lengths"),
    (
      ["plan", "--sampler", "lcm", "--spacing", "distilled", "--steps", "60"],
      "chooses among 50 timesteps, which are too few for 60"
    ),
    (
      ["plan", "--sampler", "lcm", "--spacing", "distilled", "--timesteps", "30"], "too many for the 30 of the schedule"
    ),
    (["sample", "--offset", "99", "--spacing", "leading"], "offset 99"),
    (["sample", "--zero-terminal-snr"], "there is no signal; choose --prediction v or x0"),
    (["sample", "--zero-terminal-snr", "--spacing", "karras"], "use trailing"),
    (["sample", "--class", "10"], "--class 10 must be in 0 ... 9"),
    (["sample", "--class", "-1"], "--class -1"),
    (["sample", "--class", "1", "--guidance", "inf"], "--guidance inf must be in 0 ... 100"),
    (["sample", "--guidance", "2"], "add --class"),
    (["sample", "--strength", "1.1", "--image", "8.png"], "--strength 1.1 must be in 0 ... 1"),
    (["sample", "--strength", "nan", "--image", "8.png"], "--strength nan"),
    (["sample", "--strength", "0.5"], "add --image"),
    (["sample", "--image", "none.png"], "none.png: there is no such file"),
    (["sample", "--image", "text.png"], "text.png as a PNG"),
    (["sample", "--image", "12.png"], "12.png is 12 x 12 pixels"),
    (["sample", "--image", "."], "not a regular file"),
    (["sample", "--count", "0"], "--count 0 must be in 1 ... 4096"),
    (["sample", "--count", "9223372036854775807"], "--count 9223372036854775807"),
    (["sample", "--batch-size", "0"], "--batch-size 0"),
    (["sample", "--seed", "-1"], "--seed -1"),
    (["sample", "--output", "none/a.png"], "create it"),
    (["sample", "--output", "."], "it is a folder"),
    (["sample", "--output", ""], "needs the name of a file"),
    (["sample", "--output", "/dev/null"], "not a regular file"),
    (["sample", "--output", "two\nlines/a.png"], "two lines"),
    (["sample", "--noise", "white"], "unknown noise \"white\"; known: philox, brownian, torch-cpu"),
    (
      ["noise", "--noise", "torch-cpu", "--precision", "float8"],
      "unknown precision \"float8\"; known: float32, float64"
    ),
    (
      ["noise", "--noise", "numpy", "--precision", "float16"], "unknown precision \"float16\"; known: float64, float32"
    ),
    (["noise", "--precision", "float32"], "choose torch-cpu or numpy"),
    (["noise", "--noise", "numpy", "--arithmetic", "avx2"], "choose torch-cpu"),
    (["noise", "--noise", "torch-cpu", "--arithmetic", "sse"], "unknown arithmetic \"sse\""),
    (["noise", "--noise", "torch-cpu", "--device", "t4"], "choose torch-cuda"),
    (["noise", "--noise", "torch-cuda", "--device", "t5"], "unknown device \"t5\"; known: t4"),
    (["noise", "--noise", "numpy-legacy", "--seed", "4294967296"], "--seed 4294967296 must be in 0 ... 4294967295"),
    (["noise", "--seed", "18446744073709551616"], "--seed 18446744073709551616"),
    (["noise", "--shape", "2,0"], "--shape 2,0 must be"),
    (["noise", "--shape", ""], "--shape  must be"),
    (["noise", "--shape", "2,,3"], "--shape 2,,3 must be"),
    (["noise", "--shape", "67108864,2"], "at most 2^26"),
    (["noise", "--shape", "99999999999999999999"], "--shape 9999"),
    (["noise", "--skip", "-1"], "--skip -1"),
    (["noise", "--output", "none/a.safetensors"], "create it"),
    (["plan", "--sampler", "magic"], "unknown sampler \"magic\""),
    (["plan", "--format", "xml"], "unknown format \"xml\"; known: text, json, c"),
    (["table", "--table", "gammas"], "unknown table \"gammas\"; known: betas"),
    (["table", "--schedule", "guided-linear", "--timesteps", "10"], "use more timesteps"),
    (["table", "--timesteps", "1", "--zero-terminal-snr"], "at least 2"),
    (["likelihood", "--count", "1798"], "--count 1798 must be in 1 ... 1797"),
    (["likelihood", "--model", "magic"], "unknown model \"magic\"; known: dataset, gaussian"),
    (["likelihood", "--cdf", "erf"], "unknown distribution function \"erf\"; known: exact, tanh"),
    (["likelihood", "--format", "xml"], "unknown format \"xml\""),
    (["likelihood", "--respacing", "ddim999"], "no whole stride"),
    (["likelihood", "--respacing", "ten"], "no list of whole numbers"),
    (["likelihood", "--timesteps", "1"], "keep more timesteps, by --timesteps or --respacing"),
    (["sample", "--sampler", "heun", "--spacing", "flow"], "does not divide by the signal, such as --sampler dpm++2m"),
    (["likelihood", "--zero-terminal-snr"], "there is no signal; choose --prediction v or x0"),
    (["likelihood", "--output", "none/a.svg"], "create it"),
    (["plot", "snr"], "--output is missing"),
    (["plot", "snr", "--output", "none/a.svg"], "none"),
    (
      ["plot", "snr", "--output", "a.jpg"],
      "cannot write a.jpg: this command writes .svg, .png or .csv files; give --output a name that ends so"
    ),
    (["plot", "error", "--output", "a"], "cannot write a: this command writes .svg, .png or .csv files"),
    (["plot", "snr", "--output", ".svg"], "cannot write .svg: this command writes"),
    (["plot", "snr", "--format", "svg", "--output", "a.png"], "drop --format, or name a .svg file"),
    (["plot", "snr", "--format", "csv", "--output", "a.svg"], "drop --format, or name a .csv file"),
    (["plot", "snr", "--format", "png"], "print the numbers with --format csv"),
    (["plot", "snr", "--format", "pdf"], "unknown format \"pdf\"; known: svg, png, csv"),
    (["plot", "error", "--sampler", "all,ddim", "--format", "csv"], "unknown sampler \"all\""),
    (["likelihood", "--output", "a.csv"], "this command writes .svg or .png files"),
    (["noise", "--output", "a.txt"], "this command writes .safetensors or .npy files"),
    (["sample", "--output", "a.jpeg"], "this command writes .png files; give --output"),
    (["sample", "--image", ""], "cannot read --image \"\": there is no such file"),
    (["sample", "--image", "object.json"], "cannot read --image object.json as a PNG: it is JSON text; name a PNG"),
    (["sample", "--model", "object.json"], "it is JSON text; name the model.safetensors of `scheduler train`"),
    (["plot", "error", "--sampler", "ddpm", "--output", "a.svg"], "draws noise"),
    (["plot", "error", "--timesteps", "4", "--output", "a.svg"], "use 5 or more"),
  ]

  @Test func `are answered by one line that names them, status 2 and no file`() throws {
    let before = try tool.files()
    for (arguments, excerpt) in Self.cases {
      let outcome = try tool.run(arguments)
      #expect(outcome.status == 2, "\(arguments)")
      #expect(outcome.output.isEmpty, "\(arguments)")
      #expect(outcome.errors.hasPrefix("scheduler: ") && outcome.errors.contains(excerpt), "\(outcome.errors)")
      #expect(outcome.errors.filter(\.isNewline).count == 1 && outcome.errors.last == "\n", "\(outcome.errors)")
    }
    #expect(try tool.files() == before)
  }

  @Test(arguments: [["--bogus"], ["sample", "--steps", "many"], ["sample", "--steps"], ["plot", "bogus"], ["run"]])
  func `differ from a command line that cannot be parsed, status 64`(_ arguments: [String]) throws {
    let outcome = try tool.run(arguments)
    #expect(outcome.status == 64 && outcome.output.isEmpty)
    #expect(
      outcome.errors.hasPrefix("scheduler: ") && outcome.errors.filter(\.isNewline).count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("`scheduler ") && outcome.errors.contains("--help`"), "\(outcome.errors)")
  }

  @Test func `have the parser's words in the style of all messages`() throws {
    #expect(
      try tool.run("plot", "error", "--stepz").errors
        == "scheduler: unknown option '--stepz'; see `scheduler plot error --help`\n")
    #expect(
      try tool.run("sample", "--step", "3").errors
        == "scheduler: unknown option '--step'. Did you mean '--steps'? See `scheduler sample --help`.\n")
    #expect(
      try tool.run("train", "--prediction", "noise").errors
        == "scheduler: the value 'noise' is invalid for '--prediction <prediction-type>'. Please provide one of the "
        + "following: epsilon, x0, v, flow, previous, reverseFlow; see `scheduler train --help`\n")
  }

  @Test(arguments: [
    ["--help"], ["help", "plan"], ["sample", "--help"], ["plot", "error", "--help"], ["noise", "--help"], ["plot"], [],
  ])
  func `are not among requests for help, status 0`(_ arguments: [String]) throws {
    let outcome = try tool.run(arguments)
    #expect(outcome.status == 0)
    #expect(outcome.text.contains("USAGE: scheduler"))
    #expect(outcome.errors == "")
  }

  @Test func `are no wish for -o, which is short for the output of every command that has one`() throws {
    for command in ["sample", "noise", "likelihood", "plot snr", "plot error", "replay", "train", "verify", "run"] {
      let help = try tool.run(["help"] + command.split(separator: " ").map(String.init)).text
      #expect(help.contains("-o, --"), "\(command)")
    }
    #expect(try tool.run("noise", "-o", "noise.safetensors").text == "wrote noise.safetensors: 4 numbers\n")
    #expect(try tool.run("plot", "snr", "-o", "snr.svg").status == 0)
    #expect(try tool.files().contains("snr.svg"))
  }

  @Test func `are no wish for the version, which is that of the newest changes`() throws {
    let outcome = try tool.run("--version")
    #expect(outcome.status == 0 && outcome.text == "\(SchedulersLibrary.version)\n")
    let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL
    let changes = try String(contentsOf: root.appendingPathComponent("CHANGELOG.md"), encoding: .utf8)
    let newest = try #require(changes.split(separator: "\n").first { $0.hasPrefix("## ") })
    #expect(newest.hasPrefix("## \(SchedulersLibrary.version)"))
  }

  @Test func `leave an existing file as it was`() throws {
    let before = try tool.data("8.png")
    #expect(try tool.run("sample", "--steps", "0", "--output", "8.png").status == 2)
    #expect(try tool.data("8.png") == before)
  }
}
