import KernelInterface

// The entry points, concrete for each type of scalar: nothing generic of this module is left for
// the linker to choose between copies.

#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
  package func kernels(_ name: String) -> KernelTable {
    KernelTable(
      name: name,
      float: .init(step: { take($0.pointee) }, magnitudes: { magnitudes($0.pointee, rank: $1) }),
      double: .init(step: { take($0.pointee) }, magnitudes: { magnitudes($0.pointee, rank: $1) }),
      half: .init(step: { take($0.pointee) }, magnitudes: { magnitudes($0.pointee, rank: $1) }),
      normals: { Normals.fill($0, $1, $2) }, torch: torch)
  }
#else
  package func kernels(_ name: String) -> KernelTable {
    KernelTable(
      name: name,
      float: .init(step: { take($0.pointee) }, magnitudes: { magnitudes($0.pointee, rank: $1) }),
      double: .init(step: { take($0.pointee) }, magnitudes: { magnitudes($0.pointee, rank: $1) }),
      normals: { Normals.fill($0, $1, $2) }, torch: torch)
  }
#endif

private let torch = KernelTable.Torch(
  twist: { Twister.twist($0) }, uniforms: { Twister.uniforms(of: $0, $1, into: $2) },
  normals: { CephesNormals.transform($0, $1) })
