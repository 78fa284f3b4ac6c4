import Schedulers
import SchedulersFixtures
import SchedulersInterop
import Testing

/// diffusers' timesteps for every N, and where they are not what its spacings say.
/// `Fixtures/recipes/diffusers_tables.py` made them.
@Suite struct DiffusersTimestepTests {
  private static let golden = Result { try Safetensors("diffusers-tables.safetensors") }

  /// Where diffusers, for a spacing and a T, gives other timesteps than this library, and why.
  struct Exceptions {
    /// trailing is `np.arange(T, 0, -T/N)`, whose number of elements is rounded up from a quotient
    /// that floating point leaves a little above N: there is one too many, the timestep −1, which
    /// is no timestep.
    var withMinusOne: [Int] = []
    /// The exact value of some timestep is a half, which goes to the even neighbour here; floating
    /// point leaves diffusers' value below or above the half, and it goes to the odd one.
    var missedTies: [Int] = []
    /// `np.linspace(0, T − 1, 1)` is 0: one step from the least noisy timestep. Here it starts at T
    /// − 1.
    var withoutStart: [Int] = []
    /// `leading` with an offset at N = T gives the timestep T, which the tables do not have. It is
    /// an error here.
    var outside: [Int] = []
  }

  enum Spacing: String, CaseIterable {
    case leading, trailing, linspace

    func spacing(offset: Int) -> TimestepSpacing {
      switch self {
      case .leading: .leading(offset: offset)
      case .trailing: .trailing
      case .linspace: .linspace
      }
    }

    func exceptions(_ total: Int, offset: Int) -> Exceptions {
      switch (self, total) {
      case (.leading, _): Exceptions(outside: offset == 0 ? [] : [total])
      case (.trailing, 50): Exceptions(withMinusOne: [29, 31], missedTies: [12, 24, 28, 36, 44, 48])
      case (.trailing, _):
        Exceptions(withMinusOne: DiffusersTimestepTests.withMinusOne, missedTies: DiffusersTimestepTests.missedTrailing)
      case (.linspace, 50): Exceptions(withoutStart: [1])
      case (.linspace, _): Exceptions(missedTies: DiffusersTimestepTests.missedLinspace, withoutStart: [1])
      }
    }

    /// Whether the exact value at a place, counted from the least noisy timestep, lies halfway
    /// between two whole numbers.
    func isTie(_ i: Int, steps: Int, of total: Int) -> Bool {
      switch self {
      case .leading: false
      case .trailing: (2 * total * (i + 1)) % steps == 0 && (2 * total * (i + 1) / steps) % 2 == 1
      case .linspace: (2 * i * (total - 1)) % (steps - 1) == 0 && (2 * i * (total - 1) / (steps - 1)) % 2 == 1
      }
    }
  }

  @Test(arguments: Spacing.allCases, [50, 1000])
  func `timesteps are diffusers', but for where it departs from its own spacing`(spacing: Spacing, total: Int) throws {
    let golden = try Self.golden.get()
    let schedule = try NoiseSchedule(.linear(), timesteps: total)
    for offset in [0, 1] {
      let exceptions = spacing.exceptions(total, offset: offset)
      let own = (1...total).map { try? Self.timesteps(schedule, steps: $0, spacing: spacing.spacing(offset: offset)) }
      #expect((1...total).filter { own[$0 - 1] == nil } == exceptions.outside)
      for scheduler in spacing == .linspace ? ["ddpm", "ddim"] : ["ddpm", "ddim", "ddim-inverse"] {
        let item = "\(scheduler)/\(total)/\(spacing)/\(offset)"
        let isAscending = scheduler == "ddim-inverse"
        func ordered(_ timesteps: [Int]) -> [Int] { isAscending ? timesteps.reversed() : timesteps }

        // All N, by their sums of (i + 1)·t_i.
        let sums = try golden.integers("\(item).sums")
        let different = (1...total).filter { n in own[n - 1].map { Self.sum(ordered($0)) != sums[n - 1] } ?? true }
        let listed = exceptions.withMinusOne + exceptions.missedTies + exceptions.withoutStart + exceptions.outside
        #expect(different == Set(listed).sorted(), "\(item)")
        for n in exceptions.withMinusOne where !exceptions.missedTies.contains(n) {
          #expect(Self.sum(ordered(own[n - 1]! + [-1])) == sums[n - 1], "\(item), N = \(n)")
        }
        Comparisons.count(total)

        // Some N, timestep by timestep.
        let counts = try golden.integers("\(item).counts")
        var rest = try golden.integers("\(item).timesteps")[...]
        for (n, count) in zip(try golden.integers("\(total).steps"), counts) {
          let theirs = ordered(Array(rest.prefix(count)))
          rest = rest.dropFirst(count)
          Comparisons.count(count)
          if exceptions.outside.contains(n) {
            #expect(theirs == Array((1...total).reversed()), "\(item), N = \(n)")
          } else if exceptions.withoutStart.contains(n) {
            #expect(theirs == [0] && own[n - 1]! == [total - 1], "\(item), N = \(n)")
          } else if exceptions.missedTies.contains(n) {
            let missed = (0..<n).filter { theirs[$0] != own[n - 1]![$0] }
            #expect(theirs.count == n && !missed.isEmpty, "\(item), N = \(n)")
            for i in missed {
              #expect(spacing.isTie(n - 1 - i, steps: n, of: total), "\(item), N = \(n), step \(i)")
              #expect(abs(theirs[i] - own[n - 1]![i]) == 1, "\(item), N = \(n), step \(i)")
            }
          } else {
            let extra = exceptions.withMinusOne.contains(n) ? [-1] : []
            #expect(theirs == own[n - 1]! + extra, "\(item), N = \(n)")
          }
        }
        #expect(rest.isEmpty, "\(item)")
      }
    }
  }

  private static func timesteps(_ schedule: NoiseSchedule, steps: Int, spacing: TimestepSpacing) throws -> [Int] {
    try SamplingGrid(schedule, steps: steps, spacing: spacing).points.dropLast().map { Int($0.timestep) }
  }

  private static func sum(_ timesteps: [Int]) -> Int {
    timesteps.enumerated().reduce(0) { $0 + ($1.offset + 1) * $1.element }
  }

  /// trailing, T = 1000.
  static let withMinusOne = [
    61, 103, 121, 122, 201, 206, 217, 223, 227, 233, 242, 244, 397, 402, 412, 419, 434, 446, 454, 457, 463, 465, 466,
    484,
    485, 487, 488, 497, 499, 769, 794, 804, 805, 824, 829, 835, 838, 868, 871, 887, 892, 908, 914, 926, 930, 932, 937,
    941,
    951, 961, 965, 968, 970, 974, 975, 976, 979, 981, 985, 994, 995, 998,
  ]

  /// trailing, T = 1000.
  static let missedTrailing = [
    48, 96, 112, 144, 176, 192, 208, 224, 240, 272, 288, 304, 336, 352, 368, 384, 416, 432, 448, 464, 480, 496, 528,
    544,
    560, 576, 592, 608, 624, 656, 672, 688, 704, 720, 736, 752, 768, 784, 816, 832, 848, 864, 880, 896, 912, 928, 944,
    960,
    976, 992,
  ]

  /// linspace, T = 1000.
  static let missedLinspace = [
    27, 31, 47, 53, 61, 93, 103, 105, 107, 121, 185, 191, 199, 205, 209, 213, 227, 241, 243, 247, 351, 367, 369, 371,
    375,
    381, 383, 391, 397, 399, 403, 409, 417, 425, 427, 431, 435, 451, 453, 459, 481, 485, 487, 491, 493, 571, 583, 699,
    701,
    711, 715, 733, 737, 741, 747, 749, 761, 763, 765, 781, 793, 797, 805, 817, 833, 835, 847, 849, 853, 861, 863, 869,
    891,
    901, 903, 905, 915, 917, 919, 939, 943, 951, 955, 961, 963, 967, 969, 971, 973, 979, 981, 985,
  ]
}
