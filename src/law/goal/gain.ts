/**
 * What a run would tell of the decision at the goal, for its cost. To first order a run at z takes Cov(d, z)^2 / (Var z + s^2) off
 * the variance of a difference d (MacKay 1992); the differences that count are those between what would be named and its rivals,
 * each by its chance of being the best. After a run is chosen all covariances are what they would be when it is made, so that the
 * next one of the round does not tell the same.
 */
import type { Standing } from './decision.js';
import type { Place, Surrogate } from './surrogate.js';

/** A run that may be made. */
export interface Affordable extends Place {
  cost: number;
}

export interface Gain<R> {
  run: R;
  /** Share of the decision's variance that it is expected to take off. */
  share: number;
}

/** Options with less chance of being the best tell nothing of the decision. */
const SERIOUS = 0.002;

/** Chooses the runs of a round one after another, each with what it takes off after those before it. */
export class Gains<R extends Affordable> {
  readonly #covariance: Float64Array[];
  readonly #weights: number[];
  readonly #reference: number;
  readonly #noise: number;
  readonly #before: number;
  readonly #left: Set<number>;

  constructor(
    surrogate: Surrogate,
    standing: Standing,
    options: readonly Place[],
    readonly runs: readonly R[],
  ) {
    const serious = options
      .map((_, i) => i)
      .filter((i) => i === standing.chosen || i === standing.least || standing.odds[i]!.best > SERIOUS);
    const places = [...serious.map((i) => options[i]!), ...runs];
    this.#covariance = surrogate.covariance(places, places);
    this.#weights = serious.map((i) => standing.odds[i]!.best);
    this.#reference = serious.indexOf(standing.chosen);
    this.#noise = surrogate.noise ** 2;
    this.#before = this.#weights.reduce((sum, weight, c) => sum + weight * this.#variance(c), 0);
    this.#left = new Set(runs.keys());
  }

  /** Variance of the difference between an option and what would be named. */
  #variance(c: number): number {
    const [k, r] = [this.#covariance, this.#reference];
    return k[c]![c]! + k[r]![r]! - 2 * k[c]![r]!;
  }

  #gain(run: number): number {
    const z = this.#weights.length + run;
    const [k, r] = [this.#covariance, this.#reference];
    const total = k[z]![z]! + this.#noise;
    return this.#weights.reduce((sum, weight, c) => sum + (weight * (k[c]![z]! - k[r]![z]!) ** 2) / total, 0);
  }

  /** What every run that is left takes off, the most for its cost first. */
  ranked(): Gain<R>[] {
    if (!(this.#before > 0)) return [];
    return [...this.#left]
      .map((i) => ({ run: this.runs[i]!, share: this.#gain(i) / this.#before }))
      .filter(({ share }) => share > 0)
      .sort((a, b) => b.share / b.run.cost - a.share / a.run.cost);
  }

  /** Counts a run as made: what it will say is not known, but how much less is unknown then is. */
  take(run: R): void {
    const index = this.runs.indexOf(run);
    this.#left.delete(index);
    const z = this.#weights.length + index;
    const k = this.#covariance;
    const column = Float64Array.from(k, (row) => row[z]!);
    const total = column[z]! + this.#noise;
    for (let i = 0; i < k.length; i++) {
      const row = k[i]!;
      const share = column[i]! / total;
      for (let j = 0; j < row.length; j++) row[j]! -= share * column[j]!;
    }
  }
}
