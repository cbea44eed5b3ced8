/** The path of a goal: drawn at both widths, every run with its reason, and said on the page. */
import { expect, it } from 'vitest';
import { goalPathFigure } from '../../../src/report/charts/goal-path.js';
import { reportFigures } from '../../../src/report/charts.js';
import { isDrawn, NARROW_WIDTH, WIDE_WIDTH } from '../../../src/report/drawing/figure.js';
import { compileSpec, drawFigure } from '../../../src/report/drawing/render.js';
import { PAGE } from '../../../src/report/drawing/theme.js';
import { renderPage } from '../../../src/report/page/page.js';
import type { GoalPath } from '../../../src/report/view/goal-path.js';
import { simulateInput } from '../simulated-sweep.js';

const named = (dim: number, value: number, half: number | null) => ({
  layers: 2,
  dim,
  slice: 'all',
  value,
  interval: half === null ? null : ([value - half, value + half] as [number, number]),
  within: 0.93,
  best: 0.5,
  regret: 0.001,
});
const path: GoalPath = {
  goal: { key: '00', metric: 'ndcg@10', tolerance: 0.003, confidence: 0.9, round: 2 },
  found: 0,
  steps: [
    { runs: 4, spent: 0.01, named: named(32, 0.12, null) },
    { runs: 6, spent: 0.04, named: named(64, 0.15, 0.05) },
    { runs: 8, spent: 0.09, named: named(64, 0.16, 0.01) },
  ],
  runs: [
    { round: 1, id: 'a', label: 'small', purpose: 'start', share: null, cost: 0.002, value: 0.1 },
    { round: 2, id: 'b', label: 'middle', purpose: 'decide', share: 0.4, cost: 0.03, value: 0.15 },
    { round: 3, id: 'c', label: 'middle again', purpose: 'repeat', share: 0.1, cost: 0.03 },
  ],
  stop: 'known',
  gridFlops: 1e15,
  planned: 64,
};

it('is drawn at both widths without a warning, every run with its reason', async () => {
  const figure = goalPathFigure(path);
  if (!isDrawn(figure)) throw new Error('absent');
  for (const width of [WIDE_WIDTH, NARROW_WIDTH]) {
    const canvas = { width, theme: PAGE, titled: false };
    expect((await compileSpec(figure.spec(canvas))).warnings).toEqual([]);
    const drawn = await drawFigure(figure, canvas);
    expect(drawn.width).toBeLessThanOrEqual(width);
    expect(drawn.svg.split('mark-symbol').length).toBeGreaterThan(1);
  }
  expect(figure.sentence).toContain('It stopped because it is known with 90 %: after 8 runs of 64 and 9.0 %');
  expect(figure.sentence).toContain('2 layers, dim 64');
  expect(figure.table.rows).toHaveLength(3);
  expect(figure.table.rows[2]!.join()).toContain('a further seed');
  expect(figure.table.rows[2]!.at(-1)).toBe('-');
});

it('stands on the page with the answer, and is absent before anything is named', async () => {
  const input = { ...simulateInput({ layers: [1], dims: [32, 64], slices: [1], epochs: 1 }), path };
  const page = await renderPage(input, reportFigures(input), { interactive: false });
  expect(page).toContain('To train, by the goal');
  expect(page).toContain('The path to it');
  expect(goalPathFigure({ ...path, steps: [], stop: null })).toHaveProperty('absent');
});
