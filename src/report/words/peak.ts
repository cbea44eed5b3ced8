/** Where a law is highest, of a loss lowest, in words. */
import { type Direction, GOOD } from '../../law/points/direction.js';
import type { Peak } from '../view/view.js';
import { list, round, shape, sliceWords } from './words.js';

type Peaks = { layers: Peak; dim: Peak };

const AXES = ['layers', 'dim'] as const;

/** A sentence on the optimum of the fitted surface. */
export function peakWords(peak: Peaks, direction: Direction, slice = '', several = false): string {
  const { highest, maximum } = GOOD[direction];
  const { layers, dim } = peak;
  const surface = several ? `The surface fitted to ${sliceWords(slice)}` : 'The fitted surface';
  if (layers.value !== undefined && dim.value !== undefined) {
    const outside = AXES.filter((axis) => peak[axis].place === 'outside');
    const reach = outside.length
      ? `outside the measured ${list([...outside])}: an extrapolation`
      : 'inside the measured range';
    return `${surface} is ${highest} at about ${shape({ layers: layers.value, dim: Math.round(dim.value) })}, ${reach}.`;
  }
  const parts = AXES.filter((axis) => peak[axis].place !== 'not fitted').map((axis) => {
    const { place, value } = peak[axis];
    if (value !== undefined)
      return `is ${highest} at about ${axis} ${round(value)}${place === 'outside' ? ', outside the measured range' : ''}`;
    return `${place} with ${axis} as far as was measured`;
  });
  return parts.length
    ? `${surface} ${list(parts)}, so it has no ${maximum} of its own.`
    : `${surface} has no term of layers or dim.`;
}

/** How far each coordinate of the optimum may lie from where it was found. */
export function peakIntervalWords(peak: Peaks, direction: Direction): string {
  const { maximum } = GOOD[direction];
  const parts = AXES.flatMap((axis) => {
    const { value, low, high } = peak[axis];
    if (value === undefined) return [];
    const digits = (v: number) => (axis === 'dim' ? Math.round(v) : round(v));
    if (low !== undefined && high !== undefined)
      return digits(low) === digits(high)
        ? [`at ${axis} ${digits(low)}`]
        : [`between ${axis} ${digits(low)} and ${digits(high)}`];
    if (low !== undefined) return [`above ${axis} ${digits(low)}, with no upper end that the data can give`];
    if (high !== undefined)
      return [`below ${axis} ${digits(high)}, with no lower end that the data can give`];
    return [`at no ${axis} that the data can tell`];
  });
  return parts.length
    ? `The ${maximum} of the surface lies ${list(parts)}.`
    : `The surface has no ${maximum} of its own.`;
}
