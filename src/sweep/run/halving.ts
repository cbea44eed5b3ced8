/**
 * Successive halving across the trials of a sweep (Jamieson & Talwalkar 2016; eta as in Li et al. 2018, Hyperband): after
 * each rung, a number of epochs, the best of every eta trials of a slice goes on. Who goes on follows from what lies in
 * the store alone, so every command, and every later one, comes to the same answer. What it biases: trials that learn
 * slowly at first are dropped, and those dropped were not trained to their end, which a law needs; they are
 * marked, and no law is fitted to them unless asked.
 *
 * Where a sweep tunes settings, those of one configuration are compared with one another, by their mean over the seeds, and no
 * configuration with another: every size keeps its best settings, which is what a law over tuned sizes needs.
 */
import type { SliceSpec } from '../../data/slice.js';
import type { TrialConfig } from '../../train/config.js';
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
  /** With which others it is compared: its configuration, where settings are tuned; its slice where absent. */
  race?: string;
  /** What is compared: its setting, over all seeds, where settings are tuned; the trial alone where absent. */
  setting?: string;
}

/** A configuration without what is tuned, and what is tuned, as keys. */
export function raceOf(config: TrialConfig, tuned: readonly string[]): { race: string; setting: string } {
  const part = (section: object, keep: boolean) =>
    Object.fromEntries(Object.entries(section).filter(([name]) => tuned.includes(name) === keep));
  const { model, training, seed: _seed, ...rest } = config;
  return {
    race: canonicalJson([rest, part(model, false), part(training, false)]),
    setting: canonicalJson([part(model, true), part(training, true)]),
  };
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

/** What each trial should do next; equal values are ordered by the trials' names. */
export function standings(contenders: readonly Contender[], { rungs, eta }: Halving): Map<string, Standing> {
  const races = gather(contenders, ({ race, slice }) => race ?? canonicalJson(slice));
  const found = new Map<string, Standing>();
  for (const race of races) {
    let left = gather(race, ({ setting, id }) => setting ?? id);
    for (const rung of rungs) {
      const values = new Map(left.flat().map((one) => [one, valueAt(one.record, rung)]));
      if ([...values.values()].includes(undefined)) {
        for (const [{ id }, value] of values)
          found.set(id, value === undefined ? { next: 'train', untilEpoch: rung } : { next: 'wait' });
        left = [];
        break;
      }
      const inPlay = left.map((members) => members.filter((one) => values.get(one) !== 'out'));
      const ranked = inPlay
        .filter((members) => members.length > 0)
        .map((members) => ({ members, value: mean(members.map((one) => values.get(one) as number)) }))
        .sort((a, b) => b.value - a.value || (a.members[0]!.id < b.members[0]!.id ? -1 : 1));
      const going = ranked.slice(0, Math.ceil(left.length / eta)).map(({ members }) => members);
      const kept = new Set(going.flat());
      for (const one of left.flat()) if (!kept.has(one)) found.set(one.id, { next: 'drop', rung });
      left = going;
    }
    for (const { id } of left.flat()) found.set(id, { next: 'train' });
  }
  return found;
}

function gather(contenders: readonly Contender[], keyOf: (one: Contender) => string): Contender[][] {
  const groups = new Map<string, Contender[]>();
  for (const one of contenders) {
    const key = keyOf(one);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(one);
  }
  return [...groups.values()];
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** The trials of one run under successive halving, by what the store holds of them. */
export class Tournament {
  readonly #known = new Map<string, TrialRecord | 'out'>();

  constructor(
    readonly store: SweepStore,
    readonly trials: readonly StoredTrial[],
    readonly halving: Halving,
    readonly numericVersion: number,
    readonly tuned: readonly string[] = [],
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
      ...(this.tuned.length > 0 ? raceOf(config, this.tuned) : {}),
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
