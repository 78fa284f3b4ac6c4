import DigitsModel
import Schedulers

// A model of the digits in the place of the network that a configuration was written for: whatever
// that is asked and answers, both are about x̂0 at a noise level.

extension ConditionOptions {
  /// The model as the network that any plan without learned variance asks.
  func converted() throws -> SamplingJob.Model {
    let trained = try trained()
    // Checks the options of the class too.
    let denoiser = try denoiser(trained, predicting: .x0)
    let denoised =
      try trained.map { try $0.denoised(by: denoiser) } ?? { input, level in
        try denoiser(input, SamplingPlan.Query(timestep: 0, level: level))
      }
    return { input, step in
      let query = step.query
      let x0 = try denoised(input, query.level.scaled(by: query.inputScale))
      // x̂0 = sample·x + output·F, solved for F; where F has no say, any will do.
      let readout = step.denoising
      guard readout.output != 0 else { return .combination([(0, x0)]) }
      return .combination([(1 / readout.output, x0), (-readout.sample / readout.output / query.inputScale, input)])
    }
  }
}

extension TrainedModel {
  /// What the network takes a sample for. It is given samples of any process as those of its own,
  /// at the timestep that has their sigma.
  ///
  /// - Throws: `Failure` if it answers with a variance too.
  func denoised(
    by denoiser: any Denoiser<SampleBatch<Double>>
  ) throws -> (SampleBatch<Double>, NoiseLevel) throws -> SampleBatch<Double> {
    guard !network.architecture.learnsVariance else {
      throw Failure("--model answers with a variance, which no configuration is run with; choose another model")
    }
    let schedule = try configuration.schedule()
    let (scale, prediction) = (TimestepScale(schedule), configuration.predictionType)
    return { input, level in
      guard level.noise > 0 else { return .combination([(1 / level.signal, input)]) }
      let length = (level.signal * level.signal + level.noise * level.noise).squareRoot()
      let own = NoiseLevel(signal: level.signal / length, noise: level.noise / length)
      let timestep = own.signal > 0 ? scale.timestep(sigma: own.sigma) : Double(schedule.timesteps - 1)
      guard let readout = prediction.denoising(at: own) else {
        throw Failure("--model predicts \(prediction), which says nothing of a sample without signal; choose another")
      }
      let sample = SampleBatch.combination([(1 / length, input)])
      let output = try denoiser(sample, SamplingPlan.Query(timestep: timestep, level: own))
      return .combination([(readout.sample, sample), (readout.output, output)])
    }
  }
}
