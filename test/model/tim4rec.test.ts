/** TiM4Rec: packing, and what each way of seeing time may look at. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { DEFAULT_MODEL, type ModelConfig } from '../../src/model/config.js';
import { createModel, type PackedBatch, type SequenceModel } from '../../src/model/model.js';
import type { TimeMode } from '../../src/model/settings.js';
import { countParameters } from '../../src/model/size.js';
import { createRandom, type Random } from '../../src/util/random.js';

const NUM_ITEMS = 30;
const LENGTH = 12;

interface History {
  items: number[];
  times: number[];
}

function config(time: TimeMode, changes: Partial<ModelConfig> = {}): ModelConfig {
  return {
    ...DEFAULT_MODEL,
    name: 'tim4rec',
    dim: 8,
    layers: 2,
    dState: 4,
    headDim: 4,
    maxLength: LENGTH,
    time,
    ...changes,
  };
}

/** A model whose weights are all drawn afresh, so that no gate or norm sits at a value that hides something. */
function scrambled(settings: ModelConfig): SequenceModel {
  const model = createModel(settings, NUM_ITEMS, 3);
  const random = createRandom('scrambled');
  model.weights.write(
    new Map(
      [...model.weights.read()].map(([name, values]) => [name, values.map((v) => v + 0.3 * random.normal())]),
    ),
  );
  return model;
}

function history(random: Random, n: number): History {
  let at = 1.5e9;
  return {
    items: Array.from({ length: n }, () => 1 + random.int(NUM_ITEMS)),
    times: Array.from({ length: n }, () => (at += random.int(100_000))),
  };
}

/** Rows of `width`, each with the histories given for it, one after another. */
function pack(rows: History[][], width: number, padTime = 0): PackedBatch & { timestamps: Float64Array } {
  const size = rows.length * width;
  const batch = {
    rows: rows.length,
    length: width,
    items: new Int32Array(size),
    reset: new Int32Array(size),
    timestamps: new Float64Array(size).fill(padTime),
  };
  rows.forEach((row, r) => {
    let at = r * width;
    for (const { items, times } of row) {
      batch.reset[at] = 1;
      batch.items.set(items, at);
      batch.timestamps.set(times, at);
      at += items.length;
    }
    if (at < (r + 1) * width) batch.reset[at] = 1;
  });
  return batch;
}

/** Hidden states of the first `n` positions of row 0. */
function states(model: SequenceModel, batch: PackedBatch, n: number): Float32Array {
  let values = new Float32Array();
  tf.tidy(() => {
    values = model
      .hidden(batch)
      .dataSync()
      .slice(0, n * model.config.dim) as Float32Array<ArrayBuffer>;
  });
  return values;
}

function worst(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((w, v, i) => Math.max(w, Math.abs(v - b[i]!)), 0);
}

const MODES: TimeMode[] = ['paper', 'masked', 'causal', 'none'];

describe.each(['wasm', 'composed'])('TiM4Rec on %s', (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  it.each(MODES)('%s: packed rows give each history what it has alone', (mode) => {
    const model = scrambled(config(mode));
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: LENGTH }), { minLength: 2, maxLength: 5 }),
        fc.integer(),
        (lengths, seed) => {
          const random = createRandom(seed);
          const all = lengths.map((n) => history(random, n));
          const together = states(model, pack([all], 60), 60);
          let offset = 0;
          for (const one of all) {
            const n = one.items.length;
            const alone = states(model, pack([[one]], LENGTH), n);
            const part = together.slice(offset, offset + alone.length);
            expect(worst(alone, part)).toBeLessThan(2e-4);
            offset += alone.length;
          }
        },
      ),
      { numRuns: 8 },
    );
    model.weights.dispose();
  });

  it.each(['causal', 'none'] as const)('%s: nothing later changes an earlier state', (mode) => {
    const model = scrambled(config(mode));
    const random = createRandom('causality');
    const whole = history(random, 10);
    const before = states(model, pack([[whole]], LENGTH), 10);
    for (let from = 1; from < 10; from++) {
      const changed = {
        items: whole.items.map((item, i) => (i < from ? item : 1 + (item % NUM_ITEMS))),
        times: whole.times.map((t, i) => (i < from ? t : t + 5e6 * (i - from + 1))),
      };
      const after = states(model, pack([[changed]], LENGTH), 10);
      const cut = from * model.config.dim;
      expect(worst(before.slice(0, cut), after.slice(0, cut))).toBeLessThan(1e-6);
      expect(worst(before, after)).toBeGreaterThan(1e-3);
    }
    model.weights.dispose();
  });

  it.each(['paper', 'masked'] as const)(
    '%s: a later timestamp changes earlier states, a later item does not',
    (mode) => {
      const model = scrambled(config(mode));
      // A full row: behind a shorter history the padding would flatten it all.
      const whole = history(createRandom('leak'), LENGTH);
      const before = states(model, pack([[whole]], LENGTH), LENGTH);
      const cut = 5 * model.config.dim;
      const later = { ...whole, times: whole.times.map((t, i) => (i < LENGTH - 1 ? t : t + 9e6)) };
      const moved = states(model, pack([[later]], LENGTH), LENGTH);
      expect(worst(before.slice(0, cut), moved.slice(0, cut))).toBeGreaterThan(1e-3);
      const other = {
        ...whole,
        items: whole.items.map((item, i) => (i < LENGTH - 1 ? item : 1 + (item % NUM_ITEMS))),
      };
      const swapped = states(model, pack([[other]], LENGTH), LENGTH);
      expect(worst(before.slice(0, cut), swapped.slice(0, cut))).toBe(0);
      model.weights.dispose();
    },
  );

  it('masked: neither the width of the row nor what stands behind the history changes it', () => {
    const model = scrambled(config('masked'));
    const one = history(createRandom('padding'), 6);
    const narrow = states(model, pack([[one]], 6), 6);
    for (const [width, padTime] of [
      [7, 0],
      [LENGTH, 0],
      [LENGTH, 3e9],
    ] as const)
      expect(worst(narrow, states(model, pack([[one]], width, padTime), 6))).toBeLessThan(1e-5);
    const beside = history(createRandom('other'), LENGTH);
    const two = states(model, pack([[one], [beside]], LENGTH), 6);
    expect(worst(narrow, two)).toBeLessThan(1e-5);
    model.weights.dispose();
  });

  it('paper: the padding flattens the real gaps, so time matters far less than when it is masked', () => {
    const random = createRandom('flat');
    const one = history(random, 6);
    const late = { ...one, times: one.times.map((t, i) => (i < 5 ? t : t + 40 * 86_400)) };
    const effect = (mode: TimeMode) => {
      const model = scrambled(config(mode));
      const change = worst(states(model, pack([[one]], LENGTH), 6), states(model, pack([[late]], LENGTH), 6));
      model.weights.dispose();
      return change;
    };
    expect(effect('masked')).toBeGreaterThan(10 * effect('paper'));
  });

  it('every weight but those of the last signal, which goes nowhere, has a gradient', () => {
    for (const mode of MODES) {
      const model = scrambled(config(mode, { timeGate: mode === 'causal' ? 'position' : 'one' }));
      const random = createRandom('gradients');
      const batch = pack([[history(random, 5), history(random, 7)]], LENGTH);
      tf.tidy(() => {
        const { grads } = tf.variableGrads(
          () => tf.sum(tf.square(model.hidden(batch, 5))) as tf.Scalar,
          model.weights.list(),
        );
        model.weights.names().forEach((name, i) => {
          if (/^ssd_layers\.1\.ssd\.time_(gate_residual|layer_norm)/.test(name)) return;
          const gradient = grads[model.weights.list()[i]!.name]!.dataSync();
          expect(gradient.every(Number.isFinite), name).toBe(true);
          expect(
            gradient.some((g) => g !== 0),
            name,
          ).toBe(true);
        });
      });
      model.weights.dispose();
    }
  });
});

describe('TiM4Rec', () => {
  beforeAll(async () => {
    await openBackend('wasm');
  });

  it('has exactly the parameters that size.ts counts, the published ones among them', () => {
    for (const mode of MODES)
      for (const changes of [{}, { timeGate: 'position' }, { dim: 16, headDim: 8, layers: 3 }] as const) {
        const settings = config(mode, changes);
        const model = createModel(settings, NUM_ITEMS, 1);
        expect(model.weights.size()).toBe(countParameters(settings, NUM_ITEMS).total);
        model.weights.dispose();
      }
    const published = config('paper', { dim: 64, dState: 32, headDim: 32, maxLength: 50 });
    for (const [settings, items, size] of [
      [published, 7111, 593_498],
      [{ ...published, maxLength: 200 }, 3416, 508_818],
    ] as const) {
      const model = createModel(settings, items, 1);
      expect(model.weights.size()).toBe(size);
      model.weights.dispose();
    }
  });

  it('says what is missing where a batch has no timestamps', () => {
    const model = createModel(config('causal'), NUM_ITEMS, 1);
    const { timestamps: _t, ...batch } = pack([[history(createRandom('x'), 4)]], LENGTH);
    expect(() => tf.tidy(() => model.hidden(batch))).toThrow('timestamps');
    model.weights.dispose();
  });
});
