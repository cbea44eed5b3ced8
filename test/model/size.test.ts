import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MODEL_NAMES, type ModelConfig } from '../../src/model/config.js';
import { countParameters, trainingFlopsPerToken } from '../../src/model/size.js';

const base: ModelConfig = {
  name: 'mamba4rec',
  dim: 64,
  layers: 1,
  dState: 32,
  dConv: 4,
  expand: 2,
  maxLength: 200,
  dropout: 0.2,
  init: 'mamba',
};

describe('countParameters', () => {
  it('gives the published Mamba4Rec sizes on ML-1M', () => {
    expect(countParameters(base, 3416).total).toBe(290_944);
    expect(countParameters({ ...base, layers: 2 }, 3416).total).toBe(363_072);
    expect(countParameters(base, 3416).nonEmbedding).toBe(290_944 - 3417 * 64);
  });

  it('gives the published TiM4Rec sizes on KuaiRand and ML-1M', () => {
    const tim: ModelConfig = { ...base, name: 'tim4rec', layers: 2, headDim: 32 };
    expect(countParameters({ ...tim, maxLength: 50 }, 7111).total).toBe(593_498);
    expect(countParameters(tim, 3416).total).toBe(508_818);
  });

  it('grows with dim and layers, and by the same step a layer', () => {
    for (const name of MODEL_NAMES) {
      const at = (layers: number, dim = 64) => countParameters({ ...base, name, layers, dim }, 100).total;
      expect(at(3) - at(2)).toBe(at(2) - at(1));
      expect(at(1, 128)).toBeGreaterThan(at(1, 64));
    }
  });

  it('refuses a headDim that does not divide the inner width', () => {
    expect(() => countParameters({ ...base, name: 'ssd4rec', headDim: 48 }, 10)).toThrow(/does not divide/);
  });

  for (const [file, name] of [
    ['mamba4rec_1layer', 'mamba4rec'],
    ['mamba4rec_2layer', 'mamba4rec'],
    ['tim4rec_2layer', 'tim4rec'],
  ] as const) {
    const path = new URL(`../../../shared/fixtures/${file}.json`, import.meta.url).pathname;
    const there = existsSync(path);
    if (!there) console.log(`skipped: ${file}, ../shared/fixtures is absent`);
    it.skipIf(!there)(`agrees with the tensors of ${file}`, () => {
      const { weights, config } = JSON.parse(readFileSync(path, 'utf8')) as {
        weights: Record<string, { shape: number[] }>;
        config: Record<string, number>;
      };
      const sizes = Object.values(weights).map(({ shape }) => shape.reduce((a, b) => a * b, 1));
      const total = sizes.reduce((a, b) => a + b, 0);
      const rows = weights['item_embedding.weight']!.shape[0]!;
      const L = config['MAX_ITEM_LIST_LENGTH'] ?? 1;
      const counted = countParameters(
        {
          ...base,
          name,
          dim: config['hidden_size']!,
          layers: config['num_layers']!,
          dState: config['d_state']!,
          dConv: config['d_conv']!,
          expand: config['expand']!,
          headDim: config['head_dim'],
          maxLength: L,
        },
        rows - 1,
      ).total;
      expect(counted).toBe(total);
    });
  }
});

describe('trainingFlopsPerToken', () => {
  it('is near 6 FLOPs a weight for a wide model, and counts the scores once a predicting token', () => {
    const wide: ModelConfig = { ...base, dim: 1024, layers: 4 };
    const { nonEmbedding } = countParameters(wide, 1);
    expect(trainingFlopsPerToken(wide, 1) / (6 * nonEmbedding)).toBeGreaterThan(0.97);
    expect(trainingFlopsPerToken(wide, 1) / (6 * nonEmbedding)).toBeLessThan(1.1);
    const scores = 3 * 2 * 1024 * 1001;
    const none = trainingFlopsPerToken(wide, 1000) - scores;
    expect(trainingFlopsPerToken(wide, 1000, { loss: 'last' })).toBeCloseTo(none + scores / 200, 3);
    // 99 sampled negatives and the target cost a tenth of 1,000 rows; more negatives than items, no more than all.
    expect(trainingFlopsPerToken(wide, 999, { negatives: 99 })).toBeCloseTo(none + (scores * 100) / 1001, 3);
    expect(trainingFlopsPerToken(wide, 1000, { negatives: 5000 })).toBe(trainingFlopsPerToken(wide, 1000));
  });

  it('counts a reversed pass of the same weights in SSD4Rec', () => {
    const config: ModelConfig = { ...base, name: 'ssd4rec', headDim: 16 };
    const perLayer = trainingFlopsPerToken({ ...config, layers: 2 }, 10) - trainingFlopsPerToken(config, 10);
    // by hand: inner 328, block 2*64*328 + 8*192 + 5*128*32 + 2*128 + 2*128*64 = 80,640, twice; FFN 16*64^2
    expect(perLayer).toBeCloseTo(3 * (2 * 80_640 + 65_536), 6);
  });
});
