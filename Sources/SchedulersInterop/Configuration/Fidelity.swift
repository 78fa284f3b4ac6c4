/// How another library's configuration is read.
public enum Fidelity: String, Hashable, Codable, CaseIterable, Sendable {
  /// The mathematics of the papers, in Double.
  case corrected
  /// What the library does: diffusers 0.42.1 with its float32 tables bit for bit, its timesteps and
  /// steps; guided-diffusion for a configuration of that. `Deviation` lists the differences.
  case diffusers
}
