/** "Did you mean": the known word nearest to what somebody wrote. */

/**
 * The word with the fewest edits from `text`, where those are at most a third of its length (at least 1); undefined
 * otherwise. Case, dashes and underscores do not count; a beginning of three letters or more counts as near.
 */
export function nearest(text: string, words: Iterable<string>): string | undefined {
  const plain = (word: string) => word.toLowerCase().replaceAll(/[-_ ]/g, '');
  const wanted = plain(text.slice(0, 64));
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const word of words) {
    const name = plain(word);
    const distance =
      wanted.length > 2 && name.startsWith(wanted) ? Number(name !== wanted) : editDistance(wanted, name);
    if (distance < fewest) {
      fewest = distance;
      best = word;
    }
  }
  return fewest <= Math.max(1, Math.floor(Math.max(wanted.length, best?.length ?? 0) / 3)) ? best : undefined;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`; fastest-levenshtein counts a swap as two. */
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
