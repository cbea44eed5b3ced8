/** What fixes a model's shape: everything `model/size.ts` needs to count its parameters and FLOPs exactly. */
import { kindOf, MODEL_NAMES, type ModelName } from './kinds.js';
import type { LossPlace, ModelSettings } from './settings.js';

export { MODEL_NAMES, type ModelName };

/** A model's architecture: with the number of items it fixes every tensor's shape. */
export interface ModelConfig extends ModelSettings {
  name: ModelName;
}

/** Where the loss is taken if nothing is said: at all positions, or at the last of a prefix. */
export function defaultLoss(name: ModelName): LossPlace {
  return kindOf({ name }).bidirectional ? 'last' : 'all';
}

/** What a configuration holds where nothing else is said: one layer of the published Mamba4Rec with the library's initial values. */
export const DEFAULT_MODEL: ModelConfig = {
  name: 'mamba4rec',
  dim: 64,
  layers: 1,
  dState: 32,
  dConv: 4,
  expand: 2,
  maxLength: 200,
  dropout: 0.2,
  init: 'mamba',
};

/** Settings that mean something to some models only, with those models; every other setting means something to all. */
export const MEANT_FOR: ReadonlyMap<keyof ModelSettings, readonly ModelName[]> = meantFor();

function meantFor(): Map<keyof ModelSettings, ModelName[]> {
  const found = new Map<keyof ModelSettings, ModelName[]>();
  for (const name of MODEL_NAMES)
    for (const setting of kindOf({ name }).ownSettings)
      found.set(setting, [...(found.get(setting) ?? []), name]);
  return found;
}
