/**
 * Writes docs/ml-1m.svg and prints the table of docs/ml-1m.md: what was predicted of MovieLens 1M before it was trained, and what
 * came out, from reports/ml-1m. `node docs/make-ml1m.mjs`, after `npm run build`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mean, sampleStandardDeviation } from 'simple-statistics';
import { parseCsv } from '../dist/law/points/table/csv.js';
import { frame } from '../dist/report/drawing/figure.js';
import { drawFigure } from '../dist/report/drawing/render.js';
import { PAPER } from '../dist/report/drawing/theme.js';

const folder = new URL('../reports/ml-1m/', import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), 'utf8');

function runsOf(name) {
  const [{ fields: columns }, ...rows] = parseCsv(read(name), name).rows;
  return rows.map(({ fields }) => Object.fromEntries(columns.map((column, i) => [column, fields[i]])));
}

/** Of the runs of each key the one whose rate is best on validation. */
function envelope(runs, keyOf) {
  const best = new Map();
  for (const run of runs) {
    const key = keyOf(run);
    const own = best.get(key);
    if (!own || Number(run['validation:ndcg@10']) > Number(own['validation:ndcg@10'])) best.set(key, run);
  }
  return [...best.values()];
}

const half = runsOf('small.csv').filter(({ slice }) => slice === 'users=0.5');
/** The small runs that a forecast was made from: the better of both rates, or the lower rate alone. */
const small = { best: envelope(half, ({ layers, dim }) => `${layers} ${dim}`), lower: half.filter(({ learningRate }) => learningRate.startsWith('0.003')) };
const far = (a, b) => Math.abs(Math.log(a.layers / b.layers)) + Math.abs(Math.log(a.dim / b.dim));
const nearest = (run, among) => among.reduce((a, b) => (far(b, run) < far(a, run) ? b : a));

/** Every withheld run beside its forecast, smallest first. */
export const withheld = [
  ['half', 'large', small.best],
  ['all', 'all', small.best],
  ['half, lower rate', 'lower', small.lower],
].flatMap(([users, name, measured]) => {
  const { asked, best } = JSON.parse(read(`forecast-${name}.json`));
  return runsOf(`${name}.csv`)
    .map((run) => {
      const found = [...asked, best].find(({ layers, dim }) => layers === Number(run.layers) && dim === Number(run.dim));
      const value = Number(run['ndcg@10']);
      const [low, high] = found.interval;
      return {
        users,
        layers: Number(run.layers),
        dim: Number(run.dim),
        params: Number(run.params),
        nearest: Number(nearest(run, measured)['ndcg@10']),
        predicted: found.predicted,
        low,
        high,
        value,
        se: Number(run['se:ndcg@10']),
        isInside: value >= low && value <= high,
      };
    })
    .sort((a, b) => a.params - b.params);
});

const share = (value) => value.toFixed(4).replace(/^0/, '');
export const tableRows = withheld.map(
  (one) =>
    `| ${one.users} | ${one.layers} | ${one.dim} | ${(one.params / 1e6).toFixed(2)}M | ${share(one.nearest)} | ${share(one.predicted)} | ${share(one.low)} to ${share(one.high)} | **${share(one.value)}** | ${one.isInside ? 'yes' : 'no'} |`,
);

/** The three models side by side: of each the rate that is best on validation, and its seeds. */
const more = runsOf('models-seeds.csv');
const named = { mamba4rec: 'Mamba4Rec', tim4rec: 'TiM4Rec, no time', ssd4rec: 'SSD4Rec' };
const exponent = (rate) => Number(rate).toExponential().replace('+', '');
function modelRow(name, runs) {
  const cells = ['ndcg@10', 'hr@10', 'unmasked:ndcg@10', 'unmasked:hr@10'].map((metric) => {
    const values = runs.map((run) => Number(run[metric]));
    return values.length > 1 ? `${share(mean(values))} (${share(sampleStandardDeviation(values))})` : share(values[0]);
  });
  const [{ learningRate, params, flops }] = runs;
  return `| ${name} | ${exponent(learningRate)} | ${Number(params).toLocaleString('en-US')} | ${(Number(flops) / 1e15).toFixed(3).slice(1)} | ${cells.join(' | ')} |`;
}
const sameLoss = more.filter(({ model, prefixes }) => model === 'mamba4rec' && prefixes);
const tuned = envelope(runsOf('models.csv'), ({ model }) => model);
export const modelRows = [
  ...Object.entries(named).map(([model, name]) => {
    const best = tuned.find((run) => run.model === model);
    const seeds = more.filter((run) => run.model === model && run.learningRate === best.learningRate && !sameLoss.includes(run));
    return modelRow(name, [best, ...seeds]);
  }),
  modelRow("Mamba4Rec with SSD4Rec's loss and rate, one seed", sameLoss),
];

const PANELS = {
  all: 'all users (twice the largest slice measured)',
  half: 'half of the users (larger models), base rate 6e-3',
  'half, lower rate': 'half of the users (larger models), base rate 3e-3',
};

async function drawn() {
  const label = ({ layers, dim }) => `${layers} x ${dim}`;
  const values = withheld.map((one) => ({
    ...one,
    name: label(one),
    slice: PANELS[one.users],
  }));
  const title = 'MovieLens 1M: predicted before any was trained, and measured';
  const y = { field: 'name', type: 'nominal', sort: null, title: null };
  const x = (field, slice) => ({
    field,
    type: 'quantitative',
    title: 'test NDCG@10',
    scale: { zero: false, domain: slice.startsWith('all') ? [0.18, 0.24] : [0, 0.24] },
    axis: { format: '.2f', tickCount: 6 },
  });
  const figure = {
    id: 'ml-1m',
    title,
    sentence: '',
    table: { columns: [], rows: [] },
    spec: (canvas) =>
      frame({ title }, canvas, {
        vconcat: Object.values(PANELS).map((slice) => ({
          title: { text: slice, anchor: 'start', fontSize: 13, fontWeight: 'normal' },
          width: canvas.width - 110,
          height: { step: 26 },
          data: { values: values.filter((one) => one.slice === slice) },
          layer: [
            { mark: { type: 'rule', strokeWidth: 7, opacity: 0.35, color: PAPER.accent }, encoding: { y, x: x('low', slice), x2: { field: 'high' } } },
            { mark: { type: 'tick', thickness: 2, size: 16, color: PAPER.accent }, encoding: { y, x: x('predicted', slice) } },
            { mark: { type: 'point', shape: 'diamond', size: 60, color: PAPER.muted }, encoding: { y, x: x('nearest', slice) } },
            { mark: { type: 'point', filled: true, size: 90, color: PAPER.categories[0], opacity: 1 }, encoding: { y, x: x('value', slice) } },
          ],
        })),
      }),
  };
  const { svg } = await drawFigure(figure, { width: 800, theme: PAPER, titled: true });
  return svg;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  writeFileSync(new URL('ml-1m.svg', import.meta.url), await drawn());
  console.log(tableRows.join('\n'));
  console.log(modelRows.join('\n'));
  const rmse = (list, of) => Math.sqrt(list.reduce((sum, one) => sum + (of(one) - one.value) ** 2, 0) / list.length);
  for (const [name, list] of [
    ['all users', withheld.filter(({ users }) => users === 'all')],
    ['half, larger', withheld.filter(({ users }) => users === 'half')],
    ['half, larger, trained', withheld.filter(({ users, value }) => users === 'half' && value > 0.1)],
    ['half, lower rate', withheld.filter(({ users }) => users === 'half, lower rate')],
    ['half, lower rate, trained', withheld.filter(({ users, value }) => users === 'half, lower rate' && value > 0.1)],
    ['all 20', withheld],
    ['all that trained', withheld.filter(({ value }) => value > 0.1)],
  ])
    console.log(
      `${name}: ${list.filter(({ isInside }) => isInside).length} of ${list.length} inside; error ${rmse(list, ({ predicted }) => predicted).toFixed(4)}, nearest ${rmse(list, (one) => one.nearest).toFixed(4)}`,
    );
}
