// The page: controls, playing, and what is said beside the pictures.

import { find, Library, predictions, processes, spacings } from './library.mjs';
import { datasets } from './data.mjs';
import { distance, exactFlow, experiment, network, sampleCount, settled, spacingsOf, usual } from './experiment.mjs';
import { lines, paper, shown } from './words.mjs';
import { lessons } from './lessons.mjs';
import { errorPlot, LevelStrip, Panel } from './draw.mjs';

const $ = id => document.getElementById(id);
const escape = text => String(text).replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const names = ['a', 'b'];
const callCounts = [...Array.from({ length: 64 }, (_, i) => i + 1), 80, 100, 128, 160, 200, 250, 320, 400, 500, 640, 800, 1000];
const plotCounts = [4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64];
const plotSamples = 64;
/** What both runs share: the data and the noise. */
const shared = ['data', 'seed'];
/** Of no use with data of which the network knows everything, or not from noise to data. */
const leftOut = ['ddim-inversion', 'dpm++2m-inversion', 'repaint', 'lcm', 'tcd', 'consistency'];
const firstChoice = ['ddim', 'ddpm', 'euler', 'euler-ancestral', 'heun', 'dpm++2m', 'dpm++2m-sde', 'unipc'];

const state = {
  lesson: 0, place: 0, playing: false, two: true, edit: 'both', marked: -1,
  show: { density: true, trails: true, arrows: false }, a: { ...usual }, b: { ...usual },
};
let library, sources, panels, strip, records = {}, refusals = {}, playedAt;
const visible = () => state.two ? names : ['a'];

// Settings in the address.

const kinds = { calls: Number, guide: Number, scale: Number, rescale: Number, error: Number, strength: Number, seed: Number, option: Number };

/** The lesson, and what differs from it. */
function address() {
  const parts = [`lesson=${state.lesson + 1}`];
  const taught = taughtBy(state.lesson);
  for (const name of names) {
    for (const key of Object.keys(usual)) {
      if (name === 'b' && shared.includes(key)) continue;
      if (state[name][key] !== taught[name][key]) parts.push(`${name === 'b' ? 'b.' : ''}${key}=${encodeURIComponent(state[name][key] ?? '')}`);
    }
  }
  parts.push(`two=${+state.two}`, `show=${Object.keys(state.show).filter(key => state.show[key]).join('+')}`, `t=${+state.place.toFixed(3)}`);
  if (state.marked >= 0) parts.push(`mark=${state.marked}`);
  return `#${parts.join('&')}`;
}

/** What the address says; what it says wrongly is passed over. Without a lesson, B is as A unless it is said. */
function readAddress() {
  const given = new Map(location.hash.slice(1).split('&').filter(Boolean).map(part => {
    const [key, value = ''] = part.split('=');
    try { return [key, decodeURIComponent(value)]; } catch { return [key, '']; }
  }));
  if (!given.size) return false;
  const whole = (key, most) => { const n = Number(given.get(key)); return Number.isInteger(n) && n >= 0 && n <= most ? n : undefined; };
  const lesson = whole('lesson', lessons.length);
  if (lesson) teach(lesson - 1);
  const read = (target, prefix) => {
    for (const key of Object.keys(usual)) {
      if (!given.has(prefix + key)) continue;
      const text = given.get(prefix + key), value = text === '' ? null : kinds[key] ? Number(text) : text;
      if (isAllowed(key, value)) target[key] = value;
    }
    return target;
  };
  state.a = read(lesson ? state.a : { ...usual }, '');
  state.b = read(lesson ? state.b : { ...state.a }, 'b.');
  for (const key of shared) state.b[key] = state.a[key];
  for (const name of names) if (state[name].guide >= classesOf(state[name].data).length) state[name].guide = -1;
  if (given.has('two')) state.two = given.get('two') !== '0';
  if (given.has('show')) for (const key of Object.keys(state.show)) state.show[key] = given.get('show').split('+').includes(key);
  const place = Number(given.get('t'));
  state.place = place >= 0 && place <= 1 ? place : 0;
  state.marked = whole('mark', sampleCount - 1) ?? -1;
  state.playing = false;
  return true;
}

function isAllowed(key, value) {
  const within = (low, high) => typeof value === 'number' && value >= low && value <= high;
  switch (key) {
    case 'data': return datasets.some(each => each.id === value);
    case 'sampler': return library.samplers.some(each => each.name === value && !leftOut.includes(value));
    case 'calls': return Number.isInteger(value) && within(1, 1000);
    case 'process': return processes.some(each => each.id === value);
    case 'spacing': return value === null || processes.some(({ id }) => spacingsOf(id).some(each => each.id === value));
    case 'prediction': return value === null || predictions.some(each => each.id === value);
    case 'option': return value === null || within(0, 100);
    case 'guide': return Number.isInteger(value) && within(-1, 7);
    case 'scale': return within(0, 10);
    case 'rescale': return within(0, 1);
    case 'strength': return within(0.05, 1);
    case 'error': return within(0, 0.5);
    case 'seed': return Number.isInteger(value) && within(0, 4294967295);
  }
}

let addressTimer;
function writeAddress() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => {
    try { history.replaceState(null, '', address()); } catch { /* A page in a frame may not. */ }
  }, 250);
}

// Runs.

function compute() {
  for (const name of names) {
    records[name] = undefined;
    refusals[name] = undefined;
    try { records[name] = experiment(state[name], library); } catch (error) { refusals[name] = error.message; }
    panels[name].take(records[name]);
  }
  fillControls();
  say();
  layLevels();
  draw();
  measure();
}

function layLevels() {
  const width = Math.max(280, Math.min(900, $('levels').clientWidth || 600));
  strip.take(visible().map(name => ({ name, record: records[name] })), width);
}

const position = name => state.place * (records[name]?.plan.steps.length ?? 0);

function caption(name) {
  const s = settled(state[name]), entry = library.sampler(s.sampler);
  const parts = [`<b>${escape(entry.title)}</b>`, `${records[name]?.plan.steps.length ?? s.calls} calls`, escape(processes.find(each => each.id === s.process).name)];
  if (s.spacing !== spacingsOf(s.process)[0].id) parts.push(spacingsOf(s.process).find(each => each.id === s.spacing).name);
  if (entry.option && s.option !== null && s.option !== entry.usual) parts.push(`${entry.option} ${shown(s.option ?? entry.usual, 3)}`);
  if (state[name].prediction !== null) parts.push(`predicts ${s.prediction === 'epsilon' ? 'ε' : s.prediction}`);
  if (s.guide >= 0) parts.push(`guided ×${s.scale}${s.rescale ? `, rescale ${s.rescale}` : ''}`);
  if (s.strength < 1) parts.push(`strength ${s.strength}`);
  if (s.error) parts.push(`network off by ${s.error}`);
  return parts.join(', ');
}

/** What can be said of the ends of the runs, and the plot; the exact flow takes a while. */
let measuring = 0;
const flows = new Map(), errors = new Map();

async function measure() {
  const mine = ++measuring;
  const pause = () => new Promise(resolve => setTimeout(resolve));
  const curves = [];
  const current = {};
  $('plot-text').textContent = 'Working …';
  for (const name of visible()) {
    const record = records[name];
    $(`measure-${name}`).textContent = '';
    if (!record) continue;
    const s = record.settings, data = datasets.find(each => each.id === s.data);
    const ends = record.samples.at(-1);
    const goal = s.guide >= 0 ? data.only(s.guide) : data;
    const likely = `−ln p of the ends ${shown(goal.surprise(ends), 3)} (of data ${shown(goal.surprise(goal.drawn(library.noise(1, 7, 1000))), 3)})`;
    $(`measure-${name}`).textContent = likely;
    if (record.isStochastic || (s.guide >= 0 && s.rescale)) continue;
    const key = JSON.stringify([s.data, s.process, s.spacing, s.strength, s.seed, s.guide, s.scale]);
    if (!flows.has(key)) {
      await pause();
      const flow = exactFlow(state[name], library, plotSamples);
      let next;
      while (!(next = flow.next()).done) { await pause(); if (mine !== measuring) return; }
      flows.set(key, next.value);
    }
    const exact = flows.get(key);
    const entry = library.sampler(s.sampler);
    // An error of the network does not fall with the steps.
    const curve = { name, order: s.error ? 0 : entry.order, points: [] };
    curves.push(curve);
    const few = ends.slice(0, 2 * plotSamples);
    current[name] = { calls: record.plan.steps.length, error: distance(few, exact) };
    $(`measure-${name}`).textContent = `error ${shown(current[name].error, 3)} · ${likely}`;
    for (const calls of plotCounts) {
      const key = JSON.stringify({ ...s, calls });
      if (!errors.has(key)) {
        await pause();
        if (mine !== measuring) return;
        try {
          const run = experiment({ ...state[name], calls }, library, plotSamples);
          errors.set(key, { calls: run.plan.steps.length, error: distance(run.samples.at(-1), exact) });
        } catch { errors.set(key, undefined); }
      }
      const point = errors.get(key);
      if (point && curve.points.at(-1)?.calls !== point.calls) curve.points.push(point);
    }
  }
  if (mine !== measuring) return;
  plotted = { curves, current };
  plot();
  const silent = visible().filter(name => records[name] && !curves.some(curve => curve.name === name)).map(name => name.toUpperCase());
  $('plot-text').textContent = `Root mean square distance of ${plotSamples} samples from where the probability-flow ODE leads from the same `
    + 'start. Dotted: the slope of each sampler’s declared order. A ring marks the run above.'
    + (silent.length ? ` ${silent.join(' and ')}: fresh noise, or rescaled guidance, follows no such flow.` : '');
  document.body.dataset.measured = address();
}

let plotted;
function plot() {
  if (plotted) $('plot').innerHTML = errorPlot(plotted.curves, plotted.current, Math.max(300, Math.min(608, $('plot').clientWidth)));
}

// Pictures.

let colors;
function readColors() {
  const style = getComputedStyle(document.documentElement);
  const value = name => style.getPropertyValue(`--${name}`).trim();
  colors = {
    a: value('a'), b: value('b'), ink: value('ink'), paper: value('card'),
    density: value('density').split(' ').map(Number), densityAlpha: Number(value('density-alpha')),
  };
}

/** Within a step of a short run, slow at its ends: one sees the calls. */
function eased(position, steps) {
  const i = Math.floor(position), f = position - i;
  return steps > 24 ? position : i + f * f * (3 - 2 * f);
}

function draw() {
  for (const name of visible()) {
    const steps = records[name]?.plan.steps.length ?? 0;
    panels[name].draw(eased(position(name), steps), state.show, state.marked, colors);
  }
  strip.move(visible().map(position));
  $('scrub').value = Math.round(1000 * state.place);
  const steps = records.a?.plan.steps.length ?? records.b?.plan.steps.length ?? 0;
  $('where').textContent = steps ? `after ${Math.min(Math.floor(state.place * steps + 1e-9), steps)} of ${steps}` : '';
  $('play').classList.toggle('on', state.playing);
  $('play').setAttribute('aria-label', state.playing ? 'Pause' : 'Play');
}

function frame(time) {
  if (!state.playing) return;
  const steps = Math.max(...visible().map(name => records[name]?.plan.steps.length ?? 1));
  const seconds = Math.min(8, 2.6 + 0.22 * Math.min(steps, 24));
  state.place = Math.min(1, state.place + Math.min(time - (playedAt ?? time), 100) / 1000 / seconds);
  playedAt = time;
  if (state.place >= 1) pause();
  draw();
  sayIfMoved();
  if (state.playing) requestAnimationFrame(frame);
}

function play() {
  if (state.place >= 1) state.place = 0;
  state.playing = true;
  playedAt = undefined;
  requestAnimationFrame(frame);
}

function pause() {
  state.playing = false;
  writeAddress();
}

function go(place) {
  state.place = Math.min(1, Math.max(0, place));
  pause();
  draw();
  sayIfMoved();
}

/** By whole calls of the run that has most of them. */
function move(by) {
  const steps = Math.max(...visible().map(name => records[name]?.plan.steps.length ?? 1));
  go(Math.round(by + (by > 0 ? Math.floor : Math.ceil)(state.place * steps + (by > 0 ? 1e-6 : -1e-6))) / steps);
}

// Words.

let saidStep = {};
const chosen = { a: 2, b: 2 };

function sayIfMoved() {
  for (const name of visible()) {
    if (records[name] && saidStep[name] !== currentStep(name)) sayStep(name);
  }
}

const currentStep = name => Math.min(Math.floor(position(name) + 1e-9), records[name].plan.steps.length - 1);

function say() {
  const lesson = lessons[state.lesson];
  $('lessons').value = state.lesson;
  $('lesson-text').textContent = lesson.text;
  for (const name of names) {
    $(`caption-${name}`).innerHTML = caption(name);
    $(`refusal-${name}`).hidden = !refusals[name];
    $(`refusal-${name}`).textContent = refusals[name] ? `There is no plan: ${refusals[name]}` : '';
    $(`canvas-${name}`).setAttribute('aria-label', `Samples of run ${name.toUpperCase()}: ${$(`caption-${name}`).textContent}`);
    const article = $(`words-${name}`);
    if (!records[name]) { article.innerHTML = `<h3>${name.toUpperCase()} has no plan</h3><p>${escape(refusals[name])}</p>`; continue; }
    const entry = library.sampler(state[name].sampler), text = sources[entry.file], { summary, formulas, source } = paper(text, entry.file);
    // As Markdown has links: [name](address) and <address>.
    const linked = escape(source.replaceAll('`', '')).replace(/\[([^\]]*)\]\((https?:[^)]*)\)/g, '<a href="$2">$1</a>')
      .replace(/&lt;(https?:.*?)&gt;/g, (_, url) => `<a href="${url}">${url.replace('https://', '')}</a>`);
    article.innerHTML = `<h3><span class="badge">${name.toUpperCase()}</span> ${escape(entry.title)}</h3><div id="step-${name}"></div>`
      + `<p class="paper"><b>The paper’s equation.</b> ${escape(summary.replaceAll('`', ''))}</p>${formulas.length ? `<pre class="equation">${escape(formulas.join('\n'))}</pre>` : ''}<p class="paper">${linked}</p>`
      + `<details><summary>The Swift file that makes these numbers, ${escape(entry.file)}</summary>`
      + `<p><a href="../../Sources/Schedulers/Samplers/${encodeURIComponent(entry.file)}">Sources/Schedulers/Samplers/${escape(entry.file)}</a></p><pre>${escape(text)}</pre></details>`
      + `<p class="paper"><a class="plan" download="plan-${name}.json" href="#">Save all ${records[name].plan.steps.length} steps as JSON</a>, in the format scheduler-plan/1 that runtimes in other languages read.</p>`;
    // Made when it is asked for: a plan of a thousand steps has a megabyte.
    article.querySelector('.plan').addEventListener('click', event => {
      event.target.href = URL.createObjectURL(new Blob([JSON.stringify(records[name].plan, null, 1)], { type: 'application/json' }));
      setTimeout(href => { URL.revokeObjectURL(href); event.target.href = '#'; }, 1000, event.target.href);
    });
    sayStep(name);
  }
}

function sayStep(name) {
  const i = saidStep[name] = currentStep(name), { plan } = records[name], step = plan.steps[i];
  const terms = [];
  const text = lines(step).map(line => {
    const parts = line.terms.map(term => {
      terms.push({ line: line.name, ...term });
      const first = term === line.terms[0], sign = term.value < 0 ? '−' : first ? '' : '+';
      return `<span class="term">${sign}${first ? '' : ' '}<button type="button" class="number" data-term="${terms.length - 1}">${shown(Math.abs(term.value))}</button> · ${term.symbol}</span>`;
    });
    return `<p class="algebra">${line.name} = ${parts.join(' ') || '0'}</p>`;
  });
  const box = $(`step-${name}`);
  const { level, arrival } = step;
  const at = `Call ${i + 1} of ${plan.steps.length}, timestep ${shown(step.timestep)}, σ = ${shown(step.sigma)}: signal ${shown(level.signal)}, noise ${shown(level.noise)} → ${shown(arrival.signal)}, ${shown(arrival.noise)}`;
  box.innerHTML = `<p class="at">${at}</p>${text.join('')}<p class="meaning" aria-live="polite"></p>${markedText(name, i)}`;
  const meaning = box.querySelector('.meaning');
  const explain = k => {
    chosen[name] = k;
    const term = terms[k];
    if (!term) { meaning.textContent = ''; return; }
    box.querySelectorAll('.number').forEach((button, j) => button.classList.toggle('chosen', j === k));
    const equal = term.formula ? `, equal to ${term.formula}` : '';
    meaning.textContent = `${shown(term.value, 8)} of ${term.symbol} in ${term.line}: ${term.meaning}${equal}.`;
  };
  box.querySelectorAll('.number').forEach((button, k) => {
    for (const event of ['mouseenter', 'focus', 'click']) button.addEventListener(event, () => explain(k));
  });
  explain(Math.min(chosen[name], terms.length - 1));
}

function markedText(name, i) {
  if (state.marked < 0) return '';
  const { samples, denoised } = records[name], n = 2 * state.marked;
  const pair = values => `(${(+values[n].toFixed(4))}, ${(+values[n + 1].toFixed(4))})`.replaceAll('-', '−');
  return `<p class="marked">Sample ${state.marked}: x = ${pair(samples[i])}, x̂₀ = ${pair(denoised[i])}, x′ = ${pair(samples[i + 1])}</p>`;
}

// Controls.

const options = list => list.map(({ id, name }) => `<option value="${escape(id)}">${escape(name)}</option>`).join('');
const classesOf = data => datasets.find(each => each.id === data).classes;
const edited = () => state.edit === 'both' ? names : [state.edit];

function fillControls() {
  const name = state.edit === 'b' ? 'b' : 'a', s = settled(state[name]), entry = library.sampler(s.sampler);
  $('data').value = s.data;
  $('seed').value = s.seed;
  document.querySelector(`input[name="edit"][value="${state.edit}"]`).checked = true;
  $('two').checked = state.two;
  document.querySelector('.panels').classList.toggle('single', !state.two);
  $('words').classList.toggle('single', !state.two);
  $('sampler').value = s.sampler;
  $('calls').value = callCounts.findLastIndex(count => count <= s.calls);
  $('calls-shown').textContent = s.calls;
  const value = s.option ?? entry.usual;
  $('option-row').hidden = !entry.option;
  $('option-name').textContent = entry.option === 'churn' ? 'Churn, S_churn' : 'Fresh noise, eta';
  $('option').max = entry.option === 'churn' ? 100 : 1;
  $('option').value = value;
  $('option-shown').textContent = shown(value, 3);
  $('process').value = s.process;
  $('spacing').innerHTML = options(spacingsOf(s.process));
  $('spacing').value = s.spacing;
  $('prediction').innerHTML = options(predictions.filter(({ id }) => id !== 'edm' || s.process === 'edm'));
  $('prediction').value = s.prediction;
  $('guide').innerHTML = options([{ id: -1, name: 'nothing' }, ...classesOf(s.data).map((name, id) => ({ id, name }))]);
  $('guide').value = s.guide;
  for (const key of ['scale', 'rescale', 'strength', 'error']) {
    $(key).value = s[key];
    $(`${key}-shown`).textContent = shown(s[key], 3);
  }
  for (const key of ['scale', 'rescale']) $(key).disabled = s.guide < 0;
  for (const key of Object.keys(state.show)) $(key).checked = state.show[key];
  const other = settled(state.b);
  for (const key of Object.keys(usual)) {
    $(key).closest('label').classList.toggle('differs', state.two && state.edit === 'both' && other[key] !== s[key]);
  }
}

function set(key, value) {
  for (const name of shared.includes(key) ? names : edited()) {
    const s = state[name];
    s[key] = value;
    if (key === 'process') s.spacing = s.prediction = null;
    if (key === 'sampler') s.option = null;
    if (key === 'data') s.guide = -1;
  }
  fillControls();
  computeSoon();
  writeAddress();
}

/** Once a frame, however fast a slider moves. */
function computeSoon() {
  soon ??= requestAnimationFrame(() => { soon = undefined; compute(); });
}
let soon;

/** Follows a sample, or none. */
function mark(index) {
  state.marked = index;
  visible().filter(name => records[name]).forEach(sayStep);
  draw();
  writeAddress();
}

/** The settings of a lesson. */
function taughtBy(index) {
  const { both, a, b = a } = lessons[index];
  return { a: { ...usual, ...both, ...a }, b: { ...usual, ...both, ...b } };
}

/** Sets the controls as a lesson has them. */
function teach(index) {
  const lesson = lessons[index];
  state.lesson = index;
  Object.assign(state, taughtBy(index));
  state.two = Boolean(lesson.b);
  state.show = { density: true, trails: false, arrows: false, ...lesson.show };
  state.edit = 'both';
  state.marked = -1;
  state.place = 0;
  $('more').open = [state.a, state.b].some(s => s.guide >= 0 || s.strength < 1 || s.error > 0);
}

function start(index) {
  teach(index);
  compute();
  writeAddress();
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (lessons[index].from === 1) { if (isStill) go(1); else play(); } else pause(), draw();
}

function listen() {
  const on = (id, event, action) => $(id).addEventListener(event, action);
  const number = id => Number($(id).value);
  for (const id of ['data', 'sampler', 'process', 'spacing', 'prediction']) on(id, 'change', () => set(id, $(id).value));
  on('guide', 'change', () => set('guide', number('guide')));
  on('seed', 'change', () => set('seed', Math.max(0, Math.min(999999, Math.floor(number('seed')) || 0))));
  on('calls', 'input', () => set('calls', callCounts[number('calls')]));
  for (const id of ['option', 'scale', 'rescale', 'strength', 'error']) on(id, 'input', () => set(id, +number(id).toFixed(id === 'option' ? 2 : 3)));
  for (const key of Object.keys(state.show)) on(key, 'change', () => { state.show[key] = $(key).checked; draw(); writeAddress(); });
  on('two', 'change', () => { state.two = $('two').checked; if (!state.two) state.edit = 'both'; compute(); writeAddress(); });
  document.querySelectorAll('input[name="edit"]').forEach(input => input.addEventListener('change', () => {
    state.edit = input.value;
    if (state.edit === 'b') state.two = true;
    fillControls();
    draw();
  }));
  on('lessons', 'change', () => start(number('lessons')));
  on('previous', 'click', () => start((state.lesson + lessons.length - 1) % lessons.length));
  on('following', 'click', () => start((state.lesson + 1) % lessons.length));
  on('again', 'click', () => start(state.lesson));
  on('play', 'click', () => { if (state.playing) { pause(); draw(); } else play(); });
  on('step', 'click', () => move(1));
  on('back', 'click', () => move(-1));
  on('start', 'click', () => go(0));
  on('scrub', 'input', () => go(number('scrub') / 1000));
  for (const name of names) {
    on(`canvas-${name}`, 'click', event => {
      if (!records[name]) return;
      const box = event.target.getBoundingClientRect();
      const found = panels[name].nearest(event.clientX - box.left, event.clientY - box.top, eased(position(name), records[name].plan.steps.length));
      mark(found === state.marked ? -1 : found);
    });
  }
  addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.target.tagName === 'INPUT' && !['checkbox', 'radio'].includes(event.target.type) && !/^[a-z]$/.test(event.key)) return;
    const isButton = event.target.tagName === 'BUTTON' || event.target.tagName === 'SUMMARY' || event.target.tagName === 'INPUT';
    const keys = {
      ' ': () => isButton || $('play').click(), ArrowRight: () => move(1), ArrowLeft: () => move(-1), Home: () => go(0), End: () => go(1),
      m: () => mark((state.marked + 1) % sampleCount), Escape: () => mark(-1), n: () => $('following').click(), p: () => $('previous').click(), d: () => $('density').click(), t: () => $('trails').click(), a: () => $('arrows').click(),
    };
    if (event.target.type === 'radio' && event.key.startsWith('Arrow')) return;
    if (keys[event.key] && !(event.key === ' ' && isButton)) { event.preventDefault(); keys[event.key](); }
  });
  addEventListener('hashchange', () => { if (location.hash !== address() && readAddress()) compute(); });
  addEventListener('resize', () => { layLevels(); draw(); plot(); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { readColors(); draw(); });
}

async function open() {
  const bytes = Uint8Array.from(atob($('library').textContent), c => c.charCodeAt(0));
  library = await Library.load(bytes);
  sources = JSON.parse($('sources').textContent);
  const listed = library.samplers.filter(({ name }) => !leftOut.includes(name));
  const group = (label, list) => `<optgroup label="${label}">${options(list.map(({ name, title }) => ({ id: name, name: title })))}</optgroup>`;
  $('sampler').innerHTML = group('First choice', firstChoice.map(name => library.sampler(name)))
    + group('All others', listed.filter(({ name }) => !firstChoice.includes(name)));
  $('data').innerHTML = options(datasets);
  $('process').innerHTML = options(processes);
  $('calls').max = callCounts.length - 1;
  $('calls').min = 0;
  $('lessons').innerHTML = lessons.map(({ title }, i) => `<option value="${i}">${i + 1}. ${escape(title)}</option>`).join('');
  panels = { a: new Panel($('canvas-a'), 'a'), b: new Panel($('canvas-b'), 'b') };
  strip = new LevelStrip($('levels'));
  readColors();
  listen();
  document.querySelector('main').hidden = false;
  if (readAddress()) compute();
  else start(0);
  // For tests, and for whoever wants to look.
  const numbers = s => ({ process: find(processes, s.process), spacing: find(spacings, s.spacing), prediction: find(predictions, s.prediction) });
  window.page = { state, lessons, start, go, library, experiment, network, numbers, settled, spacingsOf, usual, datasets, records: () => records };
}

open().catch(error => {
  $('failure').hidden = false;
  $('failure').textContent = `This page could not start: ${error.message}. It needs a browser of 2023 or newer with WebAssembly.`;
  throw error;
});
