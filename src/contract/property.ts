/** Properties as the kernels' contract states them: arbitrary shapes and seeds, so many examples each. */
import fc from 'fast-check';

export const seeds = fc.integer({ min: 0, max: 1 << 30 });
export const upTo = (max: number) => fc.integer({ min: 1, max });

/** Checks a statement for arbitrary values. */
export type Property = <T extends unknown[]>(
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  check: (...values: T) => void,
) => void;

/** @param runs examples a property. */
export function properties(runs: number): Property {
  return (arbitraries, check) =>
    fc.assert(fc.property(...(arbitraries as unknown as [fc.Arbitrary<unknown>]), check as never), {
      numRuns: runs,
    });
}
