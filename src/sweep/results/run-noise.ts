/** The noise of one run of a sweep, split into seeds and users by the ranks that its trials kept. */
import type { Panel } from '../../law/points/points.js';
import { type NoiseSplit, splitNoise } from '../../law/trust/noise.js';
import { UserError } from '../../util/errors.js';
import { SweepStore } from '../store/store.js';
import { metricPlace, userValues } from './rank-metrics.js';

/** What users and seeds bring to one run of a panel. */
export interface RunNoise {
  /** Standard error of a run's metric over its users, root mean square over the runs. */
  standardError: number;
  /** Null where no configuration has two seeds, or none of them kept its ranks. */
  split: NoiseSplit | null;
  /** Why there is no split, or why runs were left out of it. */
  reason?: string;
}

/**
 * @param path the sweep's folder. @param panel of its observations. @param metric as observations name it.
 * @returns undefined where the panel's runs hold no standard error of the metric: results of before ranks were kept, other metrics.
 */
export function noiseOfRuns(path: string, panel: Panel, metric: string): RunNoise | undefined {
  const errors = panel.observations.flatMap(({ standardErrors }) => standardErrors?.[metric] ?? []);
  if (errors.length === 0) return undefined;
  const standardError = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
  const configurations = new Map<string, string[]>();
  for (const { layers, dim, source } of panel.observations) {
    const key = `${layers}/${dim}`;
    configurations.set(key, [...(configurations.get(key) ?? []), source!]);
  }
  const repeated = [...configurations.values()].filter((ids) => ids.length > 1);
  if (repeated.length === 0)
    return {
      standardError,
      split: null,
      reason: 'one seed a configuration; seeds: [0, 1, 2] tells the rest',
    };
  const store = new SweepStore(path);
  const { numericVersion } = store.readPlan();
  let without = 0;
  let users: string | undefined;
  const read = (id: string): Float64Array[] => {
    const found = store.readTrial(id, numericVersion, { curve: false });
    if (found.state !== 'done' || found.record.status !== 'done') return [];
    try {
      const { part, history, name } = metricPlace(metric, found.record.config);
      const ranks = store.readRanks(found.record)[part];
      // Trials of one sweep are evaluated on the same users; those of a folder mended by hand may not be.
      users ??= ranks.users.join();
      if (users === ranks.users.join()) return [userValues(ranks, history, name)];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
    without++;
    return [];
  };
  const split = splitNoise(repeated.map((ids) => ids.flatMap(read)));
  const reason = without > 0 ? `${without} repeated runs kept no ranks that can be used` : undefined;
  return { standardError, split, ...(reason ? { reason } : {}) };
}
