import Schedulers

/// Steps of a plan made again from what a trace recorded: each from its own sample, output and
/// noise, and from the recorded steps before it where the plan looks back.
struct Recomputation: Sendable {
  let trace: Trace
  let plan: SamplingPlan
  var reading = Reading()

  /// What follows step `step`, in Double.
  func result(of step: Int, _ part: Trace.Part) -> [Double] {
    let window = plan.window(endingAt: step)
    let first = step - window.steps.count + 1
    var run = SamplingRun(window, from: sample(first, part))
    for k in first...step {
      // The window's earlier steps make nothing: each sample is the recorded one.
      run.replace(sample(k, part), made: k > 0 ? recordedBatch(after: k - 1, part) : sample(k, part))
      let treated = reading.treatment.map { $0.applied(by: self, step: k, part, isMade: k == step) }
      run.advance(output: output(k, part), noise: noise(k, part), transform: treated)
    }
    return Self.clipped(untreated(run.sample.scalars, at: step, part), to: reading.range[.made])
  }

  /// A result whose step also goes on from x̂0 as it was before anything was done to it.
  private func untreated(_ result: [Double], at step: Int, _ part: Trace.Part) -> [Double] {
    let factor = plan.steps[step].next.predicted
    guard let treatment = reading.treatment, factor != 0 else { return result }
    let x0 = estimate(at: step, part)
    let treated = treatment.applied(by: self, step: step, part, isMade: true)(batch(x0)).scalars
    return result.indices.map { result[$0] + factor * (x0[$0] - treated[$0]) }
  }

  private static func clipped(_ scalars: [Double], to range: ClosedRange<Double>?) -> [Double] {
    guard let range else { return scalars }
    return scalars.map { min(max($0, range.lowerBound), range.upperBound) }
  }

  /// x̂0 as a step makes it of what was recorded, before anything is done to it.
  func estimate(at step: Int, _ part: Trace.Part) -> [Double] {
    let read = plan.steps[step].denoising
    // The prediction comes before the variance.
    return zip(sample(step, part).scalars, output(step, part).scalars).map { read.sample * $0 + read.output * $1 }
  }

  /// What was recorded after step `step`, as it is read.
  func recorded(after step: Int, _ part: Trace.Part) -> [Double] { recordedBatch(after: step, part).scalars }

  private func recordedBatch(after step: Int, _ part: Trace.Part) -> SampleBatch<Double> {
    let scale = scale(row: step + 1)
    if let planes = reading.planes[.made] {
      let after = trace.recorded(after: step)
      return batch(exchanged(planes, after.role, row: after.row, part, offset: 0).map { $0 * scale })
    }
    guard trace.isEdited else {
      let scalars = recordedResult.read(.samples, row: step + 1, part)
      return batch(scale == 1 ? scalars : scalars.map { $0 * scale })
    }
    return batch(read(.made, row: step, part).map { $0 * scale })
  }

  /// What was made is what was recorded, whatever a step did to its sample before it used it.
  private var recordedResult: Recomputation {
    guard reading.rounding[.samples] != nil || reading.range[.samples] != nil else { return self }
    var other = self
    (other.reading.rounding[.samples], other.reading.range[.samples]) = (nil, nil)
    return other
  }

  /// What recorded samples of a row are multiplied by to be samples.
  func scale(row: Int) -> Double {
    reading.samplesAreInputs && row < plan.steps.count ? 1 / plan.steps[row].query.inputScale : 1
  }

  private func sample(_ row: Int, _ part: Trace.Part) -> SampleBatch<Double> {
    let (scalars, scale) = (read(.samples, row: row, part), scale(row: row))
    return batch(scale == 1 ? scalars : scalars.map { $0 * scale })
  }

  private func noise(_ step: Int, _ part: Trace.Part) -> SampleBatch<Double> {
    let scalars = read(.noises, row: max(step - reading.noiseLag, 0), part)
    return batch(reading.noiseFactor == 1 ? scalars : scalars.map { $0 * reading.noiseFactor })
  }

  private func output(_ step: Int, _ part: Trace.Part) -> SampleBatch<Double> {
    let row = max(step - reading.outputLag, 0)
    let factor = reading.outputFactor
    let prediction = read(.outputs, row: row, part, offset: reading.swapsHalves ? trace.sampleSize : 0).map {
      factor * $0
    }
    guard trace.hasVariance else { return batch(prediction) }
    let variance = read(.outputs, row: row, part, offset: reading.swapsHalves ? 0 : trace.sampleSize)
    return SampleBatch(shape: [1, 2, prediction.count], scalars: prediction + variance)
  }

  private func read(_ role: Trace.Role, row: Int, _ part: Trace.Part, offset: Int = 0) -> [Double] {
    var scalars = stored(role, row: row, part, offset: offset)
    if let precision = reading.rounding[role] { scalars = scalars.map(precision.rounded) }
    return role == .made ? scalars : Self.clipped(scalars, to: reading.range[role])
  }

  private func stored(_ role: Trace.Role, row: Int, _ part: Trace.Part, offset: Int) -> [Double] {
    if let planes = reading.planes[role] { return exchanged(planes, role, row: row, part, offset: offset) }
    let mirrored = reading.mirrored[role] ?? []
    guard reading.order[role] != nil || !mirrored.isEmpty else {
      return trace.scalars(role, row: row, part, offset: offset)
    }
    let order = reading.order[role] ?? Array(0..<trace.shape.count - 1)
    return trace.scalars(
      role, row: row, sample: part.sample,
      at: trace.places(role, part, offset: offset, order: order, mirrored: mirrored))
  }

  /// Scalars of other channels or other samples.
  private func exchanged(
    _ planes: [Int], _ role: Trace.Role, row: Int, _ part: Trace.Part, offset: Int
  ) -> [Double] {
    let channels = trace.shape[1]
    let size = trace.sampleSize / channels
    var (scalars, start): ([Double], Int) = ([], part.scalars.lowerBound)
    while start < part.scalars.upperBound {
      let channel = start / size
      let end = min((channel + 1) * size, part.scalars.upperBound)
      let plane = planes[part.sample * channels + channel]
      let first = plane % channels * size + start - channel * size
      scalars += trace.scalars(
        role, row: row, Trace.Part(sample: plane / channels, scalars: first..<first + end - start), offset: offset)
      start = end
    }
    return scalars
  }

  private func batch(_ scalars: [Double]) -> SampleBatch<Double> {
    SampleBatch(shape: [1, 1, scalars.count], scalars: scalars)
  }
}

extension SamplingPlan {
  /// A step and those before it that it looks back at. Of these only the samples and the estimates
  /// count, so that they leave the sample as it is.
  func window(endingAt step: Int) -> SamplingPlan {
    let next = steps[step].next
    let reach = max(next.samples.count, next.estimates.count, 1) - 1
    let before = steps[step - reach..<step].map { earlier in
      Step(
        query: earlier.query, arrival: earlier.arrival, denoising: earlier.denoising, keeping: earlier.keeping,
        next: .sample,
        variance: nil)
    }
    // It cannot throw: its coefficients and clipping are those of a plan, and nothing reaches
    // before its start.
    return try! SamplingPlan(
      steps: before + [steps[step]], start: reach == 0 ? start : before[0].arrival, clipping: clipping,
      learnsVariance: learnsVariance)
  }
}
