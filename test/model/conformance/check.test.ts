/** Cases of models: every setting that a case names is taken, and what is not built here is never counted as passed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openBackend } from '../../../src/kernels/backend.js';
import { DEFAULT_MODEL, type ModelConfig } from '../../../src/model/config.js';
import { checkFolder } from '../../../src/model/conformance/check.js';
import { createModel } from '../../../src/model/model.js';
import { createRandom } from '../../../src/util/random.js';

const ROWS = 2;
const LENGTH = 4;
const ITEMS = Int32Array.of(1, 2, 3, 4, 5, 6, 0, 0);
const LENGTHS = [4, 2];
const TARGETS = [3, 1];

/** A case of SSD4Rec as its published code would write it, computed by our model with these settings. */
function ssdCase(own: Partial<ModelConfig>, named: Record<string, unknown>): Record<string, unknown> {
  const config: ModelConfig = { ...DEFAULT_MODEL, name: 'ssd4rec', dim: 8, layers: 1, dState: 4, headDim: 4 };
  const model = createModel({ ...config, ...own, maxLength: LENGTH, dropout: 0 }, 6, 1);
  // Weights off their initial values, so that a norm left out shows.
  const random = createRandom('case');
  const weights = [...model.weights.read()].map(
    ([name, values]) => [name, values.map((v) => v + 0.2 * random.uniform())] as const,
  );
  model.weights.write(new Map(weights));
  const tensor = (shape: number[], data: ArrayLike<number>) => ({
    shape,
    dtype: 'float32',
    data: [...Array.from(data)],
  });
  const reset = Int32Array.of(1, 0, 0, 0, 1, 0, 0, 0);
  const [hidden, scores, loss] = tf.tidy(() => {
    const all = model.hidden({ rows: ROWS, length: LENGTH, items: ITEMS, reset });
    const last = tf.gather(
      all,
      tf.tensor1d([LENGTHS[0]! - 1, LENGTH + LENGTHS[1]! - 1], 'int32'),
    ) as tf.Tensor2D;
    const logits = tf.matMul(last, model.itemTable(), false, true);
    const picked = tf.sum(tf.mul(tf.oneHot(tf.tensor1d(TARGETS, 'int32'), 7), logits), 1);
    return [last, logits, tf.mean(tf.sub(tf.logSumExp(logits, 1), picked))].map((t) => t.dataSync());
  }) as unknown as [Float32Array, Float32Array, Float32Array];
  model.weights.dispose();
  return {
    config: {
      ...{ hidden_size: 8, num_layers: 1, dropout_prob: 0, d_state: 4, d_conv: 4, expand: 2 },
      ...{ MAX_ITEM_LIST_LENGTH: LENGTH, n_items: 7, headdim: 4, beta: 0.1, norm_embedding: true },
      ...named,
    },
    weights: Object.fromEntries(weights.map(([name, values]) => [name, tensor([values.length], values)])),
    inputs: {
      item_id_list: tensor([ROWS, LENGTH], ITEMS),
      item_length: tensor([ROWS], LENGTHS),
      item_id: tensor([ROWS], TARGETS),
    },
    seq_output: tensor([ROWS, 8], hidden),
    scores: tensor([ROWS, 7], scores),
    loss: loss[0],
    grads: {},
  };
}

function check(content: Record<string, unknown>) {
  const folder = mkdtempSync(join(tmpdir(), 'perflaw-cases-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'case.json'), JSON.stringify(content));
  return checkFolder(folder)[0]!;
}

describe('a case of SSD4Rec', () => {
  beforeAll(async () => {
    await openBackend('cpu');
  });

  it('passes with and without the norm after its embedding, and fails where the case says the other', () => {
    const on = ssdCase({}, {});
    const off = ssdCase({ embeddingNorm: 'off' }, { norm_embedding: false });
    expect(check(on).status).toBe('passed');
    expect(check(off).status).toBe('passed');
    const wrong = { ...off, config: { ...(off['config'] as object), norm_embedding: true } };
    expect(check(wrong).status).toBe('failed');
  });

  it('takes its beta', () => {
    expect(check(ssdCase({ beta: 0.6 }, { beta: 0.6 })).status).toBe('passed');
    expect(check(ssdCase({ beta: 0.6 }, {})).status).toBe('failed');
  });

  it('with a setting that is not built here is not covered', () => {
    expect(check(ssdCase({}, { is_ffn: false }))).toMatchObject({
      status: 'not covered',
      message: expect.stringContaining('is_ffn: false'),
    });
    expect(check(ssdCase({}, { loss_type: 'BPR' })).status).toBe('not covered');
    expect(check(ssdCase({}, { loss_type: 'CE' })).status).toBe('passed');
  });

  it('without a setting that fixes shapes, or with a word for a number, fails with words', () => {
    expect(check(ssdCase({}, { d_state: undefined }))).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('has no d_state'),
    });
    expect(check(ssdCase({}, { beta: 'small' })).message).toContain('beta is no number');
  });
});
