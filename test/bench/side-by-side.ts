/**
 * Times several ways of doing one thing in turn (A B A B ...), so that a machine that slows down slows all of them, and
 * prints medians and ratios. Figures from two runs are not comparable; ratios within one run are.
 */

export interface Contender {
  name: string;
  run(): void | Promise<void>;
}

export interface Timing {
  name: string;
  /** Median seconds a run. */
  seconds: number;
}

/** @param work how much one run does, in `unit`s, to print rates. */
export async function sideBySide(
  title: string,
  work: number,
  unit: string,
  contenders: Contender[],
  rounds = 7,
): Promise<Timing[]> {
  const times = contenders.map(() => [] as number[]);
  for (const { run } of contenders) await run();
  for (let round = 0; round < rounds; round++)
    for (const [i, { run }] of contenders.entries()) {
      const begun = performance.now();
      await run();
      times[i]!.push((performance.now() - begun) / 1000);
    }
  const timings = contenders.map(({ name }, i) => ({ name, seconds: median(times[i]!) }));
  const slowest = Math.max(...timings.map((t) => t.seconds));
  console.log(`\n${title}`);
  for (const { name, seconds } of timings) {
    const rate = Math.round(work / seconds).toLocaleString('en');
    console.log(
      `  ${name.padEnd(28)} ${(1000 * seconds).toFixed(1).padStart(9)} ms ${rate.padStart(12)} ${unit}/s ${(slowest / seconds).toFixed(1).padStart(7)}x`,
    );
  }
  return timings;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
