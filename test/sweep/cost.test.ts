import { expect, it } from 'vitest';
import { DEFAULT_MODEL } from '../../src/model/config.js';
import { countParameters, trainingFlopsPerToken } from '../../src/model/size.js';
import { estimateMemory, realCost } from '../../src/sweep/cost.js';
import { NUMERIC_VERSION } from '../../src/train/version.js';
import { fakeTrial } from './fake.js';

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
  // ML-100K (1,349 items), history 100: layers, dim, dState, rows, peak bytes of the process.
  const measured = [
    [1, 32, 16, 8, 163_008_512],
    [4, 64, 16, 8, 266_924_032],
    [4, 64, 16, 32, 564_621_312],
    [8, 64, 32, 8, 381_415_424],
  ] as const;
  for (const [layers, dim, dState, rows, bytes] of measured) {
    const { config } = fakeTrial();
    const model = { ...DEFAULT_MODEL, layers, dim, dState, maxLength: 100 };
    const estimate = estimateMemory({ ...config, model, training: { ...config.training, rows } }, 1349);
    expect(Math.abs(estimate / bytes - 1)).toBeLessThan(0.2);
  }
});
