/** The bench's table as a figure: error over that of the nearest run, by table, axis and way of predicting. SVG. */
import { writeFileSync } from 'node:fs';
import { frame } from '../../../dist/report/drawing/figure.js';
import { drawFigure } from '../../../dist/report/drawing/render.js';
import { PAPER } from '../../../dist/report/drawing/theme.js';

const WAYS = ['forecast', 'old rule', 'performance-law', 'saturating-power', 'log-linear'];

/** @param rows of the bench's JSON. */
export async function writeFigure(rows, path) {
  const values = rows.flatMap(({ family, axis, ways }) =>
    WAYS.filter((way) => Number.isFinite(ways[way]?.error)).map((way) => ({
      row: `${family}: ${axis}`,
      way,
      error: ways[way].error,
    })),
  );
  const figure = {
    id: 'forecast',
    title: 'A level predicted from the lower ones: error over that of the nearest run',
    sentence: '',
    table: { columns: [], rows: [] },
    spec: (canvas) =>
      frame({ title: 'A level predicted from the lower ones: error over that of the nearest run' }, canvas, {
        width: canvas.width - 210,
        height: { step: 34 },
        layer: [
          {
            data: { values: [{ error: 1 }] },
            mark: { type: 'rule', color: PAPER.muted, strokeDash: [4, 3] },
            encoding: { x: { field: 'error', type: 'quantitative' } },
          },
          {
            data: { values },
            mark: { type: 'point', filled: true, size: 110, opacity: 0.9 },
            encoding: {
              y: { field: 'row', type: 'nominal', title: null, sort: null },
              x: {
                field: 'error',
                type: 'quantitative',
                title: 'error over that of the nearest run (log scale; 1 is no better than carrying it over)',
                scale: { type: 'log', nice: false },
                axis: { values: [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5], format: '~g', grid: true },
              },
              color: {
                field: 'way',
                type: 'nominal',
                scale: {
                  domain: WAYS,
                  range: [PAPER.accent, ...PAPER.categories.filter((_, i) => i !== 1).slice(0, 4)],
                },
                legend: { title: null, orient: 'bottom', columns: 5 },
              },
              shape: { field: 'way', type: 'nominal', scale: { domain: WAYS }, legend: null },
            },
          },
        ],
      }),
  };
  const { svg } = await drawFigure(figure, { width: 800, theme: PAPER, titled: true });
  writeFileSync(path, svg);
}
