/** Coordinate descent with steps that halve: for a posterior that is smooth and has few numbers. */

/**
 * @param start where it begins; @param asked indices of the numbers that may move, in the order in which they are tried.
 * @returns the best found; the start, without asking for its value, where none may move.
 */
export function descend<T extends number[]>(
  objective: (values: T) => number,
  start: T,
  asked: Iterable<number> = start.keys(),
): T {
  const indices = [...asked];
  let best = start;
  if (indices.length === 0) return best;
  let least = objective(best);
  for (let step = 0.8; step > 0.15; step /= 2)
    for (let moved = true, rounds = 0; moved && rounds < 4; rounds++) {
      moved = false;
      for (const i of indices)
        for (const way of [step, -step]) {
          const tried = [...best] as T;
          tried[i]! += way;
          const value = objective(tried);
          if (value < least - 1e-4) {
            [best, least, moved] = [tried, value, true];
            break;
          }
        }
    }
  return best;
}
