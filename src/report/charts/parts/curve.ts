/** The stand-in for the surface where only one of layers and dim was varied: the law along the other, the runs on it. */

import { type Canvas, distinct, isNarrow, type Part, padded, tickFormat } from '../../drawing/figure.js';
import { orderedColours } from '../../drawing/theme.js';
import { type LawView, lawSlices } from '../../view/view.js';
import { count } from '../../words/words.js';
import type { Cell } from './cells.js';

/** @param axis what was varied. */
export function curve(canvas: Canvas, law: LawView, cells: Cell[], axis: 'layers' | 'dim'): Part {
  const fixed = cells[0]![axis === 'dim' ? 'layers' : 'dim'];
  const values = distinct(cells.map((cell) => cell[axis]));
  const domain = padded(values, 0.06, true);
  const line = lawSlices(law).flatMap((slice) =>
    Array.from({ length: 80 }, (_, i) => {
      const at = domain[0] * (domain[1] / domain[0]) ** (i / 79);
      return {
        slice,
        at,
        fitted: axis === 'dim' ? law.surface(slice, fixed, at) : law.surface(slice, at, fixed),
      };
    }),
  );
  const narrow = isNarrow(canvas);
  const x = {
    field: 'at',
    type: 'quantitative',
    title: `${axis === 'dim' ? 'dim, embedding size' : 'layers'} (log scale), ${axis === 'dim' ? count(fixed, 'layer') : `dim ${fixed}`}`,
    scale: { type: 'log', domain, nice: false },
    axis: { values, format: '~r', grid: false },
  };
  const color = {
    field: 'slice',
    type: 'nominal',
    title: 'slice',
    scale: { domain: lawSlices(law), range: orderedColours(canvas.theme, lawSlices(law).length) },
    legend: lawSlices(law).length > 1 ? { orient: 'bottom', columns: narrow ? 1 : 3 } : null,
  };
  const y = (field: string) => ({
    field,
    type: 'quantitative',
    title: 'metric',
    scale: { zero: false },
    axis: { format: tickFormat(padded([...line.map((p) => p.fitted), ...cells.map((c) => c.measured)])) },
  });
  return {
    width: canvas.width - (narrow ? 56 : 70),
    height: narrow ? 220 : 300,
    layer: [
      {
        data: { values: line },
        mark: { type: 'line', strokeWidth: 2 },
        encoding: { x, y: y('fitted'), color },
      },
      {
        name: 'points_0',
        data: { values: cells.map((cell) => ({ ...cell, at: cell[axis] })) },
        mark: { type: 'point', filled: true, size: 80, opacity: 1 },
        encoding: {
          x,
          y: y('measured'),
          color,
          tooltip: [
            { field: 'slice', type: 'nominal' },
            { field: 'layers', type: 'quantitative' },
            { field: 'dim', type: 'quantitative' },
            { field: 'measured', type: 'quantitative', format: '.4f' },
            { field: 'predicted', type: 'quantitative', title: 'fitted', format: '.4f' },
          ],
        },
      },
    ],
  };
}
