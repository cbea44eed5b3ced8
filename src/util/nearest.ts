/** "Did you mean": the known word nearest to what somebody wrote. */

/** The word with the fewest edits from `text`, where that is at most a third of its length (at least 1); undefined otherwise. */
export function nearest(text: string, words: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const word of words) {
    const distance = editDistance(text.toLowerCase(), word.toLowerCase());
    if (distance < fewest) {
      fewest = distance;
      best = word;
    }
  }
  return fewest <= Math.max(1, Math.floor(Math.max(text.length, best?.length ?? 0) / 3)) ? best : undefined;
}

/** Levenshtein distance: insertions, deletions, substitutions; a swap of neighbours counts two. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
