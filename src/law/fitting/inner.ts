/**
 * What a fit was made of (points, problem, solution), for the rooms that judge it further. It is kept under a symbol: copies of a fit
 * carry it along, and the public type promises nothing of it.
 */
import type { Point } from '../points/points.js';
import type { LawModel } from './design.js';
import type { Problem } from './projection.js';
import type { Solution, SolveSettings } from './solve.js';

export interface Inner {
  model: LawModel;
  points: Point[];
  problem: Problem;
  solution: Solution;
  settings: SolveSettings;
}

const INNER = Symbol('what the fit was made of');

export function withInner<T extends object>(law: T, inner: Inner): T {
  return Object.assign(law, { [INNER]: inner });
}

/** @throws Error for what is no fit of `fitLaw` or `fitPoints`. */
export function innerOf(law: object): Inner {
  const inner = (law as { [INNER]?: Inner })[INNER];
  if (inner === undefined)
    throw new Error('this is no law of fitLaw or fitPoints, or it was copied field by field');
  return inner;
}
