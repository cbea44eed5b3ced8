/** What a configuration costs, before it is trained. */
import { countParameters, trainingFlopsPerToken } from '../model/size.js';
import type { TrialConfig } from '../train/config.js';
import type { CostModel } from './plan.js';

/** Node, tfjs and a small data set, without a model. */
const BASE_BYTES = 135 * 2 ** 20;

/**
 * Bytes of a training process, roughly: weights with gradients and Adam's two moments, activations and scan states kept
 * for the backward pass, and the scores of all items with their gradient. The factor of the activations is fitted to
 * measured peaks of Mamba4Rec (1 to 8 layers, d 32 and 64, N 16 and 32, 8 and 32 rows), which it meets within a tenth.
 */
export function estimateMemory(config: TrialConfig, numItems: number): number {
  const { model, training } = config;
  const tokens = training.rows * model.maxLength;
  const inner = model.expand * model.dim;
  const layer = 2 * (10 * inner + 22 * model.dim) + inner * model.dState;
  const predicting = training.loss === 'last' ? training.rows : tokens;
  const scored = training.negatives ? Math.min(training.negatives, numItems) + 1 : numItems + 1;
  const weights = 4 * countParameters(model, numItems).total;
  return BASE_BYTES + 4 * (weights + tokens * model.layers * layer + 2 * predicting * scored);
}

export async function realCost(): Promise<CostModel> {
  const { NUMERIC_VERSION } = await import('../train/version.js');
  return {
    numericVersion: NUMERIC_VERSION,
    sizeOf: (config, numItems, predicting) => ({
      parameters: countParameters(config.model, numItems).total,
      flopsPerToken: trainingFlopsPerToken(config.model, numItems, { ...config.training, predicting }),
    }),
    memoryOf: estimateMemory,
  };
}
