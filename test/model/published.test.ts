/** Where the released code of a model differs from data set to data set, or with the number of its layers. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { DEFAULT_MODEL, type ModelConfig } from '../../src/model/config.js';
import { createModel, type PackedBatch, type SequenceModel } from '../../src/model/model.js';

const ITEMS = 20;
const LENGTH = 10;
const batch: PackedBatch = {
  rows: 1,
  length: LENGTH,
  items: Int32Array.from({ length: LENGTH }, (_, i) => 1 + ((i * 7) % ITEMS)),
  reset: Int32Array.from({ length: LENGTH }, (_, i) => (i === 0 ? 1 : 0)),
  timestamps: Float64Array.from({ length: LENGTH }, (_, i) => 1e9 + 1000 * i * i),
};

const build = (changes: Partial<ModelConfig>) =>
  createModel({ ...DEFAULT_MODEL, dim: 8, dState: 4, headDim: 4, maxLength: LENGTH, ...changes }, ITEMS, 3);

function states(model: SequenceModel, seed?: number): number[] {
  let values: number[] = [];
  tf.tidy(() => {
    values = [...model.hidden(batch, seed).dataSync()];
  });
  return values;
}

beforeAll(async () => {
  await openBackend('wasm');
});

describe.each(['mamba4rec', 'tim4rec'] as const)('the residual of %s', (name) => {
  /** The hidden states with a block that gives nothing: what the layer's norm then gets is the residual alone. */
  const silenced = (changes: Partial<ModelConfig>) => {
    const model = build({ name, time: name === 'tim4rec' ? 'none' : undefined, ...changes });
    for (const key of model.weights.names())
      if (/\.out_proj\./.test(key)) {
        const weight = model.weights.get<tf.Variable>(key);
        tf.tidy(() => weight.assign(tf.zeros(weight.shape)));
      }
    return states(model);
  };
  const differs = (values: number[]) => new Set(values.filter((_, i) => i % 8 === 0)).size > 1;

  it('is published in models of several layers only, and always there where it is asked for', () => {
    expect(differs(silenced({ layers: 1 }))).toBe(false);
    expect(differs(silenced({ layers: 1, residual: 'published' }))).toBe(false);
    expect(differs(silenced({ layers: 1, residual: 'always' }))).toBe(true);
    expect(states(build({ name, layers: 2, residual: 'always' }))).toEqual(
      states(build({ name, layers: 2 })),
    );
  });
});

describe('TiM4Rec', () => {
  it('timeDropout works on the time path alone, and is the dropout where it is left out', () => {
    const tim = (changes: Partial<ModelConfig>) =>
      build({ name: 'tim4rec', time: 'masked', layers: 2, ...changes });
    const still = states(tim({ dropout: 0 }));
    expect(states(tim({ dropout: 0, timeDropout: 0 }), 5)).toEqual(still);
    const dropped = tim({ dropout: 0, timeDropout: 0.5 });
    expect(states(dropped)).toEqual(still);
    expect(states(dropped, 5)).not.toEqual(still);
    expect(states(dropped, 5)).toEqual(states(dropped, 5));
    expect(states(dropped, 6)).not.toEqual(states(dropped, 5));
    expect(states(tim({ dropout: 0.5, time: 'none', timeDropout: 0.1 }), 5)).toEqual(
      states(tim({ dropout: 0.5, time: 'none' }), 5),
    );
  });

  it('convInit: kaiming draws every convolution by its outputs, with biases of 0', () => {
    const wide = { name: 'tim4rec', dim: 256, dState: 32, headDim: 4, time: 'causal' } as const;
    const { weights } = build({ ...wide, convInit: 'kaiming' });
    for (const [conv, channels] of [
      ['conv1d', 2 * 256 + 2 * 32],
      ['conv1d4time_1', 128],
      ['conv1d4time_2', 128],
    ] as const) {
      const values = [...weights.get(`ssd_layers.0.ssd.${conv}.weight`).dataSync()];
      const deviation = Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
      const expected = Math.sqrt(2 / (channels * 4));
      // Five standard errors of a deviation.
      expect(Math.abs(deviation / expected - 1)).toBeLessThan(5 / Math.sqrt(2 * values.length));
      expect(
        weights
          .get(`ssd_layers.0.ssd.${conv}.bias`)
          .dataSync()
          .every((v) => v === 0),
      ).toBe(true);
    }
    const plain = build({ ...wide, convInit: 'uniform' }).weights.read();
    expect(plain).toEqual(build(wide).weights.read());
    const bound = 1 / Math.sqrt(4);
    const drawn = plain.get('ssd_layers.0.ssd.conv1d.weight')!;
    expect(drawn.every((v) => Math.abs(v) <= bound)).toBe(true);
    expect(drawn.some((v) => Math.abs(v) > 0.9 * bound)).toBe(true);
  });
});

describe('SSD4Rec', () => {
  it('embeddingNorm: off hands the embedding to the first block as it is', () => {
    const change = (model: SequenceModel) => {
      const before = states(model);
      const norm = model.weights.get<tf.Variable>('LayerNorm.weight');
      tf.tidy(() => norm.assign(tf.fill(norm.shape, 3)));
      return [before, states(model)];
    };
    const [onBefore, onAfter] = change(build({ name: 'ssd4rec', embeddingNorm: 'on' }));
    expect(onAfter).not.toEqual(onBefore);
    expect(states(build({ name: 'ssd4rec' }))).toEqual(onBefore);
    const [offBefore, offAfter] = change(build({ name: 'ssd4rec', embeddingNorm: 'off' }));
    expect(offAfter).toEqual(offBefore);
    expect(offBefore).not.toEqual(onBefore);
  });
});
