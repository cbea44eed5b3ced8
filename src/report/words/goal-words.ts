/** A goal's decisions in words: what was named, why a run was made, why the sweep stopped. */
import type { Named, Purpose, StopReason } from '../../law/goal/choose-round.js';
import type { StoredGoal } from '../../sweep/store/layout.js';
import { formatDuration } from '../../util/format.js';
import { percent, shape } from './words.js';

/** `4 layers, dim 64 (learningRate 0.001)` */
export function placeWords({
  layers,
  dim,
  settings = {},
}: Pick<Named, 'layers' | 'dim' | 'settings'>): string {
  const more = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return `${shape({ layers, dim })}${more.length > 0 ? ` (${more.join(', ')})` : ''}`;
}

const REASONS: Record<StopReason, (goal: StoredGoal) => string> = {
  known: ({ confidence }) => `it is known with ${percent(confidence)}`,
  budget: ({ hours }) => `no run fits what is left of ${formatDuration(3600 * (hours ?? 0))}`,
  'no help': () => 'no run of the grid would help to decide',
  'all made': () => 'every run of the grid was made',
};

/** Why a sweep ended, in words that follow "It stopped because". */
export const stopWords = (stop: StopReason, goal: StoredGoal) => REASONS[stop](goal);

/** Why a run was made. */
export const PURPOSES: Record<Purpose, string> = {
  start: 'to begin with: cheap, and far from the others',
  decide: 'tells most of the decision for its cost',
  repeat: 'a further seed: tells the noise of a run',
};
