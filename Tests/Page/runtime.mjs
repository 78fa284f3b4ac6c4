// Docs/Page/runtime.mjs on numbers worked out by hand: what the plans of the page do not have.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { checked, PlanRun } from '../../Docs/Page/runtime.mjs';

const step = (next, more = {}) => ({
  timestep: 9, inputScale: 1, denoised: { sample: 2, output: -1 }, estimate: { sample: 0, denoised: 1 }, variance: null,
  next: { samples: [], made: 0, estimates: [], denoised: 0, output: 0, noise: 0, ...next }, ...more,
});
const plan = (steps, more = {}) => ({
  format: 'scheduler-plan/1', start: { signal: 0.6, noise: 0.8 }, initialScale: 1, clipping: { kind: 'none' }, learnsVariance: false, steps, ...more,
});
function ends(plan, start, outputs, noises, size) {
  const run = new PlanRun(plan, start, size);
  outputs.forEach((output, i) => run.advance(output, noises?.[i] ?? new Float64Array(start.length)));
  assert.equal(run.query, undefined);
  return [...run.sample];
}

// x̂0 = 2·3 − 1 = 5, E = 5; x' = 0.5·3 + 2·5 + 10·1 + 0.25·4 = 22.5.
assert.deepEqual(ends(plan([step({ samples: [0.5], estimates: [2], output: 10, noise: 0.25 })]), [3], [[1]], [[4]]), [22.5]);
// Then x̂0 = 2·22.5 − 5 = 40, E = 0.5·22.5 + 40 = 51.25; x' = x − x₁ + E₁ + E = 22.5 − 3 + 5 + 51.25.
const second = step({ samples: [1, -1], estimates: [1, 1] }, { estimate: { sample: 0.5, denoised: 1 } });
assert.deepEqual(ends(plan([step({ samples: [0.5], estimates: [2], output: 10, noise: 0.25 }), second]), [3], [[1], [5]], [[4], [0]]), [75.75]);

// The input is scaled; a sample that was replaced is x, and as it was made x⁺.
const replaced = new PlanRun(plan([step({ estimates: [1] }), step({ samples: [1], made: 10 }, { inputScale: 4 })]), [3]);
replaced.advance([1], [0]);
replaced.samples[0] = Float64Array.of(7);
assert.deepEqual([...replaced.input], [28]);
replaced.advance([0], [0]);
assert.deepEqual([...replaced.sample], [7 + 10 * 5]);
assert.throws(() => replaced.advance([0], [0]), /the run is at its end, after 2 calls/);

// Clipping is of x̂0 before E; the unclipped is at hand.
const range = plan([step({ estimates: [1], denoised: 100 })], { clipping: { kind: 'range', lower: -1, upper: 2 } });
assert.deepEqual(ends(range, [3, -3, 0.5, NaN], [[1, 1, 0, 0]]), [2 + 500, -1 - 700, 1 + 100, NaN]);

// Of |x̂0| = 1, 2, 3, 5 the 0.5 quantile is 2.5; of 0.1, 0.2, 0.3, 0.4 it is below 1, and counts as 1.
const dynamic = maximum => plan([step({ estimates: [1] }, { denoised: { sample: 1, output: 0 } })], { clipping: { kind: 'dynamic', ratio: 0.5, maximum } });
const two = [1, -5, 2, 3, 0.1, 0.2, -0.3, 0.4];
assert.deepEqual(ends(dynamic(4), two, [new Float64Array(8)], undefined, 4), [1 / 2.5, -1, 2 / 2.5, 1, 0.1, 0.2, -0.3, 0.4]);
assert.deepEqual(ends(dynamic(2), two, [new Float64Array(8)], undefined, 4), [0.5, -1, 1, 1, 0.1, 0.2, -0.3, 0.4]);
assert.deepEqual(ends(dynamic(4), [1, NaN, 8, 0], [new Float64Array(4)], undefined, 2), [NaN, NaN, 1, 0]);

// What the network says of the variance follows the numbers of each sample.
const learned = variance => plan([step({ noise: 2 }, { variance })], { learnsVariance: true });
assert.deepEqual(ends(learned({ kind: 'output' }), [0, 0], [[5, 9, 6, 16]], [[1, 10]], 1), [6, 80]);
const said = ends(learned({ kind: 'learned', offset: Math.log(4), slope: 2 }), [0, 0], [[5, 6, 0, Math.log(3)]], [[1, 1]], 2);
assert.ok(Math.abs(said[0] - 4) < 1e-15 && Math.abs(said[1] - 12) < 1e-14);
assert.deepEqual(ends(learned({ kind: 'fixed', logarithm: 1 }), [0], [[5, 9]], [[3]], 1), [6]);

// What cannot be run is refused, in one line that says where.
function refused(change, pattern) {
  const bad = structuredClone(plan([step({ samples: [1] }), step({ samples: [1, 1] })]));
  change(bad);
  assert.throws(() => checked(bad), error => pattern.test(error.message) && !error.message.includes('\n'), String(pattern));
}
refused(bad => { bad.format = 'scheduler-plan/2'; }, /format is "scheduler-plan\/2"/);
refused(bad => { delete bad.format; }, /format is undefined/);
refused(bad => { bad.steps[0].next.samples = [1, 1]; }, /steps\[0\] reaches back before the run/);
refused(bad => { bad.steps[1].next.estimates = [0, 0, 1]; }, /steps\[1\] reaches back before the run/);
refused(bad => { bad.steps[1].next.samples[1] = null; }, /steps\[1\]\.next\.samples\.1 is null, not a finite number/);
refused(bad => { bad.steps[1].denoised.output = NaN; }, /steps\[1\]\.denoised\.output/);
refused(bad => { bad.steps[1].next.noise = '1'; }, /steps\[1\]\.next\.noise is "1"/);
refused(bad => { delete bad.steps[0].estimate; }, /steps\[0\]\.estimate\.sample is undefined/);
refused(bad => { bad.steps[0] = null; }, /steps\[0\]\.timestep/);
refused(bad => { bad.steps = 3; }, /steps are not a list/);
refused(bad => { bad.clipping = { kind: 'soft' }; }, /clipping\.kind is "soft"/);
refused(bad => { bad.clipping = { kind: 'range', lower: -1 }; }, /clipping\.upper is undefined/);
refused(bad => { delete bad.learnsVariance; }, /learnsVariance/);
refused(bad => { bad.steps[0].variance = { kind: 'guessed' }; }, /steps\[0\]\.variance\.kind/);
refused(bad => { bad.steps[0].variance = { kind: 'output' }; }, /steps\[0\] learns its variance/);
assert.throws(() => checked(null), /format is undefined/);
assert.throws(() => ends(learned({ kind: 'output' }), [0, 0], [[5, 6]]), /2 outputs for a sample of 2/);

assert.ok(readFileSync(new URL('../../Docs/Page/runtime.mjs', import.meta.url), 'utf8').split('\n').length <= 101, 'the runtime has more than 100 lines');
console.log('page: the runtime does what its plans say, and refuses what it cannot run');
