/** What tells trials apart, in words: their shape, and the settings in which a sweep's trials differ. */

import { sliceLabel } from '../../data/slice.js';
import type { Settings } from '../../law/points/settings.js';
import { varyingColumns } from '../../sweep/results/varying.js';
import type { TrialRecord } from '../../sweep/store/record.js';

/** `4 × 64`: layers by dim, the short name of a shape. */
export function configurationLabel(record: TrialRecord): string {
  const { model } = record.config;
  return `${model.layers} × ${model.dim}`;
}

/** What else tells trials apart, `learningRate=0.001, dropout=0.2`; undefined where nothing but shape, slice and seed does. */
export function settingsLabel(
  records: readonly TrialRecord[],
): ((record: TrialRecord) => string) | undefined {
  const { names, of } = varyingColumns(records.map(({ config }) => config));
  if (names.length === 0) return undefined;
  return ({ config }) => groupLabel(Object.fromEntries(of(config).map((value, i) => [names[i]!, value])));
}

/** The label of a record's slice; done records carry it, failed ones only the specification. */
export function recordSlice(record: TrialRecord): string {
  return record.status === 'done' ? record.slice.label : sliceLabel(record.config.slice);
}

/** A group of trials in words: `tim4rec, dState=16`; empty where there is one group. */
export function groupLabel(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => (name === 'model' || name === 'data' ? String(value) : `${name}=${value}`))
    .join(', ');
}
