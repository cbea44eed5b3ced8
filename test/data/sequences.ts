/** Sequences from plain arrays, for tests. */
import type { Sequences } from '../../src/data/interactions.js';

export function sequencesOf(rows: number[][], times?: number[][]): Sequences {
  const offsets = new Int32Array(rows.length + 1);
  rows.forEach((row, u) => {
    offsets[u + 1] = offsets[u]! + row.length;
  });
  return {
    users: Int32Array.from(rows, (_, u) => u),
    offsets,
    items: Int32Array.from(rows.flat()),
    timestamps: times ? Float64Array.from(times.flat()) : null,
  };
}

export function rowsOf(sequences: Sequences): number[][] {
  return Array.from(sequences.users, (_, u) => [
    ...sequences.items.subarray(sequences.offsets[u]!, sequences.offsets[u + 1]!),
  ]);
}
