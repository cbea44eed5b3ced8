/**
 * The noise of one run split into what seeds and what users bring: a two-way analysis of variance of users by seeds with random
 * effects and one observation a cell (Searle, Casella and McCulloch 1992, ch. 4), pooled over configurations.
 */

/** Standard deviations of a metric's mean, each by itself; their squares add up. */
export interface NoiseSplit {
  /** Configurations with several seeds, and runs of them. */
  configurations: number;
  runs: number;
  /** Evaluated users of a run. */
  users: number;
  /** Another seed, with users without end. */
  seed: number;
  /** Which of these users a seed happens to serve well. */
  seedByUser: number;
  /** Another seed on the same users: both of the above. It is what the points of a law scatter by. */
  betweenSeeds: number;
  /** Other users, for every run alike: it moves a whole law, and no difference within it. */
  user: number;
}

/**
 * @param configurations for each, the runs that differ in nothing but the seed: what every user adds to the metric, the same
 * users in the same order. Those with one run are left out.
 * @returns null where none has two.
 */
export function splitNoise(configurations: readonly (readonly ArrayLike<number>[])[]): NoiseSplit | null {
  const repeated = configurations.filter((runs) => runs.length > 1 && runs[0]!.length > 1);
  if (repeated.length === 0) return null;
  const sums = { degrees: 0, seed: 0, rest: 0, user: 0, between: 0, runs: 0 };
  for (const runs of repeated) {
    const found = components(runs);
    const degrees = runs.length - 1;
    sums.degrees += degrees;
    sums.runs += runs.length;
    sums.between += degrees * found.between;
    sums.rest += degrees * found.rest;
    sums.user += degrees * found.user;
  }
  const [between, rest, user] = [sums.between, sums.rest, sums.user].map((sum) => sum / sums.degrees);
  return {
    configurations: repeated.length,
    runs: sums.runs,
    users: repeated[0]![0]!.length,
    // Estimated as a difference, which may fall below 0 by chance.
    seed: Math.sqrt(Math.max(0, between! - rest!)),
    seedByUser: Math.sqrt(Math.min(rest!, between!)),
    betweenSeeds: Math.sqrt(between!),
    user: Math.sqrt(user!),
  };
}

/** Variances of a run's mean: between seeds, of users by seeds, and of users. */
function components(runs: readonly ArrayLike<number>[]): { between: number; rest: number; user: number } {
  const n = runs[0]!.length;
  const s = runs.length;
  const seedMeans = runs.map((run) => {
    let sum = 0;
    for (let u = 0; u < n; u++) sum += run[u]!;
    return sum / n;
  });
  const mean = seedMeans.reduce((a, b) => a + b, 0) / s;
  const between = seedMeans.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (s - 1);
  let userSquares = 0;
  let restSquares = 0;
  for (let u = 0; u < n; u++) {
    let sum = 0;
    for (let r = 0; r < s; r++) sum += runs[r]![u]!;
    const own = sum / s;
    userSquares += (own - mean) ** 2;
    for (let r = 0; r < s; r++) restSquares += (runs[r]![u]! - own - seedMeans[r]! + mean) ** 2;
  }
  const rest = restSquares / ((n - 1) * (s - 1));
  const user = Math.max(0, userSquares / (n - 1) - rest / s);
  return { between, rest: rest / n, user: user / n };
}
