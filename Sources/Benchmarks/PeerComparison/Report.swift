import Foundation
import SchedulersCharts

/// The tables and the plot.
struct Report {
  struct Part {
    /// nil for one on each processor.
    let threads: Int?
    let size: Comparison.Size
    let measurements: Measurements
  }

  let rounds: Int
  let versions: String
  var parts: [Part] = []
  var quality: [Quality] = []

  /// The document, in Markdown.
  var text: String {
    var lines = [
      "# Benchmarks", "",
      "Made by `make bench`: this library beside others on one machine, in one run of \(rounds) rounds, each of which "
        + "measures every job",
      "once. Ratios are what the other takes in times of ours, medians of the rounds' ratios, so that what slows the "
        + "machine down for a",
      "while slows both. Our jobs are `SamplingRun.advance` with a network that has its output ready and without "
        + "`keepsDenoised`,",
      "`GaussianNoise.fill`, and what else has the name of its row. In brackets is the ratio to reach. Steps from",
      "Python are in [Python](Python.md#in-diffusers).", "",
      "- \(Machine.description)", "- \(Machine.swift); \(versions)", "- \(Machine.date)", "",
      "![How many times faster than others, by the size of the tensor](Images/benchmarks.svg)", "",
    ]
    for threads in [1, nil] { lines += table(threads) }
    lines +=
      rows(.batch, "Training and likelihoods, 16×3×64×64") + rows(.none, "Without a tensor") + alone() + reasons()
      + qualities()
    lines += [
      "Speed is measured on x86-64 alone. `.ci/arm64` shows in an emulator that arm64 has the same bits and vector "
        + "loops; Darwin's",
      "C library, Accelerate and Float16 in hardware are not tried (Architecture.md).", "",
    ]
    lines += missing()
    return lines.joined(separator: "\n") + "\n"
  }

  private func table(_ threads: Int?) -> [String] {
    let parts = parts.filter { $0.threads == threads && Comparison.Size.tensors.contains($0.size) }
    guard !parts.isEmpty else { return [] }
    var lines = ["## \(threads == 1 ? "One thread" : "As many threads as processors") on both sides", ""]
    lines.append(
      "| other, by ours | " + parts.map { $0.size.rawValue.replacing("x", with: "×") }.joined(separator: " | ") + " |")
    lines.append("|---|" + parts.map { _ in "---|" }.joined())
    for comparison in Comparison.all where Comparison.Size.tensors.contains(where: { comparison.goals[$0] != nil }) {
      let cells = parts.map { part in
        guard let ratio = part.measurements.ratio(comparison) else { return "–" }
        return brief(ratio, digits: 3) + (comparison.goal(of: part)?.text(ratio) ?? "")
      }
      lines.append(
        "| \(comparison.title.trimmingCharacters(in: .whitespaces)) | " + cells.joined(separator: " | ") + " |")
    }
    lines += ["", "Our times, in microseconds:", ""]
    lines.append("| job | " + parts.map { $0.size.rawValue.replacing("x", with: "×") }.joined(separator: " | ") + " |")
    lines.append("|---|" + parts.map { _ in "---|" }.joined())
    for job in [
      "ddim", "ddim-unclipped", "ddpm", "dpm++2m", "dynamic", "mix", "mix-lent", "diffuse", "normals", "torch-noise",
    ] {
      let cells = parts.map { $0.measurements.time(.own, job).map { brief($0, digits: 3) } ?? "–" }
      lines.append("| \(job) | " + cells.joined(separator: " | ") + " |")
    }
    return lines + [""]
  }

  private func rows(_ size: Comparison.Size, _ title: String) -> [String] {
    let parts = parts.filter { $0.size == size }
    let heads = parts.flatMap { ["ratio, \($0.threads == 1 ? "one thread" : "all processors")", "ours, µs"] }
    var lines = ["## \(title)", "", "| other, by ours | " + heads.joined(separator: " | ") + " |"]
    lines.append("|---|" + heads.map { _ in "---|" }.joined())
    for comparison in Comparison.all where comparison.goals[size] != nil {
      let cells = parts.flatMap { part in
        let ratio = part.measurements.ratio(comparison)
        let cell = ratio.map { brief($0, digits: 3) + (comparison.goal(of: part)?.text($0) ?? "") } ?? "–"
        return [cell, part.measurements.time(.own, comparison.own).map { brief($0, digits: 3) } ?? "–"]
      }
      lines.append(
        "| \(comparison.title.trimmingCharacters(in: .whitespaces)) | " + cells.joined(separator: " | ") + " |")
    }
    return lines + [""]
  }

  private func alone() -> [String] {
    guard let part = parts.first(where: { $0.size == .none }) else { return [] }
    func row(_ title: String, _ value: Double?, limit: Double?) -> String {
      let goal = limit.map { Comparison.Goal.atMost($0).text(value ?? 0) } ?? ""
      return "| \(title) | \(value.map { brief($0, digits: 3) } ?? "–")\(goal) |"
    }
    var lines = ["## Ours alone", "", "| job | µs |", "|---|---|"]
    for (job, limit) in Comparison.alone { lines.append(row(job, part.measurements.time(.own, job), limit: limit)) }
    for (job, _) in Comparison.alone where job.contains("1,000") {
      let short = job.replacing("1,000", with: "50")
      guard let long = part.measurements.time(.own, job), let time = part.measurements.time(.own, short) else {
        continue
      }
      lines.append(row("\(job), by 20 times \(short)", long / (20 * time), limit: Comparison.growth))
    }
    return lines + [""]
  }

  private func reasons() -> [String] {
    let alone = parts.first { $0.size == .none }?.measurements
    let plans = Comparison.alone.compactMap { job, limit -> String? in
      guard let limit, let time = alone?.time(.own, job), Comparison.Goal.atMost(limit).isMissed(time) else {
        return nil
      }
      return "- \(job) (\(brief(time, digits: 3)) µs): \(Comparison.reasonOfPlans)"
    }
    let lines = Comparison.all.compactMap { comparison -> String? in
      let misses = parts.compactMap { part -> String? in
        guard let ratio = part.measurements.ratio(comparison), let goal = comparison.goal(of: part),
          goal.isMissed(ratio)
        else { return nil }
        let threads = part.threads == 1 ? "one thread" : "all processors"
        let size = part.size == .none ? "" : part.size.rawValue.replacing("x", with: "×") + ", "
        return "\(brief(ratio, digits: 3)) at \(size)\(threads)"
      }
      if misses.isEmpty { return nil }
      let reason = comparison.reason ?? "no reason has been found yet."
      return "- \(comparison.title.trimmingCharacters(in: .whitespaces)) (\(misses.joined(separator: "; "))): \(reason)"
    }
    return lines.isEmpty && plans.isEmpty
      ? []
      : [
        "## Goals that are missed", "",
        "The reasons were found with `perf record` on the jobs, or follow from other rows.", "",
      ] + lines + plans + [""]
  }

  private func qualities() -> [String] {
    if quality.isEmpty { return [] }
    var lines = [
      "## The numbers of `GaussianNoise`", "",
      "Over 10⁸ draws; z is the distance from what the normal distribution has, in standard deviations of such a "
        + "sample.",
      "",
      "| statistic | found | expected | z |", "|---|---|---|---|",
    ]
    for line in quality {
      lines.append(
        "| \(line.name) | \(brief(line.found, digits: 6)) | \(brief(line.expected, digits: 6)) | "
          + "\(brief(line.z, digits: 2)) |"
      )
    }
    return lines + [""]
  }

  private func missing() -> [String] {
    let reasons = Set(parts.flatMap { $0.measurements.missing.map { "- \($0.key.name): \($0.value)" } }).sorted()
    return reasons.isEmpty ? [] : ["## Not measured", ""] + reasons + [""]
  }

  /// The ratios with one thread, by the number of scalars.
  private var chart: Chart {
    let names = [
      "diffusers DDIM, eta 0", "diffusers DDPM with its noise", "guided-diffusion p_sample",
      "torch.compile of a DDIM step",
      "NumPy, a DDIM step",
    ]
    let parts = parts.filter { $0.threads == 1 && Comparison.Size.tensors.contains($0.size) }
    let series = names.compactMap { name in Comparison.all.first { $0.title == name } }.map { comparison in
      Chart.Series(
        name: comparison.title,
        points: parts.compactMap { part in part.measurements.ratio(comparison).map { (Double(part.size.count), $0) } })
    }
    let points = series.flatMap(\.points)
    return Chart(
      title: "Time of others, in times of ours, one thread",
      subtitle: "\(Machine.processor), \(versions), medians of \(rounds) rounds, \(Machine.date)",
      x: Axis("scalars", scale: .logarithmic, spanning: points.map(\.x)),
      y: Axis("ratio", scale: .logarithmic, spanning: points.map(\.y)), series: series, hasDots: true)
  }

  func write(to directory: String) throws {
    let images = directory + "/Images"
    try FileManager.default.createDirectory(atPath: images, withIntermediateDirectories: true)
    try text.write(toFile: directory + "/Benchmarks.md", atomically: true, encoding: .utf8)
    try chart.document.write(toFile: images + "/benchmarks.svg", atomically: true, encoding: .utf8)
  }
}

extension Comparison {
  /// A ratio to reach, or not to pass.
  enum Goal {
    case atLeast(Double)
    case atMost(Double)

    func isMissed(_ ratio: Double) -> Bool {
      switch self {
      case .atLeast(let goal): ratio < goal
      case .atMost(let limit): ratio > limit
      }
    }

    /// In brackets, as it stands beside a ratio.
    func text(_ ratio: Double) -> String {
      let end = isMissed(ratio) ? ", missed)" : ")"
      switch self {
      case .atLeast(let goal): return " (\(brief(goal))\(end)"
      case .atMost(let limit): return " (≤ \(brief(limit))\(end)"
      }
    }
  }

  fileprivate func goal(of part: Report.Part) -> Goal? {
    guard part.threads == 1 || goals[.none] != nil || goals[.batch] != nil else {
      return goalsOfAll[part.size].map { .atLeast($0) }
    }
    return (goals[part.size] ?? nil).map { .atLeast($0) } ?? limit.map { .atMost($0) }
  }
}

/// What the numbers were measured on.
enum Machine {
  static var processor: String {
    let cpu = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    let name = cpu?.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
    return name.map { $0.trimmingCharacters(in: .whitespaces) } ?? "a processor without a name"
  }

  static var description: String {
    let set = ProcessInfo.processInfo.environment["SCHEDULERS_ISA"].map { ", SCHEDULERS_ISA=\($0)" } ?? ""
    let processors = ProcessInfo.processInfo.activeProcessorCount
    return processor + ", \(processors) virtual processors, \(ProcessInfo.processInfo.physicalMemory >> 30) GiB, "
      + ProcessInfo.processInfo.operatingSystemVersionString + set + load
  }

  /// How many processes wanted to run in the last quarter of an hour; numbers from a busy machine
  /// are not to be quoted.
  private static var load: String {
    var averages = [Double](repeating: 0, count: 3)
    return getloadavg(&averages, 3) == 3 ? ", load average \(brief(averages[2], digits: 3))" : ""
  }

  static var swift: String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["swift", "--version"]
    process.standardOutput = output
    process.standardError = Pipe()
    guard (try? process.run()) != nil else { return "Swift" }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    return text.split(separator: "\n").first.map { String($0) } ?? "Swift"
  }

  static var date: String { Date().formatted(.iso8601.year().month().day()) }
}
