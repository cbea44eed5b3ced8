/** Windows of histories as long as MovieLens 1M's: the real ones where they lie beside the project, else generated. */
import { existsSync } from 'node:fs';
import { importFile } from '../../../src/data/import/import.js';
import { generateSynthetic } from '../../../src/data/synthetic.js';
import type { Window } from '../../../src/train/step/batches.js';
import { createRandom } from '../../../src/util/random.js';

const REAL = new URL('../../../../shared/data/ml-1m-order.parquet', import.meta.url).pathname;

export interface RealWindows {
  source: string;
  items: Int32Array;
  numItems: number;
  windows: Window[];
}

/**
 * `count` windows drawn from all histories, each cut into as few pieces of at most `length` steps as it takes: the cut
 * that leaves a padded batch the least padding.
 */
export async function realWindows(count: number, length: number): Promise<RealWindows> {
  const real = existsSync(REAL);
  const data = real
    ? (await importFile(REAL, { kCore: 0 })).interactions
    : generateSynthetic({ users: 2000, items: 3416, meanLength: 165, minLength: 18 });
  const windows: Window[] = [];
  for (let u = 0; u < data.numUsers; u++)
    for (let at = data.offsets[u]!; at < data.offsets[u + 1]! - 1; at += length)
      windows.push({ start: at, length: Math.min(length, data.offsets[u + 1]! - 1 - at) });
  return {
    source: real ? 'histories of MovieLens 1M' : 'generated histories, 165 items on average',
    items: data.items,
    numItems: data.numItems,
    windows: createRandom('peers', 'windows').shuffle(windows).slice(0, count),
  };
}
