/** Settings of `perflaw train` that a sweep file does not have (yet): the models' own, and what the last-position loss trains on. */
import { choice, real } from '../sweep/fields.js';

/** Models that a setting means something to; every model where it is not named. */
export const MEANT_FOR: Record<string, readonly string[]> = {
  headDim: ['tim4rec', 'ssd4rec'],
  time: ['tim4rec'],
  timeGate: ['tim4rec'],
  beta: ['ssd4rec'],
  reverseOutput: ['ssd4rec'],
  hiddenShare: ['ssd4rec'],
};

export const ownModelFields = {
  time: choice(
    ['paper', 'masked', 'causal', 'none'],
    'tim4rec: how it sees time; causal with --loss all and masked with --loss last where left out; none: not at all',
  ),
  timeGate: choice(['one', 'position'], 'tim4rec: gates of the time signal, one a history or one a position'),
  beta: real({ min: 0, max: 10 }, 'ssd4rec: weight of the reversed direction (0.1)'),
  reverseOutput: choice(
    ['released', 'aligned'],
    "ssd4rec: the reversed direction's output as it comes, or turned back (released)",
  ),
  hiddenShare: real({ min: 0, below: 1 }, 'ssd4rec: share of items hidden in training (0.1)'),
};

export const ownTrainingFields = {
  prefixes: choice(
    ['every', 'random'],
    'With --loss last: every prefix an example (published), or one random prefix of each history an epoch',
  ),
};
