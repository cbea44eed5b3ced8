/** Fixed samples of users: by a scrambling of their index, so that they are the same in every trial, and a larger one holds a smaller. */

/** A fixed scrambling of 32 bits (the finaliser of MurmurHash3), so that a share of users is not a share of their numbers. */
export function mix(value: number): number {
  let h = value ^ 0x5bd1e995;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Rows of a sample of `count` users, rising; all rows where there are no more.
 * @param users index of each row's user in the data set.
 * @param salt a number: samples of different salts are as good as independent, of one another and of slices.
 */
export function sampleRows(users: Int32Array, count: number, salt: number): Int32Array {
  const rows = Int32Array.from(users.keys());
  if (count >= users.length) return rows;
  const keys = Float64Array.from(users, (user) => mix(mix(user ^ Math.imul(salt, 0x9e3779b1))));
  rows.sort((a, b) => keys[a]! - keys[b]! || users[a]! - users[b]!);
  return rows.slice(0, count).sort();
}
