/// A stand-in for s4nnc's tensor, with the functions that the documents call.
public final class DynamicGraph {
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public enum Device { case GPU(Int) }
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public enum Shape { case NHWC(Int, Int, Int, Int) }

  public final class Tensor<Element: BinaryFloatingPoint> {
    var values: [Element]
    init(_ values: [Element]) { self.values = values }

    public func randn() {
      values = values.map { _ in (0..<12).reduce(Element(-6)) { sum, _ in sum + Element(Double.random(in: 0..<1)) } }
    }
  }

  public init() {}
  public func variable<Element>(_ device: Device, _ shape: Shape, of: Element.Type) -> Tensor<Element> {
    guard case .NHWC(let n, let h, let w, let c) = shape else { return Tensor([]) }
    return Tensor(.init(repeating: 0, count: n * h * w * c))
  }
  public func variable<Element>(like other: Tensor<Element>) -> Tensor<Element> { Tensor(other.values) }
}

public enum Functional {
  public static func add<Element>(
    left: DynamicGraph.Tensor<Element>, right: DynamicGraph.Tensor<Element>, leftScalar: Float = 1,
    rightScalar: Float = 1
  ) -> DynamicGraph.Tensor<Element> {
    .init(zip(left.values, right.values).map { Element(leftScalar) * $0 + Element(rightScalar) * $1 })
  }
}

public func * <Element>(left: Float, right: DynamicGraph.Tensor<Element>) -> DynamicGraph.Tensor<Element> {
  .init(right.values.map { Element(left) * $0 })
}
