import Schedulers
import SchedulersInterop
import SchedulersJSON
import SchedulersSafetensors

/// A trace as one JSON object, for languages without safetensors: metadata and tensors under their
/// names, objects where the metadata hold JSON text, and tensors as lists of lists.
struct JSONTrace {
  /// The same as a safetensors file.
  let file: SafetensorsFile

  /// A trace with every number of three tensors may be as long as this.
  private static let longest = 256 << 20

  /// The trace in a file; `nil` if that is no JSON text, or an object that names no format.
  ///
  /// - Throws: `TraceError` for JSON that is no trace.
  init?(contentsOf path: String) throws(TraceError) {
    guard let mapped = try? MappedFile(path),
      FileKind(mapped.withUnsafeBytes { Array($0.prefix(4096)) }) == .json
    else { return nil }
    guard mapped.count <= Self.longest else {
      throw .configuration("it is JSON of more than \(Self.longest >> 20) MiB; write it as safetensors")
    }
    do {
      file = try JSONText.decode(Content.self, from: mapped.withUnsafeBytes { Array($0) }, allowsNonFinite: true).file
    } catch let failure as JSONCheck.Failure {
      throw .configuration("the file has \(failure)")
    } catch let error as DecodingError {
      throw .configuration("the file \(TraceSource.reason(error))")
    } catch {
      throw .configuration("the file cannot be read: \(error)")
    }
    guard file.metadata["format"] != nil else { return nil }
  }

  private struct Content: Decodable {
    let file: SafetensorsFile

    private enum TextKeys: String, CodingKey, CaseIterable {
      case format, plan, precision
      case configuration = "scheduler_config"
      case steps = "num_inference_steps"
      case arguments = "step_arguments"
      case firstStep = "first_step"
      case beginIndex = "begin_index"
    }
    private enum TensorKeys: String, CodingKey, CaseIterable {
      case timesteps, samples, noises, made
      case outputs = "model_outputs"
    }

    init(from decoder: any Decoder) throws {
      let texts = try decoder.container(keyedBy: TextKeys.self)
      var metadata: [String: String] = [:]
      for key in TextKeys.allCases where texts.contains(key) {
        metadata[key.rawValue] =
          key == .plan
          // Its own reader says best what is wrong with it.
          ? try texts.decode(SamplingPlan.self, forKey: key).text
          : try texts.decode(DiffusersConfiguration.Value.self, forKey: key).metadata
      }
      let lists = try decoder.container(keyedBy: TensorKeys.self)
      var tensors: [SafetensorsWriter.Tensor] = []
      for key in TensorKeys.allCases where lists.contains(key) {
        let list = try lists.decode(Numbers.self, forKey: key)
        // What is whole was a timestep of a table.
        let whole = key == .timesteps ? list.values.compactMap { Int(exactly: $0) } : []
        tensors.append(
          key == .timesteps && whole.count == list.values.count
            ? .init(key.rawValue, shape: list.shape, integers: whole)
            : .init(key.rawValue, shape: list.shape, doubles: list.values))
      }
      file = try SafetensorsFile(SafetensorsWriter.bytes(tensors, metadata: metadata))
    }
  }

  /// Lists of lists of numbers, all of one length at each depth.
  private struct Numbers: Decodable {
    let shape: [Int]
    let values: [Double]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let values = try? container.decode([Double].self) {
        (shape, self.values) = ([values.count], values)
        return
      }
      let parts = try container.decode([Numbers].self)
      guard let first = parts.first?.shape, parts.allSatisfy({ $0.shape == first }) else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "its lists are not of one length; make each as long as the others")
      }
      (shape, values) = ([parts.count] + first, parts.flatMap(\.values))
    }
  }
}

extension DiffusersConfiguration.Value {
  /// What the metadata of a trace hold for it: a string as it is, and JSON text for the rest.
  fileprivate var metadata: String { if case .string(let text) = self { text } else { json } }
}

extension SamplingPlan {
  /// The plan as JSON text. Its numbers are finite.
  var text: String { try! JSONText.encode(self) }
}
