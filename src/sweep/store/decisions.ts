/**
 * The decisions of a sweep with a goal: `<sweep>/decisions/<goal>/<n>.json`, each written once, whole or absent. Whoever comes to a
 * decision that was made reads it; of several commands one makes it and the others wait.
 */
import { join } from 'node:path';
import type { RoundDecision } from '../../law/goal/choose-round.js';
import { readRegular } from '../../util/files.js';
import { computeOnce } from './compute-once.js';
import { STORE_SCHEMA, type StoredGoal } from './layout.js';

export interface StoredDecision extends RoundDecision {
  /** Results that were there before the first decision; in it alone. */
  found?: string[];
  /** Wall seconds of all runs so far, by what their results say; where the goal limits hours. */
  seconds?: number;
  /** How fast runs were taken to be, where hours are limited and no result told it. */
  pace?: { speed: number; start: number; share: number; from: string };
}

const folderOf = (path: string, { key }: StoredGoal) => join(path, 'decisions', key);
const nameOf = (round: number) => String(round).padStart(4, '0');

/** The decision of a round: as it was made, or made now. */
export function decideOnce(
  path: string,
  goal: StoredGoal,
  round: number,
  decide: () => StoredDecision | Promise<StoredDecision>,
): Promise<StoredDecision> {
  return computeOnce(folderOf(path, goal), nameOf(round), decide);
}

/** The decisions made so far, in their order. */
export function readDecisions(path: string, goal: StoredGoal): StoredDecision[] {
  const decisions: StoredDecision[] = [];
  for (;;)
    try {
      const text = readRegular(join(folderOf(path, goal), `${nameOf(decisions.length)}.json`));
      const { schema, facts } = JSON.parse(text) as { schema: number; facts?: StoredDecision };
      if (schema !== STORE_SCHEMA || !facts) return decisions;
      decisions.push(facts);
    } catch {
      return decisions; // none further, or damaged: then it is made again
    }
}

/** Whether the sweep came to its end. */
export const hasStopped = (decisions: readonly StoredDecision[]) =>
  decisions.some(({ stop }) => stop !== null);

/** Trials that were chosen so far, and those that were there before. */
export const chosenIds = (decisions: readonly StoredDecision[]) =>
  new Set(decisions.flatMap(({ found = [], runs }) => [...found, ...runs.map(({ id }) => id)]));
