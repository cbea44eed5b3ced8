/**
 * Slices of one data set: where two have the same tokens, those whose names end alike; each alone where no tokens are known.
 * @param {Map<string, number>} tokens of every slice.
 * @returns {string[][]} names of slices.
 */
export function seriesOf(tokens) {
  const names = [...tokens.keys()];
  if (names.some((name) => !(tokens.get(name) > 0))) return names.map((name) => [name]);
  if (new Set(tokens.values()).size === names.length) return [names];
  const ends = new Map();
  for (const name of names) {
    const end = name.split('-').at(-1);
    ends.set(end, [...(ends.get(end) ?? []), name]);
  }
  return [...ends.values()];
}
