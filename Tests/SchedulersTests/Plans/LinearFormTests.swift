import Testing

@testable import Schedulers

@Suite struct LinearFormTests {
  @Test func `algebra on forms is algebra on their factors`() {
    let form = 2 * LinearForm.sample + 3 * .estimate(ago: 1) - .estimate() + 0.5 * .noise - .predicted / 4 + 3 * .output
    #expect(form.samples == [2])
    #expect(form.estimates == [-1, 3])
    #expect(form.noise == 0.5)
    #expect(form.predicted == -0.25 && form.output == 3)
    let half = form / 2
    #expect(half.samples == [1] && half.estimates == [-0.5, 1.5] && half.noise == 0.25 && half.predicted == -0.125)
    #expect(half.output == 1.5 && (half + .output).output == 2.5)
  }

  @Test func `a weighted sum has each form by its own weight`() {
    let sum = LinearForm.sum(
      [2, -3, 0.5].map { DoubleDouble($0) }, [.estimate(), .estimate(ago: 2), .sample + .noise])
    #expect(sum.estimates == [2, 0, -3] && sum.samples == [0.5] && sum.noise == 0.5)
    #expect(LinearForm.sum([], []) == LinearForm())
  }

  @Test func `factors that cancel leave no trace of how far back they reached`() {
    let form = LinearForm.estimate() + .estimate(ago: 3) - .estimate(ago: 3)
    #expect(form == .estimate())
    #expect(0 * LinearForm.sample(ago: 5) == LinearForm())
  }

  @Test(arguments: [LinearForm.sample, .sample(ago: 1), .estimate(), .estimate(ago: 2), .predicted, .output, .noise])
  func `one factor that is not finite makes a form that is not`(symbol: LinearForm) {
    let huge = Double.greatestFiniteMagnitude * symbol
    #expect(huge.isFinite)
    #expect(!(huge + huge).isFinite)
  }

  @Test func `a form reads as a line of algebra`() {
    #expect(
      "\(0.5 * LinearForm.sample + 2 * .estimate(ago: 1) + .output + .noise)" == "0.5·x + 2.0·E[-1] + 1.0·F + 1.0·z")
    #expect("\(LinearForm())" == "0")
  }
}
