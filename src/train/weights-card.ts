/**
 * The card of a weights file: a JSON file beside it that says which model it belongs to, in our words and in those of the
 * published PyTorch code, which source item each row of the item table is, how it was trained and what it scored.
 */
import type { Interactions } from '../data/interactions.js';
import type { ModelConfig } from '../model/config.js';
import { COMMON_UPSTREAM, kindOf, type UpstreamSetting } from '../model/kinds.js';
import { countParameters } from '../model/size.js';
import { UserError } from '../util/errors.js';
import { readJson } from '../util/files.js';
import type { TrialConfig } from './config.js';
import type { RankingMetrics, TrainingResult } from './result.js';

const SCHEMA = 1;

/** What `perflaw train --out` leaves in its folder. */
export const WEIGHTS_FILE = 'weights.safetensors';
export const CARD_FILE = 'weights.json';

export interface WeightsCard {
  schema: typeof SCHEMA;
  /** Of the safetensors file. */
  sha256: string;
  model: ModelConfig;
  /** The same under the names of the published PyTorch code (RecBole's style). */
  upstream: Record<string, string | number | boolean>;
  parameters: number;
  numItems: number;
  /** The source's identifier of each row of the item table; row 0 is padding. */
  items: string[];
  /** Everything else that decided the weights. */
  trial: TrialConfig;
  bestEpoch: number;
  validation: RankingMetrics;
  test: RankingMetrics;
}

/** @throws Error when the result has no weights. */
export function weightsCard(
  config: TrialConfig,
  result: TrainingResult,
  data: Pick<Interactions, 'numItems' | 'itemIds'>,
): WeightsCard {
  if (!result.weights) throw new Error('this result has no weights');
  const { validation, test, bestEpoch } = result;
  return {
    schema: SCHEMA,
    sha256: result.weights.sha256,
    model: config.model,
    upstream: upstreamSettings(config.model, data.numItems),
    parameters: countParameters(config.model, data.numItems).total,
    numItems: data.numItems,
    items: data.itemIds,
    trial: config,
    bestEpoch,
    validation,
    test,
  };
}

/** The card beside a weights file of `perflaw train --out`. @throws UserError when it is missing or none. */
export function readWeightsCard(path: string): WeightsCard {
  const card = readJson(path) as WeightsCard | null;
  const whole =
    card?.schema === SCHEMA &&
    /^[0-9a-f]{64}$/.test(card.sha256) &&
    typeof card.model === 'object' &&
    Array.isArray(card.items) &&
    card.items.length === card.numItems + 1;
  if (!whole)
    throw new UserError('this is no card of a weights file, or one of another version of perflaw', {
      place: path,
      remedy: 'Train again into this folder.',
    });
  return card;
}

function upstreamSettings(model: ModelConfig, numItems: number): WeightsCard['upstream'] {
  const named = (settings: readonly UpstreamSetting[] = []) =>
    Object.fromEntries(
      settings.flatMap(({ name, write }) => {
        const value = write(model);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  return { ...named(COMMON_UPSTREAM), n_items: numItems + 1, ...named(kindOf(model).upstream?.settings) };
}
