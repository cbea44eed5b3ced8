/**
 * Successive halving across the trials of a sweep (Jamieson & Talwalkar 2016; eta as in Li et al. 2018, Hyperband): after
 * each rung, a number of epochs, the best of every eta trials of a slice goes on. Who goes on follows from what lies in
 * the store alone, so every command, and every later one, comes to the same answer. What it biases: trials that learn
 * slowly at first are dropped, and those dropped were not trained to their end, which a law needs; they are
 * marked, and no law is fitted to them unless asked.
 */
import type { SliceSpec } from '../../data/slice.js';
import { canonicalJson } from '../../util/hash.js';
import type { Halving } from '../file/schema.js';
import { tryClaim } from '../store/claim.js';
import type { StoredTrial } from '../store/layout.js';
import { type DoneRecord, isHalved, type TrialRecord } from '../store/record.js';
import type { SweepStore } from '../store/store.js';

/** What a trial should do next. */
export type Standing =
  /** Train, at most to the end of that epoch. */
  | { next: 'train'; untilEpoch?: number }
  /** Others have not come this far yet. */
  | { next: 'wait' }
  /** Others were better at that rung. */
  | { next: 'drop'; rung: number };

export interface Contender {
  id: string;
  slice: SliceSpec;
  /** The furthest that is known of it; `out` where it failed or will never run. */
  record: TrialRecord | 'out' | undefined;
}

/** The best validation value up to a rung; undefined for a trial that has not come that far. */
function valueAt(record: Contender['record'], rung: number): number | 'out' | undefined {
  if (record === undefined || record === 'out') return record;
  if (record.status === 'failed') return 'out';
  const { result, config } = record;
  if (isHalved(record) && result.epochsRun < rung) return undefined;
  const { history, select } = config.evaluation;
  const values = result.curve
    .filter(({ epoch, validation }) => epoch <= rung && validation)
    .map(({ validation }) => validation![history][select] ?? 0);
  return values.length > 0 ? Math.max(...values) : 'out';
}

/** What each trial should do next; within a slice, equal values are ordered by the trials' names. */
export function standings(contenders: readonly Contender[], { rungs, eta }: Halving): Map<string, Standing> {
  const slices = new Map<string, Contender[]>();
  for (const contender of contenders) {
    const slice = canonicalJson(contender.slice);
    slices.set(slice, [...(slices.get(slice) ?? []), contender]);
  }
  const found = new Map<string, Standing>();
  for (const slice of slices.values()) {
    let left = slice;
    for (const rung of rungs) {
      const values = left.map(({ id, record }) => ({ id, value: valueAt(record, rung) }));
      if (values.some(({ value }) => value === undefined)) {
        for (const { id, value } of values)
          found.set(id, value === undefined ? { next: 'train', untilEpoch: rung } : { next: 'wait' });
        left = [];
        break;
      }
      const ranked = values
        .filter((one): one is { id: string; value: number } => typeof one.value === 'number')
        .sort((a, b) => b.value - a.value || (a.id < b.id ? -1 : 1));
      const going = new Set(ranked.slice(0, Math.ceil(left.length / eta)).map(({ id }) => id));
      for (const { id } of left) if (!going.has(id)) found.set(id, { next: 'drop', rung });
      left = left.filter(({ id }) => going.has(id));
    }
    for (const { id } of left) found.set(id, { next: 'train' });
  }
  return found;
}

/** The trials of one run under successive halving, by what the store holds of them. */
export class Tournament {
  readonly #known = new Map<string, TrialRecord | 'out'>();

  constructor(
    readonly store: SweepStore,
    readonly trials: readonly StoredTrial[],
    readonly halving: Halving,
    readonly numericVersion: number,
  ) {}

  /** Takes note of a result, or that a trial will have none. */
  know(id: string, record: TrialRecord | 'out'): void {
    const known = this.#known.get(id);
    if (known === undefined || isFurther(record, known)) this.#known.set(id, record);
  }

  /** What a trial had reached when it was compared last. */
  reached(id: string): DoneRecord | undefined {
    const known = this.#known.get(id);
    return known !== undefined && known !== 'out' && known.status === 'done' ? known : undefined;
  }

  /** Whether the store tells more of a trial than was known. */
  hasAdvanced(id: string): boolean {
    const known = this.#known.get(id);
    if (known !== undefined && (known === 'out' || !isHalved(known))) return false;
    const epochs = this.reached(id)?.result.epochsRun ?? 0;
    for (const rung of this.halving.rungs) {
      const found = rung > epochs ? this.store.readRung(id, this.numericVersion, rung) : undefined;
      if (found) this.know(id, found);
    }
    return this.#known.get(id) !== known;
  }

  /** What each trial should do next, by what this and other commands have brought to the store so far. */
  standings(): Map<string, Standing> {
    for (const { id } of this.trials) this.hasAdvanced(id);
    const contenders = this.trials.map(({ id, config }) => ({
      id,
      slice: config.slice,
      record: this.#known.get(id),
    }));
    return standings(contenders, this.halving);
  }
}

function isFurther(record: TrialRecord | 'out', than: TrialRecord | 'out'): boolean {
  if (record === 'out' || !isHalved(record)) return true;
  return (
    than !== 'out' &&
    than.status === 'done' &&
    record.status === 'done' &&
    isHalved(than) &&
    record.result.epochsRun > than.result.epochsRun
  );
}

/**
 * Makes what a trial had reached at a rung its result: successive halving ends it there. Its checkpoint stays, so that a
 * later sweep without halving can go on from it. Undefined when somebody else has the trial.
 * @throws UserError when the store cannot be written.
 */
export function endEarly(
  store: SweepStore,
  reached: DoneRecord,
  provenDead: string | undefined,
): TrialRecord | undefined {
  const claim = tryClaim(store.folder(reached.id), provenDead);
  if (!claim) return undefined;
  try {
    store.writeResult(reached);
    return reached;
  } finally {
    claim.release();
  }
}
