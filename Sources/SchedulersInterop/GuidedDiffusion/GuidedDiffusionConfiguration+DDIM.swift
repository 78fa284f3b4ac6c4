import Schedulers

extension GuidedDiffusionConfiguration {
  /// `ddim_sample` with its factors in float32, as guided-diffusion makes them: 1 − ᾱ' − σ² cancels
  /// where eta is near 1 and ᾱ small, and what is left has few digits, or none.
  func float32DDIM(eta: Double, in torch: TorchArithmetic) throws -> [Move] {
    let bars = try process(fidelity: .diffusers).schedule.alphaBars.map { Float($0) }
    let grid = try grid(sampler: .ddimSample, fidelity: .diffusers)
    var moves = try DDIM(eta: eta).moves(over: grid)
    for (i, t) in bars.indices.reversed().enumerated() {
      let (bar, previous) = (bars[t], t > 0 ? bars[t - 1] : 1)
      let deviation = Float(eta) * torch.root((1 - previous) / (1 - bar)) * torch.root(1 - bar / previous)
      let kept = torch.root(1 - previous - deviation * deviation)
      try require(
        kept.isFinite && deviation.isFinite, step: i, timestep: grid.points[i].timestep,
        """
        the noise is more than the step leaves, and guided-diffusion takes the root of a negative number; use a \
        smaller eta
        """)
      let level = grid.points[i].level
      let epsilon = (LinearForm.sample - level.signal * .estimate()) / level.noise
      moves[i].next =
        Double(torch.root(previous)) * .estimate() + Double(kept) * epsilon + Double(t > 0 ? deviation : 0) * .noise
    }
    return moves
  }
}
