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
  /// Those that the processor can run, from the smallest instruction set to the largest.
  package static let available: [KernelTable] = {
    var tables = [SchedulersKernelsBaseline.kernels("baseline")]
    #if DISPATCH && arch(x86_64)
      let features = Platform.features()
      if features.isSuperset(of: ["avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"]) {
        tables.append(SchedulersKernelsV3.kernels("v3"))
        if features.isSuperset(of: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]) {
          tables.append(SchedulersKernelsV4.kernels("v4"))
        }
      }
    #endif
    return tables
  }()

  /// Those that are used.
  package static let table = table(named: Platform.environment("SCHEDULERS_ISA"))

  /// Those of a name, or of the largest instruction set if it is not one of the available ones.
  package static func table(named name: String?) -> KernelTable {
    available.first { $0.name == name } ?? available.last!
  }
}
