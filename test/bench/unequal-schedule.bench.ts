/**
 * How long after the bound (work over cores) does a sweep end whose largest trial is half as large as all the others together, by its
 * order and its threads alone? Trials of a stand-in that sleeps, and needs no core for it; processes, claims and records are real. Real
 * trainings: `node test/bench/unequal-sweep.mjs`.
 */
import { it } from 'vitest';
import { fakeLauncher, fakeTrial, NUMERIC_VERSION, temporaryFolder } from '../../src/contract/fake.js';
import { type RunOptions, runSweep } from '../../src/sweep/run/run.js';
import { SweepStore } from '../../src/sweep/store/store.js';

const SMALL = 16;
const STEPS = 4;
const SECONDS = 0.1;

it('an unequal sweep', async () => {
  const trial = (seed: number, epochs: number) => ({
    ...fakeTrial({ seed, epochs, stepSeconds: SECONDS }),
    flops: epochs * 1e6,
  });
  const epochs = 10;
  const trials = [
    ...Array.from({ length: SMALL }, (_, i) => trial(i + 1, epochs)),
    trial(0, (SMALL * epochs) / 2),
  ];
  const bound = (SMALL * epochs * 1.5 * STEPS * SECONDS) / 2;
  const run = async (name: string, options: Partial<RunOptions>) => {
    const begun = performance.now();
    const store = new SweepStore(temporaryFolder());
    await runSweep(store, trials, fakeLauncher(2), {
      numericVersion: NUMERIC_VERSION,
      data: 'fake',
      ...options,
    });
    const wall = (performance.now() - begun) / 1000;
    console.log(
      `  ${name.padEnd(32)} ${wall.toFixed(1)} s, ${(wall / bound).toFixed(2)} of the bound of ${bound} s`,
    );
  };
  const cores = { count: 2, mostOf: () => 2 };
  await run('smallest first, one thread', { hours: 1e6 });
  await run('smallest first, free cores', { hours: 1e6, cores });
  await run('longest first, one thread', {});
  await run('longest first, free cores', { cores });
});
