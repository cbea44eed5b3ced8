/** A packed row with reset positions gives each history the hidden states that it has alone. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { DEFAULT_MODEL, MEANT_FOR, MODEL_NAMES, type ModelConfig } from '../../src/model/config.js';
import { createModel } from '../../src/model/model.js';
import { countParameters } from '../../src/model/size.js';
import { createRandom } from '../../src/util/random.js';

const NUM_ITEMS = 30;

describe.each(['wasm', 'composed'])('Mamba4Rec on %s', (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  it('packed equals separate', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.integer(),
        (lengths, seed) => {
          const random = createRandom(seed);
          const model = createModel(
            { ...DEFAULT_MODEL, dim: 8, layers: 2, dState: 4, maxLength: 50 },
            NUM_ITEMS,
            3,
          );
          const histories = lengths.map((n) =>
            Int32Array.from({ length: n }, () => 1 + random.int(NUM_ITEMS)),
          );
          const total = lengths.reduce((a, b) => a + b, 0);
          const items = new Int32Array(total);
          const reset = new Int32Array(total);
          let at = 0;
          for (const history of histories) {
            reset[at] = 1;
            items.set(history, at);
            at += history.length;
          }
          tf.tidy(() => {
            const packed = model.hidden({ rows: 1, length: total, items, reset }).dataSync();
            let offset = 0;
            for (const history of histories) {
              const first = Int32Array.from(history, (_, i) => (i === 0 ? 1 : 0));
              const alone = model
                .hidden({ rows: 1, length: history.length, items: history, reset: first })
                .dataSync();
              alone.forEach((value, i) => {
                expect(packed[offset + i]).toBeCloseTo(value, 4);
              });
              offset += alone.length;
            }
          });
          model.weights.dispose();
        },
      ),
      { numRuns: 10 },
    );
  });

  it.each(MODEL_NAMES)('%s has exactly the parameters that size.ts counts', (name) => {
    for (const [dim, layers, dState] of [
      [8, 1, 4],
      [20, 3, 5],
      [64, 2, 32],
    ] as const) {
      const config: ModelConfig = { ...DEFAULT_MODEL, name, dim, layers, dState };
      if (MEANT_FOR.get('headDim')!.includes(name)) config.headDim = 4;
      const model = createModel(config, NUM_ITEMS, 1);
      expect(model.weights.size()).toBe(countParameters(config, NUM_ITEMS).total);
      model.weights.dispose();
    }
  });
});
