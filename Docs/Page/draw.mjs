// The pictures: samples over the density of their level, and where the calls of a run lie.

import { datasets, sketchRadius } from './data.mjs';

/** Half of the side of what is seen, in units of the data. */
export const view = 2.75;
const side = 96;

/** What samples are multiplied by to be drawn: those of an exploding process would leave the picture. */
export const drawnFactor = ({ signal, noise }) => 1 / Math.max(1, Math.hypot(signal, noise));

export class Panel {
  constructor(canvas, name) {
    this.canvas = canvas;
    this.name = name;
    this.context = canvas.getContext('2d');
    this.field = document.createElement('canvas');
    this.field.width = this.field.height = side;
    this.density = new Float64Array(side * side);
    this.paths = null;
  }

  /** Takes a run, and places every sample of it. */
  take(record) {
    this.record = record;
    this.paths = record?.samples.map((x, i) => {
      const factor = drawnFactor(record.levels[i]);
      return x.map(v => factor * v);
    });
  }

  /** The picture's place of a sample at a position, in steps. */
  at(position, out) {
    const i = Math.min(Math.floor(position), this.paths.length - 1);
    const f = position - i;
    const from = this.paths[i], to = this.paths[Math.min(i + 1, this.paths.length - 1)];
    for (let j = 0; j < from.length; j++) out[j] = from[j] + f * (to[j] - from[j]);
    return out;
  }

  draw(position, show, marked, colors) {
    const { canvas, context: c, record } = this;
    const scale = window.devicePixelRatio || 1, size = canvas.clientWidth;
    if (!size) return;
    if (canvas.width !== Math.round(size * scale)) canvas.width = canvas.height = Math.round(size * scale);
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.clearRect(0, 0, size, size);
    if (!record) return;
    const X = v => (v / view + 1) / 2 * size, Y = v => (1 - v / view) / 2 * size;
    const i = Math.min(Math.floor(position), record.plan.steps.length), f = position - i;
    if (show.density) this.#drawDensity(i, f, size, colors);
    const now = this.at(position, new Float64Array(this.paths[0].length));
    const color = colors[this.name];
    if (show.trails) {
      c.strokeStyle = color;
      c.globalAlpha = 0.26;
      c.lineWidth = 0.8;
      c.beginPath();
      // Noisy paths of all samples would hide everything.
      const every = record.isStochastic ? 8 : 1;
      for (let n = 0; n < now.length; n += 2 * every) this.#trail(n, i, now, X, Y);
      c.stroke();
    }
    if (record.settings.strength < 1) {
      // What the run started from, before noise came to it.
      c.globalAlpha = 0.6;
      c.strokeStyle = colors.ink;
      c.lineWidth = 1;
      c.setLineDash([3, 4]);
      c.beginPath();
      c.arc(X(0), Y(0), sketchRadius / view / 2 * size, 0, 7);
      c.stroke();
      c.setLineDash([]);
    }
    const x0 = record.denoised[Math.min(i, record.denoised.length - 1)];
    if (show.arrows && i < record.denoised.length) {
      c.strokeStyle = color;
      c.globalAlpha = 0.45;
      c.lineWidth = 0.9;
      c.beginPath();
      for (let n = 0; n < now.length; n += 2) arrow(c, X(now[n]), Y(now[n + 1]), X(x0[n]), Y(x0[n + 1]));
      c.stroke();
    }
    c.globalAlpha = 1;
    c.fillStyle = color;
    c.strokeStyle = colors.paper;
    c.lineWidth = 0.7;
    const radius = Math.max(1.9, size / 190);
    for (let n = 0; n < now.length; n += 2) {
      c.beginPath();
      c.arc(X(now[n]), Y(now[n + 1]), radius, 0, 7);
      c.fill();
      c.stroke();
    }
    if (marked >= 0) {
      const n = 2 * marked;
      c.strokeStyle = c.fillStyle = colors.ink;
      c.lineWidth = 1.6;
      c.beginPath();
      this.#trail(n, i, now, X, Y);
      c.stroke();
      if (i < record.denoised.length) {
        c.setLineDash([4, 3]);
        c.beginPath();
        arrow(c, X(now[n]), Y(now[n + 1]), X(x0[n]), Y(x0[n + 1]));
        c.stroke();
        c.setLineDash([]);
      }
      c.beginPath();
      c.arc(X(now[n]), Y(now[n + 1]), radius + 2.5, 0, 7);
      c.stroke();
    }
    let outside = 0;
    for (let n = 0; n < now.length; n += 2) outside += Math.max(Math.abs(now[n]), Math.abs(now[n + 1])) > view;
    if (outside > 9) {
      c.fillStyle = colors.ink;
      c.font = '12px system-ui, sans-serif';
      c.textAlign = 'right';
      c.fillText(`${outside} outside the picture`, size - 8, size - 9);
    }
  }

  #trail(n, i, now, X, Y) {
    const stride = Math.max(1, Math.ceil(i / 120));
    this.context.moveTo(X(this.paths[0][n]), Y(this.paths[0][n + 1]));
    for (let k = stride; k <= i; k += stride) this.context.lineTo(X(this.paths[k][n]), Y(this.paths[k][n + 1]));
    this.context.lineTo(X(now[n]), Y(now[n + 1]));
  }

  #drawDensity(i, f, size, colors) {
    const { record: { levels, settings } } = this;
    const [from, to] = [levels[i], levels[Math.min(i + 1, levels.length - 1)]].map(level => {
      const factor = drawnFactor(level);
      return { signal: factor * level.signal, noise: factor * level.noise };
    });
    const level = { signal: from.signal + f * (to.signal - from.signal), noise: from.noise + f * (to.noise - from.noise) };
    const data = datasets.find(each => each.id === settings.data);
    data.density(level, 1, view, side, this.density);
    const most = this.density.reduce((a, b) => Math.max(a, b), 0);
    const context = this.field.getContext('2d'), image = context.createImageData(side, side);
    for (let k = 0; k < side * side; k++) {
      const share = Math.sqrt(this.density[k] / most);
      for (let j = 0; j < 3; j++) image.data[4 * k + j] = colors.density[j];
      image.data[4 * k + 3] = 255 * colors.densityAlpha * share;
    }
    context.putImageData(image, 0, 0);
    this.context.imageSmoothingEnabled = true;
    this.context.imageSmoothingQuality = 'high';
    this.context.drawImage(this.field, 0, 0, size, size);
  }

  /** The sample nearest to a place of the canvas. */
  nearest(x, y, position) {
    const size = this.canvas.clientWidth, now = this.at(position, new Float64Array(this.paths[0].length));
    const px = (x / size * 2 - 1) * view, py = (1 - y / size * 2) * view;
    let best = -1, least = (24 / size * 2 * view) ** 2;
    for (let n = 0; n < now.length; n += 2) {
      const square = (now[n] - px) ** 2 + (now[n + 1] - py) ** 2;
      if (square < least) [best, least] = [n / 2, square];
    }
    return best;
  }
}

function arrow(c, x, y, tx, ty) {
  c.moveTo(x, y);
  c.lineTo(tx, ty);
  const length = Math.hypot(tx - x, ty - y);
  if (length < 9) return;
  const ux = (tx - x) / length, uy = (ty - y) / length, head = 4;
  c.moveTo(tx - head * (ux + 0.5 * uy), ty - head * (uy - 0.5 * ux));
  c.lineTo(tx, ty);
  c.lineTo(tx - head * (ux - 0.5 * uy), ty - head * (uy + 0.5 * ux));
}

const escape = text => String(text).replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

/** Where the calls of runs lie along ln σ, noise on the left: made once for runs, then moved. */
export class LevelStrip {
  constructor(element) { this.element = element; }

  /** Takes runs by name. */
  take(runs, width) {
    const row = 20, left = 22, right = 18, top = 6, foot = top + row * runs.length, height = foot + 20;
    const [low, high] = [Math.log(0.0005), Math.log(100)];
    const place = s => left + (high - Math.log(Math.min(Math.max(s, 0.0005), 100))) / (high - low) * (width - left - right);
    let text = '';
    for (const tick of [100, 10, 1, 0.1, 0.01, 0]) {
      text += `<line x1="${place(tick)}" x2="${place(tick)}" y1="${top}" y2="${foot}" class="grid"/>`
        + `<text x="${place(tick)}" y="${foot + 14}" text-anchor="middle">${tick}</text>`;
    }
    this.rows = runs.map(({ name, record }, j) => {
      const y = top + row * (j + 0.5);
      text += `<text x="4" y="${y + 4}" class="name ${name}">${name.toUpperCase()}</text><line x1="${left}" x2="${width - right}" y1="${y}" y2="${y}" class="axis"/>`;
      if (!record) return undefined;
      const places = [...record.plan.steps.map(({ level }) => place(level.noise / level.signal)), place(0)];
      const path = places.slice(0, -1).map(x => `M${x.toFixed(1)} ${y - 5}v10`).join('');
      text += `<clipPath id="past-${name}"><rect x="0" y="${y - 8}" width="0" height="16"/></clipPath><path d="${path}" class="call ${name}"/>`
        + `<path d="${path}" class="call done ${name}" clip-path="url(#past-${name})"/><circle cy="${y}" r="5" class="now ${name}"/>`;
      return { name, places };
    });
    this.element.innerHTML = `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Where the calls lie along sigma">${text}</svg>`;
  }

  /** Marks the call that is due in each run. */
  move(positions) {
    this.rows?.forEach((row, j) => {
      if (!row) return;
      const x = row.places[Math.min(Math.floor(positions[j] + 1e-9), row.places.length - 1)];
      this.element.querySelector(`circle.${row.name}`).setAttribute('cx', x);
      this.element.querySelector(`#past-${row.name} rect`).setAttribute('width', x + 1);
    });
  }
}

/** Errors against calls, both in log scale; dotted lines fall as a line's declared order says. */
export function errorPlot(curves, current, width) {
  const height = 250, left = 46, right = 14, top = 12, bottom = 40;
  const all = curves.flatMap(({ points }) => points.map(point => point.error)).filter(e => e > 0 && Number.isFinite(e));
  const low = Math.min(-2, Math.floor(Math.log10(Math.min(...all, 1)))), high = Math.max(0, Math.min(2, Math.ceil(Math.log10(Math.max(...all, 0.1)))));
  const X = calls => left + Math.log(calls / 3) / Math.log(70 / 3) * (width - left - right);
  const Y = error => top + (high - Math.log10(error)) / (high - low) * (height - top - bottom);
  let text = '';
  for (let k = low; k <= high; k++) {
    const label = `10${[...String(k)].map(c => c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]).join('')}`;
    text += `<line x1="${left}" x2="${width - right}" y1="${Y(10 ** k)}" y2="${Y(10 ** k)}" class="grid"/><text x="${left - 6}" y="${Y(10 ** k) + 4}" text-anchor="end">${k === 0 ? '1' : label}</text>`;
  }
  for (const calls of [4, 8, 16, 32, 64]) {
    text += `<line x1="${X(calls)}" x2="${X(calls)}" y1="${top}" y2="${height - bottom}" class="grid"/><text x="${X(calls)}" y="${height - bottom + 16}" text-anchor="middle">${calls}</text>`;
  }
  text += `<text x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">calls of the network</text>`;
  for (const { name, points, order } of curves) {
    const path = points.filter(point => point.error > 0 && Number.isFinite(point.error));
    if (!path.length) continue;
    if (order > 0) {
      // The slope of the order, above the line and through its value at about 16 calls.
      const middle = path.reduce((best, p) => Math.abs(Math.log(p.calls / 16)) < Math.abs(Math.log(best.calls / 16)) ? p : best);
      const along = calls => 2 * middle.error * (middle.calls / calls) ** order;
      text += `<line x1="${X(8)}" y1="${Y(along(8))}" x2="${X(48)}" y2="${Y(along(48))}" class="slope ${name}" clip-path="url(#frame)"/>`
        + `<text x="${X(48) + 4}" y="${Math.min(Y(along(48)) + 4, height - bottom - 4)}" class="${name}">N${'⁰¹²³⁴'[order].replace(/^/, '⁻')}</text>`;
    }
    text += `<polyline points="${path.map(p => `${X(p.calls).toFixed(1)},${Y(p.error).toFixed(1)}`).join(' ')}" class="curve ${name}" clip-path="url(#frame)"/>`;
    for (const p of path.filter(({ error }) => error <= 10 ** high)) text += `<circle cx="${X(p.calls).toFixed(1)}" cy="${Y(p.error).toFixed(1)}" r="2.6" class="dot ${name}"/>`;
    const now = current[name];
    if (now && now.error > 0 && now.error <= 10 ** high && now.calls >= 3 && now.calls <= 70) text += `<circle cx="${X(now.calls)}" cy="${Y(now.error)}" r="6" class="now ${name}"/>`;
  }
  const frame = `<clipPath id="frame"><rect x="${left}" y="${top}" width="${width - left - right}" height="${height - top - bottom}"/></clipPath>`;
  const what = curves.map(({ name, points }) => `${name.toUpperCase()}: ${points.map(p => `${p.calls} calls ${p.error.toExponential(1)}`).join(', ')}`).join('; ');
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(`Error against calls. ${what}`)}">${frame}${text}</svg>`;
}
