import { beforeAll, describe, expect, it } from 'vitest';
import { leaveOneOut } from '../../src/data/split.js';
import { openBackend } from '../../src/kernels/backend.js';
import { costModel } from '../../src/law/cost.js';
import type { Observation } from '../../src/law/points/observation.js';
import type { ModelConfig } from '../../src/model/config.js';
import { prefixesOf, resolveTrial } from '../../src/train/check.js';
import type { TrialConfig } from '../../src/train/config.js';
import { assemble, epochRows, epochWork } from '../../src/train/step/batches.js';
import { trainModel } from '../../src/train/trainer.js';
import { createRandom } from '../../src/util/random.js';
import { ringWalks, smallConfig } from '../train/small.js';

const walks = ringWalks();
const data = { ...walks, timestamps: Float64Array.from(walks.items, (_, i) => 1e9 + 3600 * i) };
const EPOCHS = 2;
const MODELS = ['mamba4rec', 'tim4rec', 'ssd4rec'] as const;
const LOSSES: Partial<TrialConfig['training']>[] = [
  { loss: 'all' },
  { loss: 'all', negatives: 5 },
  { loss: 'last', prefixes: 'every' },
  { loss: 'last', prefixes: 'random' },
  { loss: 'last', prefixes: 3 },
  { loss: 'last', prefixes: 3, negatives: 5 },
];
const MEASURED = [
  [1, 8],
  [2, 8],
  [1, 16],
] as const;
const UNSEEN = [2, 16] as const;

function configOf(
  name: ModelConfig['name'],
  [layers, dim]: readonly [number, number],
  training: Partial<TrialConfig['training']>,
): TrialConfig {
  const base = smallConfig(data, { ...training, epochs: EPOCHS, rows: 16 });
  return resolveTrial({ ...base, model: { ...base.model, name, layers, dim, headDim: 8 } });
}

/** As a sweep reads a result. */
async function observe(config: TrialConfig): Promise<Observation> {
  const { parameters, flops, tokens } = await trainModel(config, data);
  const { loss, negatives } = config.training;
  return {
    slice: 'all',
    layers: config.model.layers,
    dim: config.model.dim,
    metrics: { 'hr@10': 0.1 },
    params: parameters.total,
    flops: flops.total,
    trainingTokens: tokens.total,
    config: { model: config.model.name, loss, ...(negatives ? { negatives } : {}) },
  };
}

describe('training FLOPs of a shape that was not run', () => {
  beforeAll(async () => {
    await openBackend('wasm');
  });
  const cases = MODELS.flatMap((name) =>
    LOSSES.filter(({ loss }) => loss === 'last' || name !== 'ssd4rec').map(
      (training) => [name, JSON.stringify(training), training] as const,
    ),
  );

  it.each(cases)(
    'are those that %s is trained with, %s',
    async (name, _, training) => {
      const runs: Observation[] = [];
      for (const shape of MEASURED) runs.push(await observe(configOf(name, shape, training)));
      const unseen = await observe(configOf(name, UNSEEN, training));
      const source = { numItems: data.numItems, models: [configOf(name, UNSEEN, training).model] };
      const shape = { layers: UNSEEN[0], dim: UNSEEN[1] };
      // prefixes drawn anew differ a little in their number from epoch to epoch; their mean is what is counted with
      const own = costModel(runs, source);
      expect(own.flops!(shape) / unseen.flops!).toBeCloseTo(1, 1);
      expect(
        own.flops!(shape) / unseen.flops! / (runs[0]!.trainingTokens! / unseen.trainingTokens!),
      ).toBeCloseTo(1, 2);
      for (const run of runs) expect(own.flops!(run) / run.flops!).toBeCloseTo(1, 1);
      expect(own.notes.join()).toMatch(
        /FLOPs: exact a token, times the .* tokens that the median run trained on; at most/,
      );
      // a table that does not say how many tokens a run trained on
      const bare = runs.map(({ trainingTokens: _tokens, ...rest }) => rest);
      expect(costModel(bare, source).flops!(shape) / unseen.flops!).toBeCloseTo(1, 1);
    },
    60_000,
  );

  it('count the positions that the batches of a training predict', () => {
    const { train } = leaveOneOut(data);
    for (const training of LOSSES) {
      const config = configOf('mamba4rec', [1, 8], training);
      const { maxLength } = config.model;
      const { loss } = config.training;
      let [tokens, predicted] = [0, 0];
      for (let epoch = 0; epoch < 100; epoch++) {
        const rows = epochRows(train, maxLength, loss, createRandom('epochs', epoch), prefixesOf(config));
        const batch = assemble(train.items, rows, maxLength, loss);
        tokens += batch.tokens;
        predicted += batch.predicted;
      }
      const { predicting } = epochWork(config, train);
      // drawn prefixes differ in their lengths from epoch to epoch
      const isDrawn = loss === 'last' && prefixesOf(config) !== 'every';
      expect(Math.abs(predicted / tokens / predicting - 1)).toBeLessThan(isDrawn ? 0.02 : 1e-9);
    }
  });
});
