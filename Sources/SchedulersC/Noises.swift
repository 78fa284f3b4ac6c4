import Schedulers
import SchedulersCHeader
import SchedulersInterop
import SchedulersJSON

/// What a handle of a source of noise stands for.
final class NoiseHandle {
  private let name: NoiseName
  private var source: any NoiseSource & Codable
  /// Room for what is drawn for a run, kept from step to step.
  private var room: UnsafeMutableRawPointer?
  private var roomByteCount = 0

  init(_ name: NoiseName, _ source: any NoiseSource & Codable) { (self.name, self.source) = (name, source) }

  deinit { Memory.free(room) }

  func copy() -> NoiseHandle { NoiseHandle(name, source) }

  /// How many samples its tensors have, where each has a seed of its own.
  private var seedCount: Int? {
    switch source {
    case let source as GaussianNoise: source.seeds?.count
    case let source as TorchNoise: source.generators.count > 1 ? source.generators.count : nil
    case let source as TorchSDENoise: source.seeds.count > 1 ? source.seeds.count : nil
    default: nil
    }
  }

  /// A request for this source as it is now.
  var json: String {
    get throws { try JSONText.encode(Saved(source: name.rawValue, state: source)) }
  }

  private struct Saved: Encodable {
    let source: String
    let state: any Encodable

    private enum Key: CodingKey { case source, state }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(source, forKey: .source)
      try state.encode(to: container.superEncoder(forKey: .state))
    }
  }

  /// Throws unless the source has noise for tensors of an extent.
  private func check(_ extent: Extent) throws(Refusal) {
    if let samples = seedCount, samples != extent.samples {
      throw .argument("the source has \(samples) seeds, and the tensor \(extent.samples) samples; give one for each")
    }
    guard extent.size <= 1 << 34 else { throw .argument("a sample has at most 2^34 scalars of noise") }
  }

  /// Passes over a draw that a step makes on the way; `nil` if the source is none for that.
  func skip(_ extent: Extent) throws(Refusal) -> GaussianNoise? {
    try check(extent)
    return source._skip()
  }

  /// Draws the next noise.
  ///
  /// - Parameters:
  ///   - place: where it goes.
  ///   - start: the sigma at which the step begins that it is for, 0 ... ∞.
  ///   - end: the sigma at which it ends.
  func draw<Scalar: SampleScalar>(
    _ place: UnsafeMutablePointer<Scalar>, _ extent: Extent, from start: Double, to end: Double
  ) throws(Refusal) {
    try check(extent)
    guard start >= 0, end >= 0 else { throw .argument("sigmas \(start) and \(end) must be 0 or more") }
    if var gaussian = source as? GaussianNoise, let floats = Lent(place, extent) as? Lent<Float> {
      var floats = floats
      gaussian.fill(&floats, threads: Fork.isChild ? 1 : nil)
      source = gaussian
    } else {
      _ = source.next(like: Lent(place, extent), from: start, to: end)
    }
  }

  /// Room for a tensor.
  func scratch<Scalar>(_ extent: Extent, _: Scalar.Type) throws(Refusal) -> UnsafeMutablePointer<Scalar> {
    let byteCount = extent.count * MemoryLayout<Scalar>.stride
    if roomByteCount < byteCount {
      Memory.free(room)
      (room, roomByteCount) = (Memory.allocate(byteCount), byteCount)
    }
    guard let room else {
      roomByteCount = 0
      throw .memory
    }
    return room.bindMemory(to: Scalar.self, capacity: extent.count)
  }
}

@_cdecl("schedulers_noise_create")
public func schedulersNoiseCreate(
  _ request: UnsafePointer<CChar>?, _ noise: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let place = try required(noise, "noise")
    place.pointee = nil
    let request = try JSONText.decode(NoiseRequest.self, from: Array(text(request, "request").utf8))
    place.pointee = Handles.add(NoiseHandle(request.source, try request.makeSource()))
  }
}

@_cdecl("schedulers_noise_copy")
public func schedulersNoiseCopy(
  _ noise: OpaquePointer?, _ copy: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let place = try required(copy, "copy")
    place.pointee = nil
    place.pointee = Handles.add(try Handles.object(noise, "noise", as: NoiseHandle.self).copy())
  }
}

@_cdecl("schedulers_noise_destroy")
public func schedulersNoiseDestroy(_ noise: OpaquePointer?) { Handles.remove(noise, as: NoiseHandle.self) }

@_cdecl("schedulers_noise_json")
public func schedulersNoiseJSON(
  _ noise: OpaquePointer?, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
  _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    try give(Handles.object(noise, "noise", as: NoiseHandle.self).json, to: required(json, "json"))
  }
}

@_cdecl("schedulers_noise_next")
public func schedulersNoiseNext(
  _ noise: OpaquePointer?, _ type: Int32, _ samples: Int64, _ size: Int64, _ from: Double, _ to: Double,
  _ values: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    let handle = try Handles.object(noise, "noise", as: NoiseHandle.self)
    let extent = try Extent(samples, size)
    try ScalarType(type).with { try draw(handle, $0, extent, from, to, values) }
  }
}

private func draw<Scalar: SampleScalar>(
  _ handle: NoiseHandle, _: Scalar.Type, _ extent: Extent, _ from: Double, _ to: Double,
  _ values: UnsafeMutableRawPointer?
) throws(Refusal) {
  let place = try Place(values, "values", count: extent.count, of: Scalar.self)
  try handle.draw(place.scalars(Scalar.self), extent, from: from, to: to)
}

@_cdecl("schedulers_normals")
public func schedulersNormals(
  _ seed: UInt64, _ draw: UInt64, _ first: UInt64, _ type: Int32, _ samples: Int64, _ size: Int64,
  _ values: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<schedulers_error>?
) -> Int32 {
  answer(error) {
    guard draw <= UInt64(UInt32.max) else { throw Refusal.argument("draw \(draw) must be in 0 ... 2^32 - 1") }
    let extent = try Extent(samples, size)
    let source = GaussianNoise(seed: seed, firstSample: first, draws: UInt32(draw))
    try ScalarType(type).with {
      try SchedulersC.draw(NoiseHandle(.philox, source), $0, extent, 0, 0, values)
    }
  }
}
