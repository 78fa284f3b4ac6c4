// Runs any plan of the format scheduler-plan/1 (Docs/Plan.md) on arrays of numbers:
//   const run = new PlanRun(JSON.parse(text), z.map(v => plan.initialScale * v), size);
//   while (run.query) run.advance(network(run.input, run.query.timestep), normals());
//   const image = run.sample;

const refuse = text => { throw new Error(`scheduler-plan/1: ${text}`); };

/** The plan, if this runtime can run it; else it throws an error of one line. */
export function checked(plan) {
  if (plan?.format !== 'scheduler-plan/1') refuse(`the format is ${JSON.stringify(plan?.format)}; make the plan anew`);
  const number = (owner, place, ...keys) => keys.forEach(key => {
    if (Number.isFinite(owner?.[key])) return;
    refuse(`${place}.${key} is ${JSON.stringify(owner?.[key])}, not a finite number; make the plan anew`);
  });
  number(plan, 'plan', 'initialScale');
  const kind = plan.clipping?.kind;
  if (kind === 'range') number(plan.clipping, 'clipping', 'lower', 'upper');
  else if (kind === 'dynamic') number(plan.clipping, 'clipping', 'ratio', 'maximum');
  else if (kind !== 'none') refuse(`clipping.kind is ${JSON.stringify(kind)}; known are none, range and dynamic`);
  if (typeof plan.learnsVariance !== 'boolean') refuse('learnsVariance is neither true nor false');
  if (!Array.isArray(plan.steps)) refuse('steps are not a list');
  plan.steps.forEach((step, i) => {
    const place = `steps[${i}]`, { next, variance } = step ?? {};
    number(step, place, 'timestep', 'inputScale');
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
    if (variance && variance.kind !== 'fixed' && !plan.learnsVariance) refuse(`${place} learns its variance, the plan not`);
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
  /** The step whose call is due, and what it tells the network; undefined at the end. */
  get query() { return this.plan.steps[this.index]; }
  /** What the network is given now. */
  get input() { return this.sample.map(x => this.query.inputScale * x); }

  /** The next sample, from the network's output F and normal noise; where the variance is learned,
      the numbers of each sample are followed by as many about it. */
  advance(output, noise) {
    if (!this.query) refuse(`the run is at its end, after ${this.index} calls`);
    const { size, query: { next, denoised, estimate, variance }, sample: x, plan: { learnsVariance } } = this;
    const width = learnsVariance ? 2 * size : size;
    if (output.length * size !== x.length * width) refuse(`${output.length} outputs for a sample of ${x.length}`);
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
      const deviation = {
        learned: i => Math.exp((variance.offset + variance.slope * said[i]) / 2), output: i => Math.sqrt(said[i]),
      }[variance?.kind] ?? (() => 1);
      add(next.noise, x.map((_, i) => deviation(i) * noise[i]));
    }
    this.samples.unshift(this.made = made);
    this.index += 1;
    for (const kept of [this.samples, this.estimates]) kept.splice(this.reach);
  }
}

/** x̂0 within limits; those of a dynamic threshold are each sample's own. NaN stays. */
function clipped(values, { kind, lower, upper, ratio, maximum }, size) {
  const within = (v, low, high) => v < low ? low : v > high ? high : v;
  if (kind !== 'dynamic') return kind === 'none' ? values : values.map(v => within(v, lower, upper));
  const result = new Float64Array(values.length);
  for (let start = 0; start < values.length; start += size) {
    const sample = values.slice(start, start + size), sorted = sample.map(Math.abs).sort(); // NaN last
    const place = ratio * (size - 1), low = sorted[Math.floor(place)], high = sorted[Math.ceil(place)];
    const quantile = place % 1 === 0 ? low : low + place % 1 * (high - low);
    const s = Number.isNaN(sorted[size - 1]) ? NaN : Math.min(Math.max(quantile, 1), maximum);
    result.set(sample.map(v => within(v, -s, s) / s), start);
  }
  return result;
}
