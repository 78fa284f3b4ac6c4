import Testing

@testable import DigitsModel

@Suite struct ResourceTests {
  @Test func `every file is the one that its checksum was made of`() throws {
    let names = try DigitsResources.folder.names
    #expect(names == ["digits-model.safetensors", "digits.csv"])
    for name in names { #expect(try !DigitsResources.data(name).isEmpty, "\(name)") }
  }

  @Test func `the digits are all there`() throws {
    let digits = try Digits()
    #expect(digits.images.count == 1797 && digits.labels.count == 1797)
    #expect(digits.images.allSatisfy { $0.count == 64 && $0.allSatisfy { (-1...1).contains($0) } })
    #expect(Set(digits.labels) == Set(0...9))
    // The first image is a zero: paper at its corners and in its middle.
    #expect(digits.labels[0] == 0 && digits.images[0][0] == -1 && digits.images[0][2] == -0.375)
  }
}
