/// Which timesteps of a long process a shorter one keeps: guided-diffusion's `timestep_respacing`.
///
/// ```swift
/// let respacing = try Respacing(parsing: "10,15,20")
/// let kept = try schedule.respaced(by: respacing)
/// kept.schedule.timesteps  // 45
/// // 999: what a network that was trained on the long process is told
/// kept.original[44]
/// ```
///
/// Source: [Nichol and Dhariwal 2021](https://arxiv.org/abs/2102.09672), section 4;
/// guided-diffusion's `space_timesteps`.
public enum Respacing: Hashable, Codable, Sendable {
  /// The process is cut into sections of equal size, of which the first are one longer where they
  /// do not come out even. Each keeps so many of its timesteps in equal strides, its first and its
  /// last among them; one alone is its last.
  case sections([Int])
  /// So many timesteps with the smallest whole stride that gives them, from 0 on: the strides of
  /// [Song et al. 2021](https://arxiv.org/abs/2010.02502), appendix D.3.
  case ddim(Int)

  /// Which timestep a section keeps that keeps one.
  public enum Lone: String, Hashable, Codable, Sendable {
    /// Its last, so that a run of one step starts where the process ends.
    case last
    /// Its first, as in guided-diffusion: the network is then asked about timestep 0 alone.
    case first
  }

  /// Reads "10,15,20" or "ddim50".
  ///
  /// - Throws: `GridError.respacing` for any other text.
  public init(parsing text: String) throws(GridError) {
    if text.hasPrefix("ddim") {
      guard let count = Int(text.dropFirst(4)) else { throw .respacing(text, reason: "it is no ddimN") }
      self = .ddim(count)
    } else {
      let counts = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0.filter { $0 != " " }) }
      guard !counts.contains(nil) else { throw .respacing(text, reason: "it is no list of whole numbers and no ddimN") }
      self = .sections(counts.compactMap { $0 })
    }
  }

  /// The timesteps that are kept, smallest first.
  ///
  /// - Throws: `GridError.respacing` if a section is too short, nothing is kept, or no stride fits.
  func timesteps(of total: Int, lone: Lone = .last) throws(GridError) -> [Int] {
    switch self {
    case .ddim(let count):
      // Stride i keeps ⌈T/i⌉, which falls as i grows.
      guard count > 1, let stride = (1..<total).first(where: { (total + $0 - 1) / $0 == count }) else {
        throw .respacing("ddim\(count)", reason: "no whole stride below \(total) keeps \(count) of \(total) timesteps")
      }
      return Array(Swift.stride(from: 0, to: total, by: stride))
    case .sections(let counts):
      let name = counts.map { "\($0)" }.joined(separator: ",")
      var kept: [Int] = []
      var start = 0
      for (i, count) in counts.enumerated() {
        let size = total / counts.count + (i < total % counts.count ? 1 : 0)
        guard count >= 0, count <= size else {
          throw .respacing(name, reason: "section \(i) has \(size) timesteps and cannot keep \(count)")
        }
        kept += Self.section(count, of: size, lone: lone).map { start + $0 }
        start += size
      }
      guard !kept.isEmpty else { throw .respacing(name, reason: "it keeps no timestep") }
      return kept
    }
  }

  /// `count` of 0 ..< `size`: positions summed up in Double and rounded to even, as in Python.
  private static func section(_ count: Int, of size: Int, lone: Lone) -> [Int] {
    guard count > 1 else { return count == 1 ? [lone == .last ? size - 1 : 0] : [] }
    let stride = Double(size - 1) / Double(count - 1)
    var position = 0.0
    return (0..<count).map { _ in
      defer { position += stride }
      return Int(position.rounded(.toNearestOrEven))
    }
  }
}

/// A process that visits some of the timesteps of a longer one.
public struct RespacedSchedule: Hashable, Sendable {
  /// The process itself, with timesteps 0 ..< the number kept, and the ᾱ of those kept.
  public let schedule: NoiseSchedule
  /// The timestep of the longer process for each of this one.
  public let original: [Int]
  /// T of the longer process.
  public let originalTimesteps: Int

  /// What a network trained on the longer process is told at timestep t of this one.
  ///
  /// - Parameters:
  ///   - t: in 0 ..< the number kept.
  ///   - isRescaled: whether the network was trained with `rescale_timesteps`, to 0 ..< 1000.
  public func timestep(_ t: Int, isRescaled: Bool = false) -> Double {
    stop(unless: original.indices.contains(t), "timestep \(t) is outside the process's 0 ..< \(original.count)")
    return isRescaled ? Double(original[t]) * (1000 / Double(originalTimesteps)) : Double(original[t])
  }
}

extension NoiseSchedule {
  /// The process of the timesteps that a respacing keeps, with β_t = 1 − ᾱ_t/ᾱ_{t−1} over these.
  ///
  /// - Throws: `GridError.respacing` if the respacing does not fit this schedule.
  /// - Accuracy: its tables are within 2 ulps of exact arithmetic on this schedule's betas.
  public func respaced(by respacing: Respacing, lone: Respacing.Lone = .last) throws(GridError) -> RespacedSchedule {
    let kept = try respacing.timesteps(of: timesteps, lone: lone)
    do {
      let schedule = try NoiseSchedule(products: kept.map { products[$0] })
      return RespacedSchedule(schedule: schedule, original: kept, originalTimesteps: timesteps)
    } catch {
      throw .respacing("\(respacing)", reason: "\(error)")
    }
  }
}

extension SamplingGrid {
  /// The timesteps that a respacing keeps, largest first, then clean data.
  ///
  /// The network is told the long process's timesteps; the levels are those of the respaced one.
  ///
  /// - Throws: `GridError.respacing` if the respacing does not fit the schedule.
  public init(_ schedule: NoiseSchedule, respacing: Respacing) throws(GridError) {
    try self.init(schedule, timesteps: respacing.timesteps(of: schedule.timesteps).reversed())
  }
}
