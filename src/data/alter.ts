/**
 * Training histories made worse on purpose, at equal size: what quality is worth can then be told from what quantity is. What is
 * altered is decided by a fixed hash of the user and the place in the history, so that a larger share alters all that a smaller
 * one does, and alike.
 */
import type { Sequences } from './interactions.js';
import { mix } from './sample.js';

/** Shares of what is altered, [0, 1]; 0 where absent. */
export interface Alteration {
  /** Events whose item is replaced by one drawn from all training events: as popular, without a reason. */
  noise?: number;
  /** Events whose item is replaced by one of the user's ten before it; the first of a history stays. */
  repeats?: number;
  /** Users whose histories stand in a random order; times stay where they are. */
  shuffle?: number;
}

/** How far back a repeat may reach. */
const RECENT = 10;
const SALTS = {
  noise: 0x3c6ef372,
  drawn: 0x1b873593,
  repeats: 0x27d4eb2f,
  back: 0x165667b1,
  shuffle: 0x5851f42d,
};

/** A number in [0, 1), fixed by the user, the place in the history, and what it is for. */
function chance(user: number, place: number, purpose: keyof typeof SALTS): number {
  return mix(mix(mix(user ^ SALTS[purpose]) ^ place) ^ SALTS[purpose]) / 2 ** 32;
}

/** The same rows with items altered: histories are shuffled first, then repeats put in, then noise. Returns its argument where nothing is. */
export function alterSequences(
  train: Sequences,
  { noise = 0, repeats = 0, shuffle = 0 }: Alteration,
): Sequences {
  if (!(noise > 0 || repeats > 0 || shuffle > 0)) return train;
  const { users, offsets, items } = train;
  const ordered = items.slice();
  users.forEach((user, row) => {
    if (chance(user, 0, 'shuffle') < shuffle) shuffleHistory(ordered, offsets[row]!, offsets[row + 1]!, user);
  });
  const [first, events] = [offsets[0]!, offsets[users.length]! - offsets[0]!];
  const altered = ordered.slice();
  users.forEach((user, row) => {
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) {
      const place = i - offsets[row]!;
      if (chance(user, place, 'noise') < noise)
        altered[i] = items[first + Math.floor(chance(user, place, 'drawn') * events)]!;
      else if (place > 0 && chance(user, place, 'repeats') < repeats)
        altered[i] = ordered[i - 1 - Math.floor(chance(user, place, 'back') * Math.min(place, RECENT))]!;
    }
  });
  return { ...train, items: altered };
}

/** Fisher-Yates within one history, by the hash. */
function shuffleHistory(items: Int32Array, start: number, end: number, user: number): void {
  for (let i = end - 1; i > start; i--) {
    const j = start + Math.floor(chance(user, i - start + 1, 'shuffle') * (i - start + 1));
    const kept = items[i]!;
    items[i] = items[j]!;
    items[j] = kept;
  }
}
