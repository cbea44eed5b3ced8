/** What a plan says of settings that make its models differ in more than was meant: rates over widths, residuals, dropout. */
import { MODEL_NAMES, type ModelName } from '../../model/config.js';
import { kindOf } from '../../model/kinds.js';
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

/** A note where models of one layer, published without a residual, get that of deeper ones. */
export function residualNotes(models: readonly ModelName[]): string[] {
  if (models.length === 0) return [];
  return [
    `layers vary from 1 up, so one layer of ${models.join(' and ')} has the residual that deeper models have (\`residual: always\`); the published model of one layer has none, which makes it another architecture: \`model: {residual: published}\` trains that.`,
  ];
}

/** A note where all trials of a model share one dropout that lies on the sum of its layers, where it costs far more than elsewhere. */
export function dropoutNotes(configs: readonly Pick<TrialConfig, 'model'>[]): string[] {
  return MODEL_NAMES.filter((name) => kindOf({ name }).dropsSum).flatMap((name) => {
    const rates = new Set(configs.flatMap(({ model }) => (model.name === name ? [model.dropout] : [])));
    const [rate] = rates;
    if (rates.size !== 1 || !rate) return [];
    return `${name} drops the sum that runs through its layers, where other models drop what is added to it: dropout ${rate} may hold it back far more than them. \`tune: {dropout: [0, ${rate}]}\` takes the better.`;
  });
}
