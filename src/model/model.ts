/** Models by name. */
import type { ModelConfig, ModelName } from './config.js';
import { createMamba4Rec } from './mamba4rec.js';
import type { PackedBatch, SequenceModel } from './sequence-model.js';
import { createSsd4Rec } from './ssd4rec.js';
import { createTim4Rec } from './tim4rec.js';

export type { PackedBatch, SequenceModel };

/** How each model is built; what else there is to know of it stands in kinds.ts. */
const MODELS: Record<ModelName, (config: ModelConfig, numItems: number, seed: number) => SequenceModel> = {
  mamba4rec: createMamba4Rec,
  tim4rec: createTim4Rec,
  ssd4rec: createSsd4Rec,
};

/** Builds a model with initial weights drawn from `seed`. The backend must be open. */
export function createModel(config: ModelConfig, numItems: number, seed: number): SequenceModel {
  return MODELS[config.name](config, numItems, seed);
}
