// A step of a plan in words: its lines of algebra, and what each coefficient is.

/** A number as a person reads it: six digits, a true minus. */
export function shown(value, digits = 5) {
  if (value === null || value === undefined) return '∞';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-3 ? power(value) : String(+value.toPrecision(digits));
  return text.replace('-', '−');
}

function power(value) {
  const [factor, exponent] = value.toExponential(2).split('e');
  const digits = '⁰¹²³⁴⁵⁶⁷⁸⁹';
  return `${+factor}·10${[...String(+exponent)].map(c => c === '-' ? '⁻' : digits[c]).join('')}`;
}

const close = (a, b) => Number.isFinite(b) && Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));

/** What the coefficient of a term is in terms of the levels of a step, if it is one of the usual. */
function formula(value, { signal: s, noise: n }, { signal: t, noise: m }) {
  const known = [
    [m / n, 'noise′ / noise'], [t / s, 'signal′ / signal'], [t, 'signal′'], [m, 'noise′'],
    [t - s * m / n, 'signal′ − signal · noise′ / noise'], [m - n * t / s, 'noise′ − noise · signal′ / signal'],
    [1 / s, '1 / signal'], [-n / s, '−noise / signal'], [s, 'signal'], [-n, '−noise'], [1 / n, '1 / noise'], [-s / n, '−signal / noise'],
  ];
  if (Math.abs(value) === 1) return undefined;
  return known.find(([expected]) => close(value, expected))?.[1];
}

const ago = k => k === 1 ? 'one call ago' : `${k} calls ago`;
const older = (symbol, k) => k === 0 ? symbol : `${symbol}₋${'₀₁₂₃₄₅₆₇₈₉'[k]}`;

/** The lines of a step: a name, and terms of a coefficient, a symbol and a meaning. */
export function lines(step) {
  const { level, arrival, denoised, estimate, next } = step;
  const isData = estimate.sample === 0 && estimate.denoised === 1;
  const E = isData ? 'x̂₀' : 'ε̂';
  const what = isData ? 'the predicted data' : 'the predicted noise';
  const term = (value, symbol, meaning) => ({ value, symbol, meaning, formula: formula(value, level, arrival) });
  const kept = terms => terms.filter(({ value }) => value !== 0);
  const result = [{
    name: 'x̂₀', terms: kept([
      term(denoised.sample, 'x', 'how much of the sample counts as data, given what the network predicts'),
      term(denoised.output, 'F', 'what a unit of the network’s output says about the data'),
    ]),
  }];
  if (!isData) {
    result.push({
      name: 'ε̂', terms: kept([
        term(estimate.sample, 'x', 'the noise of a sample without data'),
        term(estimate.denoised, 'x̂₀', 'what the data take away from it'),
      ]),
    });
  }
  result.push({
    name: 'x′', terms: kept([
      ...next.samples.map((value, k) => term(value, older('x', k), k === 0
        ? 'how much of the sample stays' : `how much of the sample of ${ago(k)} stays`)),
      term(next.made, 'x⁺', 'the sample as it was made, before anybody changed it'),
      ...next.estimates.map((value, k) => term(value, older(E, k), k === 0
        ? `how much of ${what} comes in` : `how far the step leans on ${what} of ${ago(k)}; with a minus it takes away the old, to extrapolate the change`)),
      term(next.denoised, 'x̂₀*', 'the predicted data before clipping'),
      term(next.output, 'F', 'the network’s output itself'),
      term(next.noise, 'z', 'the deviation of the fresh noise that this step draws'),
    ]),
  });
  return result;
}

/** What the comment of a sampler's Swift type says: its formulas, and where they are from. */
export function paper(source, file) {
  const lines = source.split('\n');
  const type = lines.findIndex(line => line.startsWith(`public struct ${file.replace('.swift', '')}`));
  let first = type;
  while (first > 0 && lines[first - 1].startsWith('///')) first -= 1;
  const comment = lines.slice(first, type).map(line => line.slice(4));
  const at = comment.findIndex(line => line.startsWith('Source:'));
  return {
    summary: comment[0] ?? '',
    formulas: comment.slice(0, at < 0 ? undefined : at).filter(line => line.startsWith('    ')).map(line => line.slice(4)),
    source: at < 0 ? '' : comment.slice(at).join(' ').replace('Source: ', ''),
  };
}
