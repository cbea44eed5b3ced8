/** How the scores of a batch are cut into chunks that fit: [rows, items] is never held whole. */

export interface Chunks {
  /** Rows at a time. */
  rows: number;
  /** Items at a time, a multiple of 4: all of them, where at least a fair number of such rows fits. */
  items: number;
}

/** Fewer rows at a time than this make poor matrix products: then the items are cut instead. */
const FAIR = 256;

/** @param floats that may be held at a time. */
export function cutScores(rows: number, numItems: number, floats: number): Chunks {
  const whole = Math.ceil(numItems / 4) * 4;
  const fitting = Math.floor(floats / whole);
  if (fitting >= Math.min(rows, FAIR)) return { rows: Math.min(rows, fitting), items: whole };
  const some = Math.min(rows, 4 * FAIR);
  return { rows: some, items: Math.max(4, Math.min(whole, Math.floor(floats / some / 4) * 4)) };
}
