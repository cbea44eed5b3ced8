import { describe, expect, it } from 'vitest';
import { reportFigures } from '../../src/report/charts.js';
import {
  type Figure,
  isDrawn,
  MAX_MARKS,
  NARROW_WIDTH,
  WIDE_WIDTH,
} from '../../src/report/drawing/figure.js';
import { compileSpec, drawFigure, toPng } from '../../src/report/drawing/render.js';
import { PAGE, PAPER } from '../../src/report/drawing/theme.js';
import { type SimulationOptions, simulateInput } from './simulated-sweep.js';

const CASES: Record<string, SimulationOptions> = {
  'three slices': {},
  'one slice, three seeds': { slices: [1], seeds: [0, 1, 2] },
  'one value of layers': { layers: [2], slices: [0.5, 1] },
  'one value of dim': { dims: [64], slices: [0.25, 0.5, 1] },
  'names that are too long': { name: 'A data set with a name that goes on'.repeat(4), slices: [0.5, 1] },
  'too few for a law': { layers: [1], dims: [32, 64], slices: [1], epochs: 1 },
  'nine slices': { layers: [1, 2], dims: [16, 32], slices: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1] },
};

function figuresOf(options: SimulationOptions = {}): Map<string, Figure> {
  return new Map(
    reportFigures(simulateInput(options))
      .filter(isDrawn)
      .map((figure) => [figure.id, figure]),
  );
}

const paper = { width: WIDE_WIDTH, theme: PAPER, titled: true };

/** Marks of a named layer in an SVG. */
function marks(svg: string, name: string): number {
  const start = svg.indexOf(`${name}_marks`);
  return start < 0 ? 0 : svg.slice(start, svg.indexOf('</g>', start)).split('<path').length - 1;
}

describe.each(Object.entries(CASES))('figures of a sweep with %s', (_, options) => {
  const figures = figuresOf(options);

  it('compile without a warning at both widths and fit their canvas', async () => {
    for (const figure of figures.values())
      for (const width of [WIDE_WIDTH, NARROW_WIDTH]) {
        const canvas = { width, theme: PAGE, titled: false };
        const { warnings } = await compileSpec(figure.spec(canvas));
        expect(warnings, `${figure.id} at ${width}`).toEqual([]);
        const drawn = await drawFigure(figure, canvas);
        expect(drawn.width, `${figure.id} at ${width}`).toBeLessThanOrEqual(width);
        expect(drawn.svg).not.toMatch(/NaN|undefined|Infinity/);
      }
  });

  it('have a sentence without a gap and a table of full rows', () => {
    for (const figure of figures.values()) {
      expect(figure.sentence, figure.id).toMatch(/^[A-Z0-9].*\.$/);
      expect(figure.sentence, figure.id).not.toMatch(/NaN|undefined|Infinity|\s\s/);
      expect(figure.table.rows.length, figure.id).toBeGreaterThan(0);
      for (const row of figure.table.rows) expect(row).toHaveLength(figure.table.columns.length);
    }
  });
});

describe('what is drawn', () => {
  it('is a point a configuration on the surface, one star a panel, level lines and a picture of the field', async () => {
    const { svg } = await drawFigure(figuresOf().get('surface')!, paper);
    for (const panel of [0, 1, 2]) expect(marks(svg, `points_${panel}`)).toBe(16);
    expect(svg.match(/data:image\/png;base64,/g)).toHaveLength(3);
    for (const label of ['users=0.25', 'users=0.5', 'all', 'layers (log scale)', 'dim (log scale)', '128'])
      expect(svg).toContain(`>${label}</text>`);
  });

  it('is a point a run, its interval and the diagonal for predicted against measured', async () => {
    const { svg } = await drawFigure(figuresOf({ slices: [1], seeds: [0, 1, 2] }).get('predicted')!, paper);
    expect(marks(svg, 'points')).toBe(48);
    expect(svg).toContain('measured NDCG@10');
    expect(svg).toContain('predicted NDCG@10');
  });

  it('is a point a run that was withheld', async () => {
    const figure = figuresOf({ slices: [1], seeds: [0, 1, 2] }).get('held-out')!;
    expect(figure.sentence).toMatch(
      /without the largest dim.* The typical error is .* of 12 runs lie within their 95 % interval/,
    );
    const { svg } = await drawFigure(figure, paper);
    expect(marks(svg, 'points')).toBe(12);
  });

  it('is a curve a run', async () => {
    const { svg } = await drawFigure(figuresOf({ slices: [1] }).get('learning-curves')!, paper);
    expect(svg.match(/class="mark-line role-mark curves_0_marks"/g)).toHaveLength(16);
    expect(svg).toContain('validation NDCG@10');
    expect(svg).toContain('>epoch</text>');
  });

  it('thins what nobody could tell apart, and says so', () => {
    const many = simulateInput({ slices: [1], seeds: Array.from({ length: 50 }, (_, i) => i), epochs: 3 });
    const figures = new Map(
      reportFigures(many)
        .filter(isDrawn)
        .map((figure) => [figure.id, figure]),
    );
    const predicted = figures.get('predicted')!;
    expect(predicted.sentence).toContain(`Drawn are ${MAX_MARKS} of 800 runs`);
    expect(predicted.sentence).toContain('800 runs (R²');
    expect(figures.get('learning-curves')!.sentence).toContain('Drawn are 120 of 800 curves');
  });
});

describe('sentences', () => {
  it('state the numbers of the figure', () => {
    const figures = figuresOf();
    const sentence = (id: string) => figures.get(id)!.sentence;
    expect(sentence('surface')).toBe(
      'The best measured test NDCG@10 (history masked) is 0.1880 at 4 layers, dim 64 on all the data. The 48 measured configurations range over 0.0859, from 0.1022 at 8 layers, dim 16. The surface fitted to all the data is highest at about 2.8 layers, dim 64, inside the measured range.',
    );
    expect(sentence('budget')).toMatch(
      /^On all the data train 3 layers, dim 64 with 429k parameters, within the measured range: 0\.1894, and one new run is expected between 0\.1864 and 0\.1923\./,
    );
    expect(sentence('frontier')).toBe(
      'On all the data: from 369G FLOPs (1 layer, dim 16, 0.1592) to 2.58T (3 layers, dim 64, 0.1894) the best expected changes by 0.0302.',
    );
    expect(sentence('slices')).toContain(
      '3 slices from 246k (users=0.25) to 985k tokens (all), a factor of 4.',
    );
    expect(sentence('baseline')).toContain('All 48 runs beat the popularity baseline on test NDCG@10.');
    expect(sentence('forms')).toContain('On the withheld corners performance-law errs least, by 0.0016');
    expect(sentence('learning-curves')).toContain('All runs were still at their best in the last epoch');
  });

  it('say when the optimum is an extrapolation', () => {
    expect(figuresOf({ layers: [4, 8], dims: [16, 32, 64] }).get('surface')!.sentence).toContain(
      'outside the measured layers and dim: an extrapolation.',
    );
  });

  it('say when runs fall behind popularity', () => {
    const input = simulateInput({ slices: [1] });
    input.done[0]!.popularity.test.masked['ndcg@10'] = 0.5;
    const figure = reportFigures(input).find(({ id }) => id === 'baseline') as Figure;
    expect(figure.sentence).toMatch(/^15 of 16 runs beat the popularity baseline/);
    expect(figure.sentence).toMatch(/The furthest behind is 1 layer, dim 16 on all the data, by 0\.3\d+\./);
  });
});

describe('the data term', () => {
  const sentence = (slices: number[]) => figuresOf({ slices }).get('data-term')!.sentence;

  it('describes both axes, and gives one verdict on quality from five slices on', () => {
    expect(sentence([0.2, 0.4, 0.6, 0.8, 1])).toMatch(
      /In reciprocal axes a straight line explains .* % of it by tokens and .* % by tokens \/ ApEn; in logarithmic axes .*\. Beside the best curve of tokens alone ApEn (adds to|shows nothing more than) quantity \(p = [\d.e-]+\)\.$/,
    );
    expect(sentence([0.25, 0.5, 0.75, 1])).toMatch(/takes five slices to test\.$/);
    expect(sentence([0.5, 1])).toMatch(/Two slices are too few to tell what explains it\./);
  });
});

describe('what cannot be drawn', () => {
  it('is said instead of drawn', () => {
    const absent = (options: SimulationOptions) =>
      reportFigures(simulateInput(options)).flatMap((figure) =>
        isDrawn(figure) ? [] : [[figure.id, figure.absent]],
      );
    expect(absent({ layers: [1], dims: [32, 64], slices: [1] })).toEqual([
      ['surface', 'A law needs at least 6 finished configurations; there are 2.'],
    ]);
    expect(absent({ slices: [1] })).toEqual([
      [
        'data-term',
        'The law was fitted on one slice: how its data term follows the amount of data needs at least two.',
      ],
    ]);
    expect(absent({ layers: [2], dims: [64], slices: [1], seeds: [0, 1, 2, 3, 4, 5] })[0]).toEqual([
      'surface',
      'All trials have 2 layers, dim 64: there is no grid to draw.',
    ]);
  });
});

describe('PNG', () => {
  it('has the labels: text rendered with the packaged font, not dropped', async () => {
    const { svg } = await drawFigure(figuresOf().get('forms')!, paper);
    const withText = await toPng(svg, 1);
    const without = await toPng(svg.replace(/<text[^>]*>[^<]*<\/text>/g, ''), 1);
    expect([...withText.subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
    expect(withText.length).toBeGreaterThan(1.5 * without.length);
  });
});
