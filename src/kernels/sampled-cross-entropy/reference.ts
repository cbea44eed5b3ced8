/** Mean sampled softmax cross-entropy by its definition, float64. */

/**
 * hidden [rows, width], items [numItems, width], targets [rows] (negative: left out), negatives [k], and offsets [k], the
 * logarithm of the number of times that each of them was to be expected in the sample.
 */
export function sampledCrossEntropyReference(
  width: number,
  hidden: ArrayLike<number>,
  items: ArrayLike<number>,
  targets: ArrayLike<number>,
  negatives: ArrayLike<number>,
  offsets: ArrayLike<number>,
): number {
  let sum = 0;
  let count = 0;
  for (let r = 0; r < targets.length; r++) {
    const target = targets[r]!;
    if (target < 0) continue;
    const score = (item: number) => {
      let dot = 0;
      for (let j = 0; j < width; j++) dot += hidden[r * width + j]! * items[item * width + j]!;
      return dot;
    };
    const own = score(target);
    const logits = [own];
    for (let j = 0; j < negatives.length; j++)
      if (negatives[j] !== target) logits.push(score(negatives[j]!) - offsets[j]!);
    const largest = Math.max(...logits);
    sum += Math.log(logits.reduce((s, l) => s + Math.exp(l - largest), 0)) + largest - own;
    count++;
  }
  return sum / count;
}
