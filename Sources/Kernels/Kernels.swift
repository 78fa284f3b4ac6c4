package import SchedulersKernelInterface
import SchedulersKernelsBaseline

#if DISPATCH && arch(x86_64)
  import SchedulersKernelsV3
  import SchedulersKernelsV4
#endif

/// The kernels for the processor that this runs on.
///
/// The environment variable `SCHEDULERS_ISA` names a smaller instruction set, `baseline`, `v3` or
/// `v4`. The bits are the same with all.
package enum Kernels {
  /// The names of those that the processor can run, from the smallest instruction set on.
  private static let names: [String] = {
    var names = ["baseline"]
    #if DISPATCH && arch(x86_64)
      let features = Platform.features()
      if features.isSuperset(of: ["avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"]) {
        names.append("v3")
        if features.isSuperset(of: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]) { names.append("v4") }
      }
    #endif
    return names
  }()

  /// The kernels of a name. Even to make a table takes instructions of its set.
  private static func make(_ name: String) -> KernelTable {
    #if DISPATCH && arch(x86_64)
      if name == "v4" { return SchedulersKernelsV4.kernels(name) }
      if name == "v3" { return SchedulersKernelsV3.kernels(name) }
    #endif
    return SchedulersKernelsBaseline.kernels(name)
  }

  /// Those that the processor can run, from the smallest instruction set to the largest.
  package static let available = names.map(make)

  /// Those that are used.
  package static let table = table(named: Platform.environment("SCHEDULERS_ISA"))

  /// Those of a name, or of the largest instruction set if it is not one of the available ones.
  package static func table(named name: String?) -> KernelTable {
    make(names.first { $0 == name } ?? names[names.count - 1])
  }
}
