import Schedulers
import Testing

@Suite struct SamplerCatalogTests {
  @Test func `every sampler is found by its name`() {
    #expect(Set(SamplerCatalog.all.map(\.name)).count == SamplerCatalog.all.count)
    for entry in SamplerCatalog.all { #expect(SamplerCatalog[entry.name]?.title == entry.title) }
    #expect(SamplerCatalog["no such sampler"] == nil)
  }

  @Test func `every sampler names its source`() {
    for entry in SamplerCatalog.all { #expect(entry.source.hasPrefix("https://")) }
  }

  @Test func `the families of the field are there`() {
    let names = Set(SamplerCatalog.all.map(\.name))
    #expect(names.isSuperset(of: ["ddpm", "ddim", "ddim-inversion", "euler", "euler-ancestral", "heun", "dpm++2m"]))
  }
}
