import Schedulers

/// How a class chooses timesteps of a table: `timestep_spacing` and `steps_offset`.
struct Spacing {
  enum Kind { case leading, trailing, linspace }

  /// What a class does to the fractional timesteps of linspace spacing.
  enum Fractions { case rounded, float32, float64 }

  static let all: KeyValuePairs<String, Kind> = ["leading": .leading, "trailing": .trailing, "linspace": .linspace]

  private let choice: NamedChoice<Kind>?
  private let offset: Given<Int>?
  private let fixed: Kind

  /// The spacing that the file says.
  init(_ o: inout OptionReader, _ standard: String, kinds: KeyValuePairs<String, Kind> = all) {
    choice = o.choice("timestep_spacing", standard, kinds)
    offset = o.integer("steps_offset", 0)
    fixed = .leading
  }

  /// The spacing of a class that has one alone.
  init(fixed: Kind) { (choice, offset, self.fixed) = (nil, nil, fixed) }

  func kind() throws -> Kind { try choice?.get() ?? fixed }

  /// diffusers' timesteps, in the order of the run.
  ///
  /// - Parameters:
  ///   - count: the number of steps.
  ///   - chosen: how many timesteps are spaced; those beyond the number of steps are left out.
  ///   - total: how many the network was trained on.
  ///   - last: how many of them a run may use.
  ///   - ascends: whether the run goes from data to noise.
  func timesteps(
    _ count: Int, chosen: Int? = nil, of total: Int, last: Int? = nil, fractions: Fractions = .rounded,
    ascends: Bool = false
  ) throws -> [Double] {
    let (chosen, last) = (chosen ?? count, last ?? total)
    func ordered(_ line: [Double]) -> [Double] { Array((ascends ? line : line.reversed()).prefix(count)) }
    switch try kind() {
    case .linspace:
      return ordered(
        NumPy.linspace(0, Double(last - 1), chosen).map { timestep in
          switch fractions {
          case .rounded: timestep.rounded(.toNearestOrEven)
          case .float32: Double(Float(timestep))
          case .float64: timestep
          }
        })
    case .leading:
      let (ratio, offset) = (last / chosen, Double(offset?.value ?? 0))
      return ordered((0..<chosen).map { Double($0 * ratio) + offset })
    case .trailing:
      let line = NumPy.descending(from: Double(last), by: Double(total) / Double(count))
      return (ascends ? line.reversed() : line).map { $0.rounded(.toNearestOrEven) - 1 }
    }
  }

  /// The same by this library.
  func exact() throws -> TimestepSpacing {
    switch try kind() {
    case .leading: .leading(offset: offset?.value ?? 0)
    case .trailing: .trailing
    case .linspace: .linspace
    }
  }

  /// What a body makes of the exact spacing; an error of its offset names the option.
  func naming<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch GridError.parameter("offset", _, let allowed) where offset != nil {
      throw offset!.refused("it must be \(allowed)")
    }
  }

  /// The deviations of timesteps that are spaced so.
  ///
  /// - Parameters:
  ///   - timesteps: those of the run, from noise to data.
  ///   - isSigmaBased: whether the class interpolates sigmas, and so may keep fractions.
  func deviations(
    _ steps: Int, of total: Int, timesteps: [Double], fractions: Fractions, isSigmaBased: Bool = false
  ) throws -> [Deviation] {
    let kind = try kind()
    var found: [Deviation] = []
    if kind == .trailing, timesteps.contains(-1) { found.append(.trailingMinusOne) }
    if steps > 1, kind == .trailing || kind == .linspace && !isSigmaBased {
      let exact = (try? exact().timesteps(steps: steps, of: total)) ?? []
      if zip(exact, timesteps.filter { $0 >= 0 }).contains(where: { abs(Double($0) - $1) == 1 }) {
        found.append(.missedTies)
      }
    }
    if fractions != .rounded, kind == .linspace, timesteps.contains(where: { $0 != $0.rounded() }) {
      found.append(.fractionalTimesteps)
    }
    return found
  }
}

extension Deviation {
  public static let trailingMinusOne = Deviation(
    "trailingMinusOne",
    "Trailing spacing is `np.arange(T, 0, -T/N)`, which for some N has one element too many in floating point: the "
      + "timestep −1, whose ᾱ Python reads from the end of the table, the noisiest.",
    place: "every class, `timestep_spacing: trailing`, 62 of N = 1 ... 1000 with T = 1000: 61, 103, 121, 122, 201, ...",
    effect:
      "DDIM with N = 103 and a perfect network ends at −141.2 instead of 0.3. The classes with sigmas hold the table "
      + "at its ends and only call the network with −1.")
  public static let missedTies = Deviation(
    "missedTies",
    "Where a timestep lies halfway between two whole numbers, floating point leaves it a little to one side, and it is "
      + "rounded to the odd neighbour instead of the even one.",
    place: "every class, trailing (N = 48, 96, 112, ... with T = 1000) and linspace (N = 27, 31, 47, ...) spacing",
    effect: "Single timesteps are off by one.")
  public static let oneStepFromTheEnd = Deviation(
    "oneStepFromTheEnd",
    "One step in linspace spacing is `np.linspace(0, T − 1, 1)`, timestep 0, so that a run of one step begins where "
      + "the noise is least. One step has to begin at T − 1.",
    place: "every class but DDIM inverse and DPM-Solver multistep, `timestep_spacing: linspace`, N = 1; EDM's, "
      + "`sigma_schedule: exponential`",
    effect: "The network is asked about timestep 0 instead of 999 and given pure noise.")
  public static let fractionalTimesteps = Deviation(
    "fractionalTimesteps",
    "Linspace timesteps are not rounded: the network is told fractions that it was not trained with, and sigma is "
      + "interpolated linearly between the table's, not in its logarithm.",
    place: "Euler, Euler ancestral and Heun, `timestep_spacing: linspace`",
    effect: "With N = 7 the second timestep is 832.5.")
  public static let timestepPastTheEnd = Deviation(
    "timestepPastTheEnd",
    "`steps_offset` is added without a look at the end of the schedule. With N = T and offset 1 the first timestep is "
      + "T.",
    place: "every class but DPM-Solver multistep, `timestep_spacing: leading` with `steps_offset` above 0 and N near T",
    effect: "DDPM and DDIM raise IndexError. The classes with sigmas call the network with T, at the sigma of T − 1.",
    issue: 10003)
  public static let duplicateStart = Deviation(
    "duplicateStart",
    "A run finds its place by the value of the first timestep and takes the second of equal ones. Where the first two "
      + "are equal, every step uses the sigmas of the next, and the last fails.",
    place: "DPM-Solver multistep with the cosine schedule and `use_karras_sigmas`; Euler with a `sigma_max` above the "
      + "table; flow matching with a `shift` of millions",
    effect: "IndexError. `.diffusers` refuses the configuration.", issue: 12771)
}
