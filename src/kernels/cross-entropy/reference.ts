/** Mean softmax cross-entropy over all items by its definition, float64. */

/** hidden [rows, width], items [numItems, width], targets [rows] (negative: left out). */
export function crossEntropyReference(
  width: number,
  hidden: ArrayLike<number>,
  items: ArrayLike<number>,
  targets: ArrayLike<number>,
): number {
  const numItems = items.length / width;
  let sum = 0;
  let count = 0;
  for (let r = 0; r < targets.length; r++) {
    if (targets[r]! < 0) continue;
    const logits = Float64Array.from({ length: numItems }, (_, i) => {
      let dot = 0;
      for (let j = 0; j < width; j++) dot += hidden[r * width + j]! * items[i * width + j]!;
      return dot;
    });
    const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = logits.reduce((s, l) => s + Math.exp(l - largest), 0);
    sum += Math.log(total) + largest - logits[targets[r]!]!;
    count++;
  }
  return sum / count;
}
