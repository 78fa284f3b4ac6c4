import DigitsModel
import Foundation
import Schedulers
import SchedulersSafetensors

/// A network with the configuration by which it was trained, as a file: safetensors, whose metadata
/// hold the configuration.
struct TrainedModel {
  let network: Network<Float>
  let configuration: TrainingConfiguration

  private static let key = "training_configuration"

  init(_ network: Network<Float>, _ configuration: TrainingConfiguration) {
    self.network = network
    self.configuration = configuration
  }

  /// The model that comes with the tool.
  static func shipped() throws -> TrainedModel {
    try TrainedModel(DigitsResources.trainedModel(), from: "the shipped model")
  }

  /// The model that an option names: "trained" comes with the tool, and everything else is a file.
  static func named(_ name: String) throws -> TrainedModel {
    try name == "trained" ? .shipped() : TrainedModel(contentsOf: name)
  }

  /// - Throws: `Failure` if there is no such file, or it is damaged or holds something else.
  init(contentsOf path: String) throws {
    try self.init(InputFile.read(path, option: "--model", kind: "model of `scheduler train`"), from: "--model \(path)")
  }

  private init(_ data: Data, from place: String) throws {
    let file: SafetensorsFile
    do { file = try SafetensorsFile(Array(data)) } catch {
      let reason = if case .format(let reason) = error { reason } else { "\(error)" }
      // The remedy for JSON is not that for a model.
      let short = reason.replacing("; name the file with the tensors", with: "")
      throw Failure(
        "cannot read \(place): it is no usable safetensors file: \(short); name the model.safetensors of "
          + "`scheduler train`"
      )
    }
    guard let text = file.metadata[Self.key] else {
      throw Failure("\(place) has no \(Self.key) in its metadata; name the model.safetensors of `scheduler train`")
    }
    configuration = try TrainingConfiguration.decode(Data(text.utf8), from: place)
    try configuration.validate()
    let architecture = configuration.architecture
    var parameters: [Float] = []
    for parameter in architecture.parameters {
      guard let tensor = file.tensors[parameter.name], tensor.shape == parameter.shape, tensor.type == .float32 else {
        throw Failure("\(place) has no tensor \(parameter.name) of shape \(parameter.shape) in F32; it is damaged")
      }
      let values = file.doubles(tensor).map { Float($0) }
      guard values.allSatisfy(\.isFinite) else {
        throw Failure("\(place) has numbers in \(parameter.name) that are not finite; it is damaged")
      }
      parameters += values
    }
    network = Network(architecture, parameters: parameters)
  }

  /// The bytes of its file.
  func encoded() throws -> Data {
    let tensors = network.architecture.parameters.map { parameter in
      SafetensorsWriter.Tensor(
        parameter.name, shape: parameter.shape, floats: Array(network.parameters[parameter.range]))
    }
    let text = try JSON.text(configuration).trimmingCharacters(in: .newlines)
    return Data(SafetensorsWriter.bytes(tensors, metadata: [Self.key: text, "format": "pt"]))
  }

  /// The model with a class and guidance towards it.
  ///
  /// - Parameters:
  ///   - label: the class; `nil` for none.
  ///   - scale: how far to lean towards it; 1 is the class alone.
  func denoiser(label: Int?, guidance scale: Double) -> any Denoiser<SampleBatch<Double>> {
    let conditional = DigitsDenoiser<Double>(network, predicting: configuration.predictionType, label: label)
    guard label != nil, scale != 1 else { return conditional }
    let unconditional = DigitsDenoiser<Double>(network, predicting: configuration.predictionType)
    return ClassifierFreeGuidance(conditional: conditional, unconditional: unconditional, scale: scale)
  }
}
