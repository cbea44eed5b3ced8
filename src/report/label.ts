/** What tells trials apart, in words: their shape, and the settings in which a sweep's trials differ. */

import { sliceLabel } from '../data/slice.js';
import type { TrialRecord } from '../sweep/store/record.js';

/** `4 × 64`: layers by dim, the short name of a shape. */
export function configurationLabel(record: TrialRecord): string {
  const { model } = record.config;
  return `${model.layers} × ${model.dim}`;
}

/** The label of a record's slice; done records carry it, failed ones only the specification. */
export function recordSlice(record: TrialRecord): string {
  return record.status === 'done' ? record.slice.label : sliceLabel(record.config.slice);
}

/** Settings that are neither axes of the law nor repeats: trials that agree on them form a group. */
function settings(record: TrialRecord): Record<string, unknown> {
  const { model, training, evaluation, data, backend } = record.config;
  const { layers: _layers, dim: _dim, name, ...rest } = model;
  return { data: data.name, model: name, ...rest, ...training, select: evaluation.select, backend };
}

/**
 * Sorts records into groups that differ in nothing but layers, dim, slice and seed. Each label names only what differs between
 * the groups; with one group it is empty.
 */
export function groupRecords<T extends TrialRecord>(records: T[]): { label: string; records: T[] }[] {
  const all = records.map(settings);
  const keys = [...new Set(all.flatMap((one) => Object.keys(one)))];
  const varying = keys.filter((key) => new Set(all.map((one) => JSON.stringify(one[key]))).size > 1);
  const groups = new Map<string, T[]>();
  records.forEach((record, i) => {
    const label = varying
      .filter((key) => all[i]![key] !== undefined)
      .map((key) => (key === 'model' || key === 'data' ? String(all[i]![key]) : `${key}=${all[i]![key]}`))
      .join(', ');
    groups.set(label, [...(groups.get(label) ?? []), record]);
  });
  return [...groups].map(([label, members]) => ({ label, records: members }));
}
