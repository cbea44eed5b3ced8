/**
 * How the cores of a machine are shared among the trials that run on it. A trial's numbers do not depend on its threads, so they may
 * change while it runs: once fewer trials are left than there are cores, those that take longest get the free ones.
 */
/** A trial that runs. */
export interface Sharer {
  /** What it still has to do, in any unit. */
  work: number;
  /** Threads that it can use. */
  most: number;
}

/** Threads for each: one at least, and the rest to whom it takes longest. */
export function shareCores(sharers: readonly Sharer[], cores: number): number[] {
  const threads = sharers.map(() => 1);
  for (let free = cores - sharers.length; free > 0; free--) {
    let next = -1;
    sharers.forEach(({ work, most }, i) => {
      if (threads[i]! >= most) return;
      if (next < 0 || work / threads[i]! > sharers[next]!.work / threads[next]!) next = i;
    });
    if (next < 0) break;
    threads[next]!++;
  }
  return threads;
}

/** What a thread besides the first adds to a trial's speed, about (docs/log.md). */
const GAIN = 0.85;

/** Speed of a trial on so many threads, over that on one. */
export function speedOf(threads: number): number {
  return 1 + GAIN * (threads - 1);
}

/** More trials than this end nearly together whatever their order. */
const MANY = 500;

/**
 * Wall seconds until all of some trials are done, which so many workers begin in the order given and which share the cores as they
 * stand: what they have to do is in seconds of one core.
 */
export function wallSeconds(trials: readonly Sharer[], workers: number, cores: number): number {
  if (trials.length > MANY) {
    const total = trials.reduce((sum, { work }) => sum + work, 0);
    return trials.reduce((most, { work }) => Math.max(most, work), total / Math.min(workers, cores));
  }
  const waiting = [...trials];
  let running: Sharer[] = [];
  let seconds = 0;
  for (;;) {
    while (running.length < workers && waiting.length > 0) running.push({ ...waiting.shift()! });
    if (running.length === 0) return seconds;
    const speeds = shareCores(running, cores).map(speedOf);
    // Workers beyond the cores get a share of them.
    const shared = Math.min(1, cores / running.length);
    const step = Math.min(...running.map(({ work }, i) => work / (speeds[i]! * shared)));
    seconds += step;
    running = running
      .map((one, i) => ({ ...one, work: one.work - step * speeds[i]! * shared }))
      .filter(({ work }) => work > 1e-9 * step);
  }
}
