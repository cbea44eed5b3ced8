import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressionRatio } from '../../../src/data/entropy/compression.js';
import { measureSequences, measureWarnings } from '../../../src/data/entropy/measures.js';
import { HistoryMeter } from '../../../src/data/entropy/meter.js';
import { predictabilityCeiling } from '../../../src/data/entropy/predictability.js';
import { shannonEntropy } from '../../../src/data/entropy/shannon.js';
import { UserError } from '../../../src/util/errors.js';
import { createRandom } from '../../../src/util/random.js';
import { sequencesOf } from '../sequences.js';

describe('predictabilityCeiling', () => {
  it.each([
    [2, 1, 10, 0.660628],
    [6, 1, 3706, 0.576805],
    [6, 10, 3706, 0.776001],
    [9, 10, 3706, 0.450741],
    [11, 10, 3706, 0.179441],
  ])('S %d bits, K %d, M %d', (entropy, k, items, expected) => {
    expect(predictabilityCeiling(entropy, k, items)).toBeCloseTo(expected, 6);
  });

  it('is 1 below log2 K and K/M above log2 M', () => {
    expect(predictabilityCeiling(3.3, 10, 100)).toBe(1);
    expect(predictabilityCeiling(7, 10, 100)).toBe(0.1);
    expect(() => predictabilityCeiling(1, 10, 10)).toThrow(UserError);
    expect(() => predictabilityCeiling(Number.NaN, 1, 10)).toThrow(UserError);
  });
});

describe('shannon and compression', () => {
  it('Shannon entropy in nats', () => {
    expect(shannonEntropy(['a', 'b', 'c', 'd'])).toBeCloseTo(Math.log(4), 12);
    expect(shannonEntropy([1, 1, 1, 2])).toBeCloseTo(-(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25)), 12);
    expect(shannonEntropy([5, 5])).toBeCloseTo(0, 12);
    expect(shannonEntropy([])).toBeNaN();
  });

  it('compresses 4-byte big-endian numbers', () => {
    const items = Int32Array.from({ length: 1000 }, (_, i) => (i * i) % 300);
    const bytes = Buffer.alloc(4000);
    items.forEach((item, i) => {
      bytes.writeInt32BE(item, 4 * i);
    });
    expect(compressionRatio(items)).toBe(deflateSync(bytes).length / 4000);
    expect(items[17]).toBe(289);
    expect(compressionRatio(new Int32Array(0))).toBeNaN();
  });
});

describe('measureSequences', () => {
  it('counts what is there', () => {
    const measures = measureSequences(sequencesOf([[1, 2, 1, 2, 3], [], [3, 3]]));
    expect(measures.users).toBe(3);
    expect(measures.tokens).toBe(7);
    expect(measures.repeatShare).toBeCloseTo(3 / 7, 12);
    expect(measures.lempelZiv).toBeCloseTo((1.14959851 + (2 * Math.log(2)) / 3) / 2, 7);
    expect(measures.shannon).toBeCloseTo(shannonEntropy([1, 2, 1, 2, 3, 3, 3]), 12);
    expect(Object.values(measures).every(Number.isFinite)).toBe(true);
  });

  it('is the same for histories that come one after another', () => {
    const history = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(history, { minLength: 1, maxLength: 10 }), (rows) => {
        const meter = new HistoryMeter();
        for (const row of rows) meter.add(row);
        const streamed = meter.finish();
        for (const [name, value] of Object.entries(measureSequences(sequencesOf(rows))))
          expect([name, streamed[name as keyof typeof streamed]]).toEqual([name, expect.closeTo(value, 9)]);
      }),
      { numRuns: 50 },
    );
  });

  it('streams more than a batch', () => {
    const random = createRandom('batches');
    const rows = Array.from({ length: 30 }, () => Array.from({ length: 50_000 }, () => 1 + random.int(200)));
    const meter = new HistoryMeter();
    for (const row of rows) meter.add(row);
    const { apenPooled, lempelZiv, tokens } = meter.finish();
    const whole = measureSequences(sequencesOf(rows));
    expect(tokens).toBe(1_500_000);
    expect(apenPooled).toBeCloseTo(whole.apenPooled, 9);
    expect(lempelZiv).toBeCloseTo(whole.lempelZiv, 9);
  });

  it('stays numeric on nothing at all', () => {
    expect(Object.values(measureSequences(sequencesOf([[], []]))).every(Number.isFinite)).toBe(true);
  });

  it('warns where single histories say nothing but their length', () => {
    expect(
      measureWarnings(
        sequencesOf([
          [1, 2, 3],
          [4, 1],
        ]),
      )[0],
    ).toMatch(/No item occurs twice in any history/);
    expect(
      measureWarnings(
        sequencesOf([
          [1, 2, 1],
          [4, 1],
        ]),
      )[0],
    ).toMatch(/1 of 2 histories/);
    expect(measureWarnings(sequencesOf([[1, 2, 1]]))).toEqual([]);
    expect(measureWarnings(sequencesOf([[1]]))[0]).toMatch(/two events/);
  });

  it('warns where pairs are too few for the pooled ApEn', () => {
    const random = createRandom('pairs');
    const sparse = sequencesOf([Array.from({ length: 200 }, () => 1 + random.int(100))]);
    const dense = sequencesOf([Array.from({ length: 200 }, (_, i) => 1 + (i % 3))]);
    expect(measureWarnings(sparse, measureSequences(sparse)).join()).toMatch(
      /limited by the number of tokens/,
    );
    expect(measureWarnings(dense, measureSequences(dense))).toEqual([]);
  });
});
