/** What to name at the goal by what is believed so far, and how sure that is. */
import { createRandom } from '../../util/random.js';
import { cholesky } from '../fitting/cholesky.js';
import type { Direction } from '../points/direction.js';
import { type Decision, decide } from '../predict/decision.js';
import type { Place, Surrogate } from './surrogate.js';

/** A configuration that may be named. */
export interface Option extends Place {
  /** What it costs to train: of several that are as good the cheapest is named. */
  cost: number;
}

export interface GoalQuestion {
  options: readonly Option[];
  direction: Direction;
  /** How much worse than the best is as good, in units of the metric. */
  tolerance: number;
  /** Probability of being within it that is enough. */
  confidence: number;
  /** The most that the metric can be: 1 for a share; no limit where absent. */
  most?: number;
}

/** What is believed at the goal. */
export interface Standing extends Decision {
  /** Expected metric of each option, and the deviation of its logarithm. */
  values: number[];
  deviations: number[];
}

const WORLDS = 400;
/** Few runs make the process too sure of its own smoothness: variances count so many times. */
const DOUBT = 2;
const JITTER = 1e-10;

/** Means, covariances and worlds of the options, in the logarithm of the metric; the worlds are the same for equal questions. */
export function weighOptions(surrogate: Surrogate, question: GoalQuestion): Standing {
  const { options, direction, tolerance, confidence } = question;
  const mean = surrogate.mean(options);
  const covariance = surrogate.covariance(options, options);
  const worlds = drawWorlds(
    mean,
    covariance.map((row) => row.map((v) => v * DOUBT)),
  );
  const values = [...mean].map(Math.exp);
  const decision = decide(
    worlds,
    options.map(({ cost }) => cost),
    values,
    tolerance,
    direction,
    confidence,
    // the worlds of a few runs are too wide for their odds to choose by
    0,
  );
  return {
    ...decision,
    values,
    deviations: covariance.map((row, i) => Math.sqrt(DOUBT * Math.max(0, row[i]!))),
  };
}

function drawWorlds(mean: Float64Array, covariance: readonly Float64Array[]): Float64Array[] {
  const n = mean.length;
  const largest = Math.max(...covariance.map((row, i) => row[i]!));
  let factor: Float64Array[] | undefined;
  for (let jitter = JITTER; !factor; jitter *= 100)
    factor = cholesky(covariance.map((row, i) => row.map((v, j) => (i === j ? v + jitter * largest : v))));
  const random = createRandom('goal worlds');
  return Array.from({ length: WORLDS }, () => {
    const z = Float64Array.from({ length: n }, () => random.normal());
    return Float64Array.from({ length: n }, (_, i) => {
      let sum = mean[i]!;
      for (let j = 0; j <= i; j++) sum += factor[i]![j]! * z[j]!;
      return Math.exp(sum);
    });
  });
}
