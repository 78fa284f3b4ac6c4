// Data in two dimensions whose best denoiser is known: mixtures of round Gaussians.

/** w_k·N(μ_k, d_k²·I), each component in a class that guidance can ask for. */
class Mixture {
  constructor(id, name, classes, parts) {
    const total = parts.reduce((sum, part) => sum + part.weight, 0);
    Object.assign(this, { id, name, classes, count: parts.length });
    this.x = Float64Array.from(parts, part => part.mean[0]);
    this.y = Float64Array.from(parts, part => part.mean[1]);
    this.variance = Float64Array.from(parts, part => part.deviation ** 2);
    this.weight = Float64Array.from(parts, part => part.weight / total);
    this.label = Int32Array.from(parts, part => part.label);
  }

  /** The same mixture without what is of another class. */
  only(label) {
    const parts = [];
    for (let k = 0; k < this.count; k++) {
      if (this.label[k] === label) {
        parts.push({ mean: [this.x[k], this.y[k]], deviation: Math.sqrt(this.variance[k]), weight: this.weight[k], label });
      }
    }
    return new Mixture(this.id, this.name, this.classes, parts);
  }

  /** E[x0 | x] of samples (x, y, x, y, ...) at a level with noise, and the classes they most likely end in.

      D(x) = Σ r_k·(μ_k + signal·d_k²/v_k·(x − signal·μ_k)),  v_k = signal²·d_k² + noise²,
      r_k ∝ w_k/v_k·exp(−|x − signal·μ_k|²/(2·v_k)): ExactDenoisers' GaussianMixture. */
  denoised(samples, { signal, noise }) {
    const { count, x: mx, y: my, variance } = this;
    const result = new Float64Array(samples.length);
    const [scale, half, offset, exponent] = [0, 0, 0, 0].map(() => new Float64Array(count));
    for (let k = 0; k < count; k++) {
      const v = signal * signal * variance[k] + noise * noise;
      scale[k] = signal * variance[k] / v;
      half[k] = 0.5 / v;
      offset[k] = Math.log(this.weight[k] / v);
    }
    for (let i = 0; i < samples.length; i += 2) {
      const px = samples[i], py = samples[i + 1];
      let most = -Infinity;
      for (let k = 0; k < count; k++) {
        const dx = px - signal * mx[k], dy = py - signal * my[k];
        const e = offset[k] - (dx * dx + dy * dy) * half[k];
        exponent[k] = e;
        if (e > most) most = e;
      }
      let sum = 0, sx = 0, sy = 0;
      for (let k = 0; k < count; k++) {
        const d = exponent[k] - most;
        if (d < -46) continue; // below 1e-20 of the largest
        const r = Math.exp(d);
        sum += r;
        sx += r * (mx[k] + scale[k] * (px - signal * mx[k]));
        sy += r * (my[k] + scale[k] * (py - signal * my[k]));
      }
      result[i] = sx / sum;
      result[i + 1] = sy / sum;
    }
    return result;
  }

  /** The density of samples at a level, times a factor, on side×side places of a square of half-width `half`. */
  density({ signal, noise }, factor, half, side, out) {
    out.fill(0);
    const ex = new Float64Array(side), ey = new Float64Array(side);
    for (let k = 0; k < this.count; k++) {
      const v = factor * factor * (signal * signal * this.variance[k] + noise * noise) + (half / side) ** 2 / 3;
      const cx = factor * signal * this.x[k], cy = factor * signal * this.y[k], w = this.weight[k] / v;
      let first = side, last = -1;
      for (let i = 0; i < side; i++) {
        const place = ((i + 0.5) / side * 2 - 1) * half;
        ex[i] = Math.exp(-((place - cx) ** 2) / (2 * v));
        ey[i] = w * Math.exp(-((place + cy) ** 2) / (2 * v));
        if (ex[i] > 1e-6) { first = Math.min(first, i); last = i; }
      }
      for (let j = 0; j < side; j++) {
        if (ey[j] < w * 1e-6) continue;
        const row = j * side;
        for (let i = first; i <= last; i++) out[row + i] += ey[j] * ex[i];
      }
    }
    return out;
  }

  /** −ln p(x0) on average, in nats. */
  surprise(samples) {
    let total = 0;
    for (let i = 0; i < samples.length; i += 2) {
      let p = 0;
      for (let k = 0; k < this.count; k++) {
        const v = this.variance[k], dx = samples[i] - this.x[k], dy = samples[i + 1] - this.y[k];
        p += this.weight[k] / (2 * Math.PI * v) * Math.exp(-(dx * dx + dy * dy) / (2 * v));
      }
      total -= Math.log(Math.max(p, 1e-300));
    }
    return total / (samples.length / 2);
  }

  /** As many data as `normals` has pairs: the n-th is of the component at share (n + ½)/N of the weights. */
  drawn(normals) {
    const total = normals.length / 2, result = new Float64Array(normals.length);
    for (let n = 0; n < total; n++) {
      let k = 0, share = (((n * 0.6180339887498949) % 1) + 0.5 / total) % 1;
      while (k < this.count - 1 && share >= this.weight[k]) share -= this.weight[k++];
      const d = Math.sqrt(this.variance[k]);
      result[2 * n] = this.x[k] + d * normals[2 * n];
      result[2 * n + 1] = this.y[k] + d * normals[2 * n + 1];
    }
    return result;
  }
}

function gaussians() {
  const weights = [3, 2, 2, 1, 2];
  return weights.map((weight, label) => {
    const angle = (label * 2 / 5 + 0.5) * Math.PI;
    return { mean: [1.25 * Math.cos(angle), 1.25 * Math.sin(angle)], deviation: 0.14 + 0.03 * label, weight, label };
  });
}

function spiral() {
  const parts = [];
  for (let label = 0; label < 2; label++) {
    for (let i = 0; i < 60; i++) {
      // Equal steps of length along the arm, whose radius grows with its angle.
      const angle = 3.2 * Math.PI * Math.sqrt(0.03 + 0.97 * i / 59);
      const radius = 1.75 * angle / (3.2 * Math.PI), turn = angle + label * Math.PI;
      parts.push({ mean: [radius * Math.cos(turn), radius * Math.sin(turn)], deviation: 0.045, weight: 1, label });
    }
  }
  return parts;
}

function checkerboard() {
  const parts = [];
  for (let square = 0; square < 8; square++) {
    const row = square >> 1, column = 2 * (square & 1) + row % 2;
    for (let i = 0; i < 25; i++) {
      const place = (cell, j) => (cell - 2) * 0.8 + (j + 0.5) * 0.16;
      parts.push({ mean: [place(column, i % 5), -place(row, Math.floor(i / 5))], deviation: 0.06, weight: 1, label: square });
    }
  }
  return parts;
}

export const datasets = [
  new Mixture('mixture', 'five Gaussians', ['top', 'left', 'lower left', 'lower right', 'right'], gaussians()),
  new Mixture('spiral', 'spiral (120 narrow Gaussians)', ['one arm', 'the other arm'], spiral()),
  new Mixture('checkerboard', 'checkerboard (200 narrow Gaussians)', ['1', '2', '3', '4', '5', '6', '7', '8'].map(n => `square ${n}`), checkerboard()),
];

export const sketchRadius = 1.1;

/** What image to image starts from: points on a ring that no data set has. */
export function sketch(total) {
  return Float64Array.from({ length: 2 * total }, (_, i) => {
    const angle = 2 * Math.PI * Math.floor(i / 2) / total;
    return sketchRadius * (i % 2 ? Math.sin(angle) : Math.cos(angle));
  });
}
