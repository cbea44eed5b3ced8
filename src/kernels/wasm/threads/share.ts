/** Shares of work and of room. */

/** The part of `total` pieces that falls to `index` of `parts`, in whole steps but for the last. */
export function shareOf(
  total: number,
  index: number,
  parts: number,
  step = 1,
): [from: number, until: number] {
  const steps = Math.ceil(total / step);
  const edge = (i: number) => Math.min(total, step * Math.floor((i * steps) / parts));
  return [edge(index), edge(index + 1)];
}

/** Bytes or an address, rounded up to whole cache lines; an address may lie beyond what 32-bit arithmetic holds. */
export function lines(bytes: number): number {
  return 64 * Math.ceil(bytes / 64);
}

/** Lays things out in scratch, each on cache lines of its own; `place` gives where it lies, `used` how many bytes there are so far. */
export function arena(): { place(bytes: number): number; used(): number } {
  let at = 0;
  return {
    place(bytes) {
      const here = at;
      at += lines(bytes);
      return here;
    },
    used: () => at,
  };
}
