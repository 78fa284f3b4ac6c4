import Schedulers
import Testing

@testable import scheduler

@Suite struct ContactSheetTests {
  @Test func `Every sampler's title can be written`() {
    #expect(SamplerCatalog.all.allSatisfy { $0.title.unicodeScalars.allSatisfy { (32...126).contains($0.value) } })
  }

  @Test(arguments: [0, 1, 2, 9, 10, 25, 1000])
  func `The strip shows different moments from the first to the last`(_ calls: Int) {
    let times = SamplingJob.frameTimes(calls: calls)
    #expect(times.count == min(10, calls + 1))
    #expect(times.first == 0 && times.last == calls)
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
  }
}
