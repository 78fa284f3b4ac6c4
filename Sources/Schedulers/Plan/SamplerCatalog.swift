/// Every sampler of this library. Tests, tool and documentation go through this list.
public enum SamplerCatalog {
  /// All entries, simplest first. Each stands in the file of its sampler.
  public static let all: [Entry] = [
    DDPM.entries,
    DDIM.entries,
    DDIMInversion.entries,
    Euler.entries,
    EulerAncestral.entries,
    Heun.entries,
    DPMSolverPlusPlus.entries,
    DPMSolver.entries,
    DPMSolverSinglestep.entries,
    UniPC.entries,
    SASolver.entries,
    DEIS.entries,
    LMS.entries,
    IPNDM.entries,
    PNDM.entries,
    KDPM2.entries,
    DPMSolverPlusPlusSDE.entries,
    StraightHeun.entries,
    Churn.entries,
    GradientEstimation.entries,
    DPMSolverPlusPlusInversion.entries,
    RePaint.entries,
    LCM.entries,
    TCD.entries,
    ConsistencyModel.entries,
  ].flatMap { $0 }

  /// The entry with a name of `all`.
  public static subscript(name: String) -> Entry? { all.first { $0.name == name } }
}
