/** "Did you mean": the nearest of the names that would have been right. */

/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}

/** The candidate nearest to `text` (case, dashes and underscores do not count), or undefined when none is near. */
export function nearest(text: string, candidates: Iterable<string>): string | undefined {
  const plain = (word: string) => word.toLowerCase().replaceAll(/[-_ ]/g, '');
  const wanted = plain(text.slice(0, 64));
  let found: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const name = plain(candidate);
    const distance =
      name === wanted ? 0 : wanted.length > 2 && name.startsWith(wanted) ? 1 : editDistance(wanted, name);
    if (distance < least) {
      least = distance;
      found = candidate;
    }
  }
  return found;
}
