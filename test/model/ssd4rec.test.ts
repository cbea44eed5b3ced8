/** SSD4Rec: both directions within each history of a packed row, hidden items. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { DEFAULT_MODEL, type ModelConfig } from '../../src/model/config.js';
import { historiesOf, mirrorIndices } from '../../src/model/histories.js';
import { createModel, type PackedBatch, type SequenceModel } from '../../src/model/model.js';
import { countParameters } from '../../src/model/size.js';
import { hideItems } from '../../src/model/ssd4rec.js';
import { createRandom } from '../../src/util/random.js';

const NUM_ITEMS = 30;
const CONFIG: ModelConfig = {
  ...DEFAULT_MODEL,
  name: 'ssd4rec',
  dim: 8,
  layers: 2,
  dState: 4,
  headDim: 4,
  maxLength: 40,
  beta: 0.5,
};

function pack(histories: number[][], width: number): PackedBatch {
  const items = new Int32Array(width);
  const reset = new Int32Array(width);
  let at = 0;
  for (const history of histories) {
    items.set(history, at);
    reset[at] = 1;
    at += history.length;
  }
  if (at < width) reset[at] = 1;
  return { rows: 1, length: width, items, reset };
}

function states(model: SequenceModel, batch: PackedBatch, seed?: number): Float32Array {
  let values = new Float32Array();
  tf.tidy(() => {
    values = model.hidden(batch, seed).dataSync().slice() as Float32Array<ArrayBuffer>;
  });
  return values;
}

function worst(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((w, v, i) => Math.max(w, Math.abs(v - b[i]!)), 0);
}

describe.each(['wasm', 'composed'])('SSD4Rec on %s', (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  it.each(['released', 'aligned'] as const)(
    '%s: packed rows give each history what it has alone',
    (reverseOutput) => {
      const model = createModel({ ...CONFIG, reverseOutput }, NUM_ITEMS, 3);
      const item = fc.integer({ min: 1, max: NUM_ITEMS });
      fc.assert(
        fc.property(
          fc.array(fc.array(item, { minLength: 1, maxLength: 9 }), { minLength: 2, maxLength: 4 }),
          (histories) => {
            const together = states(model, pack(histories, 40));
            let offset = 0;
            for (const history of histories) {
              const alone = states(model, pack([history], history.length));
              expect(worst(alone, together.slice(offset, offset + alone.length))).toBeLessThan(1e-4);
              offset += alone.length;
            }
          },
        ),
        { numRuns: 8 },
      );
      model.weights.dispose();
    },
  );

  it('a later item changes earlier states; without the reversed direction it does not', () => {
    for (const beta of [0.5, 0]) {
      const model = createModel({ ...CONFIG, beta }, NUM_ITEMS, 3);
      const before = states(model, pack([[1, 2, 3, 4, 5, 6]], 6));
      const after = states(model, pack([[1, 2, 3, 4, 5, 7]], 6));
      const cut = 5 * CONFIG.dim;
      const change = worst(before.slice(0, cut), after.slice(0, cut));
      if (beta === 0) expect(change).toBe(0);
      else expect(change).toBeGreaterThan(1e-4);
      model.weights.dispose();
    }
  });

  it('released and aligned differ, except at a position that mirrors onto itself', () => {
    const [released, aligned] = (['released', 'aligned'] as const).map((reverseOutput) =>
      createModel({ ...CONFIG, layers: 1, reverseOutput }, NUM_ITEMS, 3),
    );
    const one = pack([[4, 9, 2, 9, 4]], 5);
    const other = pack([[4, 9, 2, 9, 5]], 5);
    expect(worst(states(released!, one), states(aligned!, one))).toBeGreaterThan(1e-4);
    expect(worst(states(released!, other), states(aligned!, other))).toBeGreaterThan(1e-4);
    const middle = 2 * CONFIG.dim;
    const at = (model: SequenceModel) => states(model, one).slice(middle, middle + CONFIG.dim);
    // One layer: after it the states themselves differ.
    expect(worst(at(released!), at(aligned!))).toBeLessThan(1e-5);
    for (const model of [released!, aligned!]) model.weights.dispose();
  });
});

describe('SSD4Rec', () => {
  beforeAll(async () => {
    await openBackend('wasm');
  });

  it('has exactly the parameters that size.ts counts', () => {
    for (const changes of [
      {},
      { dim: 16, headDim: 8, layers: 3, dState: 6 },
      { dim: 256, dState: 64, headDim: 16 },
    ]) {
      const settings = { ...CONFIG, ...changes };
      const model = createModel(settings, NUM_ITEMS, 1);
      expect(model.weights.size()).toBe(countParameters(settings, NUM_ITEMS).total);
      model.weights.dispose();
    }
  });

  it('hides the share asked for, by the seed, and never the last item of a history', () => {
    const random = createRandom('hide');
    const lengths = Array.from({ length: 100 }, () => 1 + random.int(40));
    const width = lengths.reduce((a, b) => a + b, 0);
    const batch = pack(
      lengths.map((n) => Array.from({ length: n }, () => 1 + random.int(NUM_ITEMS))),
      width,
    );
    const histories = historiesOf(batch);
    const shown = hideItems(batch.items, histories, 0.2, 5);
    const hidden = shown.filter((item) => item === 0).length;
    expect(hidden / (width - lengths.length)).toBeGreaterThan(0.16);
    expect(hidden / (width - lengths.length)).toBeLessThan(0.24);
    histories.starts.forEach((start, h) => {
      const last = start + histories.lengths[h]! - 1;
      expect(shown[last]).toBe(batch.items[last]);
    });
    expect(hideItems(batch.items, histories, 0.2, 5)).toEqual(shown);
    expect(hideItems(batch.items, histories, 0.2, 6)).not.toEqual(shown);
    expect(hideItems(batch.items, histories, 0, 5)).toEqual(batch.items);
  });

  it('hides in training only', () => {
    const model = createModel({ ...CONFIG, dropout: 0, hiddenShare: 0.9 }, NUM_ITEMS, 3);
    const batch = pack([[1, 2, 3, 4, 5, 6, 7, 8]], 8);
    expect(worst(states(model, batch), states(model, batch))).toBe(0);
    expect(worst(states(model, batch, 1), states(model, batch))).toBeGreaterThan(1e-3);
    model.weights.dispose();
  });

  it('mirrors positions within each history and leaves padding where it is', () => {
    const batch = pack([[1, 2, 3], [4], [5, 6]], 8);
    expect([...mirrorIndices(historiesOf(batch), 8)]).toEqual([2, 1, 0, 3, 5, 4, 6, 7]);
  });
});
