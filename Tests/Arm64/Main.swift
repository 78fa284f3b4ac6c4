import SchedulersKernelInterface
import SchedulersKernels

/// Prints what numbers the kernels and the algebra make, to be compared with what another build of
/// this program prints: `.ci/arm64`.
@main struct Main {
  static func main() {
    print("kernels \(Kernels.table.name)")
    printKernels(Kernels.table)
    printTables()
    printPlans()
    printLikelihoods()
    printMath()
  }
}
