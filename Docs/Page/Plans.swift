import Schedulers
import SchedulersKernelInterface
import SchedulersKernels

// What the page asks of the library. Numbers and texts lie in memory until the next call of a
// function that makes some.

nonisolated(unsafe) private var text = ""
nonisolated(unsafe) private var bytes: UnsafeMutableBufferPointer<UInt8> = .allocate(capacity: 0)
nonisolated(unsafe) private var numbers: UnsafeMutableBufferPointer<Double> = .allocate(capacity: 0)
nonisolated(unsafe) private var normals: UnsafeMutableBufferPointer<Float> = .allocate(capacity: 0)

private func keep(_ new: [Double]) -> Int32 {
  numbers.deallocate()
  numbers = .allocate(capacity: new.count)
  _ = numbers.initialize(from: new)
  return Int32(new.count)
}

private func keep(text: String) -> Int32 {
  let new = Array(text.utf8)
  bytes.deallocate()
  bytes = .allocate(capacity: new.count)
  _ = bytes.initialize(from: new)
  return Int32(new.count)
}

@_expose(wasm, "numbers") @_cdecl("numbers")
public func numbersAddress() -> UnsafeMutablePointer<Double>? { numbers.baseAddress }
@_expose(wasm, "bytes") @_cdecl("bytes")
public func bytesAddress() -> UnsafeMutablePointer<UInt8>? { bytes.baseAddress }
@_expose(wasm, "normals") @_cdecl("normals")
public func normalsAddress() -> UnsafeMutablePointer<Float>? { normals.baseAddress }

/// The library's version, then the samplers, one a line, with tabs between what is said of each.
/// Returns the bytes of the text.
@_expose(wasm, "catalog") @_cdecl("catalog")
public func catalog() -> Int32 {
  var lines = SchedulersLibrary.version + "\n"
  for entry in SamplerCatalog.all {
    lines += entry.name + "\t" + entry.title + "\t\(entry.order)\t" + entry.source + "\t" + entry.use + "\t"
    lines += entry.file + "\t" + entry.option + "\t\(entry.usual)\n"
  }
  return keep(text: lines)
}

/// Noise of the library's own generator: two numbers for each sample.
@_expose(wasm, "noise") @_cdecl("noise")
public func noise(seed: UInt32, draw: UInt32, samples: Int32) {
  normals.deallocate()
  normals = .allocate(capacity: 2 * Int(samples))
  for n in 0..<Int(samples) {
    let address = NormalAddress(seed: UInt64(seed), sample: UInt64(n), draw: draw)
    Kernels.table.normals(address, 0..<2, normals.baseAddress! + 2 * n)
  }
}

/// Why there is no plan.
private struct Refusal: Error { let text: String }

/// A plan of a sampler in as many steps as make at most `calls` calls of the network.
///
/// - Returns: how many numbers there are; without a plan, minus the bytes of the text that says
///   why.
@_expose(wasm, "plan") @_cdecl("plan")
public func plan(
  sampler: Int32, process: Int32, spacing: Int32, calls: Int32, option: Double, prediction: Int32, strength: Double
) -> Int32 {
  let entry = SamplerCatalog.all[Int(sampler)]
  let edm = EDMPreconditioning(sigmaData: 1)
  let kinds: [Prediction] = [.epsilon, .x0, .v, .flow]
  let reading: SamplerCatalog.Reading = prediction < 4 ? .prediction(kinds[Int(prediction)]) : .edm(edm)
  func make(_ steps: Int, strength: Double) throws(Refusal) -> SamplingPlan {
    let points: SamplingGrid
    do throws(GridError) {
      let whole = try grid(process: Int(process), spacing: Int(spacing), steps: steps, edm: edm)
      points = strength < 1 ? try whole.starting(strength: strength) : whole
    } catch { throw Refusal(text: error.description) }
    do throws(PlanError) { return try entry.plan(points, reading, option) } catch {
      guard case .singular(_, let timestep, let sigma) = error else { throw Refusal(text: error.description) }
      // Embedded Swift does not know the name of a case.
      let name = prediction < 4 ? ["epsilon", "x0", "v", "flow"][Int(prediction)] + " prediction" : edm.name
      throw Refusal(text: PlanError.singular(name, timestep: timestep, sigma: sigma).description)
    }
  }
  do throws(Refusal) {
    let steps = try mostSteps(calls: Int(calls)) { steps throws(Refusal) in try make(steps, strength: 1).steps.count }
    return keep(listed(try make(steps, strength: strength)))
  } catch {
    return -keep(text: error.text)
  }
}

/// The numbers of a plan, in the order in which `library.mjs` reads them.
private func listed(_ plan: SamplingPlan) -> [Double] {
  var all = [plan.start.signal, plan.start.noise, plan.initialScale, Double(plan.steps.count)]
  for step in plan.steps {
    let (point, next) = (step.query, step.next)
    all += [point.timestep, point.level.signal, point.level.noise, point.inputScale]
    all += [step.arrival.signal, step.arrival.noise]
    all += [step.denoising.sample, step.denoising.output, step.keeping.sample, step.keeping.output]
    all += [next.made, next.predicted, next.output, next.noise]
    all += [Double(next.samples.count)] + next.samples
    all += [Double(next.estimates.count)] + next.estimates
    // No sampler of the catalog has its variance from the network.
    if case .fixed(let logarithm) = step.variance { all += [1, logarithm] } else { all.append(0) }
  }
  return all
}
