import Schedulers

/// `CosineDPMSolverMultistepScheduler`, that of Stable Audio Open: SDE-DPM-Solver++ on EDM's
/// samples, for a network of v that is told the angle 2·atan(σ)/π.
///
/// Source: [Evans et al. 2024](https://arxiv.org/abs/2407.14358), by the class of diffusers 0.42.1.
struct CosineDPMSolverMultistepScheduler: EDMSolverClass {
  static let drawsFromPath = true

  let edm: EDM
  private(set) var multistep: Multistep

  init(_ o: inout OptionReader) {
    edm = EDM(angle: &o, least: 0.3, most: 500)
    multistep = Multistep(&o, fixed: "sde-dpmsolver++", lowersFinalOrder: o.boolean("lower_order_final", true))
    multistep.hasThirdOrderOfSDE = false
  }
}
