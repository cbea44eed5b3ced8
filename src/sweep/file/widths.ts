/** What a plan says of rates and widths: one constant rate over dims far apart makes the law one of the rate, not of the size. */
import type { TrialConfig } from '../../train/config.js';

/** Dims further apart than so many times want rates of their own. */
const APART = 4;

/**
 * A note for every constant learning rate that serves dims more than four times apart: the best rate of hidden matrices under
 * Adam falls with their inputs (Yang et al. 2022, arXiv 2203.03466).
 */
export function widthNotes(configs: readonly Pick<TrialConfig, 'model' | 'training'>[]): string[] {
  const dimsOf = new Map<number, number[]>();
  for (const { model, training } of configs)
    if (typeof training.learningRate === 'number')
      dimsOf.set(training.learningRate, [...(dimsOf.get(training.learningRate) ?? []), model.dim]);
  return [...dimsOf].flatMap(([rate, dims]) => {
    const [least, most] = dims.reduce(([a, b], dim) => [Math.min(a, dim), Math.max(b, dim)], [Infinity, 0]);
    if (most <= APART * least) return [];
    return `one learning rate, ${rate}, serves dims from ${least} to ${most}: where the best rate moves with the width, a law over dim is a law of this rate too. \`tune: {learningRate: [...]}\` takes the best for every size; \`learningRate: {base: ${rate}, dim: ${least}, power: -1}\` lets it follow the width.`;
  });
}
