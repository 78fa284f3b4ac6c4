// One run of 200 samples: a plan, a perfect network (or one with an error), guidance, and everything on the way.

import { PlanRun } from './runtime.mjs';
import { equal, processes, spacings } from './library.mjs';
import { datasets, sketch } from './data.mjs';

export const sampleCount = 200;

/** What can be set, and how it is when nothing is. */
export const usual = {
  data: 'mixture', sampler: 'dpm++2m', calls: 10, process: 'sd', spacing: null, option: null, prediction: null,
  guide: -1, scale: 2, rescale: 0, error: 0, strength: 1, seed: 0,
};

/** The spacings that a process has, its usual one first. */
export function spacingsOf(process) {
  const { kind } = processes.find(each => each.id === process);
  return [...kind === 'flow' ? [equal] : [], ...spacings.filter(each => each[kind])];
}

/** The settings with what is usual for their process where nothing is chosen, or what the process does not have. */
export function settled(settings) {
  const { kind } = processes.find(each => each.id === settings.process);
  const known = spacingsOf(settings.process);
  const spacing = known.find(each => each.id === settings.spacing) ?? known[0];
  return { ...settings, spacing: spacing.id, prediction: settings.prediction ?? { vp: 'epsilon', flow: 'flow', edm: 'edm' }[kind] };
}

/** A network for data: what it answers for samples at a level, as a plan's step reads it.

    F follows from x̂0 = sample·x + output·F. With guidance it is F + scale·(F_class − F) for the class, and a part
    `rescale` of the change of its deviation, over all samples, is taken back. `error` is added to F itself. */
export function network(settings) {
  const data = datasets.find(each => each.id === settings.data);
  const wanted = settings.guide >= 0 ? data.only(settings.guide) : null;
  return (x, step) => {
    const { sample, output } = step.denoised;
    const read = x0 => x0.map((v, i) => (v - sample * x[i]) / output);
    let F = read(data.denoised(x, step.level));
    if (wanted && settings.scale !== 0) {
      const conditional = read(wanted.denoised(x, step.level));
      const guided = F.map((v, i) => v + settings.scale * (conditional[i] - v));
      const factor = settings.rescale ? 1 - settings.rescale + settings.rescale * deviation(conditional) / deviation(guided) : 1;
      F = guided.map(v => factor * v);
    }
    if (settings.error) F = F.map((v, i) => v + settings.error * wobble(x, i));
    return F;
  };
}

function deviation(values) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
}

/** The error of an imperfect network: of size 1, smooth in the sample, the same at each call. */
function wobble(x, i) {
  const even = i - i % 2;
  return Math.SQRT2 * Math.sin(2.1 * x[even] + (i % 2 ? 2.7 : -1.9) * x[even + 1] + i % 2);
}

/** Where a run starts: noise at the plan's start level, or the sketch with that much noise. */
export function startOf(plan, settings, library, count = sampleCount) {
  const z = library.noise(settings.seed, 0, count);
  if (settings.strength >= 1) return z.map(v => plan.initialScale * v);
  return sketch(count).map((v, i) => plan.start.signal * v + plan.start.noise * z[i]);
}

/** A whole run, with what was asked and answered at each step. */
export function experiment(chosen, library, count = sampleCount) {
  const settings = settled(chosen);
  const plan = library.plan(settings);
  const answer = network(settings);
  const start = startOf(plan, settings, library, count);
  const run = new PlanRun(plan, start, 2);
  const record = { plan, settings, samples: [start], denoised: [], outputs: [], noises: [], levels: [plan.start] };
  let draws = 1;
  for (const step of plan.steps) {
    const output = answer(run.sample, step);
    const noise = step.next.noise !== 0 ? library.noise(settings.seed, draws++, count) : new Float64Array(2 * count);
    run.advance(output, noise);
    record.outputs.push(output);
    record.noises.push(noise);
    record.denoised.push(run.denoised);
    record.samples.push(run.sample);
    record.levels.push(step.arrival);
  }
  record.isStochastic = plan.steps.some(step => step.next.noise !== 0);
  return record;
}

/** Where the probability-flow ODE leads from the start of a run: what samplers without noise converge to.

    In x̄ = x/signal and s = ln σ it is dx̄/ds = x̄ − D(x̄; σ), here by the classical Runge–Kutta method in steps of
    at most 1/40, down to σ = 1e-3; what is left is D at that level. It yields now and then, as it takes long. */
export function* exactFlow(chosen, library, count) {
  const settings = settled({ ...chosen, calls: 64, error: 0 });
  const plan = library.plan({ ...settings, sampler: 'ddim', option: 0, prediction: 'v' });
  const signal = Math.max(plan.start.signal, 1e-6), from = plan.start.noise / signal;
  let x = startOf(plan, settings, library, count).map(v => v / signal);
  const answer = network(settings);
  const D = (at, s) => answer(at, { denoised: { sample: 0, output: 1 }, level: { signal: 1, noise: Math.exp(s) } });
  const slope = (at, s) => { const d = D(at, s); return at.map((v, i) => v - d[i]); };
  const [first, last] = [Math.log(from), Math.log(1e-3)];
  const steps = Math.ceil((first - last) * 40), h = (last - first) / steps;
  const moved = (k, by) => x.map((v, i) => v + by * k[i]);
  for (let i = 0; i < steps; i++) {
    const s = first + i * h;
    const k1 = slope(x, s), k2 = slope(moved(k1, h / 2), s + h / 2), k3 = slope(moved(k2, h / 2), s + h / 2), k4 = slope(moved(k3, h), s + h);
    x = x.map((v, j) => v + h / 6 * (k1[j] + 2 * k2[j] + 2 * k3[j] + k4[j]));
    if (i % 20 === 19) yield;
  }
  return D(x, last);
}

/** The root mean square distance of two sets of samples. */
export function distance(a, b) {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum / b.length);
}
