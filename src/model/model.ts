/** Models by name. */
import type { ModelConfig } from './config.js';
import { createMamba4Rec } from './mamba4rec.js';
import type { PackedBatch, SequenceModel } from './sequence-model.js';
import { createSsd4Rec } from './ssd4rec.js';
import { createTim4Rec } from './tim4rec.js';

export type { PackedBatch, SequenceModel };

/** Builds a model with initial weights drawn from `seed`. The backend must be open. */
export function createModel(config: ModelConfig, numItems: number, seed: number): SequenceModel {
  switch (config.name) {
    case 'mamba4rec':
      return createMamba4Rec(config, numItems, seed);
    case 'tim4rec':
      return createTim4Rec(config, numItems, seed);
    case 'ssd4rec':
      return createSsd4Rec(config, numItems, seed);
  }
}
