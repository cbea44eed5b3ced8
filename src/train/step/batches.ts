/**
 * Batches of packed rows. A history is cut into windows of at most `maxLength` steps such that every item but the first is
 * predicted once an epoch; windows of several users share a row, and `reset` marks where each begins. No step is spent on
 * padding except at the ends of rows.
 */
import type { Sequences } from '../../data/interactions.js';
import type { PackedBatch } from '../../model/model.js';
import type { Random } from '../../util/random.js';
import { prefixesOf } from '../check.js';
import type { Prefixes, TrialConfig } from '../config.js';

/** Steps [start, start + length) of `items` as inputs; the step after each is its target. */
export interface Window {
  start: number;
  length: number;
}

export interface TrainingBatch extends PackedBatch {
  /** [rows * length]: the next item, or -1 where nothing is predicted. */
  targets: Int32Array;
  /** Real (not padded) steps. */
  tokens: number;
  /** Positions with a target: what the loss is the mean of. */
  predicted: number;
}

/** Rows that stay open while windows are placed: more find a better fit, none needs more than this. */
const OPEN_ROWS = 64;

/**
 * Windows of one epoch. The cuts of a long history lie elsewhere in every epoch (`random`), so that no item is always the
 * one with a short past.
 */
export function allPositionWindows(
  { users, offsets }: Sequences,
  maxLength: number,
  random: Random,
): Window[] {
  const windows: Window[] = [];
  for (let u = 0; u < users.length; u++) {
    const begin = offsets[u]!;
    const end = offsets[u + 1]! - 1; // the last item is a target only
    if (end <= begin) continue;
    let at = begin;
    if (end - begin > maxLength) {
      const first = 1 + random.int(maxLength);
      windows.push({ start: at, length: first });
      at += first;
    }
    for (; at < end; at += maxLength) windows.push({ start: at, length: Math.min(maxLength, end - at) });
  }
  return windows;
}

/** Every prefix as an example of its own, its last `maxLength` items: the published protocol, some 100 times the steps. */
export function prefixWindows({ users, offsets }: Sequences, maxLength: number): Window[] {
  const windows: Window[] = [];
  for (let u = 0; u < users.length; u++)
    for (let end = offsets[u]! + 1; end < offsets[u + 1]!; end++) {
      const length = Math.min(maxLength, end - offsets[u]!);
      windows.push({ start: end - length, length });
    }
  return windows;
}

/** So many different prefixes of each history (all where it has no more), their ends drawn anew in every epoch. */
export function randomPrefixWindows(
  { users, offsets }: Sequences,
  maxLength: number,
  random: Random,
  count = 1,
): Window[] {
  const windows: Window[] = [];
  for (let u = 0; u < users.length; u++) {
    const [begin, n] = [offsets[u]!, offsets[u + 1]! - offsets[u]!];
    for (const items of distinct(count, n - 1, random)) {
      const end = begin + 1 + items;
      const length = Math.min(maxLength, end - begin);
      windows.push({ start: end - length, length });
    }
  }
  return windows;
}

/** `count` different numbers below n, or all of them, by one draw each (Floyd's algorithm). */
function distinct(count: number, n: number, random: Random): Set<number> {
  const drawn = new Set<number>();
  for (let last = Math.max(0, n - count); last < n; last++) {
    const number = random.int(last + 1);
    drawn.add(drawn.has(number) ? last : number);
  }
  return drawn;
}

/** Prefixes of each history in an epoch, where it has so many. */
function prefixCount(prefixes: Prefixes): number {
  return prefixes === 'every' ? Number.POSITIVE_INFINITY : prefixes === 'random' ? 1 : prefixes;
}

/** Real steps of one epoch; with random prefixes the mean, rounded. */
export function countSteps(
  sequences: Sequences,
  maxLength: number,
  loss: 'all' | 'last',
  prefixes: Prefixes = 'every',
): number {
  return loss === 'last'
    ? Math.round(meanPrefixSteps(sequences, maxLength, prefixCount(prefixes)))
    : countPredictions(sequences, loss);
}

/** Predictions of one epoch: every item but the first of each history, or one a prefix. */
export function countPredictions(
  { users, offsets }: Sequences,
  loss: 'all' | 'last',
  prefixes: Prefixes = 'every',
): number {
  const most = loss === 'all' ? Number.POSITIVE_INFINITY : prefixCount(prefixes);
  let predictions = 0;
  for (let u = 0; u < users.length; u++)
    predictions += Math.max(0, Math.min(most, offsets[u + 1]! - offsets[u]! - 1));
  return predictions;
}

/** Work of one epoch of a trial: real steps, and the share of them that predict. */
export function epochWork(config: TrialConfig, sequences: Sequences): { steps: number; predicting: number } {
  const { loss } = config.training;
  const steps = countSteps(sequences, config.model.maxLength, loss, prefixesOf(config));
  return { steps, predicting: countPredictions(sequences, loss, prefixesOf(config)) / Math.max(1, steps) };
}

/** Prefixes of 1 to n - 1 items, each as likely, cut to maxLength; `count` of each history, summed over the histories. */
function meanPrefixSteps({ users, offsets }: Sequences, maxLength: number, count: number): number {
  let sum = 0;
  for (let u = 0; u < users.length; u++) {
    const prefixes = offsets[u + 1]! - offsets[u]! - 1;
    const short = Math.min(prefixes, maxLength);
    const all = (short * (short + 1)) / 2 + (prefixes - short) * maxLength;
    if (prefixes > 0) sum += (all * Math.min(count, prefixes)) / prefixes;
  }
  return sum;
}

/**
 * Places windows, in the order given, into rows of `length`: each into the fullest open row that has room for it.
 * @returns the windows of each row.
 */
export function packRows(windows: readonly Window[], length: number): Window[][] {
  const rows: Window[][] = [];
  let open: { row: Window[]; room: number }[] = [];
  for (const window of windows) {
    let best: { row: Window[]; room: number } | undefined;
    for (const candidate of open)
      if (candidate.room >= window.length && (!best || candidate.room < best.room)) best = candidate;
    if (!best) {
      if (open.length >= OPEN_ROWS) open = open.filter((o) => o !== fullest(open));
      best = { row: [], room: length };
      rows.push(best.row);
      open.push(best);
    }
    best.row.push(window);
    best.room -= window.length;
    if (best.room === 0) open = open.filter((o) => o !== best);
  }
  return rows;
}

function fullest(open: { row: Window[]; room: number }[]): { row: Window[]; room: number } {
  return open.reduce((a, b) => (b.room < a.room ? b : a));
}

/** The windows of one epoch in rows, in the order in which they are trained on; the same for the same stream. */
export function epochRows(
  sequences: Sequences,
  maxLength: number,
  loss: 'all' | 'last',
  random: Random,
  prefixes: Prefixes = 'every',
): Window[][] {
  const windows =
    loss === 'all'
      ? allPositionWindows(sequences, maxLength, random)
      : prefixes === 'every'
        ? prefixWindows(sequences, maxLength)
        : randomPrefixWindows(sequences, maxLength, random, prefixCount(prefixes));
  return random.shuffle(packRows(random.shuffle(windows), maxLength));
}

/**
 * Lays out some rows as one batch.
 * @param timestamps of `items`, for models that use them.
 */
export function assemble(
  items: Int32Array,
  rows: readonly Window[][],
  length: number,
  loss: 'all' | 'last',
  timestamps: Float64Array | null = null,
): TrainingBatch {
  const size = rows.length * length;
  const batch: TrainingBatch = {
    rows: rows.length,
    length,
    items: new Int32Array(size),
    reset: new Int32Array(size),
    targets: new Int32Array(size).fill(-1),
    tokens: 0,
    predicted: 0,
    ...(timestamps ? { timestamps: new Float64Array(size) } : {}),
  };
  rows.forEach((row, r) => {
    let at = r * length;
    for (const { start, length: n } of row) {
      batch.reset[at] = 1;
      batch.items.set(items.subarray(start, start + n), at);
      if (timestamps) batch.timestamps!.set(timestamps.subarray(start, start + n), at);
      if (loss === 'all') batch.targets.set(items.subarray(start + 1, start + n + 1), at);
      else batch.targets[at + n - 1] = items[start + n]!;
      at += n;
      batch.tokens += n;
      batch.predicted += loss === 'all' ? n : 1;
    }
    // Padding is a history of its own, so that it never sees a real state.
    if (at < (r + 1) * length) batch.reset[at] = 1;
  });
  return batch;
}
