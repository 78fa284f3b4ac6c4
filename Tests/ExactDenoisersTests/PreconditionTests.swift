import Schedulers
import Testing

@testable import ExactDenoisers

/// What only a programmer can get wrong traps, and says with which values.
@Suite struct PreconditionTests {
  private func expect(_ message: String, in result: ExitTest.Result?) {
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains(message), "\(text)")
  }

  @Test func aSampleOfAnotherSizeTraps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let dataset = try Dataset<Double>(points: [[1, 2]])
      _ = dataset.output(for: SampleBatch(zeros: [4, 3, 1]), at: NoiseLevel(signal: 1, noise: 1), as: .x0)
    }
    expect("a sample of shape [3, 1] has 3 scalars; this denoiser is for 2", in: result)
  }

  @Test func aFlowOfAnotherSizeTraps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let gaussian = try Gaussian<Double>(fittedTo: [[1, 2]])
      _ = gaussian.flow(SampleBatch(zeros: [1, 3]), from: NoiseLevel(signal: 1, noise: 1), to: .clean)
    }
    expect("a sample of shape [3] has 3 scalars; this denoiser is for 2", in: result)
  }

  @Test func epsilonWithoutNoiseTraps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let dataset = try Dataset<Double>(points: [[1, 2]], predicting: .epsilon)
      _ = dataset(SampleBatch(zeros: [1, 2]), SamplingPlan.Query(.clean))
    }
    expect("epsilon is not determined at NoiseLevel(signal: 1.0, noise: 0.0), where there is no noise", in: result)
  }

  @Test func previousWithoutALevelToGoToTraps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let dataset = try Dataset<Double>(points: [[1, 2]])
      _ = dataset.output(for: SampleBatch(zeros: [1, 2]), at: NoiseLevel(signal: 1, noise: 1), as: .previous)
    }
    expect("needs the level it goes to, with signal and less noise; got none", in: result)
  }

  @Test func aPosteriorMeanWithoutNoiseTraps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try Dataset<Double>(points: [[1, 2]]).posteriorMean(of: [0, 0], at: .clean)
    }
    expect("a posterior mean needs noise", in: result)
  }

  @Test func aPartOfASampleTraps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try Gaussian<Double>(fittedTo: [[1, 2]]).posteriorMean(of: [0, 0, 0], at: NoiseLevel(signal: 1, noise: 1))
    }
    expect("3 values are no samples of 2 values each", in: result)
  }
}
