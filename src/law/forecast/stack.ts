/**
 * The stack: candidates weighted by how well each would have predicted the levels that were measured, from the lower ones, in
 * units of the nearest run's error. With F levels tried it is believed F / (F + 1); the rest goes to candidates that expect half
 * of what curves say. Beyond an axis its own folds count in full, those of the other axis a quarter; beyond both, F is that of the
 * axis on which less was tried. Levels of other slices count half.
 */
import type { Variable } from '../points/points.js';
import type { Fold, PredictedPoint } from './folds.js';
import { NEAREST, type Sayings, UNTRIED } from './pool.js';

/** Power of the relative error in a weight: 2 is that of squared errors. */
const POWER = 2;
/** Errors below this share of the nearest run's are equally good: a hit is partly luck. */
const LUCK = 0.1;
/** What folds of the other axis count. */
export const OTHER_AXIS = 0.25;

/** What the stack says of one place. */
export interface Stacked {
  value: number;
  /** Weighted variance of the candidates about it. */
  disagreement: number;
  /** Weights of the candidates, together 1. */
  weights: Map<string, number>;
  /** Levels behind it: of the axis on which the place lies beyond, of two the fewer. */
  folds: number;
}

/** How well every candidate predicted one level. */
interface Judged {
  axis: Variable;
  share: number;
  /** ln of a candidate's error over the nearest run's, by name; 0 for one that said nothing. */
  logs: Map<string, number>;
}

export interface Stack {
  at(said: Sayings, far: readonly number[]): Stacked;
  /** The same by all folds but one, fold by fold. */
  without: Combine[];
}

/** @param axes in the order of every `beyond`. */
export function makeStack(folds: readonly Fold[], axes: readonly Variable[]): Stack {
  const judged = folds.map(judge);
  return {
    at: combiner(judged, axes),
    without: folds.map((_, i) =>
      combiner(
        judged.filter((_, j) => j !== i),
        axes,
      ),
    ),
  };
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** How many levels of the slice itself these are worth. */
export const worthOf = (folds: readonly { share: number }[]) => sum(folds.map(({ share }) => share));

function judge({ axis, share, predicted }: Fold): Judged {
  const error = (name: string) => {
    let square = 0;
    let runs = 0;
    for (const { point, said } of predicted) {
      const value = said.get(name);
      if (value === undefined) return undefined;
      square += point.runs.length * (value - point.value) ** 2;
      runs += point.runs.length;
    }
    return Math.sqrt(square / runs);
  };
  const nearest = error(NEAREST)!;
  const logs = new Map<string, number>();
  if (nearest > 0)
    for (const name of namesOf(predicted)) {
      const own = error(name);
      if (own !== undefined) logs.set(name, Math.log((own / nearest + LUCK) / (1 + LUCK)));
    }
  return { axis, share, logs };
}

const namesOf = (predicted: readonly PredictedPoint[]) =>
  new Set(predicted.flatMap(({ said }) => [...said.keys()]));

type Combine = (said: Sayings, far: readonly number[]) => Stacked;

/** Weights depend on what was said at all and on the axes concerned alone, so they are kept. */
function combiner(judged: readonly Judged[], axes: readonly Variable[]): Combine {
  const known = new Map<string, Pick<Stacked, 'weights' | 'folds'>>();
  return (said, far) => {
    const names = [...said.keys()];
    const key = `${far.map((one) => (one > 0 ? 1 : 0)).join('')} ${names.join()}`;
    const { weights, folds } = known.get(key) ?? weigh(judged, names, far, axes);
    known.set(key, { weights, folds });
    let value = 0;
    for (const [name, weight] of weights) value += weight * said.get(name)!;
    let disagreement = 0;
    for (const [name, weight] of weights) disagreement += weight * (said.get(name)! - value) ** 2;
    return { value, disagreement, weights, folds };
  };
}

function weigh(
  judged: readonly Judged[],
  names: readonly string[],
  far: readonly number[],
  axes: readonly Variable[],
): Pick<Stacked, 'weights' | 'folds'> {
  const isBeyond = (axis: Variable) => far[axes.indexOf(axis)]! > 0;
  const tried = axes.filter(isBeyond).map((one) => worthOf(judged.filter(({ axis }) => axis === one)));
  // inside every range all that was tried counts, though less
  const folds = tried.length > 0 ? Math.min(...tried) : OTHER_AXIS * worthOf(judged);
  const evidence = names.map((name) =>
    sum(
      judged.map(
        ({ axis, share, logs }) => share * (isBeyond(axis) ? 1 : OTHER_AXIS) * (logs.get(name) ?? 0),
      ),
    ),
  );
  const best = Math.min(...evidence);
  const raw = evidence.map((value) => Math.exp(-POWER * (value - best)));
  const total = sum(raw);
  const believed = folds / (folds + 1);
  const untried = UNTRIED.filter((name) => names.includes(name));
  if (untried.length === 0) untried.push(NEAREST);
  const weights = new Map(
    names.map((name, i) => [
      name,
      (believed * raw[i]!) / total + (untried.includes(name) ? (1 - believed) / untried.length : 0),
    ]),
  );
  return { weights, folds };
}
