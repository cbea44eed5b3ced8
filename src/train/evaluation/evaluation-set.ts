/** What is ranked in an evaluation: each user's held-out item, and the history before it. No tfjs: plans ask for it too. */
import type { Interactions } from '../../data/interactions.js';
import { sampleRows } from '../../data/sample.js';
import type { Split } from '../../data/split.js';
import type { EvaluationConfig } from '../config.js';

/** One held-out item for each evaluated user, and the history before it as a range of `items`. */
export interface EvaluationSet {
  /** [users]: index of each in the data set, rising. */
  users: Int32Array;
  items: Int32Array;
  /** Of the items; null where the data has none. */
  timestamps: Float64Array | null;
  /** [users]: range of each user's history in `items`. */
  begins: Int32Array;
  ends: Int32Array;
  /** [users] */
  targets: Int32Array;
}

/** Which users are evaluated: all where nothing is said. */
export type EvaluatedUsers = Pick<EvaluationConfig, 'users' | 'testUsers'>;

/** What the validation or the test holds out, with each user's history before it: of all users that it holds, or of a sample. */
export function evaluationSet(
  data: Interactions,
  split: Split,
  part: 'validation' | 'test',
  sample: EvaluatedUsers = {},
): EvaluationSet {
  const { users: all, ends, targets } = split.heldOut[part];
  const rows = evaluatedRows(all, part, sample);
  const pick = (values: Int32Array) => (rows ? Int32Array.from(rows, (row) => values[row]!) : values);
  const users = pick(all);
  return {
    users,
    items: data.items,
    timestamps: data.timestamps,
    begins: Int32Array.from(users, (u) => data.offsets[u]!),
    ends: pick(ends),
    targets: pick(targets),
  };
}

/** Rows of `evaluated` that a part ranks; undefined for all. */
function evaluatedRows(
  evaluated: Int32Array,
  part: 'validation' | 'test',
  { users, testUsers }: EvaluatedUsers,
): Int32Array | undefined {
  const own = part === 'test' ? testUsers : undefined;
  if (own === 'all') return undefined;
  if (own !== undefined) return sampleRows(evaluated, own, 2);
  return users === undefined ? undefined : sampleRows(evaluated, users, 1);
}

/**
 * Whether anybody has more than `k` items to rank, the target among them, once those of the history are left out. Where
 * nobody has, hr@k of the masked ranking is 1 whatever the model.
 */
export function leavesMoreThan(
  { items, begins, ends, targets }: EvaluationSet,
  numItems: number,
  k: number,
): boolean {
  for (let u = 0; u < targets.length; u++) {
    if (numItems - (ends[u]! - begins[u]!) > k) return true; // as a rule the first user ends it
    const seen = new Set(items.subarray(begins[u]!, ends[u]!));
    seen.delete(targets[u]!);
    if (numItems - seen.size > k) return true;
  }
  return false;
}
