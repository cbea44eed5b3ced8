/** The loss beside the metric that the sweep selected on: which size each calls best, in the view and on the page. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { toText } from '../../../src/report/page/html.js';
import { lossSection } from '../../../src/report/page/loss-section.js';
import { trialsTable } from '../../../src/report/page/trial-tables.js';
import { gatherReport } from '../../../src/report/view/gather.js';
import { lossAgreement } from '../../../src/report/view/loss-agreement.js';
import { readSweepRecords } from '../../../src/report/view/read.js';
import type { DoneRecord } from '../../../src/sweep/store/record.js';
import { simulateRecords } from '../simulated-sweep.js';
import { storeSweep } from '../stored-sweep.js';

const root = mkdtempSync(join(tmpdir(), 'perflaw-losses-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CHOICE = { name: 'ndcg@10', split: 'test', history: 'masked', direction: 'maximize' } as const;

/** Losses that fall with dim without end, whatever the NDCG does. */
const withLoss =
  (lossOf: (record: DoneRecord) => number) =>
  (done: DoneRecord[]): DoneRecord[] =>
    done.map((record) => {
      const loss = lossOf(record);
      const { result } = record;
      return {
        ...record,
        result: {
          ...result,
          validation: { ...result.validation, loss: loss - 0.1 },
          test: { ...result.test, loss },
          curve: result.curve.map((epoch) => ({
            ...epoch,
            ...(epoch.validation ? { validation: { ...epoch.validation, loss: loss + 1 } } : {}),
          })),
        },
      };
    });
const falling = (record: DoneRecord) =>
  8 - Math.log2(record.config.model.dim) / 4 - record.config.model.layers / 20;

describe('loss beside metric', () => {
  it('names both best sizes, and how alike the two order all sizes', () => {
    const { done } = simulateRecords({ slices: [1], seeds: [0, 1] });
    const [apart] = lossAgreement('', withLoss(falling)(done), CHOICE);
    expect(apart).toMatchObject({
      slice: 'all',
      configurations: 16,
      byMetric: { dim: 64 },
      byLoss: { layers: 8, dim: 128 },
    });
    expect(apart!.correlation!).toBeLessThan(0.9);
    const alike = withLoss(({ result }) => 5 - result.test.masked['ndcg@10']!)(done);
    const [same] = lossAgreement('', alike, CHOICE);
    expect(same!.byLoss).toEqual(same!.byMetric);
    expect(same!.correlation).toBeCloseTo(1, 12);
    expect(lossAgreement('', done, CHOICE)).toEqual([]);
  });

  it('is in every report whose trials recorded it, and said on the page', async () => {
    const path = storeSweep(root, 'beside', { slices: [0.5, 1], change: withLoss(falling) });
    const input = await gatherReport(readSweepRecords(path), { resamples: 20, form: 'log-linear' });
    expect(input.losses.map(({ slice }) => slice).sort()).toEqual(['all', 'users=0.5']);
    const text = toText(lossSection(input));
    expect(text).toContain('They do not agree on which measured size is best');
    expect(text).toContain('8 layers, dim 128');
    const bare = await gatherReport(readSweepRecords(storeSweep(root, 'bare', { slices: [1] })), {
      resamples: 20,
      form: 'log-linear',
    });
    expect(toText(lossSection(bare))).toBe('');
  });

  it('as the report’s own metric is minimized in law, answer and tables', async () => {
    const path = storeSweep(root, 'own', { slices: [1], change: withLoss(falling) });
    const input = await gatherReport(readSweepRecords(path), {
      metric: 'loss',
      resamples: 20,
      form: 'log-linear',
    });
    expect(input.metric).toMatchObject({ name: 'loss', direction: 'minimize' });
    const { optimum } = input.groups[0]!.law!.budget!;
    // hardly more than the least loss, which 8 layers have, and cheaper
    expect(optimum).toMatchObject({ layers: 6, dim: 128 });
    expect(Math.abs(optimum.predicted.value / (8 - 7 / 4 - 0.4) - 1)).toBeLessThan(0.02);
    const rows = toText(trialsTable(input));
    expect(rows).toContain('validation loss');
    expect(rows.indexOf('>128<')).toBeLessThan(rows.indexOf('>16<'));
    expect(input.losses[0]!.byMetric).toMatchObject({ dim: 64 });
  });
});
