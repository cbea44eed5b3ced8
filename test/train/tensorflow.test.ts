/** Whole trainings on libtensorflow, where its package is installed or PERFLAW_TENSORFLOW names a folder with it. */
import { describe, expect, it } from 'vitest';
import { findTensorflow } from '../../src/kernels/tensorflow.js';
import type { ModelConfig } from '../../src/model/config.js';
import { trainModel } from '../../src/train/trainer.js';
import { ringWalks, smallConfig } from './small.js';

const present = findTensorflow() !== undefined;
if (!present)
  console.log(
    'Skipped: trainings on tensorflow, no @tensorflow/tfjs-node (npm run build:tensorflow -- FOLDER).',
  );

const MODELS: [string, Partial<ModelConfig>, 'all' | 'last'][] = [
  ['mamba4rec', { name: 'mamba4rec' }, 'all'],
  ['tim4rec', { name: 'tim4rec', headDim: 4, time: 'none' }, 'all'],
  ['ssd4rec', { name: 'ssd4rec', headDim: 4 }, 'last'],
];

describe.skipIf(!present)('training on tensorflow', () => {
  it.each(MODELS)(
    '%s: the same bits twice, and what wasm computes but for rounding',
    async (_, model, loss) => {
      const data = ringWalks(15);
      const small = smallConfig(data, { epochs: 2, loss });
      const on = (backend: string) =>
        trainModel({ ...small, model: { ...small.model, ...model }, backend }, data);
      const first = await on('tensorflow');
      const second = await on('tensorflow');
      const wasm = await on('wasm');
      const losses = (result: typeof first) => result.curve.map((epoch) => epoch.loss);
      expect(losses(second)).toEqual(losses(first));
      expect(second.test).toEqual(first.test);
      for (const [i, value] of losses(first).entries())
        expect(Math.abs(value - losses(wasm)[i]!) / value).toBeLessThan(1e-3);
    },
    240_000,
  );
});
