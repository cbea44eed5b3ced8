/** Whatever the data and the budget: a valid file whose plan holds it, or a refusal with a remedy. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSweep } from '../../../src/sweep/file/plan.js';
import { resolveSweep } from '../../../src/sweep/file/resolve.js';
import { checkSweepText } from '../../../src/sweep/file/spec.js';
import { draftSweep } from '../../../src/sweep/init/init.js';
import { realCost } from '../../../src/sweep/run/estimate.js';
import { ASSUMED } from '../../../src/sweep/run/pace/pace.js';
import { factsOf } from '../../../src/sweep/run/start.js';
import { UserError } from '../../../src/util/errors.js';
import { generated } from './inputs.js';

const data = fc.record({
  seed: fc.nat(1000),
  users: fc.integer({ min: 1, max: 400 }),
  items: fc.integer({ min: 2, max: 300 }),
  extra: fc.integer({ min: 0, max: 50 }),
  minLength: fc.integer({ min: 1, max: 8 }),
  repeats: fc.double({ min: 0, max: 1, noNaN: true }),
});
const wishes = fc.record(
  {
    hours: fc.double({ min: 1e-4, max: 20, noNaN: true }),
    params: fc.integer({ min: 50, max: 5_000_000 }),
    metric: fc.constantFrom('ndcg@10', 'hr@1', 'mrr@20', 'hr@100'),
  },
  { requiredKeys: [] },
);
const machine = fc.record({
  cores: fc.integer({ min: 1, max: 64 }),
  memory: fc.constantFrom(2 ** 28, 2 ** 30, 2 ** 36),
  paceOf: fc
    .double({ min: 0.1, max: 10 })
    .map((by) => async () => ({ ...ASSUMED, speed: by * ASSUMED.speed })),
});

describe('draftSweep', () => {
  it('drafts a file that is valid and within its budget, or says what would do', async () => {
    const cost = await realCost();
    await fc.assert(
      fc.asyncProperty(data, wishes, machine, async ({ extra, ...options }, asked, on) => {
        const clusters = Math.min(10, options.items);
        const name = 'any';
        const set = generated(name, { ...options, clusters, meanLength: options.minLength + extra });
        let draft: Awaited<ReturnType<typeof draftSweep>>;
        try {
          draft = await draftSweep(set, { name, data: name, madeBy: 'm', run: 'r' }, asked, on);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.remedy).toBeTruthy();
          return;
        }
        const { source, problems } = checkSweepText(draft.text, 'any.yaml');
        expect(problems).toEqual([]);
        const sweep = resolveSweep(source!);
        const { trials } = planSweep(sweep, 'wasm', factsOf(set, sweep), cost);
        expect(trials).toHaveLength(draft.trials);
        expect(draft.seconds).toBeLessThanOrEqual(3600 * (asked.hours ?? 4));
        expect(draft.workers).toBeLessThanOrEqual(on.cores);
        expect(sweep.goal!.params).toBe(asked.params ?? draft.params);
        for (const { parameters, memory } of trials) {
          expect(parameters).toBeLessThanOrEqual(draft.params);
          expect(draft.workers * memory).toBeLessThanOrEqual(on.memory);
        }
        expect(draft.text).not.toMatch(/NaN|undefined|Infinity|null/);
      }),
      { numRuns: Number(process.env['PERFLAW_SWEEPS'] ?? 25) },
    );
  });
});
