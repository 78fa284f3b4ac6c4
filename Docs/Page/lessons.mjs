// Twelve lessons: what they set, and what to look at.

/** `both` is set for the two panels, `a` and `b` for one; without `b` there is one panel. From 1 a lesson plays to
    the end, from 0 it stays at the start. */
export const lessons = [
  {
    title: 'What a noise level means',
    both: { sampler: 'ddim', calls: 64, data: 'mixture', process: 'sd', spacing: 'karras' }, a: {},
    show: { arrows: true }, from: 1,
    text: 'A noisy sample is x = signal · x₀ + noise · ε, and the grey behind the points is how such samples lie at the '
      + 'level of the moment. Each arrow goes from a sample to x̂₀, the mean of all data that it may come from: at high noise '
      + 'all arrows point at the middle, since every answer is possible. Drag the slider and see where single components '
      + 'appear, first as directions, then as targets.',
  },
  {
    title: 'DDPM, and why it takes hundreds of steps',
    both: { sampler: 'ddpm', data: 'spiral', process: 'sd', spacing: 'trailing' }, a: { calls: 10 }, b: { calls: 500 },
    show: {}, from: 1,
    text: 'DDPM takes a part of the noise away and draws fresh noise in each step, as if the data behind a sample were one '
      + 'normal distribution. That is true of small steps alone: with 10 (left) the samples miss the arms, with 500 (right) '
      + 'they lie on them. Compare the two numbers for −ln p, and move the calls of A up until they agree.',
  },
  {
    title: 'DDIM is its eta 0',
    both: { sampler: 'ddim', data: 'spiral', calls: 20, process: 'sd', spacing: 'karras' }, a: { option: 0 }, b: { option: 1 },
    show: { trails: true }, from: 1,
    text: 'DDIM replaces a part eta of the noise in a sample by fresh noise: with eta 1 it is DDPM (right), with 0 it draws '
      + 'none (left). Then each start leads to one end along a smooth path, and x̂₀ changes little from step to step, so '
      + 'that steps may be long. Set eta of B to 0.5 and see the paths become rough again.',
  },
  {
    title: 'Straight and curved paths',
    both: { sampler: 'euler', data: 'mixture', calls: 5, prediction: 'v', spacing: 'trailing' },
    a: { process: 'sd' }, b: { process: 'flow' },
    show: { trails: true }, from: 1,
    text: 'Euler’s method follows a tangent, and what it misses is how far the path bends within a step. On the circle '
      + 'signal² + noise² = 1 (left) every path bends, even to a single point; on the line signal + noise = 1 of rectified '
      + 'flow (right) it bends only where a sample has not decided yet. At 5 calls the error on the right is about half of '
      + 'that on the left.',
  },
  {
    title: 'Why DPM-Solver++ is better at 10 calls',
    both: { data: 'mixture', calls: 10, process: 'sd', spacing: 'exponential' },
    a: { sampler: 'ddim' }, b: { sampler: 'dpm++2m' },
    show: { trails: true }, from: 1,
    text: 'Both solve the linear part of the equation exactly, so that only x̂₀ has to be guessed between two calls. DDIM (left) '
      + 'holds it; DPM-Solver++ 2M (right) draws a line through the last two, which costs no call. Look at the terms with ₋₁ in '
      + 'the step of B, and at the slopes in the plot of errors: N⁻¹ against N⁻².',
  },
  {
    title: 'Why Heun at 4 calls leaves the picture',
    both: { data: 'spiral', calls: 4, process: 'sd', spacing: 'karras' }, a: { sampler: 'heun' }, b: { sampler: 'ddim' },
    show: { trails: true }, from: 1,
    text: 'Heun asks twice in a step and takes the mean of both slopes in σ, as if x̄ were a parabola on the way. With 4 calls '
      + 'a step spans most of σ, where the slope at its end, divided by a small σ, has nothing to do with the mean: the '
      + 'samples fly away (left), while DDIM with the same calls (right) is merely blurred. At 20 calls and more Heun is the '
      + 'better of the two; move the calls of both and see.',
  },
  {
    title: 'Churn',
    both: { sampler: 'heun-churn', data: 'checkerboard', calls: 63, process: 'edm', spacing: 'karras', error: 0.5 },
    a: { option: 0 }, b: { option: 5 },
    show: { trails: true }, from: 1,
    text: 'Both networks make the same systematic error, set by the slider “Error of the network”. Without churn (left) a sample '
      + 'carries every wrong push to its end; with churn (right) each step first adds a little noise and then removes more than '
      + 'that, so that later answers repair earlier ones, and −ln p comes nearer to that of data. The price is seen at few calls: '
      + 'with 15 there are too few steps to remove what was added.',
  },
  {
    title: 'Ancestral noise, and seeds',
    both: { sampler: 'euler-ancestral', data: 'checkerboard', process: 'sd', spacing: 'karras' },
    a: { calls: 20 }, b: { calls: 21 },
    show: {}, from: 1,
    text: 'Left and right start from the same points and differ in one step of 20. An ancestral sampler draws fresh noise '
      + 'in each step, so that the number of steps changes where a point ends, and a picture with it. Set the sampler of '
      + 'both to DDIM: now the ends hardly differ, and the start alone decides.',
  },
  {
    title: 'Karras’ spacing',
    both: { sampler: 'dpm++2m', data: 'spiral', calls: 8, process: 'sd' }, a: { spacing: 'trailing' }, b: { spacing: 'karras' },
    show: {}, from: 1,
    text: 'Below the pictures, each mark is a call, placed by ln σ. Equal timesteps (left) spend most of their calls on noise so '
      + 'strong that little is decided, and jump from σ = 0.4 to clean data; equal steps of σ^(1/7) (right) go down to 0.03 in '
      + 'steps that shrink with σ. On narrow arms the last jump is what counts.',
  },
  {
    title: 'v and ε at zero SNR',
    both: { sampler: 'ddim', data: 'mixture', calls: 10, error: 0.15, spacing: 'trailing' },
    a: { process: 'sd', prediction: 'epsilon' }, b: { process: 'zero-snr', prediction: 'v' },
    show: { arrows: true }, from: 0,
    text: 'With x̂₀ = (x − noise · ε)/signal an error of ε is multiplied by noise/signal, which is 15 at the first step of Stable '
      + 'Diffusion’s schedule (left: the arrows are all over). A schedule that ends in pure noise has signal 0 there, and ε says nothing; '
      + 'choose ε for B and read why there is no plan. v is the output that says x̂₀ at every level with an error of its own '
      + 'size (right).',
  },
  {
    title: 'Guidance, and its rescale',
    both: { sampler: 'dpm++2m', data: 'mixture', calls: 20, process: 'zero-snr', prediction: 'v', spacing: 'trailing', guide: 3, scale: 6 },
    a: { rescale: 0 }, b: { rescale: 0.7 },
    show: { trails: true }, from: 1,
    text: 'The network is asked with and without the class, and the step goes 6 times the difference. Where both answers agree '
      + 'nothing changes; elsewhere samples are pushed past the component that was asked for (left), which in pictures is too '
      + 'much contrast. Rescaling takes back a part of the growth of the output (right); with scale 1 there is neither.',
  },
  {
    title: 'A late start',
    both: { sampler: 'dpm++2m', data: 'spiral', calls: 20, process: 'sd', spacing: 'karras' },
    a: { strength: 0.35 }, b: { strength: 0.75 },
    show: { trails: true }, from: 0,
    text: 'Image to image starts from something else than noise: here a ring, to which the noise of a later step was '
      + 'added. With strength 0.35 (left) only the last steps are made, and each point goes to the nearest arm; with 0.75 '
      + '(right) the ring is forgotten. A plan for a late start is made for the shorter grid, since a multistep sampler cannot '
      + 'look back to steps that were not taken.',
  },
];
