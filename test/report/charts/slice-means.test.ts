/** Slices of one size: drawn at both widths, by what was done to them, with every measure in the table. */
import { expect, it } from 'vitest';
import type { SliceMeans } from '../../../src/law/slice-levels.js';
import { sliceMeansFigure } from '../../../src/report/charts/slice-means.js';
import { NARROW_WIDTH, WIDE_WIDTH } from '../../../src/report/drawing/figure.js';
import { compileSpec, drawFigure } from '../../../src/report/drawing/render.js';
import { PAGE } from '../../../src/report/drawing/theme.js';

const slices = [
  'users=0.3',
  'users=0.5',
  'all',
  'noise=0.3',
  'users=0.55,repeats=0.3',
  'shuffle=1',
  'users=0.5,pick=surprising',
  'latest=0.5',
];
const means: SliceMeans = {
  group: {},
  configurations: [{ layers: 1, dim: 32 }],
  levels: slices.map((slice, i) => ({
    slice,
    tokens: 30_000 + 9_000 * i,
    level: 0.08 + 0.004 * ((5 * i) % 8),
    runs: 2,
    quality: { apen: 4 + 0.1 * i, shannon: 6 },
  })),
  measures: [],
  quality: null,
};
const metric = { name: 'ndcg@10', split: 'test', history: 'masked', direction: 'maximize' } as const;

it('is drawn at both widths without a warning, a mark a slice in each panel', async () => {
  const figure = sliceMeansFigure({ label: '', records: [] }, means, metric);
  for (const width of [WIDE_WIDTH, NARROW_WIDTH]) {
    const canvas = { width, theme: PAGE, titled: false };
    expect((await compileSpec(figure.spec(canvas))).warnings).toEqual([]);
    const { svg, width: drawn } = await drawFigure(figure, canvas);
    expect(drawn).toBeLessThanOrEqual(width);
    for (const kind of ['size alone', 'noise', 'repeats', 'shuffled', 'picked users', 'early or late'])
      expect(svg).toContain(kind);
    for (const panel of ['slices_tokens_marks', 'slices_effective_marks']) {
      const start = svg.indexOf(panel);
      expect(svg.slice(start, svg.indexOf('</g>', start)).split('<path').length - 1).toBe(slices.length);
    }
  }
  expect(figure.table.columns.slice(-2)).toEqual(['apen', 'shannon']);
  expect(figure.table.rows).toHaveLength(slices.length);
  expect(figure.sentence).toContain('8 slices at 1 layer, dim 32');
});

it('has one panel where ApEn is not known', async () => {
  const bare = { ...means, levels: means.levels.map((one) => ({ ...one, quality: {} })) };
  const figure = sliceMeansFigure({ label: 'tim4rec', records: [] }, bare, metric);
  const { svg } = await drawFigure(figure, { width: WIDE_WIDTH, theme: PAGE, titled: true });
  expect(svg).toContain('slices_tokens_marks');
  expect(svg).not.toContain('slices_effective_marks');
  expect(figure.title).toMatch(/, tim4rec$/);
});
