// Batches joined and cut, by samples and by channels, as guidance in one call of a network needs
// them, and networks that are given a mask or another picture beside the sample.

extension SampleBatch {
  /// Several batches as one, sample after sample.
  ///
  /// ```swift
  /// let answers = unet(SampleBatch(concatenating: [x, x]), query.timestep, prompts)
  /// let (with, without) = (answers[..<n], answers[n...])
  /// ```
  ///
  /// - Precondition: there is a batch, and the samples of all have one shape.
  public init(concatenating batches: [SampleBatch]) {
    guard let first = batches.first else { stop("there are no batches to concatenate") }
    for batch in batches {
      stop(
        unless: batch.shape.dropFirst() == first.shape.dropFirst(),
        "batches of shapes \(first.shape) and \(batch.shape) do not concatenate; their samples differ in shape")
    }
    self.init(
      shape: [batches.reduce(0) { $0 + $1.sampleCount }] + first.shape.dropFirst(),
      scalars: Array(batches.map(\.scalars).joined()))
  }

  /// One sample as a batch of its own.
  public subscript(sample: Int) -> SampleBatch {
    stop(unless: (0..<sampleCount).contains(sample), "sample \(sample) is outside the batch's 0 ..< \(sampleCount)")
    return self[sample...sample]
  }

  /// Some of the samples, as `batch[2..<4]` and `batch[2...]`.
  ///
  /// - Precondition: the range is in 0 ..< `sampleCount`, and not empty.
  public subscript(samples: some RangeExpression<Int>) -> SampleBatch {
    let range = Self.range(samples, of: sampleCount, "samples")
    return SampleBatch(
      shape: [range.count] + shape.dropFirst(),
      scalars: Array(scalars[range.lowerBound * sampleSize..<range.upperBound * sampleSize]))
  }

  /// Batches of as many samples as one, with the channels of one after those of another. The
  /// channels are the dimension after the number of samples.
  ///
  /// ```swift
  /// let input = SampleBatch(joiningChannels: [x, mask, maskedPicture])
  /// ```
  ///
  /// - Precondition: there is a batch, all have two dimensions or more, and they differ in channels
  ///   alone.
  public init(joiningChannels batches: [SampleBatch]) {
    guard let first = batches.first else { stop("there are no batches whose channels to join") }
    for batch in batches {
      stop(
        unless: batch.shape.count > 1 && batch.shape[0] == first.shape[0]
          && batch.shape.dropFirst(2) == first.shape.dropFirst(2),
        "channels of shapes \(first.shape) and \(batch.shape) do not join; all but the second dimension must be alike")
    }
    var shape = first.shape
    shape[1] = batches.reduce(0) { $0 + $1.shape[1] }
    let parts = (0..<first.sampleCount).flatMap { n in
      batches.map { $0.scalars[n * $0.sampleSize..<(n + 1) * $0.sampleSize] }
    }
    self.init(shape: shape, scalars: Array(parts.joined()))
  }

  /// Some of the channels of every sample, as `batch.channels(..<4)`.
  ///
  /// - Precondition: the batch has two dimensions or more, and the range is in its channels and not
  ///   empty.
  public func channels(_ channels: some RangeExpression<Int>) -> SampleBatch {
    stop(unless: shape.count > 1, "a batch of shape \(shape) has no channels, which are the second dimension")
    let range = Self.range(channels, of: shape[1], "channels")
    var part = shape
    part[1] = range.count
    let size = sampleSize / shape[1]
    let parts = (0..<sampleCount).map { n in
      scalars[n * sampleSize + range.lowerBound * size..<n * sampleSize + range.upperBound * size]
    }
    return SampleBatch(shape: part, scalars: Array(parts.joined()))
  }

  /// A range within so many, which is not empty.
  private static func range(_ expression: some RangeExpression<Int>, of count: Int, _ things: String) -> Range<Int> {
    // Relative to what has no end, as a range that begins beyond the end has no bounds within it.
    let range = expression.relative(to: 0..<Int.max)
    let end = range.upperBound == .max ? count : range.upperBound
    stop(
      unless: range.lowerBound >= 0 && range.lowerBound < end && end <= count,
      "the \(things) \(expression) of \(count); there must be some, in 0 ..< \(count)")
    return range.lowerBound..<end
  }
}
