/** Weights that other programs wrote: the published models' own, and files that are none. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { worstDifference } from '../../../src/contract/compare.js';
import { openBackend } from '../../../src/kernels/backend.js';
import { embedding } from '../../../src/kernels/embedding/op.js';
import { matMul } from '../../../src/kernels/matmul/op.js';
import { DEFAULT_MODEL, type ModelConfig } from '../../../src/model/config.js';
import { decodeSafetensors, encodeSafetensors } from '../../../src/model/files/safetensors.js';
import { settingsOfTensors } from '../../../src/model/files/tensor-settings.js';
import { loadWeights, readWeightsFile } from '../../../src/model/files/weights-file.js';
import { createModel } from '../../../src/model/model.js';
import { UserError } from '../../../src/util/errors.js';

interface Stored {
  shape: number[];
  data: number[];
}
interface PublishedCase {
  weights: Record<string, Stored>;
  inputs: Record<string, Stored>;
  scores: Stored;
  config: Record<string, number>;
}

const FIXTURES = new URL('../../../../shared/fixtures', import.meta.url).pathname;
const present = existsSync(FIXTURES);
if (!present) console.log('Skipped: weights of the published models, no fixtures beside the project.');

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perflaw-weights-'));
  await openBackend('wasm');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A safetensors file by its specification alone, float64 as NumPy would keep it, names wrapped or not. */
function safetensorsOf(weights: Record<string, Stored>, prefix: string): Uint8Array {
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [name, { shape, data }] of Object.entries(weights)) {
    header[prefix + name] = { dtype: 'F64', shape, data_offsets: [at, at + 8 * data.length] };
    at += 8 * data.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const values = Object.values(weights).map(({ data }) => Buffer.from(Float64Array.from(data).buffer));
  return Buffer.concat([length, text, ...values]);
}

describe('state dicts of the published models', () => {
  it.skipIf(!present).each([
    ['mamba4rec_1layer', ''],
    ['mamba4rec_2layer', 'module.'],
    ['tim4rec_2layer', ''],
  ])('%s gives the published scores; its settings are read off its tensors', (file, prefix) => {
    const { weights, inputs, scores, config } = JSON.parse(
      readFileSync(join(FIXTURES, `${file}.json`), 'utf8'),
    ) as PublishedCase;
    const path = join(folder, `${file}.safetensors`);
    writeFileSync(path, safetensorsOf(weights, prefix));
    const stored = readWeightsFile(path);
    const { items, ...found } = settingsOfTensors(stored.tensors);
    expect(found).toMatchObject({
      name: file.split('_')[0],
      dim: config['hidden_size'],
      layers: config['num_layers'],
      dState: config['d_state'],
      dConv: config['d_conv'],
      expand: config['expand'],
    });
    if (config['head_dim']) expect(found.headDim).toBe(config['head_dim']);
    const maxLength = config['MAX_ITEM_LIST_LENGTH']!;
    const published: ModelConfig = { ...DEFAULT_MODEL, maxLength, ...found, dropout: 0 };
    if (published.name === 'tim4rec') published.time = 'paper';
    const model = createModel(published, items!, 7);
    loadWeights(model, stored);
    const [rows, length] = inputs['item_id_list']!.shape as [number, number];
    const reset = Int32Array.from({ length: rows * length }, (_, p) => (p % length === 0 ? 1 : 0));
    const last = inputs['item_length']!.data.map((n, r) => r * length + n - 1);
    const times = inputs['timestamp_list'];
    tf.tidy(() => {
      const hidden = model.hidden({
        rows,
        length,
        items: Int32Array.from(inputs['item_id_list']!.data),
        reset,
        ...(times ? { timestamps: Float64Array.from(times.data) } : {}),
      });
      const got = matMul(embedding(hidden, tf.tensor1d(last, 'int32')), model.itemTable(), false, true);
      expect(worstDifference(got.dataSync(), scores.data)).toBeLessThan(1e-4);
    });
    model.weights.dispose();
  });
});

describe('files that are no safetensors', () => {
  it.each([
    ['a zip archive of torch.save', Buffer.from('PK\u0003\u0004 and so on')],
    ['a bare pickle', Buffer.from([0x80, 2, 0x8a, 10, 0x6c])],
  ])('%s: says how to convert it', (_, bytes) => {
    const path = join(folder, 'model.pth');
    writeFileSync(path, bytes);
    const attempt = () => readWeightsFile(path);
    expect(attempt).toThrow('this is a PyTorch file (pickle)');
    expect(attempt).toThrow(
      expect.objectContaining({ remedy: expect.stringMatching(/save_file\(.*model\.safetensors"\)/s) }),
    );
  });

  it.skipIf(process.platform === 'win32')('a device that never ends is refused, not read', () => {
    expect(() => readWeightsFile('/dev/zero')).toThrow(UserError);
    expect(() => readWeightsFile(folder)).toThrow('this is a folder');
  });

  it('whatever the bytes are, they are read or refused in words', () => {
    const tensors = new Map([['a', { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }]]);
    const good = encodeSafetensors({ tensors, metadata: { note: 'x' } });
    const header = fc.oneof(
      fc.json(),
      fc
        .record(
          {
            dtype: fc.oneof(fc.constantFrom('F32', 'F16', 'toString', '__proto__'), fc.anything()),
            shape: fc.oneof(fc.array(fc.integer()), fc.anything()),
            data_offsets: fc.oneof(fc.tuple(fc.integer(), fc.integer()), fc.anything()),
          },
          { requiredKeys: [] },
        )
        .map((entry) => JSON.stringify({ t: entry }) ?? 'null'),
    );
    const files = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
        const changed = good.slice();
        changed[at] = byte;
        return changed;
      }),
      fc.nat(good.length).map((n) => good.slice(0, n)),
      header.map((text) => {
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
        return new Uint8Array(Buffer.concat([length, Buffer.from(text), Buffer.alloc(32)]));
      }),
    );
    fc.assert(
      fc.property(files, (bytes) => {
        try {
          for (const { shape, values } of decodeSafetensors(bytes, 'x').tensors.values())
            expect(values.length).toBe(shape.reduce((a, b) => a * b, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
