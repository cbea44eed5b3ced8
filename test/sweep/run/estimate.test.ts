import { expect, it } from 'vitest';
import { fakeTrial } from '../../../src/contract/fake.js';
import { DEFAULT_MODEL } from '../../../src/model/config.js';
import { countParameters, trainingFlopsPerToken } from '../../../src/model/size.js';
import { estimateMemory, realCost } from '../../../src/sweep/run/estimate.js';
import { NUMERIC_VERSION } from '../../../src/train/version.js';

it('the cost model counts what the model room counts', async () => {
  const { sizeOf, numericVersion } = await realCost();
  const { config } = fakeTrial({ dim: 32 });
  expect(numericVersion).toBe(NUMERIC_VERSION);
  expect(sizeOf(config, 500, 1)).toEqual({
    parameters: countParameters(config.model, 500).total,
    flopsPerToken: trainingFlopsPerToken(config.model, 500),
  });
});

it('memory is estimated within a fifth of peaks that were measured', () => {
  // ML-100K (1,349 items), 1 or 2 epochs: layers, dim, dState, rows, maxLength, peak MiB of the process.
  const measured = [
    [1, 16, 8, 8, 50, 177],
    [1, 32, 16, 8, 50, 169],
    [2, 64, 32, 8, 100, 216],
    [4, 64, 32, 8, 100, 262],
    [8, 64, 32, 8, 100, 345],
    [1, 64, 16, 32, 100, 210],
    [2, 64, 32, 32, 100, 287],
    [4, 64, 16, 32, 100, 385],
    [8, 64, 32, 32, 100, 618],
    [4, 64, 32, 64, 100, 606],
    [2, 128, 32, 8, 200, 349],
    [2, 128, 64, 32, 100, 402],
    [4, 32, 16, 8, 200, 250],
  ] as const;
  for (const [layers, dim, dState, rows, maxLength, peak] of measured) {
    const { config } = fakeTrial();
    const model = { ...DEFAULT_MODEL, layers, dim, dState, maxLength };
    const estimate = estimateMemory({ ...config, model, training: { ...config.training, rows } }, 1349);
    expect(Math.abs(estimate / 2 ** 20 / peak - 1)).toBeLessThan(0.2);
  }
});
