// Opens the page in Chromium as a reader does, goes through every lesson, and writes down the runs for Swift to make again.
//
//     node Tests/Page/check.mjs Docs/Page/index.html RECORDS.json [FOLDER for pictures]

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checked } from '../../Docs/Page/runtime.mjs';
import { Browser } from './browser.mjs';

const [page, file, pictures] = process.argv.slice(2);
const url = pathToFileURL(resolve(page)).href;
let failures = 0;
function expect(isTrue, text) {
  if (isTrue) return;
  failures += 1;
  console.error(`page: ${text}`);
}
const same = (a, b, text) => expect(JSON.stringify(a) === JSON.stringify(b), `${text}: ${JSON.stringify(a)}, not ${JSON.stringify(b)}`);

/** In the page: what Swift needs to make a run again. */
const recorder = `(name, record) => {
  const s = record.settings, data = page.datasets.find(each => each.id === s.data), { steps, provenance } = record.plan;
  const answer = page.network({ ...s, error: 0 });
  return {
    name, settings: { ...s, ...page.numbers(s), option: provenance.option },
    components: Array.from(data.x, (x, k) => ({ mean: [x, data.y[k]], variance: data.variance[k], weight: data.weight[k], label: data.label[k] })),
    plan: steps.flatMap(({ level, arrival, denoised, estimate, next }) => [level.signal, level.noise, arrival.signal, arrival.noise, denoised.sample,
      denoised.output, estimate.sample, estimate.denoised, next.made, next.denoised, next.output, next.noise, ...next.samples, ...next.estimates]),
    start: [...record.samples[0]], outputs: record.outputs.map(each => [...each]), noises: record.noises.map(each => [...each]),
    errors: record.outputs.map((output, i) => { const plain = answer(record.samples[i], steps[i]); return [...output.map((v, j) => s.error ? v - plain[j] : 0)]; }),
    end: [...record.samples.at(-1)],
  };
}`;
/** The same for settings, with few samples; where the library refuses them, Swift must too. */
const attempt = `(settings, calls) => {
  const s = page.settled({ ...page.usual, ...settings, calls, seed: 3 }), name = [s.sampler, s.process, s.spacing].join(' ');
  let record;
  try { record = page.experiment(s, page.library, 5); } catch (error) {
    const option = page.library.sampler(s.sampler).usual;
    return { name, settings: { ...s, ...page.numbers(s), option }, components: [], plan: [], start: [], outputs: [], noises: [], errors: [], end: [], refusal: error.message };
  }
  return (${recorder})(name, record);
}`;

const browser = await Browser.open(url, { width: 1280, height: 960 });
await browser.until('window.page !== undefined');
same(await browser.value('page.state.lesson'), 0, 'the page opens with its first lesson');
const count = await browser.value('page.lessons.length');
same(count, 12, 'lessons');
const records = [];
for (let i = 0; i < count; i++) {
  await browser.value(`page.start(${i})`);
  const isPlaying = await browser.value('page.state.playing');
  same(isPlaying, await browser.value(`page.lessons[${i}].from === 1`), `lesson ${i + 1} plays`);
  if (isPlaying) await browser.until('page.state.place > 0', 5);
  for (const name of await browser.value('page.state.two') ? ['a', 'b'] : ['a']) {
    const refusal = await browser.value(`document.getElementById('refusal-${name}').textContent`);
    same(refusal, '', `lesson ${i + 1} ${name} is refused`);
    if (refusal) continue;
    const record = await browser.value(`(${recorder})('lesson ${i + 1} ${name}', page.records().${name})`);
    expect(record.end.every(Number.isFinite), `lesson ${i + 1} ${name} has an end that is not finite`);
    records.push(record);
  }
  await browser.until('document.body.dataset.measured !== undefined && document.querySelector("#plot-text").textContent !== "Working …"', 60);
  await browser.value('page.go(1)');
  if (pictures) {
    await browser.value('page.go(page.lessons[page.state.lesson].from === 1 ? 1 : 0.3)');
    writeFileSync(`${pictures}/lesson-${String(i + 1).padStart(2, '0')}.png`, await browser.picture());
  }
}

// Every sampler on every kind of process, and every spacing.
const values = id => browser.value(`[...document.getElementById('${id}').options].map(each => each.value)`);
const processes = await values('process');
const tries = (await values('sampler')).flatMap(sampler => ['sd', 'flow', 'edm'].map(process => ({ sampler, process })));
for (const process of processes) {
  for (const { id } of await browser.value(`page.spacingsOf('${process}')`)) tries.push({ sampler: 'dpm++3m', process, spacing: id });
}
for (const settings of tries) records.push(await browser.value(`(${attempt})(${JSON.stringify(settings)}, 13)`));
expect(tries.length > 140, `only ${tries.length} settings were tried`);

// What DDPM of lesson 2 draws follows no flow; DDIM of lesson 5 does, with the errors that it has.
await browser.value('page.start(4)');
await browser.until('document.querySelectorAll("#plot .curve").length === 2', 60);

// Keys.
await browser.value('page.go(0); document.activeElement.blur()');
const place = () => browser.value('page.state.place * 10');
await browser.key('ArrowRight');
await browser.key('ArrowRight');
same(Math.round(await place()), 2, 'two calls on by → → are at call');
await browser.key('ArrowLeft');
same(Math.round(await place()), 1, 'a call back by ← is at call');
await browser.key('End');
same(await place(), 10, 'End is at call');
await browser.key(' ', 'Space');
same(await browser.value('page.state.playing'), true, 'space plays');
await browser.key(' ', 'Space');
same(await browser.value('page.state.playing'), false, 'space pauses');
await browser.key('a');
same(await browser.value('page.state.show.arrows'), true, 'a shows arrows');
await browser.key('m');
expect(/^Sample 0: x = \(/.test(await browser.value('document.querySelector("#step-b .marked").textContent')), 'm does not follow the first sample');
await browser.value(`(({ left, top }) => document.getElementById('canvas-a').dispatchEvent(new MouseEvent('click', { clientX: left + 3, clientY: top + 3 })))(
  document.getElementById('canvas-a').getBoundingClientRect())`);
same(await browser.value('page.state.marked'), -1, 'a tap beside all samples follows');
await browser.key('n');
same(await browser.value('page.state.lesson'), 5, 'n goes to the next lesson');

// Controls, and the address.
await browser.value(`(() => {
  const change = (id, value, event = 'change') => { const e = document.getElementById(id); e.value = value; e.dispatchEvent(new Event(event)); };
  document.querySelector('input[name=edit][value=b]').click();
  change('process', 'edm'); change('sampler', 'heun-churn'); change('option', 12, 'input'); change('seed', 7); change('data', 'checkerboard');
  page.go(0.5);
})()`);
await browser.until('location.hash.includes("t=0.5")', 5);
const [address, settings] = await browser.value('[location.hash, JSON.stringify([page.state.a, page.state.b, page.state.show])]');
await browser.until('page.records().b.plan.provenance.option === 12', 5);
await browser.go(`about:blank`);
await browser.go(url + address);
await browser.until('window.page !== undefined');
same(await browser.value('JSON.stringify([page.state.a, page.state.b, page.state.show])'), settings, 'the address holds the settings');
same(await browser.value('page.state.place'), 0.5, 'the address holds the place');

await browser.go('about:blank');
await browser.go(`${url}#lesson=3&mark=3`);
await browser.until('window.page !== undefined');
same(await browser.value('[page.state.a.sampler, page.state.a.option, page.state.b.option, page.state.marked]'), ['ddim', 0, 1, 3], 'an address is what differs from its lesson');

// What the address says wrongly is passed over; what the library refuses is said.
await browser.go('about:blank');
await browser.go(`${url}#sampler=nothing&calls=-3&scale=1e9&data=%E0%A4%A&seed=x&t=9`);
await browser.until('window.page !== undefined');
same(await browser.value('[page.state.a.sampler, page.state.a.calls, page.state.a.data, page.state.a.seed]'), ['dpm++2m', 10, 'mixture', 0], 'a wrong address');
await browser.go('about:blank');
await browser.go(`${url}#process=zero-snr&prediction=epsilon&two=0`);
await browser.until('window.page !== undefined');
expect((await browser.value('document.getElementById("refusal-a").textContent')).startsWith(
  'There is no plan: epsilon prediction does not determine x0 at timestep 999'), 'no reason is given for epsilon at zero SNR');

// A plan is saved in the format that the runtimes read.
await browser.go('about:blank');
await browser.go(`${url}#lesson=2`);
await browser.until('window.page !== undefined');
const saved = JSON.parse(await browser.value(`(async () => {
  const link = document.querySelector('#words-a .plan');
  link.addEventListener('click', event => event.preventDefault(), { once: true });
  link.click();
  return (await fetch(link.href)).text();
})()`));
same([saved.format, saved.library, saved.steps.length, saved.steps[0].variance.kind], ['scheduler-plan/1', await browser.value('page.library.version'), 10, 'fixed'], 'the saved plan');
checked(saved);

// A coefficient says what it is.
await browser.go('about:blank');
await browser.go(`${url}#lesson=5&t=0.35`);
await browser.until('window.page !== undefined');
await browser.value('document.querySelectorAll("#step-a .number")[1].dispatchEvent(new Event("mouseenter"))');
expect(/^−?[\d.]+ of F in x̂₀: .*, equal to −noise \/ signal\.$/.test(await browser.value('document.querySelector("#step-a .meaning").textContent')),
  'hovering a coefficient does not say what it is');
same(browser.problems, [], 'errors in the page');
await browser.close();

for (const dark of [false, true]) {
  const small = await Browser.open(`${url}#lesson=5`, { width: 400, height: 800, scale: 2, touch: true, dark });
  await small.until('window.page !== undefined');
  same(await small.value('document.documentElement.scrollWidth'), 400, 'the width on a small screen');
  expect(await small.value('[...document.querySelectorAll("main *, header *, footer *")].every(e => !e.textContent.trim() || !e.checkVisibility() || parseFloat(getComputedStyle(e).fontSize) >= 11)'),
    'there is text below 11 pixels on a small screen');
  same(small.problems, [], 'errors on a small screen');
  if (pictures) writeFileSync(`${pictures}/small-${dark ? 'dark' : 'light'}.png`, await small.picture());
  await small.close();
}

const silent = await Browser.open(url, { script: false });
const { root } = await silent.send('DOM.getDocument', { depth: -1 });
const { outerHTML } = await silent.send('DOM.getOuterHTML', { nodeId: root.nodeId });
expect(/<noscript>\s*<p class="notice"><strong>JavaScript is off/.test(outerHTML) && /<main hidden/.test(outerHTML), 'the page without JavaScript does not say so');
await silent.close();

writeFileSync(file, JSON.stringify(records));
if (failures) process.exit(1);
console.log(`page: ${records.length} runs, ${records.filter(({ refusal }) => refusal).length} of them refused, in ${count} lessons and ${tries.length} other settings`);
