import Schedulers
import SchedulersFixtures
import Testing

@Suite struct RespacingTests {
  private static let golden = Result { try Safetensors("guided-diffusion.safetensors") }

  @Test func `the kept timesteps are guided-diffusion's`() throws {
    let golden = try Self.golden.get()
    let names = golden.names.filter { $0.hasPrefix("space_timesteps/") }
    #expect(names.count == 183)
    for name in names {
      let parts = name.split(separator: "/")
      let schedule = try NoiseSchedule(.cosine(), timesteps: try #require(Int(parts[1])))
      let respaced = try schedule.respaced(by: Respacing(parsing: String(parts[2])))
      let expected = try golden.integers(name)
      #expect(respaced.original == expected, "\(name)")
      Comparisons.count(expected.count)
    }
  }

  @Test func `one timestep of a section is its last, where guided-diffusion would keep its first`() throws {
    let schedule = try NoiseSchedule(.cosine(), timesteps: 1000)
    #expect(try schedule.respaced(by: .sections([1])).original == [999])
    #expect(try schedule.respaced(by: .sections([2, 1])).original == [0, 499, 999])
  }

  @Test func `a respaced process has the long one's ᾱ and its own betas`() throws {
    let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
    let respaced = try schedule.respaced(by: .sections([10, 15, 20]))
    #expect(respaced.schedule.timesteps == 45 && respaced.originalTimesteps == 1000)
    let bars = respaced.original.map { schedule.alphaBars[$0] }
    #expect(respaced.schedule.alphaBars == bars)
    for i in 1..<45 {
      // Both ᾱ are rounded, and their quotient; the difference from 1 magnifies that.
      let quotient = bars[i] / bars[i - 1]
      #expect(isClose(respaced.schedule.betas[i], 1 - quotient, relative: 4 * unit / (1 - quotient)))
    }
  }

  @Test func `networks are told the timesteps they were trained on`() throws {
    let respaced = try NoiseSchedule(.cosine(), timesteps: 4000).respaced(by: .ddim(50))
    #expect(respaced.original.prefix(3) == [0, 80, 160])
    #expect(respaced.timestep(2) == 160)
    #expect(respaced.timestep(2, isRescaled: true) == 40)
  }

  /// But for what goes by time: the respaced process has another one.
  @Test(arguments: SamplerCatalog.all.filter { !$0.readsTimesteps })
  func `sampling over the kept timesteps is sampling the respaced process`(
    entry: SamplerCatalog.Entry
  ) throws {
    let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
    let respacing = Respacing.sections([10, 15, 20])
    let short = try schedule.respaced(by: respacing).schedule
    let a = try entry.sampler.plan(over: SamplingGrid(schedule, respacing: respacing), predicting: .v)
    let b = try entry.sampler.plan(
      over: SamplingGrid(short, steps: short.timesteps, spacing: TimestepSpacing.leading()), predicting: .v)
    #expect(a.steps.map(\.next) == b.steps.map(\.next))
    #expect(a.steps.first?.query.timestep == (entry.isInversion ? 0 : 999))
  }

  @Test(arguments: [
    "", "ddim", "ddimx", "10,", "a", "1.5", "-5", "0", "0,0", "1001", "500,501", "ddim1", "ddim0", "ddim-3", "ddim999",
  ])
  func `a respacing that does not fit is an error that names it`(text: String) throws {
    let schedule = try NoiseSchedule(.linear(), timesteps: 1000)
    let error = #expect(throws: GridError.self) { try schedule.respaced(by: Respacing(parsing: text)) }
    guard case .respacing = try #require(error) else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect("\(error!)".contains("\"\(text)\""))
    if let respacing = try? Respacing(parsing: text) {
      #expect(throws: GridError.self) { try SamplingGrid(schedule, respacing: respacing) }
    }
  }

  @Test func `a timestep outside the respaced process is refused`() async {
    await #expect(processExitsWith: .failure) {
      _ = try NoiseSchedule(.linear(), timesteps: 100).respaced(by: .sections([5])).timestep(5)
    }
  }
}
