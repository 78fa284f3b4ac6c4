/// Every sampler of this library. Tests, tool and documentation go through this list.
public enum SamplerCatalog {
  /// All entries, simplest first. Each stands in the file of its sampler.
  public static let all: [Entry] = [
    DDPM.entries, [DDIM.entry, DDIMInversion.entry, Euler.entry, EulerAncestral.entry, Heun.entry],
    DPMSolverPlusPlus.entries, DPMSolver.entries, DPMSolverSinglestep.entries, UniPC.entries, SASolver.entries,
    DEIS.entries, [LMS.entry, IPNDM.entry], PNDM.entries, KDPM2.entries, [DPMSolverPlusPlusSDE.entry],
    [StraightHeun.entry], Churn.entries, [GradientEstimation.entry, DPMSolverPlusPlusInversion.entry],
    [RePaint.entry, LCM.entry, TCD.entry, ConsistencyModel.entry, EulerAncestralRF.entry],
    [KDPM2AncestralRF.entry], DPMSolverPlusPlus2SAncestral.entries, SEEDS.entries, ERSDE.entries,
    [DPMSolverFast.entry, Restart<Heun>.entry],
  ].flatMap { $0 }

  /// The entry with a name of `all`.
  public static subscript(name: String) -> Entry? { all.first { $0.name == name } }
}
