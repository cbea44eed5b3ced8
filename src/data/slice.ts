/** Slices of the training data. Nested: what a smaller share holds, a larger one holds too. */

/** Which part of the training data a trial sees. Evaluated users and the item catalogue never depend on it. */
export interface SliceSpec {
  /** Share of users, (0, 1]. */
  users: number;
  /** Share of training interactions, the earliest by time, (0, 1]; 1 where absent. */
  time?: number;
  /** Keeps the last so many interactions of each user's training sequence; all where absent. */
  maxLength?: number;
}

/** The slice's short name in tables and reports: `all`, `users=0.5`, `users=0.5,length=50`. */
export function sliceLabel(slice: SliceSpec): string {
  const parts: string[] = [];
  if (slice.users !== 1) parts.push(`users=${slice.users}`);
  if (slice.time !== undefined && slice.time !== 1) parts.push(`time=${slice.time}`);
  if (slice.maxLength !== undefined) parts.push(`length=${slice.maxLength}`);
  return parts.length === 0 ? 'all' : parts.join(',');
}
