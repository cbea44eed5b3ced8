/**
 * What is trained on and what is held out. Leave-one-out: a user's last item is the test target, the one before it the validation
 * target. Temporal: everything before a moment trains, and what a user does first after it is the target.
 */
import { UserError } from '../util/errors.js';
import type { Interactions, Sequences } from './interactions.js';

/** Held-out items, one a user; parallel arrays over the users. */
export interface HeldOut {
  /** Index in the data set, rising. */
  users: Int32Array;
  /** One past the last item of the history before the target, as an index into the data set's items. */
  ends: Int32Array;
  targets: Int32Array;
}

/** Training histories, and what validation and test hold out. */
export interface Split {
  train: Sequences;
  heldOut: { validation: HeldOut; test: HeldOut };
}

/** A global temporal split: shares of all interactions, the latest. */
export interface TemporalShares {
  validation: number;
  test: number;
}

/** How data are split; leave-one-out where there is none. */
export interface SplitSpec {
  temporal: TemporalShares;
}

/** Parallel arrays over the evaluated users (those with at least three events). */
export interface LeaveOneOut extends Split {
  /** Every user's events without the two held out (users with fewer than three keep all). */
  train: Sequences;
  /** User index of each evaluated user. */
  evaluated: Int32Array;
  /** Target item of each evaluated user. */
  validation: Int32Array;
  test: Int32Array;
}

/** The split that a configuration asks for. @throws UserError as `temporalSplit`. */
export function splitInteractions(interactions: Interactions, spec?: SplitSpec): Split {
  return spec ? temporalSplit(interactions, spec.temporal) : leaveOneOut(interactions);
}

/** `leave-one-out`, or `temporal 0.1/0.1`: shares of validation and test. */
export function splitLabel(spec: SplitSpec | undefined): string {
  return spec ? `temporal ${spec.temporal.validation}/${spec.temporal.test}` : 'leave-one-out';
}

/**
 * Splits every history of at least three events: the last is the test target, the one before it the validation target. Shorter
 * histories are trained on and never evaluated.
 */
export function leaveOneOut(interactions: Interactions): LeaveOneOut {
  const { numUsers, offsets, items, timestamps } = interactions;
  const isEvaluated = (u: number) => offsets[u + 1]! - offsets[u]! >= 3;
  let numEvaluated = 0;
  for (let u = 0; u < numUsers; u++) if (isEvaluated(u)) numEvaluated++;
  const evaluated = new Int32Array(numEvaluated);
  const validation = new Int32Array(numEvaluated);
  const test = new Int32Array(numEvaluated);
  const trainOffsets = new Int32Array(numUsers + 1);
  const numTokens = offsets[numUsers]! - 2 * numEvaluated;
  const trainItems = new Int32Array(numTokens);
  const trainTimes = timestamps && new Float64Array(numTokens);
  let e = 0;
  let at = 0;
  for (let u = 0; u < numUsers; u++) {
    let end = offsets[u + 1]!;
    if (isEvaluated(u)) {
      end -= 2;
      evaluated[e] = u;
      validation[e] = items[end]!;
      test[e] = items[end + 1]!;
      e++;
    }
    trainItems.set(items.subarray(offsets[u]!, end), at);
    if (trainTimes && timestamps) trainTimes.set(timestamps.subarray(offsets[u]!, end), at);
    at += end - offsets[u]!;
    trainOffsets[u + 1] = at;
  }
  const users = Int32Array.from({ length: numUsers }, (_, u) => u);
  const ends = (held: number) => evaluated.map((u) => offsets[u + 1]! - held);
  return {
    train: { users, offsets: trainOffsets, items: trainItems, timestamps: trainTimes },
    heldOut: {
      validation: { users: evaluated, ends: ends(2), targets: validation },
      test: { users: evaluated, ends: ends(1), targets: test },
    },
    evaluated,
    validation,
    test,
  };
}

/**
 * Splits at two moments of the whole data set: the latest `test` share of all interactions begins at the second, the `validation` share
 * before it at the first. What happened before the first moment trains. The target of the validation is what a user does first between
 * the two, that of the test what it does first from the second on; their histories are the user's own events before that moment. So
 * nothing that anybody does later is seen. Events at a moment itself come after it. Users without a history or a target are not evaluated.
 * @throws UserError for data without timestamps, shares that leave nothing, and splits that leave nobody to evaluate.
 */
export function temporalSplit(interactions: Interactions, { validation, test }: TemporalShares): Split {
  const { name, numUsers, offsets, items, timestamps } = interactions;
  if (!timestamps)
    throw new UserError('a temporal split needs timestamps, and the data has none', {
      place: name,
      remedy: 'Import it with a column of times (--time), or split leave-one-out.',
    });
  if (!(validation > 0 && test > 0 && validation + test < 1))
    throw new UserError(
      `the shares of a temporal split must be above 0 and below 1 together, not ${validation} and ${test}`,
      { remedy: 'Use for instance `split: {temporal: {validation: 0.1, test: 0.1}}`.' },
    );
  const sorted = timestamps.slice().sort();
  const moment = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor((1 - share) * sorted.length))]!;
  const [first, second] = [moment(validation + test), moment(test)];
  const trainEnds = new Int32Array(numUsers);
  const held = { validation: new Held(), test: new Held() };
  let tokens = 0;
  for (let u = 0; u < numUsers; u++) {
    const [begin, stop] = [offsets[u]!, offsets[u + 1]!];
    const validationAt = firstFrom(timestamps, begin, stop, first);
    const testAt = firstFrom(timestamps, validationAt, stop, second);
    trainEnds[u] = validationAt;
    tokens += validationAt - begin;
    if (validationAt > begin && validationAt < testAt) held.validation.add(u, validationAt, items);
    if (testAt > begin && testAt < stop) held.test.add(u, testAt, items);
  }
  const train: Sequences = {
    users: Int32Array.from({ length: numUsers }, (_, u) => u),
    offsets: new Int32Array(numUsers + 1),
    items: new Int32Array(tokens),
    timestamps: new Float64Array(tokens),
  };
  for (let u = 0, at = 0; u < numUsers; u++) {
    train.items.set(items.subarray(offsets[u]!, trainEnds[u]!), at);
    train.timestamps!.set(timestamps.subarray(offsets[u]!, trainEnds[u]!), at);
    at += trainEnds[u]! - offsets[u]!;
    train.offsets[u + 1] = at;
  }
  for (const part of ['validation', 'test'] as const)
    if (held[part].users.length === 0)
      throw new UserError(
        `the temporal split leaves no user for the ${part}: nobody has events on both sides of its moment`,
        {
          place: name,
          remedy: 'Use other shares, or split leave-one-out.',
        },
      );
  return { train, heldOut: { validation: held.validation.arrays(), test: held.test.arrays() } };
}

/** Held-out items in the making. */
class Held {
  readonly users: number[] = [];
  readonly ends: number[] = [];
  readonly targets: number[] = [];

  add(user: number, at: number, items: Int32Array): void {
    this.users.push(user);
    this.ends.push(at);
    this.targets.push(items[at]!);
  }

  arrays(): HeldOut {
    return {
      users: Int32Array.from(this.users),
      ends: Int32Array.from(this.ends),
      targets: Int32Array.from(this.targets),
    };
  }
}

/** The first place in [from, to) whose time is not before `moment`; `to` where there is none. */
function firstFrom(timestamps: Float64Array, from: number, to: number, moment: number): number {
  let at = from;
  while (at < to && timestamps[at]! < moment) at++;
  return at;
}
