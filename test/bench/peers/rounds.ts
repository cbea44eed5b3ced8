/**
 * Runs several sides in turn, round after round, and prints medians. Ratios are taken within a round and from processor
 * time: on a busy machine the clock says more about the other processes.
 */
import type { Spent } from './peer-process.js';

export interface Side {
  name: string;
  /** Measurements that do not count, before the first that does (1). */
  warmups?: number;
  measure(): Promise<Spent>;
}

/** One run of ours, measured like the other side measures itself. */
export async function spentOn(run: () => Promise<void>): Promise<Spent> {
  const before = process.cpuUsage();
  const begun = performance.now();
  await run();
  const clock = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { clock, processor: (user + system) / 1e6 };
}

/**
 * @param sides the first is the one that the others are held against.
 * @param by clock where one side computes on a GPU.
 */
export async function rounds(
  title: string,
  work: number,
  unit: string,
  sides: Side[],
  by: keyof Spent = 'processor',
  count = Number(process.env['PERFLAW_PEER_ROUNDS'] ?? 7),
): Promise<void> {
  const spent = sides.map(() => [] as Spent[]);
  for (const side of sides) for (let i = 0; i < (side.warmups ?? 1); i++) await side.measure();
  for (let round = 0; round < count; round++)
    for (const [i, side] of sides.entries()) spent[i]!.push(await side.measure());
  console.log(`\n${title} (${count} rounds, medians)`);
  sides.forEach(({ name }, i) => {
    const of = (key: keyof Spent) => median(spent[i]!.map((s) => s[key]));
    const ratio = median(spent[i]!.map((s, round) => s[by] / spent[0]![round]![by]));
    const ms = (seconds: number) => `${(1000 * seconds).toFixed(1)} ms`.padStart(11);
    const rate = Math.round(work / of(by)).toLocaleString('en');
    console.log(
      `  ${name.padEnd(42)} processor ${ms(of('processor'))}  clock ${ms(of('clock'))} ${rate.padStart(9)} ${unit}/s  ${i === 0 ? '' : `ours ${ratio.toFixed(1)}x as fast`}`,
    );
  });
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
