import Schedulers

// The grids of the page, for the page and for the program that checks it: Tests/Page.

nonisolated(unsafe) private var schedules: [NoiseSchedule?] = [nil, nil, nil, nil]

/// The schedule of a process: that of Stable Diffusion, DDPM's, the cosine, and the first with zero
/// terminal SNR.
private func schedule(_ process: Int) -> NoiseSchedule {
  if let made = schedules[process] { return made }
  let betas: [BetaSchedule] = [.scaledLinear(), .linear(), .cosine(), .scaledLinear()]
  let plain = try! NoiseSchedule(betas[process], timesteps: 1000)
  let made = process == 3 ? try! plain.rescaledToZeroTerminalSNR() : plain
  schedules[process] = made
  return made
}

private let sigmaSpacings: [SigmaSpacing] = [.karras(), .exponential, .linear]
private let timestepSpacings: [TimestepSpacing] = [.trailing, .leading(), .linspace, .sgmUniform, .beta()]

/// The grid of a process: four schedules, rectified flow without a shift and with 3, and EDM's.
///
/// Spacings are five of timesteps, three of sigmas, and those of Align Your Steps. Rectified flow
/// has equal times for all but those of a beta distribution and of sigmas.
func grid(process: Int, spacing: Int, steps: Int, edm: EDMPreconditioning) throws(GridError) -> SamplingGrid {
  let sigmas = spacing >= 5 && spacing < 8 ? sigmaSpacings[spacing - 5] : nil
  switch process {
  case 4, 5:
    let flow = FlowSpacing(
      times: spacing == 4 ? .beta() : .equal, shift: .fixed(process == 4 ? 1 : 3),
      last: spacing == 0 || steps == 1 ? nil : 0.001, respacing: sigmas)
    return try SamplingGrid(flow: flow, steps: steps)
  case 6: return try SamplingGrid(edm: edm, steps: steps, spacing: sigmas ?? .karras())
  default:
    let schedule = schedule(process)
    if spacing == 8 { return try SamplingGrid(schedule, steps: steps, alignedFor: .stableDiffusion) }
    if let sigmas { return try SamplingGrid(schedule, steps: steps, spacing: sigmas) }
    return try SamplingGrid(schedule, steps: steps, spacing: timestepSpacings[spacing])
  }
}

/// The largest number of steps that take at most so many calls; 1 if even that takes more.
func mostSteps<Failure: Error>(calls: Int, count: (Int) throws(Failure) -> Int) throws(Failure) -> Int {
  if try count(calls) <= calls { return calls }
  var (steps, more) = (1, calls)
  while more - steps > 1 {
    let middle = (steps + more) / 2
    if try count(middle) <= calls { steps = middle } else { more = middle }
  }
  return steps
}
