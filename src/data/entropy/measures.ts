/** All measures of a set of training sequences at once: quantity (tokens) and quality (entropies), as the data term of a law uses them. */
import { countTokens, type Sequences } from '../interactions.js';
import { type PerUserApEn, perUserApproximateEntropy, pooledApproximateEntropy } from './apen.js';
import { compressionRatio } from './compression.js';
import { perUserLempelZiv } from './lempel-ziv.js';
import { entropyOfItems } from './shannon.js';

/** Entropies in nats. Where a measure has no value (no user is long enough) it is 0, so that JSON stays numeric. */
export interface SequenceMeasures {
  users: number;
  tokens: number;
  /** ApEn (m = 1, r = 0) of the pooled stream (no window across users), and the mean over users. */
  apenPooled: number;
  apenPerUser: number;
  /** Lempel-Ziv entropy rate, mean over users: the phrase-set form, and the form of Song et al. 2010. */
  lempelZiv: number;
  lempelZivPrefix: number;
  /** Entropy of the items' popularity, order disregarded. */
  shannon: number;
  /** DEFLATE size over plain size of the items as 4-byte numbers. */
  compression: number;
  /** Share of events whose item occurred before in the same history. */
  repeatShare: number;
}

/** Measures exactly the sequences given. Linear but for the Lempel-Ziv measure (n log n a history). */
export function measureSequences(sequences: Sequences): SequenceMeasures {
  const { offsets, items, users } = sequences;
  const stream = items.subarray(offsets[0]!, offsets[users.length]!);
  let maxItem = 0;
  for (let i = 0; i < stream.length; i++) if (stream[i]! > maxItem) maxItem = stream[i]!;
  const lempelZiv = perUserLempelZiv(sequences);
  return {
    users: users.length,
    tokens: countTokens(sequences),
    apenPooled: orZero(pooledApproximateEntropy(sequences)),
    apenPerUser: orZero(perUserApproximateEntropy(sequences).mean),
    lempelZiv: orZero(lempelZiv.phrases),
    lempelZivPrefix: orZero(lempelZiv.prefix),
    shannon: orZero(entropyOfItems(stream, maxItem)),
    compression: orZero(compressionRatio(stream)),
    repeatShare: repeatShare(sequences, maxItem),
  };
}

/** What a reader should know before trusting a measure; with the measures given, of the pooled ones too. */
export function measureWarnings(sequences: Sequences, measures?: SequenceMeasures): string[] {
  return warningsOf(perUserApproximateEntropy(sequences), measures);
}

/** The same from counts alone: histories of two events or more, and those of them in which nothing repeats. */
export function warningsOf(
  { users, withoutRepeats }: Pick<PerUserApEn, 'users' | 'withoutRepeats'>,
  measures?: SequenceMeasures,
): string[] {
  const warnings: string[] = [];
  if (measures && isSampleLimited(measures))
    warnings.push(
      'Most pairs of successive items occur once or twice: the pooled ApEn is limited by the number of tokens and grows with it. Compare it between slices of equal size only.',
    );
  if (users === 0)
    warnings.push('No history has two events or more: the entropies of single histories have no value.');
  else if (withoutRepeats === users)
    warnings.push(
      'No item occurs twice in any history: ApEn and Lempel-Ziv entropy of single histories are functions of their length alone. Prefer the pooled ApEn.',
    );
  else if (withoutRepeats >= users / 2)
    warnings.push(
      `In ${withoutRepeats} of ${users} histories no item occurs twice: there ApEn and Lempel-Ziv entropy follow from the length alone. Prefer the pooled ApEn.`,
    );
  return warnings;
}

/** -Phi^2 cannot exceed ln(pairs), which it reaches where every pair is another one; within a tenth of it, pairs are too few. */
function isSampleLimited({ apenPooled, shannon, tokens, users }: SequenceMeasures): boolean {
  const pairs = tokens - users;
  return pairs > 1 && apenPooled + shannon > 0.9 * Math.log(pairs);
}

/** Share of events whose item occurred before in the same history. */
function repeatShare(sequences: Sequences, maxItem: number): number {
  const { offsets, items, users } = sequences;
  const tokens = offsets[users.length]! - offsets[0]!;
  const seenBy = new Int32Array(maxItem + 1).fill(-1);
  let repeats = 0;
  for (let u = 0; u < users.length; u++)
    for (let i = offsets[u]!; i < offsets[u + 1]!; i++) {
      if (seenBy[items[i]!] === u) repeats++;
      seenBy[items[i]!] = u;
    }
  return tokens === 0 ? 0 : repeats / tokens;
}

function orZero(value: number): number {
  return Number.isNaN(value) ? 0 : value;
}
