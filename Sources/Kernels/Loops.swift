package import KernelInterface

extension KernelTable {
  /// The loops over a type of scalar; `nil` if it has none.
  package func loops<Scalar>(over _: Scalar.Type) -> Loops<Scalar>? {
    // The casts are between one type and itself.
    if Scalar.self == Float.self { return unsafeBitCast(float, to: Loops<Scalar>.self) }
    if Scalar.self == Double.self { return unsafeBitCast(double, to: Loops<Scalar>.self) }
    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
      if Scalar.self == Float16.self { return unsafeBitCast(half, to: Loops<Scalar>.self) }
    #endif
    return nil
  }
}
