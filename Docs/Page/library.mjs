// The Swift library itself, compiled to WebAssembly: Plans.swift says what its functions do.

/** Process and spacings by the numbers that Plans.swift knows them by. */
export const processes = [
  { id: 'sd', name: 'Stable Diffusion’s schedule', kind: 'vp' },
  { id: 'ddpm', name: 'DDPM’s linear schedule', kind: 'vp' },
  { id: 'cosine', name: 'cosine schedule', kind: 'vp' },
  { id: 'zero-snr', name: 'zero terminal SNR', kind: 'vp' },
  { id: 'flow', name: 'rectified flow', kind: 'flow' },
  { id: 'flow-3', name: 'rectified flow, shift 3', kind: 'flow' },
  { id: 'edm', name: 'EDM', kind: 'edm' },
];
export const spacings = [
  { id: 'trailing', name: 'trailing', vp: true },
  { id: 'leading', name: 'leading', vp: true },
  { id: 'linspace', name: 'linspace', vp: true },
  { id: 'sgm-uniform', name: 'SGM uniform', vp: true },
  { id: 'beta', name: 'beta', vp: true, flow: true },
  { id: 'karras', name: 'Karras', vp: true, flow: true, edm: true },
  { id: 'exponential', name: 'exponential', vp: true, flow: true, edm: true },
  { id: 'linear', name: 'linear in σ', vp: true, edm: true },
  { id: 'ays', name: 'Align Your Steps', vp: true },
];
export const equal = { id: 'trailing', name: 'equal steps', flow: true };
export const predictions = [
  { id: 'epsilon', name: 'ε, the noise' },
  { id: 'x0', name: 'x₀, the data' },
  { id: 'v', name: 'v' },
  { id: 'flow', name: 'flow, ε − x₀' },
  { id: 'edm', name: 'F of EDM' },
];

/** The number of an entry of these lists. */
export const find = (list, id) => list.findIndex(each => each.id === id);

export class Library {
  static async load(bytes) {
    const module = await WebAssembly.compile(bytes);
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      // Nothing of it matters to numbers: seeds of hash tables, and files that are never opened.
      (imports[from] ??= {})[name] = () => 0;
    }
    return new Library((await WebAssembly.instantiate(module, imports)).exports);
  }

  constructor(exports) {
    this.exports = exports;
    const [version, ...lines] = this.#text(exports.catalog()).trim().split('\n');
    this.version = version;
    this.samplers = lines.map((line, index) => {
      const [name, title, order, source, use, file, option, usual] = line.split('\t');
      return { index, name, title, order: +order, source, use, file: file.split('/')[1], option, usual: +usual };
    });
    this.cache = new Map();
  }

  #text(count) {
    return new TextDecoder().decode(new Uint8Array(this.exports.memory.buffer, this.exports.bytes(), count));
  }

  sampler(name) { return this.samplers.find(each => each.name === name); }

  /** Noise of GaussianNoise(seed:), the draw-th, two numbers for each sample. */
  noise(seed, draw, samples) {
    this.exports.noise(seed, draw, samples);
    return Float64Array.from(new Float32Array(this.exports.memory.buffer, this.exports.normals(), 2 * samples));
  }

  /** A plan in the format scheduler-plan/1; throws an Error with the library's reason if there is none. */
  plan({ sampler, process, spacing, calls, option, prediction, strength }) {
    const entry = this.sampler(sampler);
    const value = entry.option ? option ?? entry.usual : 0;
    const key = [sampler, process, spacing, calls, value, prediction, strength].join();
    if (this.cache.has(key)) return this.cache.get(key);
    const count = this.exports.plan(
      entry.index, find(processes, process), find(spacings, spacing), calls, value, find(predictions, prediction), strength);
    if (count <= 0) throw new Error(this.#text(-count));
    const numbers = listed(new Float64Array(this.exports.memory.buffer, this.exports.numbers(), count));
    const provenance = { sampler, process, spacing, calls, option: value, prediction, strength };
    const plan = { format: 'scheduler-plan/1', library: this.version, provenance, ...numbers };
    if (this.cache.size > 500) this.cache.clear();
    this.cache.set(key, plan);
    return plan;
  }
}

/** A plan of the numbers that Plans.swift lists. */
function listed(numbers) {
  let at = 0;
  const take = () => numbers[at++];
  const level = () => ({ signal: take(), noise: take() });
  const list = () => Array.from({ length: take() }, take);
  const start = level();
  const initialScale = take();
  const steps = Array.from({ length: take() }, () => {
    const timestep = take(), here = level(), inputScale = take(), arrival = level();
    const denoised = { sample: take(), output: take() }, estimate = { sample: take(), denoised: take() };
    const next = { made: take(), denoised: take(), output: take(), noise: take(), samples: list(), estimates: list() };
    const variance = take() === 1 ? { kind: 'fixed', logarithm: take() } : null;
    const hasSignal = here.signal > 0, newest = next.estimates[0] ?? 0;
    // What x' holds of x and F, where nothing is clipped.
    const folded = {
      sample: (next.samples[0] ?? 0) + next.made + newest * (estimate.sample + estimate.denoised * denoised.sample) + next.denoised * denoised.sample,
      output: newest * estimate.denoised * denoised.output + next.denoised * denoised.output + next.output,
    };
    return {
      timestep, nextTimestep: null, level: here, sigma: hasSignal ? here.noise / here.signal : null, inputScale, arrival, denoised,
      estimate, next, folded, explodingScale: hasSignal ? 1 / here.signal : null, variance,
    };
  });
  steps.slice(1).forEach(({ timestep }, i) => { steps[i].nextTimestep = timestep; });
  return { start, initialScale, clipping: { kind: 'none' }, learnsVariance: false, steps };
}
