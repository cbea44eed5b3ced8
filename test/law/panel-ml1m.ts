/** The published ML-1M panel (length 100, HR@10) of the Performance Law, arXiv 2412.00430. */
import type { Observation } from '../../src/law/points/observation.js';

export const LAYERS = [4, 8, 12, 16, 24, 32];
export const DIMS = [25, 50, 75, 100];
const HR = [
  [0.2811, 0.2817, 0.2905, 0.2926, 0.293, 0.2912],
  [0.3035, 0.307, 0.3117, 0.3169, 0.3154, 0.3145],
  [0.3124, 0.3174, 0.318, 0.3172, 0.3102, 0.3097],
  [0.305, 0.3125, 0.3122, 0.3097, 0.3042, 0.3012],
];

export const ML1M: Observation[] = DIMS.flatMap((dim, i) =>
  LAYERS.map((layers, j) => ({ slice: 'ml-1m', layers, dim, metrics: { 'hr@10': HR[i]![j]! } })),
);
