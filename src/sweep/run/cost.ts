/** What a configuration costs, before it is trained. */
import { BIDIRECTIONAL } from '../../model/config.js';
import { countParameters, trainingFlopsPerToken } from '../../model/size.js';
import type { TrialConfig } from '../../train/config.js';
import type { CostModel } from '../file/plan.js';

/** Node, tfjs, what a training leaves to be collected and a small data set, without a model. */
const BASE_BYTES = 170 * 2 ** 20;

/**
 * Bytes of a training process, roughly: weights with gradients, Adam's two moments and three times as much again for the best
 * weights and checkpoints; activations kept for the backward pass; the scores of all items. States of the scan hardly count,
 * since kernels keep those between blocks alone. The factors are fitted to measured peaks (docs/log.md), met within a fifth.
 */
export function estimateMemory(config: TrialConfig, numItems: number): number {
  const { model, training } = config;
  const tokens = training.rows * model.maxLength;
  const inner = model.expand * model.dim;
  const directions = BIDIRECTIONAL.includes(model.name) ? 2 : 1;
  const layer = 1.5 * directions * (10 * inner + 22 * model.dim);
  const predicting = training.loss === 'last' ? training.rows : tokens;
  const scored = training.negatives ? Math.min(training.negatives, numItems) + 1 : numItems + 1;
  const weights = 16 * countParameters(model, numItems).total;
  return BASE_BYTES + 4 * (weights + tokens * model.layers * layer + predicting * scored);
}

export async function realCost(): Promise<CostModel> {
  const { NUMERIC_VERSION } = await import('../../train/version.js');
  return {
    numericVersion: NUMERIC_VERSION,
    sizeOf: (config, numItems, predicting) => ({
      parameters: countParameters(config.model, numItems).total,
      flopsPerToken: trainingFlopsPerToken(config.model, numItems, { ...config.training, predicting }),
    }),
    memoryOf: estimateMemory,
  };
}
