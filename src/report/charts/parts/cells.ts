/** Runs of one configuration taken together. */
import type { LawPoint } from '../../view/view.js';

/** Mean over seeds of one configuration on one slice. */
export interface Cell {
  slice: string;
  layers: number;
  dim: number;
  measured: number;
  predicted: number;
  runs: number;
}

export function averageSeeds(points: LawPoint[]): Cell[] {
  const cells = new Map<string, Cell>();
  for (const { slice, layers, dim, measured, predicted } of points) {
    const key = `${layers}/${dim}/${slice}`;
    const cell = cells.get(key);
    if (!cell) cells.set(key, { slice, layers, dim, measured, predicted: predicted.value, runs: 1 });
    else cell.measured += (measured - cell.measured) / ++cell.runs;
  }
  return [...cells.values()];
}
