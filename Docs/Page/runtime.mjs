// Runs any plan of the format scheduler-plan/1 (Docs/Plan.md) on arrays of numbers. No dependency.
//
//   const run = new PlanRun(JSON.parse(text), z.map(v => plan.initialScale * v), size);
//   while (run.query) run.advance(network(run.input, run.query.timestep), normals());
//   const image = run.sample;

const refuse = text => { throw new Error(`scheduler-plan/1: ${text}`); };

/** The plan, if this runtime can run it; else it throws an error of one line. */
export function checked(plan) {
  if (plan?.format !== 'scheduler-plan/1') refuse(`the format is ${JSON.stringify(plan?.format)}; this runtime reads scheduler-plan/1`);
  const number = (owner, place, ...keys) => keys.forEach(key => {
    if (typeof owner?.[key] !== 'number' || !Number.isFinite(owner[key])) {
      refuse(`${place}.${key} is ${JSON.stringify(owner?.[key])}, not a finite number; make the plan again`);
    }
  });
  number(plan.start, 'start', 'signal', 'noise');
  number(plan, 'plan', 'initialScale');
  const kind = plan.clipping?.kind;
  if (kind === 'range') number(plan.clipping, 'clipping', 'lower', 'upper');
  else if (kind === 'dynamic') number(plan.clipping, 'clipping', 'ratio', 'maximum');
  else if (kind !== 'none') refuse(`clipping.kind is ${JSON.stringify(kind)}; known are none, range and dynamic`);
  if (typeof plan.learnsVariance !== 'boolean') refuse('learnsVariance is neither true nor false');
  if (!Array.isArray(plan.steps)) refuse('steps are not a list');
  plan.steps.forEach((step, i) => {
    const [place, next, variance] = [`steps[${i}]`, step.next, step.variance];
    number(step, place, 'timestep', 'inputScale');
    for (const key of ['level', 'arrival']) number(step[key], `${place}.${key}`, 'signal', 'noise');
    number(step.denoised, `${place}.denoised`, 'sample', 'output');
    number(step.estimate, `${place}.estimate`, 'sample', 'denoised');
    number(next, `${place}.next`, 'made', 'denoised', 'output', 'noise');
    for (const key of ['samples', 'estimates']) {
      if (!Array.isArray(next[key])) refuse(`${place}.next.${key} is not a list`);
      number(next[key], `${place}.next.${key}`, ...next[key].keys());
      if (next[key].length > i + 1) refuse(`${place} reaches back before the run; make a plan for the shorter run`);
    }
    if (variance?.kind === 'learned') number(variance, `${place}.variance`, 'offset', 'slope');
    else if (variance && !['fixed', 'output'].includes(variance.kind)) refuse(`${place}.variance.kind is not known`);
  });
  return plan;
}

/** A run: ask `query`, give the network `input`, and `advance` by what it answers, to the end. */
export class PlanRun {
  /** From a sample at the plan's start: any whole number of samples of `size` numbers each. */
  constructor(plan, start, size = start.length) {
    this.plan = checked(plan);
    this.size = size;
    this.samples = [Float64Array.from(start)]; // newest first; the newest may be replaced
    this.made = this.samples[0];
    this.estimates = [];
    this.index = 0;
    this.reach = Math.max(1, ...plan.steps.flatMap(({ next }) => [next.samples.length, next.estimates.length]));
  }
  get sample() { return this.samples[0]; }
  /** What the network is told now; undefined at the end. */
  get query() { return this.plan.steps[this.index]; }
  /** What the network is given now. */
  get input() { return this.sample.map(x => this.query.inputScale * x); }

  /** The next sample, from the network's output F and normal noise; where the variance is learned,
      the numbers of each sample are followed by as many about it. */
  advance(output, noise) {
    const { size, query: { next, denoised, estimate, variance }, sample: x, plan: { learnsVariance } } = this;
    const width = learnsVariance ? 2 * size : size;
    if (output.length * size !== x.length * width) refuse(`${output.length} outputs for a sample of ${x.length} numbers`);
    const part = half => x.map((_, i) => output[Math.floor(i / size) * width + half * size + i % size]);
    const F = part(0);
    const predicted = x.map((v, i) => denoised.sample * v + denoised.output * F[i]);
    this.denoised = clipped(predicted, this.plan.clipping, size);
    this.estimates.unshift(x.map((v, i) => estimate.sample * v + estimate.denoised * this.denoised[i]));
    const made = x.map((_, i) => next.made * this.made[i] + next.denoised * predicted[i] + next.output * F[i]);
    const add = (factor, values) => { for (const i of values.keys()) made[i] += factor * values[i]; };
    next.samples.forEach((factor, ago) => add(factor, this.samples[ago]));
    next.estimates.forEach((factor, ago) => add(factor, this.estimates[ago]));
    if (next.noise !== 0) {
      const said = learnsVariance && part(1);
      if (variance?.kind === 'learned') add(next.noise, said.map((v, i) => Math.exp((variance.offset + variance.slope * v) / 2) * noise[i]));
      else if (variance?.kind === 'output') add(next.noise, said.map((v, i) => Math.sqrt(v) * noise[i]));
      else add(next.noise, Float64Array.from(noise));
    }
    this.samples.unshift(this.made = made);
    for (const kept of [this.samples, this.estimates]) kept.splice(this.reach);
    this.index += 1;
  }
}

/** x̂0 within limits; of a dynamic threshold, each sample by itself. NaN stays. */
function clipped(values, clipping, size) {
  const within = (v, low, high) => v < low ? low : v > high ? high : v;
  if (clipping.kind === 'range') return values.map(v => within(v, clipping.lower, clipping.upper));
  if (clipping.kind === 'none') return values;
  const result = new Float64Array(values.length);
  for (let start = 0; start < values.length; start += size) {
    const sample = values.slice(start, start + size);
    const sorted = sample.map(Math.abs).sort(); // numbers in rising order, NaN last
    const position = clipping.ratio * (size - 1), low = Math.floor(position);
    const quantile = sorted[low] + (position - low) * (sorted[Math.min(low + 1, size - 1)] - sorted[low]);
    const s = Number.isNaN(sorted[size - 1]) ? NaN : Math.min(Math.max(quantile, 1), clipping.maximum);
    result.set(sample.map(v => within(v, -s, s) / s), start);
  }
  return result;
}
