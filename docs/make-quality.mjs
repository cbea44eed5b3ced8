/**
 * Writes the figures of docs/quality.md and prints its tables: what slices of different size and quality reach, from
 * reports/quality. `node docs/make-quality.mjs`, after `npm run build`.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isOtherQuality, readTable } from '../dist/index.js';
import { meansOfSlices } from '../dist/law/slice-levels.js';
import { sliceMeansFigure } from '../dist/report/charts/slice-means.js';
import { drawFigure } from '../dist/report/drawing/render.js';
import { PAPER } from '../dist/report/drawing/theme.js';

const METRIC = 'ndcg@10';
const pathOf = (name) => fileURLToPath(new URL(`../reports/quality/${name}.csv`, import.meta.url));
const isAltered = (slice) => /(^|,)(noise|repeats|shuffle)=/.test(slice);

/** Sets of slices that are asked the same. */
const SETS = {
  'all slices': () => true,
  'as they are (size, users, time)': (slice) => !isAltered(slice),
  'of all users': (slice) => slice === 'all' || (isAltered(slice) && !slice.includes('users')),
};

const share = (value) => value.toFixed(4).replace(/^0/, '');
const p = (value) => (value < 0.001 ? '< .001' : value.toFixed(3).replace(/^0/, ''));

/** Least squares of the levels on c + b (tokens / measure^power)^e with the best e: the share of variance explained. */
function explained(levels, measure, power) {
  const y = levels.map(({ level }) => level);
  const mean = y.reduce((a, b) => a + b, 0) / y.length;
  const spread = y.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  let best = 0;
  for (let e = -2; e <= 1.0001; e += 0.05) {
    const x = levels.map(({ tokens, quality }) => {
      const log = Math.log(tokens) - power * Math.log(quality[measure]);
      return Math.abs(e) < 1e-9 ? log : Math.expm1(e * (log - Math.log(5e4))) / e;
    });
    const middle = x.reduce((a, b) => a + b, 0) / x.length;
    const sxx = x.reduce((sum, value) => sum + (value - middle) ** 2, 0);
    const sxy = x.reduce((sum, value, i) => sum + (value - middle) * (y[i] - mean), 0);
    // more effective data cannot make a model worse
    if (sxy > 0) best = Math.max(best, sxy ** 2 / sxx / spread);
  }
  return best;
}

/** The power of a measure in D = tokens / measure^power that explains most; the published one is 1. */
function powerOf(levels, measure) {
  const powers = Array.from({ length: 401 }, (_, i) => i / 10);
  return powers.reduce((a, b) => (explained(levels, measure, b) > explained(levels, measure, a) ? b : a));
}

/** Of all users: which share of them would have reached as much, by the plain slices, straight between them over ln tokens. */
function worth(levels, level) {
  const plain = levels.filter(({ slice }) => !isOtherQuality(slice) && !/(time|latest)=/.test(slice));
  const all = plain.at(-1);
  if (level <= plain[0].level) return `under ${Math.round((100 * plain[0].tokens) / all.tokens)} %`;
  for (let i = plain.length - 1; i > 0; i--) {
    const [a, b] = [plain[i - 1], plain[i]];
    if (level >= b.level) return i === plain.length - 1 ? 'all' : `${Math.round((100 * b.tokens) / all.tokens)} %`;
    if (level < a.level) continue;
    const at = Math.log(a.tokens) + ((level - a.level) / (b.level - a.level)) * Math.log(b.tokens / a.tokens);
    return `${Math.round((100 * Math.exp(at)) / all.tokens)} %`;
  }
  return '';
}

/** Everything that docs/quality.md says of one data set, from its table. */
export async function answers(name) {
  const { observations } = await readTable(pathOf(name));
  const of = (set) => meansOfSlices(observations.filter(({ slice }) => SETS[set](slice)), METRIC)[0];
  const all = of('all slices');
  const altered = all.levels
    .filter(({ slice }) => SETS['of all users'](slice))
    .toSorted((a, b) => b.level - a.level)
    .map(
      ({ slice, level, quality }) =>
        `| ${slice} | ${share(level)} | ${worth(all.levels, level)} | ${quality.apen.toFixed(2)} | ${quality.surprisal.toFixed(2)} |`,
    );
  const tests = Object.keys(SETS).flatMap((set) => {
    const { levels, quality } = of(set);
    return ['apen', 'surprisal'].flatMap((measure) => {
      const found = quality?.measures.find((one) => one.measure === measure);
      if (!found) return [];
      const power = powerOf(levels, measure);
      // tokens that are equal do not fix a power of the measure beside the exponent
      const fitted = set === 'of all users' ? '-' : `${power.toFixed(1)} (${explained(levels, measure, power).toFixed(2)})`;
      return `| ${set} | ${levels.length} | ${measure} | ${quality.r2.toFixed(2)} | ${explained(levels, measure, 1).toFixed(2)} | ${found.r2.toFixed(2)} | ${p(found.adjusted)} | ${found.level} | ${fitted} |`;
    });
  });
  return { all, altered, tests };
}

export const NAMES = ['ml-100k', 'synthetic'];

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const name of NAMES.filter((one) => existsSync(pathOf(one)))) {
    const { all, altered, tests } = await answers(name);
    console.log(`${name}\n\n${altered.join('\n')}\n\n${tests.join('\n')}\n`);
    for (const { slice, tokens, level, quality } of all.levels)
      console.log(`${slice.padEnd(28)} ${String(tokens).padStart(6)} ${share(level)} ${quality.apen.toFixed(3)} ${quality.surprisal.toFixed(3)}`);
    const metric = { name: METRIC, split: 'test', history: 'masked', direction: 'maximize' };
    const figure = sliceMeansFigure({ label: name === 'ml-100k' ? 'MovieLens 100K' : 'the embedded generator', records: [] }, all, metric);
    const { svg } = await drawFigure(figure, { width: 800, theme: PAPER, titled: true });
    writeFileSync(new URL(`quality-${name}.svg`, import.meta.url), svg);
  }
