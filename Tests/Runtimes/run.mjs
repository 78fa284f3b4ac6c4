// Runs plans by a runtime in JavaScript: run.mjs RUNTIME BATCH SIZE, with the folders of the plans on the standard
// input; or says why a plan cannot be run: run.mjs RUNTIME --check PLAN.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [, , path, batch, size] = process.argv;
const { PlanRun, checked } = await import(pathToFileURL(path));

if (batch === '--check') {
  // Python writes NaN.
  const plan = JSON.parse(readFileSync(size, 'utf8').replace(/\bNaN\b/g, 'null'));
  try { checked(plan); } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
  process.exit(0);
}

for (const folder of readFileSync(0, 'utf8').split('\n')) {
  const plan = JSON.parse(readFileSync(`${folder}/float64/plan.json`, 'utf8'));
  const bytes = readFileSync(`${folder}/inputs.f64`);
  const numbers = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const n = batch * size, width = (plan.learnsVariance ? 2 : 1) * n, count = plan.steps.length;
  const run = new PlanRun(plan, numbers.slice(0, n), Number(size));
  const samples = [...run.sample];
  for (let i = 0; run.query; i++) {
    const output = numbers.slice(n + i * width, n + (i + 1) * width);
    const noise = numbers.slice(n + count * width + i * n, n + count * width + (i + 1) * n);
    run.advance(output, noise);
    samples.push(...run.sample);
  }
  writeFileSync(`${folder}/javascript.f64`, new Uint8Array(Float64Array.from(samples).buffer));
}
