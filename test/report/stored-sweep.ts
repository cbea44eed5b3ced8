/** Simulated records as a sweep's folder on disk, as `perflaw sweep` leaves it. */
import { join } from 'node:path';
import { STORE_SCHEMA } from '../../src/sweep/store/layout.js';
import type { DoneRecord, TrialRecord } from '../../src/sweep/store/record.js';
import { SweepStore } from '../../src/sweep/store/store.js';
import { trialId } from '../../src/train/identity.js';
import { ITEMS, type SimulationOptions, simulateRecords } from './simulated-sweep.js';

/**
 * Writes the sweep to `<root>/reports/<name>` and returns that folder. `open` more trials are planned but have no result; `change`
 * makes other finished trials of the simulated ones.
 */
export function storeSweep(
  root: string,
  name: string,
  options: SimulationOptions & {
    open?: number;
    tuned?: string[];
    change?: (done: DoneRecord[]) => DoneRecord[];
  } = {},
): string {
  const path = join(root, 'reports', name);
  const store = new SweepStore(path);
  const { done, failed } = simulateRecords(options);
  const records = [...(options.change?.(done) ?? done), ...failed].map(
    (record): TrialRecord => ({ ...record, id: trialId(record.config, 1) }),
  );
  const waiting = Array.from({ length: options.open ?? 0 }, (_, i) => {
    const config = { ...records[0]!.config, seed: 1000 + i };
    return { id: trialId(config, 1), config };
  });
  store.writePlan({
    schema: STORE_SCHEMA,
    name,
    perflaw: '0.1.0',
    numericVersion: 1,
    updatedAt: '2026-01-05T10:00:00.000Z',
    data: {
      name: 'simulated',
      hash: 'f'.repeat(64),
      numItems: ITEMS,
      reference: { kind: 'synthetic', name: 'simulated' } as never,
    },
    workers: 1,
    ...(options.tuned ? { tuned: options.tuned } : {}),
    file: 'simulated.yaml',
    text: 'name: simulated\n',
    trials: [...records, ...waiting].map(({ id, config }) => ({
      id,
      label: id,
      config,
      parameters: 1,
      tokens: 1,
      flops: 1,
    })),
  });
  for (const record of records) store.writeResult(record);
  return path;
}
