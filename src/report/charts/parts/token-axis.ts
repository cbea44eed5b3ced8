/** The axis of how much data a slice holds: tokens, or tokens over ApEn, on a logarithmic scale. */
import { type Part, padded } from '../../drawing/figure.js';

/** @param air share of the range that is left free on both sides. */
export function tokenAxis(field: string, values: readonly number[], air: number): Part {
  return {
    field,
    type: 'quantitative',
    title: field === 'tokens' ? 'tokens (log scale)' : 'tokens / ApEn (log scale)',
    scale: { type: 'log', domain: padded(values, air, true), nice: false },
    axis: { format: '~s', tickCount: 4, grid: false },
  };
}
